package oncall

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// raiseFacts are of a team with a policy that pages Ann, then Bo.
func raiseFacts() Facts {
	policy, roster := payments()
	roster.Teams = map[TeamID]RosterTeam{1: {Name: "payments"}}
	return facts(policy, roster)
}

func TestPagingATeamRunsItsPolicy(t *testing.T) {
	t.Parallel()
	r, err := RaiseRequest{Team: 1, Text: "the checkout is down\nsince noon"}.Open(12, 0, ByUser(di), raiseFacts(), noon)
	if err != nil {
		t.Fatal(err)
	}
	in := r.Incident
	equal(t, "paged", paged(r), []UserID{ann})
	equal(t, "events", kinds(r.Events), []EventKind{EventOpened, EventPaging})
	equal(t, "title", in.Title, "the checkout is down")
	equal(t, "body", in.Body, "the checkout is down\nsince noon")
	equal(t, "severity", in.Severity, High)
	equal(t, "raised by", in.RaisedBy, ByUser(di))
	equal(t, "next", in.NextAt.Sub(noon), 5*time.Minute)
	equal(t, "timer", len(r.Tasks), 2)
}

func TestPagingAPersonPagesThemFirst(t *testing.T) {
	t.Parallel()
	f := raiseFacts()
	r, err := RaiseRequest{Team: 1, User: cy, Text: "help"}.Open(12, 0, ByUser(di), f, noon)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "paged at once", paged(r), []UserID{cy})
	equal(t, "why", r.Calls[0].Why.String(), "U0DI asks for you")
	next, ok := r.Incident.Next(f)
	if !ok {
		t.Fatal("nobody is paged next, want Ann")
	}
	equal(t, "whom it announces", next, NextStep{At: noon.Add(5 * time.Minute), Users: []UserID{ann}})
	r, due := r.Incident.RunTimer(r.Incident.Seq, f, noon.Add(5*time.Minute))
	if !due {
		t.Fatal("the timer of the policy's first step is stale")
	}
	equal(t, "paged after 5 minutes", paged(r), []UserID{ann})
	r, due = r.Incident.RunTimer(r.Incident.Seq, f, noon.Add(10*time.Minute))
	if !due {
		t.Fatal("the timer of the policy's second step is stale")
	}
	equal(t, "paged after 10 minutes", paged(r), []UserID{bo})
}

func TestRaisePagesPolicyIfPersonIsUnreachable(t *testing.T) {
	t.Parallel()
	r, err := RaiseRequest{Team: 1, User: cy, Text: "help"}.Open(12, 0, ByUser(di), raiseFacts(), noon)
	if err != nil {
		t.Fatal(err)
	}
	r = r.Incident.begin(ByTimer(), raiseFacts(), noon)
	if !r.unreached() || !r.Incident.NextAt.Equal(noon) {
		t.Fatalf("the policy begins at %v, want at once", r.Incident.NextAt)
	}
	r, _ = r.Incident.RunTimer(r.Incident.Seq, raiseFacts(), noon)
	equal(t, "then", paged(r), []UserID{ann})
}

// A person who raises an incident, and is first in the policy, is told who comes after them.
func TestPagerIsToldWhoComesNext(t *testing.T) {
	t.Parallel()
	f := raiseFacts()
	r, err := RaiseRequest{Team: 1, User: cy, Text: "help"}.Open(12, 0, ByUser(ann), f, noon)
	if err != nil {
		t.Fatal(err)
	}
	next, _ := r.Incident.Next(f)
	equal(t, "next", next.Users, []UserID{ann})
	if next.Then == nil {
		t.Fatal("nobody comes after Ann, who pages")
	}
	if slices.Contains(next.Then.Users, ann) && !next.Then.Exhausts || !next.Then.At.After(next.At) {
		t.Errorf("after Ann comes %+v, want somebody else, later", *next.Then)
	}
	other, _ := RaiseRequest{Team: 1, User: cy, Text: "help"}.Open(12, 0, ByUser(di), f, noon)
	if next, _ = other.Incident.Next(f); next.Then != nil {
		t.Errorf("for Di, who is not paged, it goes on with %+v, want no more than what is next", *next.Then)
	}
}

func TestInvalidRaisesAreRefused(t *testing.T) {
	t.Parallel()
	gone := noon
	f := raiseFacts()
	f.Roster.Users = map[UserID]User{cy: {ID: cy, DeactivatedAt: &gone}}
	for want, r := range map[string]RaiseRequest{
		"Say what is wrong": {Team: 1, Text: " \n "},
		"has no escalation policy, so nobody would be paged": {Team: 2, Text: "help"},
		"deactivated": {Team: 1, User: cy, Text: "help"},
	} {
		_, err := r.Open(12, 0, ByUser(di), f, noon)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestWhichPolicyATeamRuns(t *testing.T) {
	t.Parallel()
	of := func(id PolicyID, team TeamID, name string) Policy { return Policy{ID: id, TeamID: team, Name: name} }
	removed := of(9, 1, "Payments")
	removed.Removed = true
	for _, c := range []struct {
		what     string
		named    PolicyID
		policies []Policy
		want     PolicyID
	}{
		{"its only one", 0, []Policy{of(3, 1, "x"), of(1, 2, "y"), removed}, 3},
		{"the one it names", 4, []Policy{of(3, 1, "payments"), of(4, 1, "y")}, 4},
		{"the one called like it", 0, []Policy{of(3, 1, "x"), of(4, 1, "Payments")}, 4},
		{"the oldest", 0, []Policy{of(5, 1, "x"), of(4, 1, "y")}, 4},
		{"one that was removed or is another team's does not count", 9, []Policy{removed, of(3, 1, "x")}, 3},
		{"none", 0, []Policy{of(1, 2, "y")}, 0},
	} {
		f := Facts{Policies: map[PolicyID]Policy{}, Roster: Roster{Teams: map[TeamID]RosterTeam{1: {Name: "payments", Policy: c.named}}}}
		for _, p := range c.policies {
			f.Policies[p.ID] = p
		}
		got, _ := f.TeamPolicy(1)
		equal(t, c.what, got, c.want)
	}
}

func TestRaisingOftenAsks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		own, all  int
		confirmed bool
		want      string
	}{
		{2, 29, false, ""},
		{3, 3, false, "You have paged 3 times in the last 10 minutes."},
		{0, 30, false, "People have paged by hand 30 times in the last hour."},
		{9, 90, true, ""},
	} {
		equal(t, "asks", RaiseRequest{Confirmed: c.confirmed}.NeedsConfirmation(c.own, c.all).String(), c.want)
	}
}
