package mcp

import (
	"strings"
	"unicode"
)

const maxText = 2000 // characters of one text

// sanitize takes out of a text what an agent would read and a person would not see: control characters, marks that turn a
// line around, characters without width, and those that smuggle text inside others. Joiners stay, as emojis have them.
func sanitize(text string) string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\u0085", "\n").Replace(strings.ToValidUTF8(text, "\ufffd"))
	n := 0
	cut := false
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\u200d':
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r >= 0xE0100 && r <= 0xE01EF, unicode.Is(unicode.Co, r):
			return -1
		}
		if n++; n > maxText {
			cut = true
			return -1
		}
		return r
	}, text)
	if cut {
		text += "… (cut)"
	}
	return text
}

// sanitizeAll is plain for every text in what was decoded from JSON.
func sanitizeAll(v any) any {
	switch v := v.(type) {
	case string:
		return sanitize(v)
	case []any:
		for i := range v {
			v[i] = sanitizeAll(v[i])
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, one := range v {
			out[sanitize(name)] = sanitizeAll(one)
		}
		return out
	}
	return v
}
