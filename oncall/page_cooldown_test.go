package oncall

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWorseSeverityBreaksCooldown(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	in := func(s Severity, from IntegrationID) Incident { return Incident{Severity: s, IntegrationID: from} }
	last := LastPage{}.Add(MethodSMS, now, in(Medium, 1))
	for _, c := range []struct {
		name  string
		in    Incident
		after time.Duration
		held  bool
	}{
		{"more of the same", in(Medium, 1), 29 * time.Second, true},
		{"less", in(Low, 1), time.Second, true},
		{"worse", in(High, 1), time.Second, false},
		{"of another integration", in(Low, 2), time.Second, false},
		{"later", in(Medium, 1), 30 * time.Second, false},
	} {
		until := last.DefersUntil(c.in, MethodSMS, now.Add(c.after))
		if !until.IsZero() != c.held || c.held && !until.Equal(now.Add(30*time.Second)) {
			t.Errorf("%s: held until %s, want %s if it is held (%t)", c.name, until, now.Add(30*time.Second), c.held)
		}
	}
	if until := last.DefersUntil(in(Medium, 1), MethodVoice, now.Add(59*time.Second)); !until.Equal(now.Add(time.Minute)) {
		t.Errorf("a call is held until %s, want %s", until, now.Add(time.Minute))
	}
	worst := LastPage{}.Add(MethodSMS, now, in(Critical, 1))
	urgent, raised := in(Critical, 1), in(Low, 1)
	raised.RaisedBy = ByUser("U0CY")
	for _, u := range []Incident{urgent, raised} {
		u.Status = Triggered
		for after, want := range map[time.Duration]time.Duration{time.Second: 3 * time.Second, 4 * time.Second: 6 * time.Second} {
			if until := worst.DefersUntil(u, MethodSMS, now.Add(after)); !until.Equal(now.Add(want)) {
				t.Errorf("%v after %s: held until %s, want %s", u.Severity, after, until, now.Add(want))
			}
		}
		if until := worst.DefersUntil(u, MethodVoice, now.Add(time.Second)); !until.Equal(now.Add(time.Minute)) {
			t.Errorf("a call about %v is held until %s, though the phone may still ring", u.Severity, until)
		}
		u.Status = Acknowledged
		if until := worst.DefersUntil(u, MethodSMS, now.Add(time.Second)); !until.Equal(now.Add(30 * time.Second)) {
			t.Errorf("%v that somebody has is held until %s, want the whole cooldown", u.Severity, until)
		}
	}
	storm := in(Medium, 1)
	storm.Status, storm.Storm = Triggered, &Storm{Began: now.Add(17 * time.Second)}
	if until := last.DefersUntil(storm, MethodSMS, now.Add(17*time.Second)); !until.IsZero() {
		t.Errorf("a storm's first page is held until %s, want it to go at once", until)
	}
	if until := last.DefersUntil(storm, MethodVoice, now.Add(17*time.Second)); until.IsZero() {
		t.Error("a storm calls at once, though the phone may still ring")
	}
	told := storm
	told.Status = Acknowledged
	if until := last.DefersUntil(told, MethodSMS, now.Add(18*time.Second)); until.IsZero() {
		t.Error("a storm that somebody has breaks the cooldown with every alert that joins")
	}
	if until := last.Add(MethodSMS, now.Add(40*time.Second), storm).DefersUntil(storm, MethodSMS, now.Add(41*time.Second)); until.IsZero() {
		t.Error("a storm breaks the cooldown of its own message")
	}
	// A message that breaks the cooldown counts for the rest of it, and doesn't extend it.
	broken := last.Add(MethodSMS, now.Add(10*time.Second), in(Critical, 2))
	if want := (LastPage{At: now, Severity: Critical, Integrations: []IntegrationID{1, 2}}); !cmp.Equal(want, broken) {
		t.Errorf("after worse news: %+v, want %+v", broken, want)
	}
	if again := broken.Add(MethodSMS, now.Add(30*time.Second), in(Low, 3)); again.Severity != Low || len(again.Integrations) != 1 {
		t.Errorf("after the hold: %+v; want the severity %v and one integration", again, Low)
	}
}
