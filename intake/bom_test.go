package intake_test

import (
	"encoding/binary"
	"testing"
	"unicode/utf16"

	"github.com/watchbill/watchbill/intake"
)

func TestBOMIsRemoved(t *testing.T) {
	t.Parallel()
	const text = `{"title":"Plattenplatz auf „db-1“ \ud83d\ude00 😀"}`
	little, big := []byte{0xff, 0xfe}, []byte{0xfe, 0xff}
	for _, u := range utf16.Encode([]rune(text)) {
		little, big = binary.LittleEndian.AppendUint16(little, u), binary.BigEndian.AppendUint16(big, u)
	}
	for name, body := range map[string][]byte{
		"none": []byte(text), "UTF-8": []byte("\ufeff" + text), "UTF-16 of Windows": little, "UTF-16": big,
	} {
		if got := string(intake.WithoutBOM(body)); got != text {
			t.Errorf("%s: %q, want %q", name, got, text)
		}
	}
	if got := intake.WithoutBOM([]byte{0xff, 0xfe, 'a', 0, 'b'}); string(got) != "a" {
		t.Errorf("UTF-16 with half a character at the end: got %q, want \"a\"", got)
	}
	if got := intake.WithoutBOM(nil); len(got) != 0 {
		t.Errorf("nil: got %q, want nothing", got)
	}
}
