package oncall

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestSecretsAreParsedAndGiveDifferentKeys(t *testing.T) {
	t.Parallel()
	one, two := NewSecret([32]byte{1}), NewSecret([32]byte{2})
	both, err := ParseSecrets(" " + one + ", " + two + "\n")
	if err != nil || len(both) != 2 {
		t.Fatalf("got %d secrets and the error %v, want 2 and none", len(both), err)
	}
	if string(both[0]) != one || string(both[1]) != two {
		t.Fatalf("got %q, want %q and %q", both, one, two)
	}
	for _, none := range []string{"", " \n"} {
		if got, err := ParseSecrets(none); got != nil || err != nil {
			t.Errorf("%q: %q, %v, want nil", none, got, err)
		}
	}
	for _, bad := range []string{"hidden", one + ",", "," + one, one + ",hidden", strings.Repeat("x", 40), strings.Join([]string{one, one, one, one, one}, ",")} {
		if got, err := ParseSecrets(bad); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf(`%q: %q, %v; want the error not to contain "hidden"`, bad, got, err)
		}
	}
	s, other := both[0], both[1]
	keys := [][]byte{s.TokenKey(), other.TokenKey(), s.Fingerprint(), other.Fingerprint(), s.CodeHash(1, "123456"), s.CodeHash(2, "123456"), other.CodeHash(1, "123456")}
	for i := range keys {
		for j := range i {
			if bytes.Equal(keys[i], keys[j]) {
				t.Errorf("%d and %d are the same", i, j)
			}
		}
	}
	if !bytes.Equal(s.CodeHash(1, " ABCD "), s.CodeHash(1, "abcd")) {
		t.Error("a code in other letters than it was told has another hash, want the same")
	}
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	token := SignToken(s.TokenKey(), Claim{Page: 1, User: "U0ANN", Expires: now.Add(time.Hour)})
	if _, err := OpenToken([][]byte{other.TokenKey(), s.TokenKey()}, token, now); err != nil {
		t.Error(err)
	}
	code := s.Seal("abcd2345")
	if strings.Contains(code, "abcd") || code == other.Seal("abcd2345") {
		t.Errorf(`sealed: %s; want it hidden, and unlike what another secret makes of it`, code)
	}
	for _, c := range []struct {
		with       []Secret
		text, want string
		ok         bool
	}{
		{both, code, "abcd2345", true},
		{[]Secret{other, s}, code, "abcd2345", true},
		{[]Secret{other}, code, "", false},
		{nil, code, "", false},
		{nil, "abcd2345", "abcd2345", true},
		{both, code + "x", "", false},
		{both, "sealed:", "", false},
		{both, "sealed:AAAA", "", false},
	} {
		if got, ok := Unseal(c.with, c.text); got != c.want || ok != c.ok {
			t.Errorf("%s: %q, %v; want got %q and ok %v", c.text, got, ok, c.want, c.ok)
		}
	}
}
