package oncall

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTokensOpenOnlyWithTheirKeyAndInTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	old, key := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	want := Claim{Page: 1 << 40, User: "W0123456789ABCDEF", Expires: now.Add(time.Hour)}
	token := SignToken(key, want)
	if len(token) > 140 || strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Errorf("got the token %q, want at most 140 letters, digits, dashes and underscores", token)
	}
	got, err := OpenToken([][]byte{key, old}, token, now)
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	if _, err := OpenToken([][]byte{old, key}, SignToken(old, want), now); err != nil {
		t.Errorf("a token of the key before: %v, want it opened", err)
	}
	if _, err := OpenToken([][]byte{key}, token, now.Add(61*time.Minute)); err == nil {
		t.Error("an expired token opens, want an error")
	}
	for name, keys := range map[string][][]byte{"no keys": nil, "another key": {old}} {
		if _, err := OpenToken(keys, token, now); err == nil {
			t.Errorf("%s opens it, want an error", name)
		}
	}
	for i := range token {
		b := []byte(token)
		b[i] ^= 1
		if c, err := OpenToken([][]byte{key}, string(b), now); err == nil {
			t.Errorf("changed at %d it still opens: %+v, want an error", i, c)
		}
	}
	forever := SignToken(key, Claim{Page: 1, User: "U0ANN", Expires: now.AddDate(8000, 0, 0)})
	longer := SignToken(key, Claim{Page: 1, User: "U0ANN", Expires: now.Add(TokenLives + time.Hour)})
	for _, bad := range []string{
		"", "a", strings.Repeat("A", 43), token + "A", token[:len(token)-1], token[:20] + "\n" + token[20:], token + "\r\n", forever, longer,
		SignToken(key, Claim{Page: 1, Expires: want.Expires}), SignToken(key, Claim{Page: -1, User: "U0ANN", Expires: want.Expires}),
	} {
		if _, err := OpenToken([][]byte{key}, bad, now); err == nil {
			t.Errorf("%q opens, want an error", bad)
		}
	}
}
