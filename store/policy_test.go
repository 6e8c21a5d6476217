package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// serverFull returns the set-up with every setting that a policy and a team can have.
func serverFull() setup.Setup {
	s := payments()
	t := &s.Teams[0]
	t.Admins, t.Fallback, t.Remind, t.TimeZone = []string{"cy"}, []string{"di"}, "15m", "Asia/Tokyo"
	t.Hours = []schedule.Window{{Days: []schedule.Weekday{"mon"}, From: 8 * 60, To: 12 * 60}}
	s.Policies[0] = setup.Policy{
		Name: "default", Team: "payments", Acks: 2, AckTimeout: "30m", AckWait: "5m",
		Steps: []setup.Step{
			{Page: []string{"next in primary", "channel #war-room", "group @pay", "webhook https://example.com/x"}, RoundRobin: oncall.RoundByIncident, Repeat: 1},
			{Page: []string{"policy later"}, Only: &setup.Condition{Severity: []oncall.Severity{oncall.Critical}, Hours: oncall.HoursOff}},
		},
	}
	// The policy that it passes incidents on to comes later in the document.
	s.Policies = append(s.Policies, setup.Policy{Name: "later", Team: "payments", Repeat: 2, Steps: []setup.Step{{Page: []string{"admins of payments"}}}})
	return s
}

func TestPolicyIsStoredWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	report := must[store.ApplyReport](t)(w.Apply(t.Context(), serverFull(), store.ApplyOptions{Write: true}, start))
	if diff := cmp.Diff([]string{
		`change team "payments": managers, time zone, hours, fallback, remind`, `add policy "later"`,
		`change policy "default": steps, acks, ack timeout, ack wait`,
	}, report.Changes); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if report = must[store.ApplyReport](t)(w.Apply(t.Context(), serverFull(), store.ApplyOptions{Write: true}, start)); len(report.Changes) > 0 {
		t.Errorf("applied again it changes %q, want none", report.Changes)
	}
	dir := must[*store.Directory](t)(w.Directory(t.Context()))
	var later, policy oncall.Policy
	for _, p := range dir.Policies {
		switch p.Name {
		case "later":
			later = p
		case "default":
			policy = p
		}
	}
	want := oncall.Policy{
		ID: policy.ID, TeamID: 1, Name: "default", Acks: 2, AckTimeout: 1800, AckWait: 300, Steps: []oncall.Step{{
			Targets: []oncall.Target{{Schedule: 1, Which: oncall.OnCallNext}, {Channel: "#war-room"}, {Group: "pay"}, {Webhook: "https://example.com/x"}},
			Delay:   300, Repeat: 1, Every: 60, RoundRobin: oncall.RoundByIncident,
		}, {
			Targets: []oncall.Target{{Policy: later.ID}}, Delay: 300,
			Only: &oncall.Condition{Severity: []oncall.Severity{oncall.Critical}, Hours: oncall.HoursOff},
		}},
	}
	if diff := cmp.Diff(want, policy); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	facts := dir.Roster().Teams[1]
	if !slices.Equal(facts.Fallback, []oncall.UserID{di}) || !slices.Equal(facts.Managers, []oncall.UserID{cy}) {
		t.Errorf("team: %+v; want Fallback %v and Managers %v", facts, []oncall.UserID{di}, []oncall.UserID{cy})
	}
	for at, open := range map[time.Time]bool{
		time.Date(2026, 3, 1, 23, 30, 0, 0, time.UTC): true, time.Date(2026, 3, 2, 3, 30, 0, 0, time.UTC): false,
	} {
		if facts.Hours.Open(at) != open {
			t.Errorf("working hours at %s: got %t, want %t", at, !open, open)
		}
	}
	// The working hours are not mentioned, because they are in the zone of the first schedule.
	must[store.ApplyReport](t)(w.Apply(t.Context(), payments(), store.ApplyOptions{Write: true}, start))
	dir = must[*store.Directory](t)(w.Directory(t.Context()))
	if h := dir.Roster().Teams[1].Hours; !h.Open(time.Date(2026, 3, 2, 8, 30, 0, 0, time.UTC)) || h.Open(time.Date(2026, 3, 2, 7, 30, 0, 0, time.UTC)) {
		t.Error("the working hours are not 09:00 to 17:00 in Berlin")
	}
}

