package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The rules for Prometheus name metrics that there are and, where promtool is installed (Debian's package
// prometheus), say what their own tests expect.
func TestAlertRules(t *testing.T) {
	t.Parallel()
	rules, err := os.ReadFile("../../docs/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	err = filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			var text []byte
			if text, err = os.ReadFile(path); err == nil {
				source.Write(text)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`watchbill_[a-z_]+`).FindAllString(string(rules), -1)
	for _, name := range names {
		if metric := strings.TrimSuffix(name, "_bucket"); !strings.Contains(source.String(), `"`+metric+`"`) {
			t.Errorf("there is no metric %s", metric)
		}
	}
	if len(names) < 10 {
		t.Errorf("found %d metrics only", len(names))
	}
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Log("promtool is not installed, so that the rules were not run")
		return
	}
	for _, args := range [][]string{{"check", "rules", "../../docs/alerts.yaml"}, {"test", "rules", "../../docs/alerts_test.yaml"}} {
		if out, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
