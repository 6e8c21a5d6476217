package oncall

import (
	"strings"
	"testing"
	"time"
)

// No link causes a panic, and only signed ones open.
func FuzzOpenToken(f *testing.F) {
	key := []byte("0123456789abcdef")
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	good := SignToken(key, Claim{Page: 7, User: "U0ANN", Expires: now.Add(time.Hour)})
	for _, seed := range []string{good, "", "x", good[1:], good + "\n", strings.Repeat("A", 200), good[:len(good)-1] + "_"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		c, err := OpenToken([][]byte{key}, token, now)
		if err == nil && SignToken(key, c) != token {
			t.Fatalf("%q opens as %+v, which is another token", token, c)
		}
	})
}

// Normalising a normalised address changes nothing.
func FuzzCheckAddress(f *testing.F) {
	for _, m := range ContactMethods() {
		for _, seed := range []string{"", "+1 (202) 555-0100", "ann@example.com", "topic", "https://example.com/x?y#z", "azGDORePK8gMaC0QOYAMyEEuzJnyUi", "-100777", "+19005550123", "https://a:b@[::1]:9/"} {
			f.Add(string(m.Method), seed)
		}
	}
	f.Fuzz(func(t *testing.T, method, address string) {
		kept, err := Method(method).CheckAddress(address)
		if err != nil {
			return
		}
		if strings.ContainsAny(kept, "\r\n\x00") {
			t.Fatalf("%s %q is kept as %q, want no line breaks and no NUL", method, address, kept)
		}
		if again, err := Method(method).CheckAddress(kept); err != nil || again != kept {
			t.Fatalf("%s %q is kept as %q, but checked again that is %q, %v; want it unchanged", method, address, kept, again, err)
		}
		PhoneCountry(kept)
	})
}
