package oncall

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A step passes over people who are never paged, and only over them: of whom nothing is known are paged.
func TestStepSkipsUnpageablePeople(t *testing.T) {
	t.Parallel()
	gone := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := Roster{ShiftFacts: ShiftFacts{Users: map[UserID]User{
		"full": {Standing: FullMember}, "named": {Standing: GuestMember, InTeam: true}, "guest": {Standing: GuestMember},
		"stranger": {Standing: Stranger}, "in a team": {Standing: Stranger, InTeam: true}, "unknown": {},
		"gone": {Standing: FullMember, DeactivatedAt: &gone},
	}, Members: map[TeamID][]UserID{1: {"in a team", "named", "gone"}}}, Teams: map[TeamID]RosterTeam{
		1: {Fallback: []UserID{"stranger", "guest"}, Managers: []UserID{"in a team"}},
	}, Groups: map[string][]UserID{"leads": {"guest", "full", "stranger"}}}
	for _, c := range []struct {
		to   []Target
		want []UserID
	}{
		{[]Target{{User: "stranger"}, {User: "guest"}, {User: "gone"}}, nil},
		{[]Target{{User: "stranger"}, {User: "unknown"}, {User: "nobody we know"}}, []UserID{"unknown", "nobody we know"}},
		{[]Target{{Team: 1}}, []UserID{"named"}},
		{[]Target{{Managers: 1}}, nil},
		{[]Target{{Group: "leads"}}, []UserID{"full"}},
	} {
		var got []UserID
		for _, p := range r.people(c.to, gone) {
			got = append(got, p.user)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%+v pages (-want +got):\n%s", c.to, diff)
		}
	}
	if diff := cmp.Diff([]UserID{"named"}, r.fallback(1)); diff != "" {
		t.Errorf("stand in for the team (-want +got):\n%s", diff)
	}
}

// A waiting page for somebody who can no longer be paged is not sent, and the next step follows.
func TestPageForUnpageablePersonIsSkipped(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	page := PageStatus{Page: Page{ID: 1, Call: Call{IncidentID: 1, UserID: "U0EVE", CallSeq: 1}}, State: PageWaiting}
	for _, c := range []struct {
		person User
		never  string
	}{
		{User{Standing: Stranger}, "who it is for is of another organisation"},
		{User{Standing: GuestMember}, "who it is for is a guest whom no team names"},
		{User{Standing: GuestMember, InTeam: true}, ""},
		{User{}, ""},
	} {
		f := PageFacts{Lead: page, Incidents: map[IncidentID]Incident{1: {ID: 1, Status: Triggered, Seq: 1}}, Person: c.person}
		if d := f.Begin(now); !d.Order.Send || d.Order.Unsendable != c.never {
			t.Errorf("%+v: send %v, never %q, want %q", c.person, d.Order.Send, d.Order.Unsendable, c.never)
		}
	}
}
