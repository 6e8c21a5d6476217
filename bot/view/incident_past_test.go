package view

import (
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// An incident that became part of another says so, instead of how soon its own record was closed.
func TestPastIncidentsSayHowTheyEnded(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) *time.Time { return new(noon.Add(d)) }
	over := func(in oncall.Incident) oncall.Incident {
		in.Status, in.OpenedAt, in.Severity, in.Title = oncall.Resolved, noon, oncall.High, "disk"
		return in
	}
	for want, in := range map[string]oncall.Incident{
		"Mon 2 Mar 12:00, over after 4 minutes, by <@U0BO>)": over(oncall.Incident{ID: 3, ResolvedBy: oncall.ByUser(bo), ResolvedAt: at(4 * time.Minute)}),
		"Mon 2 Mar 12:00, part of the storm #12)":            over(oncall.Incident{ID: 3, ResolvedBy: oncall.ByIntegration("prom"), ResolvedAt: at(0), MergedInto: 12}),
		"Mon 2 Mar 12:00, merged into #12 by <@U0BO>)":       over(oncall.Incident{ID: 3, ResolvedBy: oncall.ByUser(bo), ResolvedAt: at(time.Hour), MergedInto: 12}),
	} {
		if got := PastIncidents([]oncall.Incident{in}, Listing{Shown: 1}, nil, "that is over", nil, time.UTC); !strings.Contains(got, want) {
			t.Errorf("the list says %q, want it to contain %q", got, want)
		}
	}
}

// A list that doesn't fit says how to see the rest, and a storm has those that it took in beside it.
func TestListsGoOn(t *testing.T) {
	t.Parallel()
	var found []oncall.Incident
	for id := oncall.IncidentID(5); id > 0; id-- {
		found = append(found, oncall.Incident{ID: id, Status: oncall.Triggered, Severity: oncall.High, Title: "disk"})
	}
	got := PastIncidents(found, Listing{Shown: 2, Asked: "today"}, map[oncall.IncidentID]int{4: 29}, "in today", nil, time.UTC)
	for _, want := range []string{"*34 incidents* in today", "#4 high: disk (triggered) and 29 bundled", "\nand 3 more: `/oncall incidents today after 4`"} {
		if !strings.Contains(got, want) {
			t.Errorf("the list says %q, want it to contain %q", got, want)
		}
	}
	got = OpenIncidents(found[2:], Listing{Shown: 3, After: true}, nil)
	if !strings.HasPrefix(got, "*3 more open incidents*") || strings.Contains(got, "and ") {
		t.Errorf("the rest says %q, want it to be complete", got)
	}
}

func TestOtherTeamsAreToldWhoIsOnCall(t *testing.T) {
	t.Parallel()
	in, team := oncall.Incident{ID: 7}, oncall.Team{Name: "Pay & Co"}
	for want, got := range map[string]string{
		"You are not on the team Pay &amp; Co. On call there are <@U0ANN> and <@U0BO>. You have #7 all the same; `/oncall unack 7` gives it back.": OtherTeams(in, team, []oncall.UserID{ann, bo}),
		"You are not on the team Pay &amp; Co. You have #7 all the same; `/oncall unack 7` gives it back.":                                         OtherTeams(in, team, nil),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
