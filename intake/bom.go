package intake

import (
	"bytes"
	"unicode/utf16"
)

// WithoutBOM returns a body or file as UTF-8, without the byte order mark that some editors and shells
// write. On Windows they write UTF-16, which no format allows.
func WithoutBOM(body []byte) []byte {
	switch {
	case bytes.HasPrefix(body, []byte("\ufeff")):
		return body[len("\ufeff"):]
	case bytes.HasPrefix(body, []byte{0xff, 0xfe}):
		return fromUTF16(body[2:], func(a, b byte) uint16 { return uint16(a) | uint16(b)<<8 })
	case bytes.HasPrefix(body, []byte{0xfe, 0xff}):
		return fromUTF16(body[2:], func(a, b byte) uint16 { return uint16(a)<<8 | uint16(b) })
	}
	return body
}

func fromUTF16(body []byte, unit func(a, b byte) uint16) []byte {
	units := make([]uint16, 0, len(body)/2)
	for i := 0; i+1 < len(body); i += 2 {
		units = append(units, unit(body[i], body[i+1]))
	}
	return []byte(string(utf16.Decode(units)))
}
