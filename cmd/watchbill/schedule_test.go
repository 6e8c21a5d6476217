package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// runSchedule runs the command and returns its status and output.
func runSchedule(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	p := process{ctx: context.Background(), out: &stdout, errOut: &stderr, getenv: func(string) string { return "" }}
	code = p.run(append([]string{"schedule"}, args...))
	return code, stdout.String(), stderr.String()
}

// lines splits JSON between objects, for a readable diff.
func lines(s string) []string { return strings.Split(strings.ReplaceAll(s, "},{", "},\n{"), "\n") }

// Every file in testdata/cases holds a schedule, a window and the expected answer, worked out by
// hand from the rules. The first digit of its name is the number of the rule.
func TestScheduleCases(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/cases/*.json")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d cases: %v, want at least 20", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var c struct {
				Window  struct{ Start, End string }
				Queries []struct {
					At         string   `json:"at"`
					OnCall     []string `json:"on_call"`
					NextChange *string  `json:"next_change"`
				}
				Shifts []struct {
					Start  string   `json:"start"`
					End    string   `json:"end"`
					OnCall []string `json:"on_call"`
				}
			}
			if err := json.Unmarshal(data, &c); err != nil {
				t.Fatal(err)
			}
			check := func(want any, args ...string) {
				t.Helper()
				code, out, errOut := runSchedule(t, args...)
				text, err := json.Marshal(want)
				if err != nil || code != 0 || errOut != "" {
					t.Fatalf(`%v: exit status %d, %s%v; want the exit status 0 and no error output`, args, code, errOut, err)
				}
				if diff := cmp.Diff(lines(string(text)+"\n"), lines(out)); diff != "" {
					t.Errorf("%v (-want +got):\n%s", args, diff)
				}
			}
			check(map[string]any{"shifts": c.Shifts}, "render", "-f", file, "--from", c.Window.Start, "--to", c.Window.End, "--json")
			if len(c.Queries) > 0 {
				args := []string{"at", "-f", file, "--until", c.Window.End, "--json"}
				for _, q := range c.Queries {
					args = append(args, "--at", q.At)
				}
				check(c.Queries, args...)
			}
		})
	}
}

func TestScheduleWrongUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken.json")
	if err := os.WriteFile(broken, []byte("{\"schedule\":\n{\"versions\":[{\"layers\":[{}]}]}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	const good = "testdata/cases/1-time-twice.json"
	const day = "2026-03-01T00:00:00Z"
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"render", "-f", broken, "--from", day, "--to", day}, "broken.json: schedule.versions[0].layers[0].timezone is missing."},
		{[]string{"render", "-f", dir, "--from", day, "--to", day}, "is a directory"},
		{[]string{"render", "-f", "nowhere.json", "--from", day, "--to", day}, "read nowhere.json: no such file or directory"},
		{[]string{"render", "-f", good, "--from", "monday", "--to", day}, `--from: "monday" is not an instant such as 2026-03-08T07:00:00Z`},
		{[]string{"render", "-f", good, "--from", day, "--to", "2026-02-01T00:00:00Z"}, "--to is before --from"},
		{[]string{"render", "-f", good, "--from", day}, "missing flags: --to=T"},
		{[]string{"render", "-f", good, "--from", day, "--to", day, "--png", dir + "/no/x.png"}, "no such file or directory"},
		{[]string{"at", "-f", good, "--until", day}, "missing flags: --at=T"},
		{[]string{"at", "-f", broken, "--at", day, "--until", day}, "timezone is missing"},
	} {
		code, out, errOut := runSchedule(t, test.args...)
		if code != 2 || out != "" {
			t.Errorf("%v: exit status %d, with the output %q; want 2 and none", test.args, code, out)
		}
		if strings.Count(errOut, "\n") != 1 || !strings.Contains(errOut, test.want) {
			t.Errorf("%v: the error is %q, want one line with %q", test.args, errOut, test.want)
		}
	}
}

func TestScheduleEmptyWindow(t *testing.T) {
	t.Parallel()
	code, out, _ := runSchedule(t, "render", "-f", "testdata/cases/1-time-twice.json", "--json",
		"--from", "2026-03-01T01:00:00+01:00", "--to", "2026-03-01T00:00:00Z")
	if code != 0 || out != "{\"shifts\":[]}\n" {
		t.Errorf("exit status %d, %s; want the exit status 0 and the output %q", code, out, "{\"shifts\":[]}\n")
	}
}
