package bot

import (
	"strings"
	"testing"

	"github.com/watchbill/watchbill/bot/view"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
)

func TestCommands(t *testing.T) {
	t.Parallel()
	f := newOffice(t, slacksim.Options{})
	f.listen(1)
	// noon is a Monday, 13:00 in Berlin; Ann's week has begun at 9:00.
	for _, c := range []struct {
		user oncall.UserID
		line string
		want string // "…" stands for anything
	}{
		{ann, "/oncall", view.HelpText},
		{ann, "/oncall help", view.HelpText},
		{ann, "/oncall HELP", view.HelpText},
		{ann, "/oncall overide @bo 18:00 to 20:00", "There is no `/oncall overide`. Did you mean `/oncall override`? Try one of these:\n" + view.Examples},
		{ann, "/oncall frobnicate", "There is no `/oncall frobnicate`. Try one of these:\n" + view.Examples},

		{ann, "/oncall who", "*ops*: *nobody*, with no change in sight\n*payments days*: <@U0ANN> until <!date^1773043200^{date_short_pretty} {time}|2026-03-09 09:00 CET>, then <@U0BO>"},
		{cy, "/oncall who payments days", "*payments days*: <@U0ANN> until <!date^1773043200^{date_short_pretty} {time}|2026-03-09 04:00 EDT>, then <@U0BO>"},
		{ann, "/oncall who Payments", "*payments days*: <@U0ANN> until …"},
		{ann, "/oncall who ops", "*ops*: *nobody*, with no change in sight"},
		{ann, "/oncall who payments 2026-03-10 9:00", "On call, <!date^1773129600^{date_short_pretty} {time}|2026-03-10 09:00 CET>:\n*payments days*: <@U0BO> until …"},
		{ann, "/oncall who in 1 week", "On call, …*payments days*: <@U0BO> until …"},
		{ann, "/oncall who paymens", "There is no team or schedule \"paymens\". Did you mean \"Payments\"?"},
		{ann, "/oncall who xyzzy tomorrow", "There is no team or schedule \"xyzzy\". There is \"Operations\", \"Payments\", \"ops\" and \"payments days\"."},
		{ann, "/oncall who payments someday", "\"someday\" is no time that Watchbill understands. …"},
		{ann, "/oncall who <!here> & co", "There is no team or schedule \"&lt;!here&gt; &amp; co\". …"},

		{ann, "/oncall override @oncall 18:00 to 20:00", "<@U0BOT> is a bot and can't be on call."},
		{ann, "/oncall override @ann 18:00 to 20:00", "<@U0ANN> is on call alone in \"payments days\" for all of that time already."},
		{ann, "/oncall override @ann 18:00 20:00", "<@U0ANN> is on call alone in \"payments days\" for all of that time already."},
		{ann, "/oncall override @bo 18:00-20:00", "<@U0BO> is on call in *payments days* from <!date^1772470800^{date_short_pretty} {time}|2026-03-02 18:00 CET> to <!date^1772478000^{date_short_pretty} {time}|2026-03-02 20:00 CET>, instead of <@U0ANN>."},
		{ann, "/oncall who payments 18:00", "On call, …*payments days*: <@U0BO> (override by <@U0ANN>) until <!date^1772478000^…"},
		{ann, "/oncall override @cy tomorrow to wed in ops", "Only the team of \"ops\" can put others on call in it."},
		{bo, "/oncall override @cy tomorrow to wed in ops holiday & rest", "<@U0CY> is on call in *ops* from …, when nobody else would be."},
		{cy, "/oncall override @cy fri 18:00 to mon 9:00 ops", "<@U0CY> is on call in *ops* from <!date^1772838000^{date_short_pretty} {time}|2026-03-06 18:00 EST> to <!date^1773061200^{date_short_pretty} {time}|2026-03-09 09:00 EDT>, …"},
	} {
		got := f.command(c.user, c.line)
		if _, rest, found := strings.Cut(c.line, " override "); found && strings.Contains(rest, ":00 to ") || found && strings.HasSuffix(got, "[Undo]") {
			got, _, _ = strings.Cut(got, "\n")
		}
		if !matches(got, c.want) {
			t.Errorf("%s\ngot  %q\nwant %q", c.line, got, c.want)
		}
	}
	directory, err := f.store.Directory(f.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if u := directory.Users[cy]; u.Name != "Cy" || u.TimeZone != "America/New_York" || u.Email != "cy@example.com" {
		t.Errorf("Cy, who typed a command, is known as %+v", u)
	}
}

// matches compares, with "…" for anything.
func matches(got, want string) bool {
	parts := strings.Split(want, "…")
	if !strings.HasPrefix(got, parts[0]) || !strings.HasSuffix(got, parts[len(parts)-1]) {
		return false
	}
	for _, p := range parts {
		i := strings.Index(got, p)
		if i < 0 {
			return false
		}
		got = got[i+len(p):]
	}
	return true
}

func TestDeactivatedPeopleDontCover(t *testing.T) {
	t.Parallel()
	f := newOffice(t, slacksim.Options{})
	f.listen(1)
	f.sim.AddUser(slacksim.User{ID: string(bo), Name: "bo", RealName: "Bo", Email: "bo@example.com", TZ: "Europe/Berlin", Deleted: true})
	f.eventually("Slack's word about Bo arrives", func() bool {
		directory, err := f.store.Directory(f.ctx)
		return err == nil && directory.Users[bo].DeactivatedAt != nil
	})
	if got := f.command(ann, "/oncall override @bo 18:00 to 20:00"); got != "<@U0BO> is deactivated in Slack and can't be on call." {
		t.Errorf("Ann was told %q", got)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	f := newOffice(t, slacksim.Options{})
	f.listen(1)
	f.incident()

	if err := f.sim.OpenHome(string(ann)); err != nil {
		t.Fatal(err)
	}
	f.eventually("the home is drawn", func() bool { return f.sim.HomeText("ann") != "" })
	home := f.sim.HomeText("ann")
	for _, want := range []string{"On call now", "payments days", "Open incidents", "critical: Checkout fails (triggered)", "/oncall who"} {
		if !strings.Contains(home, want) {
			t.Errorf("the home lacks %q:\n%s", want, home)
		}
	}

	f.sim.AddUser(slacksim.User{ID: "U0DI", Name: "di", RealName: "Di", Email: "di@example.com", TZ: "Asia/Kathmandu"})
	f.sim.AddUser(slacksim.User{ID: string(ann), Name: "ann", RealName: "Ann B", Email: "ann.b@example.com", TZ: "Europe/London"})
	f.eventually("the people are known", func() bool {
		directory, err := f.store.Directory(f.ctx)
		if err != nil {
			t.Fatal(err)
		}
		di, ann := directory.Users["U0DI"], directory.Users[ann]
		return di.TimeZone == "Asia/Kathmandu" && di.Email == "di@example.com" &&
			ann.Name == "Ann B" && ann.Email == "ann.b@example.com" && ann.TimeZone == "Europe/London"
	})

	if _, err := f.sim.Say(string(ann), "@oncall", "", "who is on call?"); err != nil {
		t.Fatal(err)
	}
	f.eventually("the bot answers", func() bool { return len(f.sim.Messages("@ann")) == 2 })
	for _, e := range f.sim.Envelopes() {
		if e.Name == "message.im" {
			if acked, err := f.sim.Redeliver(f.ctx, e.ID, true); err != nil || !acked {
				t.Errorf("redelivered: acknowledged %t, %v", acked, err)
			}
		}
	}
	if m := f.sim.Messages("@ann"); len(m) != 2 || m[1].Text != view.DirectHelp {
		t.Errorf("the conversation is %+v", m)
	}
	// Whatever else comes is acknowledged, or Slack would switch the subscription off.
	f.eventually("everything is acknowledged", func() bool {
		for _, e := range f.sim.Envelopes() {
			if e.Socket != 0 && !e.Acked { // before the bot listened there was no socket
				t.Logf("%s is not acknowledged yet", e.Name)
				return false
			}
		}
		return true
	})
}

func TestUserByEmail(t *testing.T) {
	t.Parallel()
	f := newOffice(t, slacksim.Options{})
	u, err := f.bot.UserByEmail(f.ctx, "cy@example.com")
	if err != nil || u.ID != cy || u.Name != "Cy" || u.TimeZone != "America/New_York" || u.DeactivatedAt != nil {
		t.Errorf("got %+v, %v", u, err)
	}
	if _, err := f.bot.UserByEmail(f.ctx, "nobody@example.com"); !errorsIsNotFound(err) {
		t.Errorf("nobody: %v", err)
	}
}

func TestSchedulesAreChangedByTheirTeam(t *testing.T) {
	t.Parallel()
	f := newOffice(t, slacksim.Options{})
	f.listen(1)
	const refused = `Only members of the team "Payments" can change its schedules.`
	for _, line := range []string{
		"/oncall schedule edit payments days", "/oncall schedule history payments days",
		"/oncall shift add @cy 18:00 to 20:00 payments days", "/oncall shift delete 18:00 to 20:00 payments days",
	} {
		if got := f.command(cy, line); got != refused {
			t.Errorf("Cy typed %s and was told %q", line, got)
		}
	}
	if got := f.command(cy, "/oncall schedule new"); got != "Only members of a team can make a schedule for it, and you are in none." {
		t.Errorf("Cy was told %q", got)
	}
	// Checked again when a form is sent: Ann's is open when she leaves the team.
	open := func(line string) {
		t.Helper()
		if r, err := f.sim.Slash(f.ctx, string(ann), "C0PAY", line); err != nil || !r.Acked || r.Text != "" {
			t.Fatalf("%s: %+v, %v", line, r, err)
		}
	}
	open("/oncall schedule edit payments days")
	if _, err := f.sim.ClickView(f.ctx, string(ann), string(view.ActionRotationEdit)); err != nil {
		t.Fatal(err)
	}
	f.eventually("the rotation's form is open", func() bool { return strings.Contains(f.sim.ViewText(string(ann)), "Edit rotation") })
	f.leaveTeam(ann)
	if _, err := f.sim.Submit(f.ctx, string(ann), nil); err != nil {
		t.Fatal(err)
	}
	if got := f.sim.ViewText(string(ann)); !strings.Contains(got, refused) {
		t.Errorf("Ann's form says\n%s", got)
	}
}

// Slack may say yes to a file and share nothing: then there are words.
func TestPictureThatIsNotThere(t *testing.T) {
	t.Parallel()
	f := newOffice(t, slacksim.Options{})
	f.listen(1)
	f.sim.Fail(slacksim.Fault{Method: "conversations.history", Kind: slacksim.FaultError, Code: "channel_not_found"})
	f.command(ann, "/oncall schedule payments days")
	f.eventually("Ann has words", func() bool {
		return strings.Contains(f.sim.Text("@ann"), "Slack didn't take the picture of the schedule.")
	})
}
