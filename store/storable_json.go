package store

import (
	"encoding/json"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// storableJSON encodes a value as JSON without NUL, which PostgreSQL can't store. Only the escape of NUL is dropped: a
// backslash that a text itself contains is escaped too, and may stand before "u0000".
func storableJSON(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	rest := string(text)
	for {
		before, after, found := strings.Cut(rest, `\`)
		b.WriteString(before)
		if !found {
			return oncall.Storable(b.String()), nil
		}
		if cut, isNUL := strings.CutPrefix(after, "u0000"); isNUL {
			rest = cut
			continue
		}
		b.WriteString(`\` + after[:1]) // whatever is escaped, a backslash too
		rest = after[1:]
	}
}
