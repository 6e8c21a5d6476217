package intake_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
)

func TestEveryFormatIsComplete(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, f := range intake.Formats {
		name := string(f.Name)
		if name == "" || seen[name] {
			t.Errorf("got the name %q, seen before: %t, want a unique name", name, seen[name])
		}
		if f.Parse == nil || f.Limit <= 0 || f.Title == "" {
			t.Errorf("%s: got a parser %t, limit %d, title %q, want all", name, f.Parse != nil, f.Limit, f.Title)
		}
		seen[name] = true
		if got := intake.FormatNamed(f.Name); got.Name != f.Name {
			t.Errorf("%s is read as %s, want %s", name, got.Name, f.Name)
		}
	}
	if got := intake.FormatNamed("of a later release"); got.Name != intake.Auto {
		t.Errorf("an unknown format is read as %s, want %s", got.Name, intake.Auto)
	}
}

// TestMonitorsDocumentIsUpToDate compares docs/monitors.md with the formats.
func TestMonitorsDocumentIsUpToDate(t *testing.T) {
	t.Parallel()
	const start, file = "<!-- formats -->\n", "../docs/monitors.md"
	document := string(read(t, file))
	head, _, _ := strings.Cut(document, start)
	var want strings.Builder
	want.WriteString(head + start)
	for _, f := range intake.Formats {
		text := intake.Guide(f.Name, "", "")
		if text == "" {
			t.Errorf("%s has no guide, want one", f.Title)
		}
		fmt.Fprintf(&want, "\n## %s\n\n`kind: %s`\n\n%s", strings.ToUpper(f.Title[:1])+f.Title[1:], f.Name, text)
	}
	if *update {
		if err := os.WriteFile(file, []byte(want.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	} else if document != want.String() {
		t.Error("docs/monitors.md is not what go test ./intake -update writes")
	}
}

func TestGuideHasAddressAndKey(t *testing.T) {
	t.Parallel()
	for _, f := range intake.Formats {
		text := intake.Guide(f.Name, "https://oncall.example.org/", "0f1e2d3c")
		if strings.Contains(text, "watchbill.example.com/") || strings.Contains(text, "/KEY") || !strings.Contains(text, "0f1e2d3c") {
			t.Errorf("%s: want the address and the key in the guide, got %s", f.Name, text)
		}
	}
	if got := intake.Guide(oncall.Format("kuma"), "", ""); !strings.Contains(got, "https://watchbill.example.com/v1/signals/KEY") {
		t.Errorf("got %s, want it with \"https://watchbill.example.com/v1/signals/KEY\"", got)
	}
}
