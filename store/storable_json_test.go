package store

import (
	"encoding/json"
	"testing"
)

// NUL goes, and a text that only looks like its escape stays as it is.
func TestStorableJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a\x00b":                   "ab",
		"\x00\x00":                 "",
		`C:\u0000x`:                `C:\u0000x`,
		`\\u0000`:                  `\\u0000`,
		"\\\x00\\u0000\x00":        `\\u0000`,
		`","title":"x"},{}\u000`:   `","title":"x"},{}\u000`,
		"Gr\u00fc\u00dfe \u2028\"": "Gr\u00fc\u00dfe \u2028\"",
		"":                         "",
	} {
		stored, err := storableJSON(map[string]string{"title": text})
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]string
		if err := json.Unmarshal([]byte(stored), &got); err != nil {
			t.Errorf("%q is stored as %s, want valid JSON: %v", text, stored, err)
		} else if got["title"] != want {
			t.Errorf("%q is read back as %q, want %q", text, got["title"], want)
		}
	}
}
