package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/migrations"
)

// The doctor also runs inside the program: /readyz?verbose says which areas have problems, without any
// names, and the admins' home tab says which problems.
func TestDoctorLooksWhileProgramRuns(t *testing.T) {
	t.Parallel()
	r := newRoll(t)
	r.env = append(r.env, "WATCHBILL_ADMINS=U0ANN")
	program := asProgram(t)
	running := r.program(program)
	r.setUp(program)
	if _, err := r.look.Exec(t.Context(), `UPDATE integrations SET muted_at = current_timestamp WHERE id > 0`); err != nil {
		t.Fatal(err)
	}
	r.until("the doctor has looked", func() bool {
		text, _, err := askHere(t.Context(), running.addr, false, "/readyz?verbose", 64<<10)
		return err == nil && strings.Contains(string(text), "doctor: note signals\n") && strings.Contains(string(text), "doctor: note spool\n") &&
			!strings.Contains(string(text), "demo")
	})
	if text, _, err := askHere(t.Context(), running.addr, false, "/readyz", 64<<10); err != nil || strings.Contains(string(text), "doctor") {
		t.Errorf(`/readyz says %q, %v, want nothing of the doctor`, text, err)
	}
	for _, who := range []string{"U0ANN", "U0BO"} {
		if err := r.sim.OpenHome(who); err != nil {
			t.Fatal(err)
		}
		r.until("the home tab of "+who, func() bool { return r.sim.HomeText(who) != "" })
	}
	const finding = "its signals page nobody"
	if home := r.sim.HomeText("U0ANN"); !strings.Contains(home, finding) || !strings.Contains(home, "What the doctor has found") {
		t.Errorf("an admin's home tab says nothing of %q:\n%s", finding, home)
	}
	if home := r.sim.HomeText("U0BO"); strings.Contains(home, finding) || strings.Contains(home, "doctor") {
		t.Errorf("the home tab of somebody else tells what the doctor has found:\n%s; want it not to contain %q and it not to contain \"doctor\"", home, finding)
	}
}

// doctor --fix applies migrations and gives lost timers back, says so, and then has nothing more to do.
func TestDoctorFixMendsAndThenHasNothingToDo(t *testing.T) {
	t.Parallel()
	r := newRoll(t)
	const before = 99
	if _, err := migrations.UpTo(t.Context(), r.look, before); err != nil {
		t.Fatal(err)
	}
	p := &planter{T: t, pool: r.look, base: time.Now().Add(-24 * time.Hour).UTC().Truncate(time.Second)}
	p.plant(before)
	if _, err := r.look.Exec(t.Context(), `UPDATE incidents SET next_at = current_timestamp - interval '1 hour' WHERE status = 'triggered'`); err != nil {
		t.Fatal(err)
	}
	doctor := func(args ...string) string {
		var out bytes.Buffer
		cmd := exec.Command(asProgram(t), append([]string{"doctor"}, args...)...)
		cmd.Env = append(os.Environ(), r.env...)
		cmd.Stdout, cmd.Stderr = &out, &out
		_ = cmd.Run() // what it finds is not what this is about
		return out.String()
	}
	if out := doctor(); !strings.Contains(out, "FAIL  schema") || r.count(`SELECT max(version_id) FROM goose_db_version`) != before {
		t.Errorf("without --fix the doctor should report the schema and change nothing, and says\n%s", out)
	}
	out := doctor("--fix")
	for _, want := range []string{"fixed schema", "fixed timers    1 open incidents had lost their timer", "left  elsewhere", "ok    schema"} {
		if !strings.Contains(out, want) {
			t.Errorf("doctor --fix doesn't say %q:\n%s", want, out)
		}
	}
	if n := r.count(`SELECT count(*) FROM river_job WHERE kind = 'escalate'`); n != 1 {
		t.Errorf("%d timers are queued, want 1", n)
	}
	if out := doctor("--fix"); strings.Contains(out, "fixed") {
		t.Errorf("there was something left to mend:\n%s, want it not to contain \"fixed\"", out)
	}
}
