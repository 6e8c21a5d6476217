package oncall

import (
	"fmt"
	"testing"
	"time"
)

// do has a person act on a stored incident.
func (s *stored) do(t *testing.T, id IncidentID, by Actor, a Act, at time.Time) Change {
	t.Helper()
	policy, roster := payments()
	c, err := s.incidents[id].Do(a, by, facts(policy, roster), at)
	if err != nil {
		t.Fatal(err)
	}
	s.incidents[id] = c.Incident
	return c
}

// An alert that closes and fires again fifty times during a snooze pages nobody before the snooze
// ends, even if the monitor is silent for so long that a closed incident could no longer be reopened.
func TestSnoozeSurvivesFlapping(t *testing.T) {
	t.Parallel()
	var s stored
	s.fold(noon, fires("a"))
	s.do(t, 1, ByUser(ann), Act{Do: ActSnooze, Until: noon.Add(24 * time.Hour)}, noon.Add(time.Minute))
	at, paging := noon, 0
	for i := range 50 {
		at = at.Add(time.Duration(1+i/10) * 3 * time.Minute)
		changes := s.fold(at, clears("a"))
		equal(t, "closed", s.incidents[1].Status, Resolved)
		at = at.Add(time.Duration(1+i/10) * 2 * time.Minute)
		changes = append(changes, s.fold(at, fires("a"))...)
		equal(t, "fired again", s.incidents[1].Status, Snoozed)
		equal(t, "until", *s.incidents[1].NextAt, noon.Add(24*time.Hour))
		paging += callsIn(changes)
		for _, c := range changes {
			for _, e := range c.Events {
				if e.InThread() {
					t.Errorf("the thread is told of %s", e.Kind)
				}
			}
		}
	}
	equal(t, "incidents", len(s.incidents), 1)
	equal(t, "pages", paging, 0)
	equal(t, "flaps", s.incidents[1].Flaps, 50)
	policy, roster := payments()
	c, due := s.incidents[1].RunTimer(s.incidents[1].Seq, facts(policy, roster), noon.Add(24*time.Hour))
	if !due || c.Incident.Status != Triggered {
		t.Errorf("at the end of the snooze it is %s; want it due and %s", c.Incident.Status, Triggered)
	}
	equal(t, "paged at the end", paged(c), []UserID{ann})
}

func TestSnoozeEndsByResolveOrTime(t *testing.T) {
	t.Parallel()
	var s stored
	s.fold(noon, fires("a"))
	s.do(t, 1, ByUser(ann), Act{Do: ActSnooze, Until: noon.Add(time.Hour)}, noon)
	s.do(t, 1, ByUser(ann), Act{Do: ActResolve}, noon.Add(time.Minute))
	s.fold(noon.Add(2*time.Minute), clears("a"))
	equal(t, "pages of a new one", callsIn(s.fold(noon.Add(3*time.Minute), fires("a"))), 1)
	equal(t, "incidents", len(s.incidents), 2)

	s = stored{}
	s.fold(noon, fires("a"))
	s.do(t, 1, ByUser(ann), Act{Do: ActSnooze, Until: noon.Add(time.Hour)}, noon)
	s.fold(noon.Add(2*time.Minute), clears("a"))
	equal(t, "pages when it is over", callsIn(s.fold(noon.Add(time.Hour), fires("a"))), 1)
}

// An alert that fires again during a snooze with a higher severity is reported, or ends the snooze.
func TestSnoozeEndsWhenSeverityRises(t *testing.T) {
	t.Parallel()
	for severity, want := range map[Severity]Status{Medium: Snoozed, High: Snoozed, Critical: Triggered} {
		var s stored
		low := fires("a")
		low.Severity = Medium
		s.fold(noon, low)
		s.do(t, 1, ByUser(bo), Act{Do: ActSnooze, Until: noon.Add(time.Hour)}, noon)
		s.fold(noon.Add(time.Minute), clears("a"))
		worse := fires("a")
		worse.Severity = severity
		changes := s.fold(noon.Add(2*time.Minute), worse, worse, worse)
		equal(t, "status", s.incidents[1].Status, want)
		var who []UserID
		for _, c := range changes {
			who = append(who, paged(c)...)
			for _, p := range c.Calls {
				if !p.Due(s.incidents[1]) {
					t.Errorf("the page of %s is not due, want it due", p.UserID)
				}
			}
		}
		equal(t, string(severity), who, map[Severity][]UserID{High: {bo}, Critical: {ann}}[severity])
	}
}

