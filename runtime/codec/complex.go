package codec

import (
	"unsafe"

	"github.com/duckgen/duckgen/runtime"
)

// Complex returns the codec of complex numbers, arrays of two floats.
func Complex[T ~complex64 | ~complex128]() runtime.Codec[T] { return complexCodec[T]{} }

type complexCodec[T ~complex64 | ~complex128] struct{}

// bits is the size of each of the two parts.
func (complexCodec[T]) bits() int { return 4 * int(unsafe.Sizeof(T(0))) }

func (c complexCodec[T]) Append(b []byte, f runtime.Format, v T) ([]byte, error) {
	parts := complex128(v)
	b = appendArrayStart(b, f, 2)
	b = appendFloat(b, f, real(parts), c.bits())
	b = appendSeparator(b, f, 1)
	b = appendFloat(b, f, imag(parts), c.bits())
	return appendEnd(b, f, ']'), nil
}

func (c complexCodec[T]) Read(b []byte, f runtime.Format) (T, []byte, error) {
	l, b, err := openArray(b, f)
	if err != nil {
		return 0, nil, err
	}
	var parts [2]float64
	for i := range parts {
		if b, err = l.item(b, i, len(parts)); err != nil {
			return 0, nil, err
		}
		if parts[i], b, err = readFloat(b, f, c.bits()); err != nil {
			return 0, nil, within(indexStep(i), err)
		}
	}
	if b, err = l.close(b, len(parts)); err != nil {
		return 0, nil, err
	}
	return T(complex(parts[0], parts[1])), b, nil
}

func (complexCodec[T]) zero(v T) bool {
	parts := complex128(v)
	return isZeroFloat(real(parts)) && isZeroFloat(imag(parts))
}
