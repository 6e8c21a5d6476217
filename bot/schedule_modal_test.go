package bot

import (
	"strings"
	"testing"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/slacksim"
)

func TestSchedulesAreChangedByTheirTeam(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.listen(1)
	const refused = `Only managers of the team "Payments" can do this, and nothing was changed: <@U0ANN>, <@U0BO>.`
	for _, line := range []string{
		"/oncall schedule edit payments days", "/oncall schedule history payments days",
		"/oncall shift add @cy 18:00 to 20:00 payments days", "/oncall shift delete 18:00 to 20:00 payments days",
	} {
		if got := w.command(cy, line); got != refused {
			t.Errorf("Cy typed %s and was told %q, want %q", line, got, refused)
		}
	}
	if got, want := w.command(cy, "/oncall schedule new"), "Only members of a team can make a schedule for it, and you are in none."; got != want {
		t.Errorf("Cy was told %q, want %q", got, want)
	}
	// The permission is checked again on submission: Ann's form is open when she leaves the team.
	open := func(line string) {
		t.Helper()
		if r, err := w.sim.Slash(w.ctx, string(ann), "C0PAY", line); err != nil || !r.Acked || r.Text != "" {
			t.Fatalf("%s: %+v, %v; want a form and no text", line, r, err)
		}
	}
	open("/oncall schedule edit payments days")
	if _, err := w.sim.ClickView(w.ctx, string(ann), string(view.ActionRotationEdit)); err != nil {
		t.Fatal(err)
	}
	w.until("the rotation's form is open", func() bool { return strings.Contains(w.sim.ViewText(string(ann)), "Edit rotation") })
	w.leaveTeam(ann)
	if _, err := w.sim.Submit(w.ctx, string(ann), nil); err != nil {
		t.Fatal(err)
	}
	if got := w.sim.ViewText(string(ann)); !strings.Contains(got, `Only managers of the team "Payments" can do this, and nothing was changed: @bo.`) {
		t.Errorf("Ann's form lacks the refusal:\n%s, want it to contain %q", got, `Only managers of the team "Payments" can do this, and nothing was changed: @bo.`)
	}
}
