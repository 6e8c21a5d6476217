package intake

import (
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
			if _, short := snippets[name]; strings.Count(s.Text, want) < 1 && name != "prometheus" && name != "pagerduty" && name != "opsgenie" || short && strings.Count(s.Text, want) != 1 || strings.Contains(s.Text, "%!") || s.Where == "" {
				t.Errorf("%s: got %+v, want the address and the key in it", name, s)
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
	if err != nil || len(signals) != 1 || signals[0].DedupKey != "db-1/disk" || signals[0].Severity != oncall.High {
		t.Errorf("got %+v, %v, want one signal db-1/disk of high severity", signals, err)
	}
}
