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
	// A message that breaks the cooldown counts for the rest of it, and doesn't extend it.
	broken := last.Add(MethodSMS, now.Add(10*time.Second), in(Critical, 2))
	if want := (LastPage{At: now, Severity: Critical, Integrations: []IntegrationID{1, 2}}); !cmp.Equal(want, broken) {
		t.Errorf("after worse news: %+v, want %+v", broken, want)
	}
	if again := broken.Add(MethodSMS, now.Add(30*time.Second), in(Low, 3)); again.Severity != Low || len(again.Integrations) != 1 {
		t.Errorf("after the hold: %+v; want Severity %v and len(again.Integrations) == 1", again, Low)
	}
}
