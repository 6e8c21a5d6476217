package intake_test

import (
	"os"
	"strings"
	"testing"

	"github.com/watchbill/watchbill/intake"
)

func TestEveryFormatIsComplete(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range intake.Formats {
		name := string(f.Name)
		if name == "" || seen[name] || f.Parse == nil || f.Limit <= 0 {
			t.Errorf("format %q: %+v", name, f)
		}
		seen[name] = true
		if got := intake.Of(f.Name); got.Name != f.Name {
			t.Errorf("%s is read as %s", name, got.Name)
		}
		if !strings.Contains(string(readme), "`kind: "+name+"`") {
			t.Errorf("README.md doesn't say what to send with kind: %s", name)
		}
	}
	if got := intake.Of("of a later release"); got.Name != "generic" {
		t.Errorf("an unknown format is read as %s", got.Name)
	}
}
