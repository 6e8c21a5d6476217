package bot

import (
	"regexp"
	"strings"
	"testing"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
)

func TestCommandsGetTheirAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.listen(1)
	// noon is 13:00 on a Monday in Berlin; Ann's week began at 9:00.
	for _, c := range []struct {
		user oncall.UserID
		line string
		want string // "…" stands for anything
	}{
		{ann, "/oncall", "*payments days*: <@U0ANN> until Mon 9 Mar 09:00, then <@U0BO>\n1 more schedule: `/oncall who`\nPage: …`/oncall help` lists everything; `/oncall help swap` is about one command."},
		{ann, "/oncall help", view.HelpText},
		{ann, "/oncall HELP", view.HelpText},
		{ann, "/oncall overide @bo 18:00 to 20:00", "There is no `/oncall overide`. Did you mean `/oncall override`? Try one of these:\n`/oncall override @ann today 18:00 to 22:00`\n`/oncall override @ann 24 dec to 27 dec payments`\n`/oncall override cancel`"},
		{ann, "/oncall could somebody resurect payments", "There is no `/oncall somebody`. Try one of these:\n`/oncall who`\n`/oncall incidents closed payments`\n`/oncall page payments the checkout is down`"},
		{ann, "/oncall rezolve all of them", "There is no `/oncall rezolve`. Try one of these:\n`/oncall who`\n`/oncall incidents closed payments`\n`/oncall page payments the checkout is down`"},
		{ann, "/oncall payments days", "*payments days*: <@U0ANN>…"},
		{ann, "/oncall stop paging me", "What pages you stops once you take it…"},
		{ann, "/oncall who is away next week", "Nobody of your teams has time off Mon 9 Mar 00:00…"},
		{ann, "/oncall 9 mar", "On call, Mon 9 Mar 09:00:\n*ops*…*payments days*: <@U0BO>…"},
		{ann, "/oncall who on call last monday", "On call, Mon 23 Feb 09:00:\n*ops*…*payments days*…"},
		{ann, "/oncall who has it", "No incident is open."},
		{ann, "/oncall false alarm 4", "There is no incident #4…"},
		{ann, "/oncall help 4", "There is no incident #4…"},
		{ann, "/oncall i'm on it 5", "There is no incident #5…"},
		{ann, "/oncall thanks", "You're welcome.…"},
		{ann, "/oncall frobnicate", "There is no `/oncall frobnicate`. Try one of these:\n`/oncall who`\n`/oncall incidents closed payments`\n`/oncall page payments the checkout is down`"},

		{ann, "/oncall who", "*ops*: *nobody*, with no change in sight\n*payments days*: <@U0ANN> until Mon 9 Mar 09:00, then <@U0BO>"},
		{cy, "/oncall who payments days", "*payments days*: <@U0ANN> until Mon 9 Mar 04:00, then <@U0BO>"},
		{ann, "/oncall who Payments", "*payments days*: <@U0ANN> until …"},
		{ann, "/oncall who ops", "*ops*: *nobody*, with no change in sight"},
		{ann, "/oncall who payments 2026-03-10 9:00", "On call, Tue 10 Mar 09:00:\n*payments days*: <@U0BO> until …"},
		{ann, "/oncall who in 1 week", "On call, …*payments days*: <@U0BO> until …"},
		{ann, "/oncall who paymens", "There is no team or schedule \"paymens\". Did you mean \"Payments\"?"},
		{ann, "/oncall who xyzzy tomorrow", "There is no team or schedule \"xyzzy\". There is \"Operations\", \"Payments\", \"ops\" and \"payments days\"."},
		{ann, "/oncall who payments someday", "\"someday\" is not a time that Watchbill understands. …"},
		{ann, "/oncall who <!here> & co", "There is no team or schedule \"@here &amp; co\". …"},

		{ann, "/oncall override @oncall 18:00 to 20:00", "<@U0BOT> is a bot and can't be on call."},
		{ann, "/oncall override @ann 18:00 to 20:00", "<@U0ANN> is on call alone in \"payments days\" for all of that time already."},
		{ann, "/oncall override @ann 18:00 20:00", "<@U0ANN> is on call alone in \"payments days\" for all of that time already."},
		{ann, "/oncall override @bo 18:00-20:00", "<@U0BO> is on call in *payments days* Mon 2 Mar 18:00 – 20:00, instead of <@U0ANN>."},
		{ann, "/oncall who payments 18:00", "On call, …*payments days*: <@U0BO> (override by <@U0ANN>) until Mon 2 Mar 20:00, then <@U0ANN>"},
		{ann, "/oncall override @cy tomorrow to wed in ops", "Only members of the team \"Operations\" can do this, and nothing was changed: <@U0BO>."},
		{bo, "/oncall override @cy tomorrow to wed in ops holiday & rest", "<@U0CY> is on call in *ops* Tue 3 Mar 00:00 – Thu 5 Mar 00:00, when nobody else would be."},
		{cy, "/oncall override @cy fri 18:00 to mon 9:00 ops", "Only members of the team \"Operations\" can do this, and nothing was changed: <@U0BO>."},
	} {
		got := w.command(c.user, c.line)
		if _, rest, found := strings.Cut(c.line, " override "); found && strings.Contains(rest, ":00 to ") || found && strings.HasSuffix(got, "[Undo]") {
			got, _, _ = strings.Cut(got, "\n")
		}
		if !matches(got, c.want) {
			t.Errorf("%s\ngot  %q\nwant %q", c.line, got, c.want)
		}
	}
	directory, err := w.store.Directory(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if u := directory.Users[cy]; u.Name != "Cy" || u.TimeZone != "America/New_York" || u.Email != "cy@example.com" {
		t.Errorf("Cy is stored as %+v after a command, want the profile from Slack", u)
	}
}

// matches compares two texts; "…" in want stands for anything.
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

func TestDeactivatedPeopleAreNotOnCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.listen(1)
	w.sim.AddUser(slacksim.User{ID: string(bo), Name: "bo", RealName: "Bo", Email: "bo@example.com", TZ: "Europe/Berlin", Deleted: true})
	w.until("Slack's word about Bo arrives", func() bool {
		directory, err := w.store.Directory(w.ctx)
		return err == nil && directory.Users[bo].DeactivatedAt != nil
	})
	if got, want := w.command(ann, "/oncall override @bo 18:00 to 20:00"), "<@U0BO> is deactivated in Slack and can't be on call."; got != want {
		t.Errorf("Ann's answer is %q, want %q", got, want)
	}
}

func TestHelpNamesEveryCommand(t *testing.T) {
	t.Parallel()
	for _, known := range commands() {
		if known.name != "help" && !regexp.MustCompile("`/oncall "+known.name+`\b`).MatchString(view.HelpText) {
			t.Errorf("the help lacks `/oncall %s`, want every command in it", known.name)
		}
	}
}
