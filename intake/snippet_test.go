package intake

import (
	"slices"
	"strings"
	"testing"

	"github.com/watchbill/watchbill/oncall"
)

// Every snippet has the address with the key in it.
func TestSnippetsHaveAddressAndKey(t *testing.T) {
	t.Parallel()
	const want = "https://watchbill.example.com/v1/signals/0123456789abcdef0123456789abcdef"
	for _, name := range append(Names(), "of a later release") {
		for _, base := range []string{"https://watchbill.example.com", "https://watchbill.example.com/"} {
			s := SnippetFor(name, base, "0123456789abcdef0123456789abcdef")
			n := strings.Count(s.Text, want)
			if _, short := snippets[name]; short && n != 1 {
				t.Errorf("%s: the address with the key is there %d times, want once: %s", name, n, s.Text)
			}
			split := slices.Contains([]oncall.Format{"prometheus", "pagerduty", "opsgenie"}, name) // they have a field for the key
			if n == 0 && !split {
				t.Errorf("%s: the address with the key is not there: %s", name, s.Text)
			}
			if strings.Contains(s.Text, "%!") || s.Where == "" {
				t.Errorf("%s: got %+v, want a text without faults of formatting, and where it belongs", name, s)
			}
		}
	}
	for _, name := range append(Names(), "of a later release") { // whoever reads it has no repository
		if s := SnippetFor(name, "https://watchbill.example.com", "key"); strings.Contains(s.Where+s.Text, ".md") {
			t.Errorf("%s: %+v refers to a file", name, s)
		}
		if s := SnippetFor(name, "https://watchbill.example.com", "key"); strings.ContainsAny(s.Text, "`") || strings.Contains(s.Text, "**") { // it is shown as it is
			t.Errorf("%s: got %q, want no marks of Markdown", name, s.Text)
		}
	}
	for name := range snippets {
		if FormatNamed(name).Name != name {
			t.Errorf("there is no format %s", name)
		}
	}
}

// The generic snippet works unchanged.
func TestGenericSnippetIsASignal(t *testing.T) {
	t.Parallel()
	text := SnippetFor("generic", "http://localhost", "key").Text
	_, body, _ := strings.Cut(text, "-d '")
	signals, err := Generic([]byte(strings.TrimSuffix(body, "'")))
	if err != nil || len(signals) != 1 {
		t.Fatalf("got %+v, %v, want one signal", signals, err)
	}
	if s := signals[0]; s.DedupKey != "db-1/disk" || s.Severity != oncall.High {
		t.Errorf("got %+v, want db-1/disk of high severity", s)
	}
}
