package bot

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
)

// admin returns a client with the rights of a workspace admin.
func (w *world) admin() *slack.Client {
	return slack.New("xoxb-sim", slack.OptionAPIURL(w.sim.APIURL()))
}

// makeGroup makes a user group with one member.
func (w *world) makeGroup(handle string, member oncall.UserID) string {
	w.t.Helper()
	api := w.admin()
	g, err := api.CreateUserGroupContext(w.ctx, slack.UserGroup{Name: handle, Handle: handle})
	if err == nil {
		_, err = api.UpdateUserGroupMembersListContext(w.ctx, g.ID, []string{string(member)})
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return g.ID
}

// Slack refuses a list for one guest in it; the others are added anyway.
func TestSetGroupSkipsRefusedUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.sim.AddUser(slacksim.User{ID: "U0GUEST", Guest: true})
	id := w.makeGroup("payments", bo)
	refused, err := w.bot.SetGroup(w.ctx, id, []oncall.UserID{ann, "U0GUEST", cy, "U0NOBODY"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]oncall.UserID{"U0GUEST", "U0NOBODY"}, refused); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
	groups, err := w.bot.Groups(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	want := []oncall.SlackGroup{{ID: id, Handle: "payments", Users: []oncall.UserID{ann, cy}}}
	if diff := cmp.Diff(want, groups); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	// Nobody is left, so the group stays unchanged.
	if refused, err = w.bot.SetGroup(w.ctx, id, []oncall.UserID{"U0GUEST"}); err != nil || len(refused) != 1 {
		t.Errorf("the refused users are %v, %v; want the guest", refused, err)
	}
}

func TestDisabledGroupsAreEnabledAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	id := w.makeGroup("payments", bo)
	for _, enabled := range []bool{false, true} {
		if err := w.bot.EnableGroup(w.ctx, id, enabled); err != nil {
			t.Fatal(err)
		}
		groups, err := w.bot.Groups(w.ctx)
		if err != nil || len(groups) != 1 || groups[0].Disabled == enabled {
			t.Errorf("the groups are %+v, %v; want one, enabled: %t", groups, err, enabled)
		}
	}
}

// Errors that a workspace admin has to fix become Refusals.
func TestGroupRefusalsSayWhatAnAdminHasToFix(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	for code, says := range map[string]string{
		"paid_teams_only": "paid plans", "plan_upgrade_required": "paid plans",
		"permission_denied": "SLACK_USER_TOKEN", "missing_scope": "usergroups:write",
	} {
		w.sim.Fail(slacksim.Fault{Method: "usergroups.users.update", Kind: slacksim.FaultError, Code: code})
		_, err := w.bot.SetGroup(w.ctx, "S1", []oncall.UserID{ann})
		refusal, refused := errors.AsType[oncall.Refusal](err)
		if !refused || !strings.Contains(refusal.Error(), says) {
			t.Errorf("%s: %v, want a Refusal with %q", code, err, says)
		}
	}
}