func TestSlackGroupsAreMirrored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if must[bool](t)(w.GroupsNamed(t.Context())) {
		t.Error("groups count as named before a policy names one")
	}
	must[store.ApplyReport](t)(w.Apply(t.Context(), serverFull(), store.ApplyOptions{Write: true}, start))
	if n := w.jobs("sync_groups"); n != 1 || !must[bool](t)(w.GroupsNamed(t.Context())) {
		t.Errorf("%d jobs to look at Slack's groups, want 1", n)
	}
	for _, step := range []struct {
		seen []oncall.SlackGroup
		want map[string][]oncall.UserID
	}{
		{nil, map[string][]oncall.UserID{}},
		{[]oncall.SlackGroup{{Handle: "pay", Users: []oncall.UserID{bo, cy}}, {Handle: "other", Users: []oncall.UserID{ann}}}, map[string][]oncall.UserID{"pay": {bo, cy}}},
		{[]oncall.SlackGroup{{Handle: "pay", Users: []oncall.UserID{cy}}}, map[string][]oncall.UserID{"pay": {cy}}},
		{[]oncall.SlackGroup{{Handle: "pay"}}, map[string][]oncall.UserID{"pay": {}}},
		{[]oncall.SlackGroup{{Handle: "pay", Users: []oncall.UserID{cy}, Disabled: true}}, map[string][]oncall.UserID{}},
	} {
		if err := w.SaveGroupMembers(t.Context(), step.seen, start); err != nil {
			t.Fatal(err)
		}
		got := must[*store.Directory](t)(w.Directory(t.Context())).Roster().Groups
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("groups (-want +got):\n%s", diff)
		}
	}
}

// Each incident of a policy begins with the next person, across batches and restarts.
func TestIncidentsGoRound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := payments()
	s.Policies[0].Steps = []setup.Step{{Page: []string{"user ann", "user bo", "user cy"}, RoundRobin: oncall.RoundByIncident}}
	must[store.ApplyReport](t)(w.Apply(t.Context(), s, store.ApplyOptions{Write: true}, start))
	stop := w.run(w.System)
	w.accept(trigger("a"), trigger("b"), trigger("a"))
	w.fold()
	stop()
	if count := must[map[oncall.PolicyID]int64](t)(w.NextRoundRobinCounts(t.Context(), w.integration)); len(count) != 1 || count[must[oncall.Integration](t)(w.IntegrationByKey(t.Context(), key, start)).PolicyID] != 2 {
		t.Errorf("the next count is %d, want 2", count)
	}
	w.run(w.another())
	w.accept(trigger("c"), trigger("d"))
	w.fold()
	if diff := cmp.Diff([]string{string(ann), string(bo), string(cy), string(ann)}, w.strings(`SELECT user_id FROM pages ORDER BY incident_id`)); diff != "" {
		t.Errorf("paged (-want +got):\n%s", diff)
	}
}

// People who come on call get the incidents for which nobody was on call.
func TestUnassignedIncidentIsAdopted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := payments()
	s.Schedules[0].Rotations[0].Turns = []setup.Turn{{}, {"bo"}}
	s.Policies[0].Steps = s.Policies[0].Steps[:1]
	s.Teams[0].Fallback, s.Teams[0].Admins = []string{"di"}, []string{"cy"}
	must[store.ApplyReport](t)(w.Apply(t.Context(), s, store.ApplyOptions{Write: true}, start.Add(-time.Hour)))
	w.look(w.System, start)
	in := w.open()
	if in.Exhausted || !in.Unassigned || !in.NextAt.Equal(start.Add(5*time.Minute)) {
		t.Fatalf("incident: exhausted %v, want false; unassigned %v, want true; next at %v, want %v",
			in.Exhausted, in.Unassigned, in.NextAt, start.Add(5*time.Minute))
	}
	if diff := cmp.Diff([]string{string(di)}, w.strings(`SELECT DISTINCT user_id FROM pages`)); diff != "" {
		t.Errorf("paged (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"unassigned " + string(cy)}, w.strings(`SELECT kind || ' ' || recipient FROM notices WHERE kind = 'unassigned'`)); diff != "" {
		t.Errorf("admins told (-want +got):\n%s", diff)
	}
	w.look(w.System, monday)
	if n := w.count(`SELECT count(*) FROM pages WHERE user_id = $1`, bo); n == 0 {
		t.Errorf("Bo came on call and was not paged: got %v, want other than 0", n)
	}
}

func TestReminderIsOneMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.another()
	remind := func(at time.Duration) {
		t.Helper()
		for _, s := range []*store.System{w.System, other} {
			if err := s.RemindUnacked(t.Context(), start.Add(at)); err != nil {
				t.Fatal(err)
			}
		}
	}
	type notice struct {
		ID        oncall.NoticeID
		Recipient string
		Version   int64
		Facts     oncall.NoticeDetail
	}
	last := func() (n notice) {
		t.Helper()
		if w.count(`SELECT count(*) FROM notices WHERE kind = 'unacked'`) == 0 {
			return notice{}
		}
		err := w.Pool().QueryRow(t.Context(), `SELECT id, recipient, version, facts FROM notices WHERE kind = 'unacked' ORDER BY id DESC LIMIT 1`).
			Scan(&n.ID, &n.Recipient, &n.Version, &n.Facts)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	in := w.open()
	if remind(9 * time.Minute); last().ID != 0 {
		t.Error("the channel was reminded before the interval passed")
	}
	remind(10 * time.Minute)
	first := last()
	if diff := cmp.Diff([]string{"#1 disk is full (high, for 10 min)"}, first.Facts.Lines); diff != "" || first.Recipient != "#payments" || first.Version != 1 {
		t.Errorf("reminder %+v (-want +got):\n%s", first, diff)
	}
	if remind(19 * time.Minute); last().Version != 1 {
		t.Error("the reminder was renewed before the interval passed")
	}
	if remind(20 * time.Minute); last().Version != 2 || last().ID != first.ID {
		t.Errorf("after the interval it is %+v; want version 2 of notice %v", last(), first.ID)
	}
	w.forgetJobs()
	if _, err := w.Act(t.Context(), in.ID, oncall.ByUser(ann), oncall.Act{Do: oncall.ActAck}, start.Add(21*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if remind(21 * time.Minute); last().Version != 3 || last().Facts.State != oncall.UnackedOver {
		t.Errorf("when all are acknowledged it is %+v; want version 3, in the state %v", last(), oncall.UnackedOver)
	}
	if n := w.jobs("tell"); n != 1 {
		t.Errorf("%d jobs redraw it, want 1", n)
	}
	if remind(40 * time.Minute); last().Version != 3 {
		t.Error("a reminder that is over was changed")
	}
	// An incident that is given back waits from then on, which is a new episode.
	if _, err := w.Act(t.Context(), in.ID, oncall.ByUser(ann), oncall.Act{Do: oncall.ActUnack}, start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if remind(69 * time.Minute); last().ID != first.ID {
		t.Error("a new reminder was sent before its incident was open for long enough")
	}
	if remind(70 * time.Minute); last().ID == first.ID || last().Facts.Lines[0] != "#1 disk is full (high, for 10 min)" {
		t.Errorf(`the new episode is %+v; want another notice than %v, with the line "#1 disk is full (high, for 10 min)"`, last(), first.ID)
	}
	// A team that wants no such people has none.
	s := payments()
	s.Teams[0].Remind = "off"
	must[store.ApplyReport](t)(w.Apply(t.Context(), s, store.ApplyOptions{Write: true}, start))
	if remind(71 * time.Minute); last().Facts.State != oncall.UnackedOver {
		t.Errorf("switched off, the state is %v, want %v: %+v", last().Facts.State, oncall.UnackedOver, last())
	}
}
