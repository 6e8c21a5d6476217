package bot

import (
	"strings"
	"testing"

	"github.com/watchbill/watchbill/slacksim"
)

// makePrivate makes the team of #payments private.
func (w *world) makePrivate() {
	w.t.Helper()
	if _, err := w.store.Pool().Exec(w.ctx, `UPDATE teams SET private = true WHERE name = 'Payments'`); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.store.Pool().Exec(w.ctx, `SELECT pg_notify('watchbill_config', '')`); err != nil {
		w.t.Fatal(err)
	}
	w.until("the bot knows", func() bool {
		directory, err := w.store.Directory(w.ctx)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, team := range directory.Teams {
			if team.Private {
				return true
			}
		}
		return false
	})
}

// Answers that everybody in a channel reads reveal nothing about a private team, even if one of its members
// asks.
func TestMentionsRevealNothingAboutPrivateTeams(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.listen(1)
	w.incident()
	say := func(where, answered, text string) string {
		t.Helper()
		before := len(w.sim.Messages(answered))
		if _, err := w.sim.Say(string(ann), where, "", text); err != nil {
			t.Fatal(err)
		}
		w.until("the bot answers", func() bool { return len(w.sim.Messages(answered)) > before+1 })
		messages := w.sim.Messages(answered)
		return messages[len(messages)-1].Text
	}
	if got := say("#payments", "#payments", "@oncall incidents"); !strings.Contains(got, "Checkout fails") {
		t.Errorf("incidents of a team that isn't private: %q, want them listed", got)
	}
	w.makePrivate()
	const here = " that everybody here may see; `/oncall` shows what you may see."
	for text, want := range map[string]string{
		"@oncall incidents":               "No incident is open" + here,
		"@oncall incidents mine":          "No incident is open" + here,
		"@oncall incidents payments":      "`/oncall incidents` lists what is open",
		"@oncall who":                     "*ops*: *nobody*",
		"@oncall who payments":            `There is no team or schedule "payments".`,
		"@oncall who @ann":                "",
		"@oncall who payments 2026-01-01": "There is no team or schedule",
		"@oncall next":                    "*ops*",
		"@oncall teams":                   "*Operations*",
		"@oncall teams payments":          `There is no team "payments".`,
	} {
		got := say("#payments", "#payments", text)
		if !strings.Contains(got, want) || strings.Contains(got, "Checkout") || strings.Contains(got, "payments days") {
			t.Errorf("%s: %s, want %q and nothing of the private team", text, got, want)
		}
	}
	if got := say("@oncall", "@ann", "incidents"); !strings.Contains(got, "Checkout fails") {
		t.Errorf("in a direct message Ann reads %q, want her team's incidents", got)
	}
	if got := w.command(ann, "/oncall who"); !strings.Contains(got, "payments days") {
		t.Errorf("`/oncall who` answers Ann %q, want her team's schedule", got)
	}
}

// If something is hidden from the reader, no answer claims that there is nothing.
func TestHiddenThingsAreNotDenied(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.listen(1)
	w.incident()
	w.makePrivate()
	if _, err := w.store.Pool().Exec(w.ctx, `DELETE FROM schedules WHERE name = 'ops'`); err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Pool().Exec(w.ctx, `SELECT pg_notify('watchbill_config', '')`); err != nil {
		t.Fatal(err)
	}
	w.until("the schedule is gone", func() bool { return !strings.Contains(w.command(cy, "/oncall who"), "ops") })
	for line, want := range map[string]string{
		"/oncall incidents": "No incident is open that you may see.",
		"/oncall ack":       "No incident is open that you may see.",
		"/oncall who":       "There are no schedules that you may see.",
		"/oncall next":      "There are no schedules that you may see.",
		"/oncall schedule":  "There are no schedules that you may see.",
	} {
		if got := w.command(cy, line); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
	if err := w.sim.OpenHome(string(cy)); err != nil {
		t.Fatal(err)
	}
	w.until("the home is drawn", func() bool { return w.sim.HomeText("cy") != "" })
	home := w.sim.HomeText("cy")
	if !strings.Contains(home, "what is open: 1 team.") {
		t.Errorf("the home tab lacks the way to the visible team:\n%s, want it to contain \"what is open: 1 team.\"", home)
	}
	for _, claim := range []string{"No incident", "no schedule", "Nothing", "nobody", "None"} {
		if strings.Contains(home, claim) {
			t.Errorf("the home tab says %q although something is hidden:\n%s", claim, home)
		}
	}
}
