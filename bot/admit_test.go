package bot

import (
	"strings"
	"testing"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store"
)

func TestClicksOfOtherWorkspacesAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.sim.AddUser(slacksim.User{ID: "U0EVE", Name: "eve", RealName: "Eve", TZ: "Europe/Paris", Team: "T0ELSE"})
	w.listen(1)
	p, _ := w.posted()
	w.click("U0EVE", view.ActionAck)
	w.until("Eve is told", func() bool {
		return strings.Contains(w.sim.EphemeralText("eve"), "Only people of the workspace that runs Watchbill can do this")
	})
	if in := w.picture(p.Incident.ID).Incident; in.Status != oncall.Triggered {
		t.Errorf("Eve's click made the incident %s, want %s", in.Status, oncall.Triggered)
	}
	w.click(ann, view.ActionAck)
	if in := w.picture(p.Incident.ID).Incident; in.Status != oncall.Acknowledged {
		t.Errorf("Ann's click left the incident %s, want %s", in.Status, oncall.Acknowledged)
	}
	if n := w.calls("auth.test"); n != 1 {
		t.Errorf("auth.test was called %d times, want once", n)
	}
}

func TestOwnPeopleCanActWhileTheWorkspaceIsUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.sim.Fail(slacksim.Fault{Method: "auth.test", Kind: slacksim.FaultBefore, Times: -1}) // before anybody asks
	w.listen(1)
	p, _ := w.posted()
	w.click(ann, view.ActionAck)
	if in := w.picture(p.Incident.ID).Incident; in.Status != oncall.Acknowledged {
		t.Errorf("Ann's click left the incident %s, want %s", in.Status, oncall.Acknowledged)
	}
	if address := w.bot.permalink(w.ctx, store.MessageRef{Channel: "C0PAY", TS: "1.2"}); address != "" {
		t.Errorf("the permalink without a workspace is %q, want none", address)
	}
}

// On Enterprise Grid, people from the organisation's other workspaces count as our own.
func TestClicksOfAnOrganisation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{Enterprise: "E0ORG"})
	w.sim.AddUser(slacksim.User{ID: "U0EVE", Name: "eve", RealName: "Eve", TZ: "Europe/Paris", Team: "T0ELSE", Enterprise: "E0ELSE"})
	w.sim.AddUser(slacksim.User{ID: "U0GUS", Name: "gus", RealName: "Gus", TZ: "Europe/Paris", Team: "T0ALONE"})
	w.sim.AddUser(slacksim.User{ID: "U0FAY", Name: "fay", RealName: "Fay", TZ: "Europe/Paris", Team: "T0SISTER", Enterprise: "E0ORG"})
	w.listen(1)
	p, _ := w.posted()
	for id, name := range map[oncall.UserID]string{"U0EVE": "eve", "U0GUS": "gus"} {
		w.click(id, view.ActionAck)
		w.until(name+" is told", func() bool {
			return strings.Contains(w.sim.EphemeralText(name), "Only people of the workspace that runs Watchbill can do this")
		})
	}
	if in := w.picture(p.Incident.ID).Incident; in.Status != oncall.Triggered {
		t.Errorf("a click of another organisation made the incident %s, want %s", in.Status, oncall.Triggered)
	}
	w.click("U0FAY", view.ActionAck)
	if in := w.picture(p.Incident.ID).Incident; in.Status != oncall.Acknowledged {
		t.Errorf("Fay's click left the incident %s, want %s", in.Status, oncall.Acknowledged)
	}
	if text := w.command(ann, "/oncall who"); !strings.Contains(text, "payments days") {
		t.Errorf("a command from another workspace of the organisation: %q, want it answered", text)
	}
}

// After an upgrade everybody's standing is unknown. While Slack doesn't answer, team members can still act in
// time, and nobody waits for a second lookup.
func TestClicksDoNotWaitForSlack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.listen(1)
	p, _ := w.posted()
	w.waitForUsers()
	asked := w.calls("auth.test") + w.calls("users.info")
	w.bot.workspace.Store(nil)
	if _, err := w.store.Pool().Exec(w.ctx, `UPDATE users SET standing = ''`); err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{"auth.test", "users.info"} {
		w.sim.Fail(slacksim.Fault{Method: method, Kind: slacksim.FaultHang, Times: -1})
	}
	w.click(ann, view.ActionAck)
	if in := w.picture(p.Incident.ID).Incident; in.Status != oncall.Acknowledged {
		t.Errorf("Ann's click left the incident %s, want acknowledged", in.Status)
	}
	w.click(bo, view.ActionResolve)
	if in := w.picture(p.Incident.ID).Incident; in.Status != oncall.Resolved {
		t.Errorf("Bo's click left the incident %s, want resolved", in.Status)
	}
	if n := w.calls("auth.test") + w.calls("users.info") - asked; n > 1 {
		t.Errorf("Slack was asked %d times while it did not answer, want once", n)
	}
}

// After an upgrade everybody's standing is unknown: people are looked up before they click.
func TestPeopleAreLookedUpBeforeTheyClick(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	if _, err := w.store.Pool().Exec(w.ctx, `UPDATE users SET standing = ''`); err != nil {
		t.Fatal(err)
	}
	p, _ := w.posted()
	w.listen(1)
	w.waitForUsers()
	for _, method := range []string{"auth.test", "users.info"} {
		w.sim.Fail(slacksim.Fault{Method: method, Kind: slacksim.FaultHang, Times: -1})
	}
	asked := w.calls("users.info")
	w.click(ann, view.ActionAck)
	if in := w.picture(p.Incident.ID).Incident; in.Status != oncall.Acknowledged {
		t.Errorf("Ann's click left the incident %s, want acknowledged", in.Status)
	}
	if n := w.calls("users.info") - asked; n != 0 {
		t.Errorf("Ann's click asked Slack %d times who Ann is, want 0", n)
	}
}

// waitForUsers waits until every stored user has a standing.
func (w *world) waitForUsers() {
	w.t.Helper()
	w.until("everybody is known", func() bool {
		directory, err := w.store.DirectoryFor(w.ctx, oncall.ByTimer())
		if err != nil {
			w.t.Fatal(err)
		}
		for _, u := range directory.Users {
			if u.Standing == oncall.UnknownStanding {
				return false
			}
		}
		return true
	})
}

// A person who returns to the company can act again, even if the event about it was missed.
func TestReturningPersonCanActAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.listen(1)
	p, _ := w.posted()
	if _, err := w.store.Pool().Exec(w.ctx, `UPDATE users SET deactivated_at = '2026-01-01', standing = 'member' WHERE id = $1`, ann); err != nil {
		t.Fatal(err)
	}
	w.click(ann, view.ActionAck)
	w.until("Ann's click acknowledges the incident", func() bool { return w.picture(p.Incident.ID).Incident.Status == oncall.Acknowledged })
}
