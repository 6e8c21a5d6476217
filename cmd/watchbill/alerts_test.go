package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The Prometheus rules name existing metrics and, if promtool is installed (Debian's package
// prometheus), pass their own tests.
func TestAlertRules(t *testing.T) {
	t.Parallel()
	rules, err := os.ReadFile("../../docs/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	source := productSource(t)
	names := regexp.MustCompile(`watchbill_[a-z_]+`).FindAllString(string(rules), -1)
	for _, name := range names {
		if metric := strings.TrimSuffix(name, "_bucket"); !strings.Contains(source, `"`+metric+`"`) {
			t.Errorf("there is no metric %s, want source to contain %q", metric, `"`+metric+`"`)
		}
	}
	if len(names) < 10 {
		t.Errorf("found %d metrics only, want at least 10", len(names))
	}
	promtool := findPromtool(t)
	if promtool == "" {
		return
	}
	for _, args := range [][]string{{"check", "rules", "../../docs/alerts.yaml"}, {"test", "rules", "../../docs/alerts_test.yaml"}} {
		if out, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// findPromtool returns its path; "" if it is not installed, which is a failure where CI is set,
// because .ci/run installs it.
func findPromtool(t *testing.T) string {
	t.Helper()
	promtool, err := exec.LookPath("promtool")
	switch {
	case err == nil:
		return promtool
	case os.Getenv("CI") != "":
		t.Fatal("promtool is not installed: apt-get install prometheus")
	default:
		t.Log("promtool is not installed (apt-get install prometheus), so that what it would read was not read")
	}
	return ""
}

// productSource returns all Go code except tests.
func productSource(t *testing.T) string {
	t.Helper()
	var source strings.Builder
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
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
	return source.String()
}

// The Grafana dashboard names existing metrics, in queries that Prometheus understands.
func TestDashboardNamesExistingMetrics(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../docs/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(data, &board); err != nil {
		t.Fatal(err)
	}
	if len(board.Panels) < 10 {
		t.Errorf("found %d panels only, want at least 10", len(board.Panels))
	}
	source := productSource(t)
	rules := "groups:\n- name: dashboard\n  rules:\n"
	for i, panel := range board.Panels {
		for j, target := range panel.Targets {
			names := regexp.MustCompile(`watchbill_[a-z_]+`).FindAllString(target.Expr, -1)
			if len(names) == 0 {
				t.Errorf("%s asks for %v, want a metric of ours", panel.Title, names)
			}
			for _, name := range names {
				if metric := strings.TrimSuffix(name, "_bucket"); !strings.Contains(source, `"`+metric+`"`) {
					t.Errorf("%s: there is no metric %s, want source to contain %q", panel.Title, metric, `"`+metric+`"`)
				}
			}
			rules += fmt.Sprintf("  - {record: 'panel:%d:%d', expr: %q}\n", i, j, target.Expr)
		}
	}
	promtool := findPromtool(t)
	if promtool == "" {
		return
	}
	file := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "check", "rules", "--lint=none", file).CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}

// The runbook explains every rule that may wake somebody.
func TestRunbookExplainsEachAlert(t *testing.T) {
	t.Parallel()
	var alerts, sections []string
	for _, m := range regexp.MustCompile(`(?m)^ +- alert: (\w+)$`).FindAllStringSubmatch(document(t, "docs/alerts.yaml"), -1) {
		alerts = append(alerts, m[1])
	}
	runbook := document(t, "docs/runbook.md")
	for _, m := range regexp.MustCompile(`(?m)^### (\w+)$`).FindAllStringSubmatch(runbook, -1) {
		sections = append(sections, m[1])
	}
	if !slices.Equal(alerts, sections) {
		t.Errorf("alerts.yaml has\n%q\nwant the sections of the runbook\n%q", alerts, sections)
	}
	source := productSource(t)
	for _, name := range regexp.MustCompile(`watchbill_[a-z_0-9]+`).FindAllString(runbook, -1) {
		if !strings.Contains(source, `"`+name+`"`) {
			t.Errorf("the runbook names %s, which is no metric, want source to contain %q", name, `"`+name+`"`)
		}
	}
}