// merge merges two stored incidents the way the store would.
func (s *stored) merge(t *testing.T, from, into IncidentID, at time.Time) (Change, Change) {
	t.Helper()
	policy, roster := payments()
	a, b, err := s.incidents[from].Merge(s.incidents[into], ByUser(cy), facts(policy, roster), at)
	if err != nil {
		t.Fatal(err)
	}
	s.incidents[from], s.incidents[into] = a.Incident, b.Incident
	for id, alert := range s.alerts {
		if alert.IncidentID == from && alert.Firing {
			alert.IncidentID = into
			s.alerts[id] = alert
		}
	}
	return a, b
}

func TestAlertsOfAMergedIncidentJoinTheOther(t *testing.T) {
	t.Parallel()
	var s stored
	critical := fires("b")
	critical.Severity = Critical
	first := s.fold(noon, fires("a"), critical, fires("c"))
	a, b := s.merge(t, 2, 1, noon.Add(time.Minute))
	equal(t, "events of what is merged", kinds(a.Events), []EventKind{EventMergedInto})
	equal(t, "events of what takes it in", kinds(b.Events), []EventKind{EventMerged, EventSeverity})
	equal(t, "severity", s.incidents[1].Severity, Critical)
	equal(t, "signals", s.incidents[1].SignalCount, 2)
	for _, p := range first[1].Calls {
		if p.Due(s.incidents[2]) {
			t.Error("a page of an incident that was merged into another is due, want it dropped")
		}
	}
	draws := 0
	for _, task := range b.Tasks {
		if _, ok := task.Args.(Draw); ok {
			draws++
		}
	}
	equal(t, "drawings", draws, 1)

	// The alert, and later ones of its group, belong to the incident that it was merged into, even after
	// another merge.
	s.fold(noon.Add(2*time.Minute), fires("b"))
	equal(t, "signals", s.incidents[1].SignalCount, 3)
	s.merge(t, 1, 3, noon.Add(3*time.Minute))
	s.fold(noon.Add(4*time.Minute), clears("b"))
	equal(t, "others fire", s.incidents[3].Status, Triggered)
	changes := s.fold(noon.Add(5*time.Minute), fires("b"))
	equal(t, "pages of the same group", callsIn(changes), 0)
	equal(t, "it is the one", s.alerts[4].IncidentID, IncidentID(3))
	s.fold(noon.Add(6*time.Minute), clears("a"), clears("b"), clears("c"))
	equal(t, "all has cleared", s.incidents[3].Status, Resolved)
	equal(t, "incidents", len(s.incidents), 3)

	s.fold(noon.Add(time.Hour), fires("b"))
	equal(t, "a new one when that is long closed", len(s.incidents), 4)
}

// Responders of a merged incident, and people asked to help with it, become responders of the incident
// that it joins. People who were asked are paged about that one, because their page about the merged
// one may never go out.
func TestMergingBringsTheResponders(t *testing.T) {
	t.Parallel()
	const ed, flo, gus, gone = UserID("U0ED"), UserID("U0FLO"), UserID("U0GUS"), UserID("U0GONE")
	at := noon.Add(time.Minute)
	responder := func(u UserID, state ResponderState, version int64) Responder {
		return Responder{User: u, State: state, By: ByUser(ann), At: noon, Asked: version, Until: version}
	}
	in, into := triggered(), triggered()
	into.ID, into.Version, into.Acks = 8, 2, []UserID{gus}
	in.Responders = []Responder{
		responder(bo, ResponderAsked, 2), responder(cy, ResponderAccepted, 2), responder(di, ResponderDeclined, 2),
		responder(ed, ResponderAccepted, 2), responder(flo, ResponderAsked, 2), responder(ann, ResponderAccepted, 2),
		responder(gus, ResponderAsked, 2), responder(gone, ResponderAsked, 2),
	}
	into.Responders = []Responder{responder(ed, ResponderAsked, 3), responder(flo, ResponderAccepted, 3), responder(ann, ResponderDeclined, 3)}
	policy, roster := payments()
	roster.Users = map[UserID]User{gone: {ID: gone, DeactivatedAt: &at}}
	from, to, err := in.Merge(into, ByUser(ann), facts(policy, roster), at)
	if err != nil {
		t.Fatal(err)
	}
	got := map[UserID]ResponderState{}
	for _, r := range to.Incident.Responders {
		got[r.User] = r.State
	}
	equal(t, "responders", got, map[UserID]ResponderState{
		bo: ResponderAsked, cy: ResponderAccepted, ed: ResponderAccepted, flo: ResponderAccepted, ann: ResponderDeclined,
		gus: ResponderAccepted, // she has acknowledged
	})
	equal(t, "each once", len(to.Incident.Responders), len(got))
	equal(t, "pages", append(paged(from), paged(to)...), []UserID{bo})
	equal(t, "why", to.Calls[0].Why.String(), "U0ANN asks you to help with #7, which was merged into this incident")
	if asks := to.Calls[0]; directKey(asks) != "8/ask/3/U0BO/slack" || !asks.Due(to.Incident) {
		t.Errorf(`the page %+v is not due; want 8/ask/3/U0BO/slack, due`, asks)
	}
	equal(t, "who comes with it", to.Events[0].Detail.Users, []UserID{bo, cy, ed, gus})
	equal(t, "what was there is as it was", into.Responders[0].State, ResponderAsked)

	// Earlier pages of the other incident are over; those of this one keep their recipients.
	theirs := Call{IncidentID: 8, UserID: bo, CallSeq: 1}
	if !theirs.Due(to.Incident) {
		t.Error("who is asked to help is not paged by the policy any more")
	}
	if asks := (Call{IncidentID: 8, UserID: ed, AskedVersion: 3}); !asks.Due(into) || asks.Due(to.Incident) {
		t.Error("who has accepted is asked still")
	}
	accepted, err := to.Incident.Do(Act{Do: ActAccept}, ByUser(bo), facts(policy, roster), at)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "whom the answer names", accepted.Events[0].Detail.Users, []UserID{ann})
	if to.Calls[0].Due(accepted.Incident) {
		t.Error("who has accepted is asked still")
	}
}

