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
	if code != 0 || err != nil {
		t.Fatalf("got code %d, %q and the error %v, want 0 and none", code, out, err)
	}
	if !set || len(made) != 1 {
		t.Fatalf("got %q, want one secret as a setting", out)
	}
	if code, _, said := run("secret", "rotate"); code != 2 || !strings.Contains(said, "WATCHBILL_SECRET is not set") {
		t.Errorf(`nothing to replace: %d %q; want code 2 and said to contain "WATCHBILL_SECRET is not set"`, code, said)
	}
	t.Setenv("WATCHBILL_SECRET", value+"\n")
	code, out, said := run("secret", "rotate")
	next, _ := strings.CutPrefix(strings.TrimSpace(out), "WATCHBILL_SECRET=")
	both, err := oncall.ParseSecrets(next)
	if code != 0 || err != nil || len(both) != 2 {
		t.Fatalf("got code %d, %q and the error %v, want 0, two secrets and none", code, out, err)
	}
	if string(both[1]) != value || string(both[0]) == value {
		t.Errorf("got %q, want a new secret and then %q", both, value)
	}
	if !strings.Contains(said, "48 hours") {
		t.Errorf("got said %q, want it with %q", said, "48 hours")
	}
	t.Setenv("WATCHBILL_SECRET", next)
	_, out, _ = run("secret", "rotate")
	if third, err := oncall.ParseSecrets(strings.TrimPrefix(strings.TrimSpace(out), "WATCHBILL_SECRET=")); err != nil || len(third) != 2 || string(third[1]) != string(both[0]) {
		t.Errorf("%q: %v; want two secrets, with the one before kept second", out, err)
	}
	t.Setenv("WATCHBILL_SECRET", "hidden")
	code, _, said = run("serve")
	if code != 2 || !strings.Contains(said, "WATCHBILL_SECRET can't be used: it is shorter than 32 characters") || strings.Contains(said, "hidden") {
		t.Errorf(`%d %q; want code 2, said to contain %q and said not to contain "hidden"`, code, said, "WATCHBILL_SECRET can't be used: it is shorter than 32 characters")
	}
}
