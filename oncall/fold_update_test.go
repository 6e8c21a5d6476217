package oncall

import (
	"testing"
	"time"
)

// Updates change a firing alert, and open no incident for one that doesn't fire.
func TestUpdateSignalOpensNoIncident(t *testing.T) {
	t.Parallel()
	var s stored
	update := Signal{Action: Update, DedupKey: "a", Title: "a, worse", Severity: Critical, Note: "looked at"}
	equal(t, "changes", len(s.fold(noon, update)), 0)
	s.fold(noon, fires("a"))
	s.fold(noon.Add(time.Minute), update)
	equal(t, "title", s.alerts[1].Title, "a, worse")
	equal(t, "severity", s.incidents[1].Severity, Critical)
	equal(t, "notes", s.said(EventNote), []string{"looked at"})
	s.fold(noon.Add(2*time.Minute), clears("a"), update)
	equal(t, "incidents", len(s.incidents), 1)
	equal(t, "status", s.incidents[1].Status, Resolved)
	equal(t, "results", s.results, []FoldResult{FoldUnmatched, FoldOpened, FoldRepeated, FoldCleared, FoldUnmatched})
}

// Prometheus states until when an alert fires. The alert has ended if that lies in the past, or, if the clocks differ,
// before the last stated time.
func TestAlertFiresUntilItExpires(t *testing.T) {
	t.Parallel()
	for name, clock := range map[string]time.Time{"right": noon, "days behind": noon.AddDate(0, 0, -9), "days ahead": noon.AddDate(0, 0, 9)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s stored
			until := func(after, d time.Duration) {
				s.fold(noon.Add(after), Signal{Action: Trigger, DedupKey: "a", Title: "a", Expires: clock.Add(d)})
			}
			until(0, 4*time.Minute)
			until(time.Minute, 5*time.Minute)
			until(2*time.Minute, 90*time.Second)
			equal(t, "status", s.incidents[1].Status, Resolved)
			until(3*time.Minute, 90*time.Second)
			equal(t, "status", s.incidents[1].Status, Resolved)
			until(15*time.Minute, 19*time.Minute)
			equal(t, "incidents", len(s.incidents), 2)
			equal(t, "results", s.results, []FoldResult{FoldOpened, FoldRepeated, FoldCleared, FoldUnmatched, FoldOpened})
		})
	}
}

// The first incident names the monitor that was detected for an integration, once.
func TestIncidentNamesDetectedMonitor(t *testing.T) {
	t.Parallel()
	var s stored
	first, second := fires("a"), fires("b")
	first.NewMonitor, second.NewMonitor = "Uptime Kuma", "Uptime Kuma"
	s.fold(noon, first, second)
	equal(t, "said", s.said(EventRecognised), []string{"Uptime Kuma"})
}

func (s *stored) said(kind EventKind) []string {
	var texts []string
	for _, e := range s.events {
		if e.Kind == kind {
			texts = append(texts, e.Detail.Text)
		}
	}
	return texts
}
