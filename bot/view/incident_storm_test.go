package view

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// storm returns an incident with thousands of alerts.
func storm() oncall.Picture {
	p := triggered()
	in := &p.Incident
	in.Title, in.Body, in.Link = "Alert storm from Alertmanager, such as Disk full on db-11", "", ""
	in.Storm = &oncall.Storm{Began: noon, LastAt: noon.Add(2 * time.Minute), Services: []string{"web", "<!channel>"}}
	in.SignalCount, in.LastSignalAt = 5120, noon.Add(2*time.Minute)
	p.AlertCount, p.Firing = 5000, 4990
	p.Tally = oncall.StormTally{
		Alerts: 5000, Firing: 4990,
		Severities: []oncall.TallyCount{{Name: "critical", Alerts: 40, Firing: 30}, {Name: "high", Alerts: 4960, Firing: 4960}},
		Services:   []oncall.TallyCount{{Name: "web", Alerts: 4000, Firing: 3990}, {Name: "<!channel>", Alerts: 1000, Firing: 1000}},
		Labels:     []oncall.TallyCount{{Name: "cluster=eu", Alerts: 5000, Firing: 4990}, {Name: "host=db-1", Alerts: 12, Firing: 12}, {Name: "pod=p0", Alerts: 1, Firing: 1}},
	}
	return p
}

func TestStormIsDrawnWithItsTally(t *testing.T) {
	t.Parallel()
	over := storm()
	at := noon.Add(9 * time.Minute)
	over.Incident.Storm.OverAt = &at
	over.Incident.Status, over.Incident.ResolvedBy, over.Incident.ResolvedAt = oncall.Resolved, oncall.ByIntegration("Alertmanager"), &at
	over.Firing, over.Tally.Firing, over.Next = 0, 0, nil
	for i := range over.Tally.Severities {
		over.Tally.Severities[i].Firing = 0
	}
	for name, d := range map[string]Drawing{
		"storm":        Incident(storm()),
		"storm_direct": Page(storm(), ann, oncall.Say("you are on call in Payments")),
		"storm_over":   Incident(over),
	} {
		checkGolden(t, name, d)
	}
}

// A direct message about a storm is redrawn when the state changes, not when an alert joins.
func TestStormCountersAreOnlyInTheChannel(t *testing.T) {
	t.Parallel()
	p := storm()
	before := Page(p, ann, nil)
	p.Tally.Alerts, p.AlertCount, p.Incident.SignalCount, p.Incident.LastSignalAt = 6000, 6000, 9000, noon.Add(time.Hour)
	after := Page(p, ann, nil)
	if before.Text != after.Text || text(t, before) != text(t, after) {
		t.Errorf("the direct message changed with the counters, from\n%s\nto\n%s", text(t, before), text(t, after))
	}
}

func text(t *testing.T, d Drawing) string {
	t.Helper()
	all, err := json.Marshal(d.Blocks)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

// A spreadsheet runs no formula in the file of alerts.
func TestAlertsFileRunsNoFormulas(t *testing.T) {
	t.Parallel()
	f := NewAlertsFile("grafana")
	for _, a := range []oncall.Alert{
		{DedupKey: "a", Title: "=HYPERLINK(\"https://example.com\")", Severity: oncall.High, Firing: true, Count: 2, FirstAt: noon, LastAt: noon, Labels: map[string]string{"host": "db, 1", "a": "@b"}},
		{DedupKey: "-b", Title: strings.Repeat("é", 2000), Severity: oncall.Low, ClearedAt: &noon, FirstAt: noon, LastAt: noon, Labels: map[string]string{"service": "web"}},
	} {
		if err := f.Add(a); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Done(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(f.String(), "\n")
	if want := `a,"'=HYPERLINK(""https://example.com"")",high,grafana,firing,2026-03-02 12:00:00,2026-03-02 12:00:00,,2,"a=@b host=db, 1",`; lines[1] != want {
		t.Errorf("the first line is\n%s\nwant\n%s", lines[1], want)
	}
	if !strings.HasPrefix(lines[2], "'-b,é") || !strings.Contains(lines[2], ",low,web,cleared,") || len([]rune(lines[2])) > 1200 {
		t.Errorf("the second line is %s, want the quoted key, severity, service and state in at most 1200 characters", lines[2])
	}
}

// What is said of a storm's length and alerts is true for the shortest one, and for one that people resolved.
func TestStormSaysWhatItWas(t *testing.T) {
	t.Parallel()
	for lasted, want := range map[time.Duration]string{
		0:                "The storm came all at once, at <!date^1772452800^{time}|Mon 2 Mar 12:00 UTC>.",
		30 * time.Second: "The storm lasted 30 seconds, at <!date^1772452800^{time}|Mon 2 Mar 12:00 UTC>.",
		2 * time.Minute:  "The storm lasted 2 minutes, from <!date^1772452800^{time}|Mon 2 Mar 12:00 UTC> to <!date^1772452920^{time}|Mon 2 Mar 12:02 UTC>.",
	} {
		if got := stormLasted(&oncall.Storm{Began: noon, LastAt: noon.Add(lasted)}); got != want {
			t.Errorf("after %s: got %q, want %q", lasted, got, want)
		}
	}
	for _, c := range []struct {
		d    oncall.Detail
		want string
	}{
		{oncall.Detail{Count: 1, Of: 1, Since: noon, Until: noon, Names: []string{"demo"}}, "The storm is over: 1 alert, of demo. It still fires."},
		{oncall.Detail{Count: 3, Of: 3, Since: noon, Until: noon.Add(time.Minute)}, "The storm is over: 3 alerts within 1 minute. All of them still fire."},
		{oncall.Detail{Count: 3, Of: 3, Since: noon, Until: noon.Add(time.Minute), Over: true}, "The storm is over: 3 alerts within 1 minute. Its monitor has not said yet that 3 of them are over."},
		{oncall.Detail{Count: 3, Since: noon, Until: noon.Add(time.Minute), Over: true}, "The storm is over: 3 alerts within 1 minute. None of them fires any more."},
	} {
		if got := stormLine(oncall.Event{Kind: oncall.EventStormOver, Detail: c.d}); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.d, got, c.want)
		}
	}
}

// Only what a step of the policy names was paged: not an incident's own channel, nor a policy that a rule chose.
func TestOnlyPagedTargetsAreNamed(t *testing.T) {
	t.Parallel()
	got := pagedTargets([]oncall.Event{
		{Kind: oncall.EventRouted, Detail: oncall.Detail{To: []string{"Night"}}},
		{Kind: oncall.EventPaging, Detail: oncall.Detail{To: []string{"C0PAY"}}},
		{Kind: oncall.EventChannel, Detail: oncall.Detail{To: []string{"C0INC"}}},
	})
	if want := []string{"C0PAY"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Dates of one month share its name.
func TestDatesAreGroupedByMonth(t *testing.T) {
	t.Parallel()
	at := func(days ...int) (out []time.Time) {
		for _, d := range days {
			out = append(out, time.Date(2026, 12, d, 17, 0, 0, 0, time.UTC))
		}
		return out
	}
	for want, days := range map[string][]time.Time{
		"7 Dec": at(7), "7 and 28 Dec": at(7, 28), "28 Dec and 4 Jan": at(28, 35), "7 and 21 Dec, 4 and 18 Jan": at(7, 21, 35, 49), "7, 14 and 21 Dec": at(7, 14, 21),
	} {
		if got := dates(days); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
