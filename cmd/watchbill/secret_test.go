package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

func TestSecretIsMadeRotatedAndHidden(t *testing.T) {
	run := func(args ...string) (int, string, string) {
		var out, errOut bytes.Buffer
		code := process{ctx: context.Background(), out: &out, errOut: &errOut, clock: time.Now}.run(args)
		return code, out.String(), errOut.String()
	}
	code, out, _ := run("secret", "new")
	value, set := strings.CutPrefix(strings.TrimSpace(out), "WATCHBILL_SECRET=")
	made, err := oncall.ParseSecrets(value)
	if code != 0 || !set || err != nil || len(made) != 1 {
		t.Fatalf("%d %q: %v; want code 0, set true and len(made) == 1", code, out, err)
	}
	if code, _, said := run("secret", "rotate"); code != 2 || !strings.Contains(said, "WATCHBILL_SECRET is not set") {
		t.Errorf(`nothing to replace: %d %q; want code 2 and said to contain "WATCHBILL_SECRET is not set"`, code, said)
	}
	t.Setenv("WATCHBILL_SECRET", value+"\n")
	code, out, said := run("secret", "rotate")
	next, _ := strings.CutPrefix(strings.TrimSpace(out), "WATCHBILL_SECRET=")
	both, err := oncall.ParseSecrets(next)
	if code != 0 || err != nil || len(both) != 2 || string(both[1]) != value || string(both[0]) == value || !strings.Contains(said, "48 hours") {
		t.Errorf(`%d %q: %v; %s; want code 0, len(both) == 2, string(both[1]) == %v, string(both[0]) other than %v and said to contain "48 hours"`, code, out, err, said, value, value)
	}
	t.Setenv("WATCHBILL_SECRET", next)
	_, out, _ = run("secret", "rotate")
	if third, err := oncall.ParseSecrets(strings.TrimPrefix(strings.TrimSpace(out), "WATCHBILL_SECRET=")); err != nil || len(third) != 2 || string(third[1]) != string(both[0]) {
		t.Errorf("%q: %v; want len(third) == 2 and string(third[1]) == string(both[0])", out, err)
	}
	t.Setenv("WATCHBILL_SECRET", "hidden")
	code, _, said = run("serve")
	if code != 2 || !strings.Contains(said, "WATCHBILL_SECRET can't be used: it is shorter than 32 characters") || strings.Contains(said, "hidden") {
		t.Errorf(`%d %q; want code 2, said to contain %q and said not to contain "hidden"`, code, said, "WATCHBILL_SECRET can't be used: it is shorter than 32 characters")
	}
}
