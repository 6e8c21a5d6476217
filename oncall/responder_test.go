package oncall

import (
	"testing"
	"time"
)

// A reopened incident has asked nobody for help.
func TestReopeningForgetsWhoWasAsked(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	in := Incident{ID: 1, Status: Acknowledged, AckedBy: ByUser("U0ANN"), Responders: []Responder{{User: "U0CY", State: ResponderAccepted}}}
	if c, err := in.Do(Act{Do: ActUnack}, ByUser("U0ANN"), Facts{}, at); err != nil || len(c.Incident.Responders) != 1 {
		t.Errorf("given back: %+v, %v, want 1 entry", c.Incident.Responders, err)
	}
	done, err := in.Do(Act{Do: ActResolve}, ByUser("U0ANN"), Facts{}, at)
	if err != nil {
		t.Fatal(err)
	}
	c := done.Incident.begin(ByIntegration("demo"), Facts{}, at)
	if c.reopenByMonitor("again", at); c.Incident.Responders != nil {
		t.Errorf("reopened by a monitor: %+v, want nil", c.Incident.Responders)
	}
	if c, err := done.Incident.Do(Act{Do: ActReopen}, ByUser("U0ANN"), Facts{}, at); err != nil || c.Incident.Responders != nil {
		t.Errorf("reopened by a person: %+v, %v, want nil", c.Incident.Responders, err)
	}
}