func TestIncidentStaysOpenForOtherIntegrations(t *testing.T) {
	t.Parallel()
	policy, roster := payments()
	f := &Fold{
		Integration: Integration{ID: 3, Name: "prometheus"}, Policy: policy, Roster: roster,
		LastIncident: 7, AlertIDs: []AlertID{3},
	}
	in := triggered()
	in.IntegrationID, in.GroupKey = 4, "a"
	f.AddIncidents(in)
	f.AddAlerts(Alert{ID: 1, IntegrationID: 3, DedupKey: "b", GroupKey: "b", Firing: true, IncidentID: 7})
	f.AddElsewhere(Alert{ID: 2, IntegrationID: 4, DedupKey: "b", Firing: true, IncidentID: 7})
	f.Receive(clears("b"), noon)
	changes, alerts := f.Results()
	equal(t, "alerts", len(alerts), 1)
	equal(t, "status", changes[0].Incident.Status, Triggered)
	f.Receive(fires("a"), noon) // our own group of the same name is a different group
	changes, _ = f.Results()
	equal(t, "changes once our own alert fires", len(changes), 2)
}

func TestInvalidMergesAndLinksAreRefused(t *testing.T) {
	t.Parallel()
	policy, roster := payments()
	one, two, three := triggered(), triggered(), triggered()
	two.ID, three.ID = 8, 9
	merged, into, err := one.Merge(two, ByUser(ann), facts(policy, roster), noon)
	if err != nil {
		t.Fatal(err)
	}
	resolved, _ := three.Do(Act{Do: ActResolve}, ByUser(bo), Facts{}, noon)
	merge := func(a, b Incident) error {
		_, _, err := a.Merge(b, ByUser(ann), facts(policy, roster), noon)
		return err
	}
	relate := func(a, b Incident) error {
		_, _, err := a.LinkWith(b, ByUser(ann), noon)
		return err
	}
	linked, back, err := into.Incident.LinkWith(resolved.Incident, ByUser(ann), noon)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "links", fmt.Sprint(linked.Incident.Links, back.Incident.Links), "[#9] [#8]")
	for want, err := range map[string]error{
		"An incident can't be merged into itself.": merge(two, two),
		"Incident #7 was merged into #8.":          merge(merged.Incident, three),
		"Incident #9 is already resolved by U0BO.": merge(two, resolved.Incident),
		"An incident can't be linked with itself.": relate(two, two),
		"Incident #8 is linked with #9 already.":   relate(linked.Incident, back.Incident),
	} {
		if err == nil || err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	}
	for _, pair := range [][2]Incident{{two, merged.Incident}, {merged.Incident, two}, {resolved.Incident, two}} {
		if merge(pair[0], pair[1]) == nil {
			t.Errorf("%s was merged into %s, want an error", pair[0].ID, pair[1].ID)
		}
	}
	if _, err := merged.Incident.Do(Act{Do: ActReopen}, ByUser(ann), facts(policy, roster), noon); err == nil {
		t.Error("a signal reopened an incident that was merged into another")
	}
}
