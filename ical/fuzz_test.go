package ical

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// With any names, a calendar has only our lines, of at most 75 bytes.
func FuzzWrite(f *testing.F) {
	for _, seed := range []string{"", "Ann", "a\r\nBEGIN:VEVENT", "\xff\x00", strings.Repeat("🚨", 40), `\\;,`, "\u2028"} {
		f.Add(seed, seed, seed)
	}
	f.Fuzz(func(t *testing.T, name, summary, note string) {
		at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		var out bytes.Buffer
		if err := Write(&out, Feed{Name: name, Note: note, Changed: at, Events: []Event{{Key: name, Start: at, End: at.Add(time.Hour), Summary: summary, Note: note}}}); err != nil {
			t.Fatal(err)
		}
		text, whole := strings.CutSuffix(out.String(), "\r\n")
		begins := 0
		for line := range strings.SplitSeq(text, "\r\n") {
			if len(line) > 75 || strings.ContainsAny(line, "\r\n\x00") || !utf8.ValidString(line) {
				t.Fatalf("the line is %q, want UTF-8 of at most 75 bytes", line)
			}
			if strings.HasPrefix(line, "BEGIN:") {
				begins++
			}
		}
		if !whole || begins != 2 {
			t.Fatalf("%d components, whole: %t, want 2, whole\n%s", begins, whole, text)
		}
	})
}
