package jobs_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store"
)

const guest = oncall.UserID("U0GUEST")

// newGroupWorld has Ann and a guest on call together, and two groups that follow them, one of which
// doesn't exist in Slack.
func newGroupWorld(t *testing.T) (w *world, sim *slacksim.Sim, again func(fallback string)) {
	t.Helper()
	w, sim = newSlackWorld(t, "1h")
	sim.AddUser(slacksim.User{ID: string(guest), Guest: true})
	api := slack.New("xoxb-sim", slack.OptionAPIURL(sim.APIURL()))
	g, err := api.CreateUserGroupContext(t.Context(), slack.UserGroup{Name: "payments", Handle: "payments"})
	if err == nil {
		_, err = api.UpdateUserGroupMembersListContext(t.Context(), g.ID, []string{string(bo)})
	}
	if err != nil {
		t.Fatal(err)
	}
	doc := setup.Setup{
		Users: []setup.User{
			{Name: "Ann", Slack: ann, TimeZone: "UTC"}, {Name: "Bo", Slack: bo, TimeZone: "UTC"}, {Name: "Guest", Slack: guest, TimeZone: "UTC"},
		},
		Teams: []setup.Team{{Name: "Payments", Channel: "C0PAY", Members: []string{"Ann", "Bo", "Guest"}, Admins: []string{"Bo"}}},
		Schedules: []setup.Schedule{{
			Name: "primary", Team: "Payments", TimeZone: "UTC", Rotations: []setup.Rotation{{
				Name: "always", Start: "2020-01-06 09:00", Every: "week", Turns: []setup.Turn{{"Ann", "Guest"}},
			}},
		}},
		UserGroups: []setup.UserGroup{
			{Handle: "@missing", Schedules: []string{"primary"}},
			{Handle: "@payments", Schedules: []string{"primary"}},
		},
	}
	apply := func() {
		t.Helper()
		if _, err := w.store.Apply(t.Context(), doc, store.ApplyOptions{Write: true}, w.clock()); err != nil {
			t.Fatal(err)
		}
	}
	apply()
	return w, sim, func(fallback string) { // any change makes it compare the groups again
		doc.UserGroups[1].WhenEmpty, doc.UserGroups[1].Fallback = oncall.WhenEmptyFallback, fallback
		apply()
		w.until("the groups are compared", func() bool { return w.queueEmpty("sync_groups") && w.queueEmpty("tell") })
	}
}

// groupNotices returns the notices to Bo, the admin, about user groups.
func groupNotices(sim *slacksim.Sim) (notices []string) {
	for line := range strings.SplitSeq(sim.Text("@bo"), "\n") {
		if strings.Contains(line, "@missing") || strings.Contains(line, "@payments") || strings.Contains(line, "User groups") {
			notices = append(notices, line)
		}
	}
	return notices
}

// A missing group and a person whom Slack refuses affect nobody else. The admin is told about each
// once, however often the groups are compared.
func TestUserGroupSkipsRefusedMembers(t *testing.T) {
	t.Parallel()
	d, sim, again := newGroupWorld(t)
	d.until("Ann is in the group", func() bool {
		return slices.Equal(sim.UserGroups()[0].Users, []string{string(ann)})
	})
	d.until("Bo knows", func() bool { return len(groupNotices(sim)) == 2 })
	again("Bo")
	again("Ann")
	notices := strings.Join(groupNotices(sim), "\n")
	if !strings.Contains(notices, "Slack has no user group @missing") || !strings.Contains(notices, "doesn't take @U0GUEST into @payments") &&
		!strings.Contains(notices, "doesn't take @u0guest into @payments") {
		t.Errorf("Bo was told\n%s\nwant of each group what Slack refuses", notices)
	}
	if n := strings.Count(notices, "@payments"); n != 1 {
		t.Errorf("told %d times of @payments:\n%s, want 1", n, notices)
	}
}
