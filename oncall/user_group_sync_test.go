package oncall

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall/schedule"
)

func TestMembershipFollowsWhoIsOnCall(t *testing.T) {
	t.Parallel()
	present := []RoleHolders{
		{Schedule: 1, Role: schedule.RolePrimary, Users: []UserID{"U0BO", "U0ANN"}},
		{Schedule: 1, Role: schedule.RoleShadow, Users: []UserID{"U0NEW"}},
		{Schedule: 2, Role: schedule.RolePrimary, Users: []UserID{"U0ANN"}},
		{Schedule: 2, Role: schedule.RoleSecondary, Users: []UserID{"U0CY"}},
		{Schedule: 3, Role: schedule.RolePrimary, Users: []UserID{"U0DI"}},
		{Schedule: 4, Role: schedule.RolePrimary},
	}
	usable := func(u UserID) bool { return u != "U0GONE" && u != "" }
	for name, c := range map[string]struct {
		group UserGroup
		want  Membership
	}{
		"one schedule, no shadows": {UserGroup{Schedules: []ScheduleID{1}}, Membership{Users: []UserID{"U0ANN", "U0BO"}}},
		"shadows, if wanted":       {UserGroup{Schedules: []ScheduleID{1}, Roles: []string{schedule.RoleShadow}}, Membership{Users: []UserID{"U0NEW"}}},
		"a union":                  {UserGroup{Schedules: []ScheduleID{1, 2, 4}}, Membership{Users: []UserID{"U0ANN", "U0BO", "U0CY"}}},
		"one role":                 {UserGroup{Schedules: []ScheduleID{1, 2}, Roles: []string{schedule.RolePrimary}}, Membership{Users: []UserID{"U0ANN", "U0BO"}}},
		"empty, fallback":          {UserGroup{Schedules: []ScheduleID{4}, WhenEmpty: WhenEmptyFallback, Fallback: "U0DI"}, Membership{Users: []UserID{"U0DI"}, Empty: true}},
		"empty, fallback gone":     {UserGroup{Schedules: []ScheduleID{4}, WhenEmpty: WhenEmptyFallback, Fallback: "U0GONE"}, Membership{Empty: true}},
		"empty, keep":              {UserGroup{Schedules: []ScheduleID{4}, WhenEmpty: WhenEmptyKeep}, Membership{Empty: true}},
		"empty, disable":           {UserGroup{Schedules: []ScheduleID{4}, WhenEmpty: WhenEmptyDisable}, Membership{Empty: true, Disabled: true}},
	} {
		if diff := cmp.Diff(c.want, c.group.Membership(present, usable)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestGroupStepIsTakenOnlyIfTheGroupDiffers(t *testing.T) {
	t.Parallel()
	two := []UserID{"U0ANN", "U0BO"}
	for name, c := range map[string]struct {
		want Membership
		is   SlackGroup
		step GroupStep
	}{
		"as it should be, in another order": {Membership{Users: two}, SlackGroup{Users: []UserID{"U0BO", "U0ANN"}}, GroupDone},
		"one is missing":                    {Membership{Users: two}, SlackGroup{Users: []UserID{"U0BO"}}, GroupSet},
		"disabled, and somebody comes":      {Membership{Users: two}, SlackGroup{Users: two, Disabled: true}, GroupEnable},
		"to be disabled":                    {Membership{Disabled: true}, SlackGroup{Users: two}, GroupDisable},
		"is disabled":                       {Membership{Disabled: true}, SlackGroup{Disabled: true}, GroupDone},
		"kept":                              {Membership{Empty: true}, SlackGroup{Users: two}, GroupDone},
	} {
		if got := c.want.Step(c.is); got != c.step {
			t.Errorf("%s: %s, want %s", name, got, c.step)
		}
	}
}

func TestGroupTroubleIsPutIntoWords(t *testing.T) {
	t.Parallel()
	const kept = "Nobody is on call for @payments, so it keeps the members that it had."
	for name, c := range map[string]struct {
		is      Membership
		refused []UserID
		want    string
	}{
		"none":    {Membership{Users: []UserID{ann}}, nil, ""},
		"kept":    {Membership{Empty: true}, nil, kept},
		"closed":  {Membership{Empty: true, Disabled: true}, nil, ""},
		"refused": {Membership{Users: []UserID{ann}}, []UserID{bo, cy}, "Slack doesn't take @bo and @cy into @payments: guests, bots and people who have left can't be in a user group."},
		"both":    {Membership{Empty: true}, []UserID{bo}, kept + " Slack doesn't take @bo into @payments: guests, bots and people who have left can't be in a user group."},
	} {
		said := c.is.Trouble(UserGroup{Handle: "payments"}, c.refused)
		if got := said.Shown(func(u UserID) string { return "@" + strings.ToLower(string(u[2:])) }); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestSetTopicSegment(t *testing.T) {
	t.Parallel()
	ours := TopicSegment([]string{"Ann (payments)"})
	long := strings.Repeat("ä", 230)
	for name, c := range map[string]struct{ topic, want string }{
		"no topic":           {"", ":pager: On call: Ann (payments)"},
		"people's":           {"Pay & be paid", "Pay & be paid | :pager: On call: Ann (payments)"},
		"people's, and ours": {"Pay | :pager: On call: Bo (payments)", "Pay | :pager: On call: Ann (payments)"},
		"ours, and people's": {":pager: On call: Bo (payments) | docs: x", ":pager: On call: Ann (payments) | docs: x"},
		"between":            {"a | b | :pager: On call: nobody (payments) | c | d", "a | b | :pager: On call: Ann (payments) | c | d"},
		"the same":           {"Pay | " + ours, "Pay | " + ours},
		"too long for names": {long, long},
		"too long for all":   {long[:2*217], long[:2*217] + " | :pager: On call: Ann (payment…"},
	} {
		got := SetTopicSegment(c.topic, ours)
		if got != c.want || len([]rune(got)) > 250 {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
