package store_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// grouped returns the tests' set-up with a user group, a topic and an admin.
func grouped(w *world) {
	w.t.Helper()
	s := payments()
	s.Teams[0].Admins, s.Teams[0].Topic = []string{"cy"}, true
	s.UserGroups = []setup.UserGroup{{
		Handle: "@payments", Schedules: []string{"primary"}, Roles: []string{"primary"}, WhenEmpty: oncall.WhenEmptyFallback, Fallback: "di",
	}}
	if _, err := w.Apply(w.t.Context(), s, store.ApplyOptions{Write: true}, start); err != nil {
		w.t.Fatal(err)
	}
	report := must[store.ApplyReport](w.t)(w.Apply(w.t.Context(), s, store.ApplyOptions{Write: true}, start))
	if len(report.Changes) > 0 {
		w.t.Errorf("applied again it changes %q, want none", report.Changes)
	}
}

func TestGroupDuties(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	grouped(w)
	if f := must[store.ScheduledGroups](t)(w.ScheduledGroups(t.Context())); len(f.Groups) != 0 {
		t.Errorf("before anybody has looked: %+v, want none", f.Groups)
	}
	w.look(w.System, start)
	f := must[store.ScheduledGroups](t)(w.ScheduledGroups(t.Context()))
	if diff := cmp.Diff([]oncall.RoleHolders{{Schedule: 1, Role: "primary", Users: []oncall.UserID{ann}}}, f.Present); diff != "" {
		t.Errorf("present (-want +got):\n%s", diff)
	}
	g := f.Groups[0]
	if g.Handle != "payments" || g.Fallback != di || g.Schedules[0] != 1 {
		t.Errorf("got @%s of schedule %d instead %s, want @payments of 1 instead %s", g.Handle, g.Schedules[0], g.Fallback, di)
	}
	if a, nobody := f.Usable(ann), f.Usable("U0NOBODY"); !a || nobody {
		t.Errorf("got Ann usable %t, nobody %t, want true, false", a, nobody)
	}
	channel, segment, err := w.Topic(t.Context(), must[*store.Directory](t)(w.Directory(t.Context())).Teams[0].ID)
	if err != nil || channel != "#payments" || segment != ":pager: On call: ann (primary)" {
		t.Errorf(`topic %q %q, %v; want channel "#payments" and segment ":pager: On call: ann (primary)"`, channel, segment, err)
	}
	// Both jobs are queued when somebody comes on call, and only then.
	w.forgetJobs()
	w.look(w.System, start)
	w.look(w.System, monday)
	for _, kind := range []string{"sync_groups", "set_topic"} {
		if n := w.jobs(kind); n != 1 {
			t.Errorf("%d jobs %s, want 1", n, kind)
		}
	}
}

// A problem is reported once by all instances together, and once more when it recurs.
func TestGroupTroubleIsReportedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	grouped(w)
	stores := []*store.System{w.System, w.another()}
	w.look(w.System, start)
	id := must[store.ScheduledGroups](t)(w.ScheduledGroups(t.Context())).Groups[0].ID
	say := func(trouble string) {
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				if err := stores[i%2].GroupTrouble(t.Context(), id, oncall.Say("%s", trouble), start); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	say("")
	wantNotices(t, w)
	say("It is broken.")
	wantNotices(t, w, "group_trouble U0CY")
	say("")
	say("It is broken.")
	wantNotices(t, w, "group_trouble U0CY", "group_trouble U0CY")
	// An earlier release wrote people as mentions.
	w.exec(`UPDATE user_groups SET trouble = 'Slack refuses <@U0ANN>.'`)
	say("Slack refuses U0ANN.")
	wantNotices(t, w, "group_trouble U0CY", "group_trouble U0CY")
}

func TestAdmins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := must[*store.Directory](t)(w.Directory(t.Context()))
	team := dir.Teams[0].ID
	if diff := cmp.Diff([]oncall.UserID{cy, ann, bo}, dir.Managers(team)); diff != "" {
		t.Errorf("where nobody is named, all are (-want +got):\n%s", diff)
	}
	grouped(w)
	dir = must[*store.Directory](t)(w.Directory(t.Context()))
	if diff := cmp.Diff([]oncall.UserID{cy}, dir.Managers(team)); diff != "" {
		t.Errorf("admins (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"U0CY"}, dir.Watchers(team)); diff != "" {
		t.Errorf("watchers (-want +got):\n%s", diff)
	}
}

// Managers by a user group lose the role a day after Slack has last confirmed them. Those
// whom a policy pages stay so.
func TestManagersOfAGroupThatCanNotBeReadEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	must[store.ApplyReport](t)(w.Apply(t.Context(), serverFull(), store.ApplyOptions{Write: true}, start)) // a policy pages @pay
	w.exec(`UPDATE teams SET managed_by = 'leads'`)
	w.exec(`INSERT INTO slack_groups (handle, users) VALUES ('leads', '{U0BO}')`) // by the release before
	isGroup := func(handle string, want ...oncall.UserID) {
		t.Helper()
		if got := must[*store.Directory](t)(w.Directory(t.Context())).Roster().Groups[handle]; !slices.Equal(got, want) {
			t.Errorf("in %s are %v, want %v", handle, got, want)
		}
	}
	unread := func(after time.Duration) {
		t.Helper()
		if err := w.GroupsUnread(t.Context(), start.Add(after)); err != nil {
			t.Fatal(err)
		}
	}
	read := func(after time.Duration) {
		t.Helper()
		seen := []oncall.SlackGroup{{ID: "S1", Handle: "leads", Users: []oncall.UserID{bo}}, {ID: "S2", Handle: "pay", Users: []oncall.UserID{cy}}}
		if err := w.SaveGroupMembers(t.Context(), seen, start.Add(after)); err != nil {
			t.Fatal(err)
		}
	}
	unread(0)
	unread(24 * time.Hour)
	isGroup("leads", bo) // nobody knew when it was read, so the day began then
	read(24 * time.Hour)
	read(24*time.Hour + 30*time.Minute)
	if n := w.count(`SELECT count(*) FROM slack_groups WHERE seen_at = $1`, start.Add(24*time.Hour)); n != 2 {
		t.Errorf("what is the same is written more than once an hour: %d, want 2", n)
	}
	read(26 * time.Hour)
	unread(50 * time.Hour)
	isGroup("leads", bo)
	unread(51 * time.Hour)
	isGroup("leads")
	isGroup("pay", cy)
	read(52 * time.Hour)
	isGroup("leads", bo)
}

// A team that a user group manages has its managers at once.
func TestApplyLooksAtTheGroupsOfManagers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := payments()
	s.Teams[0].Managers = []string{"group @leads"}
	must[store.ApplyReport](t)(w.Apply(t.Context(), s, store.ApplyOptions{Write: true}, start))
	if n := w.jobs("sync_groups"); n != 1 {
		t.Errorf("%d jobs to look at Slack's groups, want 1", n)
	}
}
