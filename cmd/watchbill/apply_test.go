package main

import (
	"strings"
	"testing"

	"github.com/watchbill/watchbill/oncall"
)

// A whole file is read: all of its documents, with or without a byte order mark, and with any line
// endings.
func TestReadSetupReadsWholeFiles(t *testing.T) {
	t.Parallel()
	const one = "users:\n  - {name: Ann, slack: U0ANN}\n"
	const two = "users:\n  - {name: Bo, slack: U0BO}\nteams:\n  - {name: payments}\n"
	for name, text := range map[string]string{
		"two documents":                one + "---\n" + two,
		"with a line before each":      "---\n" + one + "---\n" + two,
		"with an end, and nothing":     "---\n" + one + "...\n---\n" + two + "---\n",
		"with comments":                "# people\n---\n" + one + "# more\n---\n# of them\n" + two,
		"a byte order mark":            "\ufeff" + one + "---\n" + two,
		"a byte order mark and a line": "\ufeff---\n" + one + "---\n" + two,
		"lines of Windows":             strings.ReplaceAll("\ufeff"+one+"---\n"+two, "\n", "\r\n"),
	} {
		setup, err := parseSetup([]byte(text))
		if err != nil || len(setup.Users) != 2 {
			t.Fatalf("%s: got %+v, %v, want two users and no error", name, setup, err)
		}
		if a, b := setup.Users[0].Slack, setup.Users[1].Slack; a != "U0ANN" || b != "U0BO" {
			t.Errorf("%s: got the users %s and %s, want U0ANN and U0BO", name, a, b)
		}
		if len(setup.Teams) != 1 {
			t.Errorf("%s: got the teams %+v, want one", name, setup.Teams)
		}
	}
	if _, err := ParseCase([]byte("\ufeff" + `{"users": [], "schedule": {"name": "x", "rotations": []}}`)); err != nil && strings.Contains(err.Error(), "invalid") {
		t.Errorf("a case with a byte order mark: %v", err)
	}
	for _, text := range []string{"", "\ufeff", "---\n", "# nothing\n", "---\n---\n"} {
		if setup, err := parseSetup([]byte(text)); err != nil || len(setup.Users) != 0 {
			t.Errorf("%q: %+v, %v, want 0 users", text, setup, err)
		}
	}
	_, err := parseSetup([]byte(one + "---\n" + strings.Replace(two, "teams", "tems", 1)))
	if err == nil || !strings.HasPrefix(err.Error(), `[6:1] unknown field "tems"; did you mean "teams"?`+"\n") {
		t.Errorf("a mistake in the second document: %v; want an error beginning with %q", err, `[6:1] unknown field "tems"; did you mean "teams"?`+"\n")
	}
	twice, err := parseSetup([]byte(one + "---\n" + one))
	if err != nil {
		t.Fatal(err)
	}
	if wrong := twice.Check([]oncall.Format{"generic"}); len(wrong) != 1 || wrong[0] != `user "Ann" is there twice` {
		t.Errorf(`the same in both: %q; want only "user \"Ann\" is there twice"`, wrong)
	}
}
