package bot

import (
	"strings"
	"testing"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
)

func TestMaintenanceCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.listen(1)
	// noon is 13:00 on a Monday in Berlin.
	for line, want := range map[string]string{
		"payments 2h": "*Payments*. Until Mon 2 Mar 15:00 …",
		"for Payments for 2 hours because of a <test>": "*Payments*: because of a &lt;test&gt;. Until Mon 2 Mar 15:00 …",
		"start payments until 18:00":                   "*Payments*. Until Mon 2 Mar 18:00 …",
		"payments until tomorrow 9:00 moving house":    "*Payments*: moving house. Until Tue 3 Mar 09:00 …",
		"payments tomorrow 22:00 to 23:30 a b":         "*Payments*: a b. Tue 3 Mar 22:00 – 23:30 alerts, …",
		"payments from 18:00 to 20:00":                 "*Payments*. Mon 2 Mar 18:00 – 20:00 alerts, …",
		"payments service=checkout env!=test 30m":      "*Payments* (service=checkout, env!=test). Until Mon 2 Mar 13:30 …",
		"payments except critical 2h why":              "*Payments* (not critical alerts): why. …",
		"payments 2h except critical":                  "*Payments* (not critical alerts). …",
		"2h a reason":                                  "*Payments*: a reason. Until Mon 2 Mar 15:00 …",
		"payments service=checkout":                    "Say for how long, too, as in …",
		"payments soon":                                "Say for how long, or from when to when: …",
		"payments until yesterday":                     "The maintenance would …",
		"payments 20s":                                 "A maintenance window is a minute long at least, and nothing was changed.",
		"<!channel> 2h":                                "There is no team and no integration \"@channel\". …",
	} {
		got := w.command(ann, "/oncall maintenance "+line)
		got, _, _ = strings.Cut(got, "\n")
		if rest, begun := strings.CutPrefix(got, "Maintenance M"); begun {
			_, got, _ = strings.Cut(rest, " of ")
		}
		if !matches(got, want) {
			t.Errorf("%s\ngot  %q\nwant %q", line, got, want)
		}
	}
}

// People who may end a window have a button for it; others are refused when they press an older one.
func TestMaintenanceEndButton(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.listen(1)
	w.command(ann, "/oncall maintenance payments 2h")
	all, err := w.store.MaintenanceWindows(w.ctx, oncall.ByUser(ann), noon)
	if err != nil || len(all) != 1 {
		t.Fatalf("the windows are %+v, %v; want one", all, err)
	}
	press := func(user oncall.UserID, id string) (string, error) {
		d, err := w.bot.pressed(w.ctx, view.ActionMaintenanceEnd, press{user: user, value: id})
		return d.Text, err
	}
	if _, err := press(cy, "1"); err == nil || !strings.Contains(err.Error(), "Only members of the team") {
		t.Errorf("Cy, who isn't in the team, pressed: %v, want a Refusal", err)
	}
	if _, err := press(ann, "7"); err == nil || !strings.Contains(err.Error(), "no longer there") {
		t.Errorf("an unknown window: %v, want that it is no longer there", err)
	}
	if got, err := press(ann, "1"); err != nil || !strings.Contains(got, "is over") {
		t.Errorf("Ann's press is answered %q, %v; want that the window is over", got, err)
	}
	if _, err := press(ann, "1"); err == nil {
		t.Error("a second press ended the window again, want a Refusal")
	}
}
