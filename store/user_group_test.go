package store_test

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// grouped is the set-up with a group, a topic and an admin.
func grouped(w *world) {
	w.t.Helper()
	s := setup()
	s.Teams[0].Admins, s.Teams[0].Topic = []string{"cy"}, true
	s.UserGroups = []oncall.SetupUserGroup{{
		Handle: "@payments", Schedules: []string{"primary"}, Roles: []string{"primary"}, WhenEmpty: oncall.WhenEmptyFallback, Fallback: "di",
	}}
	if _, err := w.Apply(w.t.Context(), s, store.ApplyOptions{Write: true}, start); err != nil {
		w.t.Fatal(err)
	}
	report := must[store.Report](w.t)(w.Apply(w.t.Context(), s, store.ApplyOptions{Write: true}, start))
	if len(report.Changes) > 0 {
		w.t.Errorf("applied again it changes %q", report.Changes)
	}
}

func TestGroupDuties(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	grouped(w)
	if f := must[store.GroupDuties](t)(w.GroupDuties(t.Context())); len(f.Groups) != 0 {
		t.Errorf("before anybody has looked: %+v", f.Groups)
	}
	w.look(w.System, start)
	f := must[store.GroupDuties](t)(w.GroupDuties(t.Context()))
	if diff := cmp.Diff([]oncall.RoleHolders{{Schedule: 1, Role: "primary", Users: []oncall.UserID{ann}}}, f.Present); diff != "" {
		t.Errorf("present (-want +got):\n%s", diff)
	}
	g := f.Groups[0]
	if g.Handle != "payments" || g.Fallback != di || g.Schedules[0] != 1 || !f.Usable(ann) || f.Usable("U0NOBODY") {
		t.Errorf("facts: %+v", f)
	}
	channel, segment, err := w.Topic(t.Context(), must[*store.Directory](t)(w.Directory(t.Context())).Teams[0].ID)
	if err != nil || channel != "#payments" || segment != ":pager: On call: ann (primary)" {
		t.Errorf("topic %q %q, %v", channel, segment, err)
	}
	// Both are queued when somebody comes on call, and only then.
	w.exec(`DELETE FROM river_job`)
	w.look(w.System, start)
	w.look(w.System, monday)
	for _, kind := range []string{"sync_groups", "set_topic"} {
		if n := w.count(`SELECT count(*) FROM river_job WHERE kind = $1`, kind); n != 1 {
			t.Errorf("%d jobs %s, want 1", n, kind)
		}
	}
}

// Trouble is told once over all instances, and once more when it comes back.
func TestGroupTrouble(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	grouped(w)
	stores := []*store.System{w.System, w.another()}
	w.look(w.System, start)
	id := must[store.GroupDuties](t)(w.GroupDuties(t.Context())).Groups[0].ID
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
	isTold(t, w)
	say("It is broken.")
	isTold(t, w, "group_trouble U0CY")
	say("")
	say("It is broken.")
	isTold(t, w, "group_trouble U0CY", "group_trouble U0CY")
	// A release before wrote people as mentions.
	w.exec(`UPDATE user_groups SET trouble = 'Slack refuses <@U0ANN>.'`)
	say("Slack refuses U0ANN.")
	isTold(t, w, "group_trouble U0CY", "group_trouble U0CY")
}

func TestAdmins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := must[*store.Directory](t)(w.Directory(t.Context()))
	team := dir.Teams[0].ID
	if diff := cmp.Diff([]oncall.UserID{cy, ann, bo}, dir.Admins(team)); diff != "" {
		t.Errorf("where nobody is named, all are (-want +got):\n%s", diff)
	}
	grouped(w)
	dir = must[*store.Directory](t)(w.Directory(t.Context()))
	if diff := cmp.Diff([]oncall.UserID{cy}, dir.Admins(team)); diff != "" {
		t.Errorf("admins (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"U0CY"}, dir.Watchers(team)); diff != "" {
		t.Errorf("watchers (-want +got):\n%s", diff)
	}
}
