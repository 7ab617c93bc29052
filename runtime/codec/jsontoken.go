package codec

import (
	"bytes"
	"math/bits"
)

// Every token is read with the white space around it, so that what follows a
// value is empty if and only if nothing follows.

func skipSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\n' || b[0] == '\t' || b[0] == '\r') {
		b = b[1:]
	}
	return b
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// first returns the first byte of a value, 0 where there is none.
func first(b []byte) byte {
	if b = skipSpace(b); len(b) > 0 {
		return b[0]
	}
	return 0
}

// cutByte reads one byte.
func cutByte(b []byte, c byte) (rest []byte, ok bool) {
	b = skipSpace(b)
	if len(b) == 0 || b[0] != c {
		return nil, false
	}
	return skipSpace(b[1:]), true
}

// cutLiteral reads true, false or null.
func cutLiteral(b []byte, literal string) (rest []byte, ok bool) {
	rest, ok = bytes.CutPrefix(skipSpace(b), []byte(literal))
	return skipSpace(rest), ok
}

func readColon(b []byte) ([]byte, error) {
	rest, ok := cutByte(b, ':')
	if !ok {
		return nil, unexpected(b, "':'")
	}
	return rest, nil
}

// readNumber reads a number (RFC 8259, section 6).
func readNumber(b []byte) (text, rest []byte, err error) {
	b = skipSpace(b)
	n := scanNumber(b)
	if n == 0 {
		return nil, nil, unexpected(b, "a number")
	}
	return b[:n], skipSpace(b[n:]), nil
}

// scanNumber returns the length of the number that b begins with, 0 if there is
// none.
func scanNumber(b []byte) int {
	i := 0
	if i < len(b) && b[i] == '-' {
		i++
	}
	whole := countDigits(b[i:])
	if whole > 1 && b[i] == '0' {
		whole = 1
	}
	if whole == 0 {
		return 0
	}
	i += whole
	if i < len(b) && b[i] == '.' {
		fraction := countDigits(b[i+1:])
		if fraction == 0 {
			return 0
		}
		i += 1 + fraction
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		power := countDigits(b[i:])
		if power == 0 {
			return 0
		}
		i += power
	}
	return i
}

func countDigits(b []byte) int {
	n := 0
	for n < len(b) && isDigit(b[n]) {
		n++
	}
	return n
}

// integer returns the exact value of a number, if it is whole and its magnitude
// has at most 64 bits, however it is spelled.
func integer(text []byte) (negative bool, magnitude uint64, ok bool) {
	negative = text[0] == '-'
	if negative {
		text = text[1:]
	}
	if n, ok := shortInteger(text); ok {
		return negative, n, true
	}
	var power int // of ten, by which the digits are to be multiplied
	if i := bytes.IndexAny(text, "eE"); i >= 0 {
		power = exponent(text[i+1:])
		text = text[:i]
	}
	places := 0 // since the last digit that counted: trailing zeros may be a fraction's
	fraction := false
	for _, c := range text {
		if c == '.' {
			fraction = true
			continue
		}
		if fraction {
			power--
		}
		places++
		if c == '0' {
			continue
		}
		if magnitude, ok = scale(magnitude, places, uint64(c-'0')); !ok {
			return negative, 0, false
		}
		places = 0
	}
	magnitude, ok = scale(magnitude, places+power, 0)
	return negative, magnitude, ok
}

// shortInteger reads the usual spelling of a number that cannot overflow.
func shortInteger(text []byte) (n uint64, ok bool) {
	if len(text) > 19 {
		return 0, false
	}
	for _, c := range text {
		if !isDigit(c) {
			return 0, false
		}
		n = 10*n + uint64(c-'0')
	}
	return n, true
}

// exponent reads the digits behind the e. One without meaning for 64 bits is
// cut to a size that is as large or as small.
func exponent(text []byte) int {
	const most = 1 << 28
	negative := text[0] == '-'
	n := 0
	for _, c := range text {
		if isDigit(c) {
			n = min(10*n+int(c-'0'), most)
		}
	}
	if negative {
		return -n
	}
	return n
}

// scale returns n times ten to the power, plus a digit, if that is whole and has
// at most 64 bits. The last digit of n is not 0, unless n is.
func scale(n uint64, power int, digit uint64) (_ uint64, ok bool) {
	if n == 0 {
		return digit, true
	}
	if power < 0 {
		return 0, false
	}
	for range power {
		high, low := bits.Mul64(n, 10)
		if high != 0 {
			return 0, false
		}
		n = low
	}
	n, carry := bits.Add64(n, digit, 0)
	return n, carry == 0
}
