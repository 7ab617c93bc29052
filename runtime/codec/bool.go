package codec

import (
	"strconv"

	"github.com/duckgen/duckgen/runtime"
	"github.com/tinylib/msgp/msgp"
)

// Bool returns the codec of bools.
func Bool[T ~bool]() runtime.Codec[T] { return boolCodec[T]{} }

type boolCodec[T ~bool] struct{}

func (boolCodec[T]) Append(b []byte, f runtime.Format, v T) ([]byte, error) {
	if f == runtime.JSON {
		return strconv.AppendBool(b, bool(v)), nil
	}
	return msgp.AppendBool(b, bool(v)), nil
}

func (boolCodec[T]) Read(b []byte, f runtime.Format) (T, []byte, error) {
	if f == runtime.JSON {
		if rest, ok := cutLiteral(b, "true"); ok {
			return true, rest, nil
		}
		if rest, ok := cutLiteral(b, "false"); ok {
			return false, rest, nil
		}
		return false, nil, unexpected(b, "a bool")
	}
	v, rest, err := msgp.ReadBoolBytes(b)
	if err != nil {
		return false, nil, unread(b, "a bool", err)
	}
	return T(v), rest, nil
}

func (boolCodec[T]) zero(v T) bool { return !bool(v) }
