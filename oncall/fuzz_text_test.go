package oncall

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// A key that a provider gives back names the message that it was made for.
func FuzzParseMessageKey(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		k := ParseMessageKey(text)
		if again := ParseMessageKey(k.String()); again != k {
			t.Fatalf("%q is %+v, written %q, which is %+v", text, k, k.String(), again)
		}
		if k.Probe.Kind != "" && (k.Page != "" || k.Probe.User == "" || k.Probe.Kind != ProbeTest && k.Probe.Kind != ProbeCheck) {
			t.Fatalf("the key %q is parsed as %+v, want either a page or a probe of a person", text, k)
		}
	})
}

// Settings with secrets are read or refused, and never repeated.
func FuzzParseSecrets(f *testing.F) {
	f.Fuzz(func(t *testing.T, list, sealed string) {
		secrets, err := ParseSecrets(list)
		if err != nil {
			if len(list) >= 8 && strings.Contains(err.Error(), strings.TrimSpace(list)) {
				t.Fatalf("the error %v repeats the secrets %q", err, list)
			}
			return
		}
		if len(secrets) > maxSecrets {
			t.Fatalf("%d secrets, want at most %d", len(secrets), maxSecrets)
		}
		if text, ok := Unseal(secrets, sealed); ok && text != sealed {
			t.Fatalf("%q was never sealed and is %q", sealed, text)
		}
		for i, s := range secrets {
			if len(s) < minSecretLength {
				t.Fatalf("a secret of %d bytes, want at least %d", len(s), minSecretLength)
			}
			if text, ok := Unseal(secrets[i:], s.Seal(sealed)); !ok || text != sealed {
				t.Fatalf("%q was sealed and came back as %q, %t", sealed, text, ok)
			}
		}
	})
}

// A list of countries is read as what it says, or refused in words that quote it harmlessly.
func FuzzParsePhoneCountries(f *testing.F) {
	f.Fuzz(func(t *testing.T, list, number string) {
		rules, err := ParsePhoneCountries(list)
		if err != nil {
			if !utf8.ValidString(err.Error()) || strings.ContainsAny(err.Error(), "\r\n\x00") {
				t.Fatalf("the error is %q, want one line of UTF-8", err)
			}
			return
		}
		if rules.All() != (strings.TrimSpace(list) == "") {
			t.Fatalf("%q allows %+v, want all countries only if the list is empty", list, rules)
		}
		err = rules.Check(MethodVoice, number)
		kept, wrong := checkPhone(number)
		if err == nil && (wrong != nil || !phoneNumber.MatchString(kept)) {
			t.Fatalf("%q may be called although %v", number, wrong)
		}
		if err == nil && !rules.All() && !strings.Contains(strings.ToUpper(list), PhoneCountry(number)) {
			t.Fatalf("%q of %s may be called by %q", number, PhoneCountry(number), list)
		}
	})
}

// Reminders are read, or refused in words.
func FuzzParseRemindBefore(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		before, err := ParseRemindBefore(strings.Fields(text))
		if err != nil {
			if err.Error() == "" || !utf8.ValidString(strings.ToValidUTF8(err.Error(), "")) {
				t.Fatalf("the error is %q, want some text", err)
			}
			return
		}
		for _, d := range before {
			if d < 0 {
				t.Fatalf("%q reminds %s before, want at least 0", text, d)
			}
		}
	})
}
