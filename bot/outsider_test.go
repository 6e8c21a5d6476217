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
	f := newWorld(t, slacksim.Options{})
	f.sim.AddUser(slacksim.User{ID: "U0EVE", Name: "eve", RealName: "Eve", TZ: "Europe/Paris", Team: "T0ELSE"})
	f.listen(1)
	p, _ := f.posted()
	f.click("U0EVE", view.ActionAck)
	f.eventually("Eve is told", func() bool {
		return strings.Contains(f.sim.EphemeralText("eve"), "Only people of the workspace that runs Watchbill can do this")
	})
	if in := f.picture(p.Incident.ID).Incident; in.Status != oncall.Triggered {
		t.Errorf("Eve's click made the incident %s", in.Status)
	}
	f.click(ann, view.ActionAck)
	if in := f.picture(p.Incident.ID).Incident; in.Status != oncall.Acknowledged {
		t.Errorf("Ann's click left the incident %s", in.Status)
	}
	if n := f.calls("auth.test"); n != 1 {
		t.Errorf("our workspace was asked for %d times, want 1", n)
	}
}

func TestOwnPeopleActWhileSlackDoesNotSayWhoWeAre(t *testing.T) {
	t.Parallel()
	f := newWorld(t, slacksim.Options{})
	f.listen(1)
	f.sim.Fail(slacksim.Fault{Method: "auth.test", Kind: slacksim.FaultBefore, Times: -1})
	p, _ := f.posted()
	f.click(ann, view.ActionAck)
	if in := f.picture(p.Incident.ID).Incident; in.Status != oncall.Acknowledged {
		t.Errorf("Ann's click left the incident %s", in.Status)
	}
	if address := f.bot.permalink(f.ctx, store.Place{Channel: "C0PAY", TS: "1.2"}); address != "" {
		t.Errorf("a message is at %q", address)
	}
}

// TestClicksOfAnOrganisation is Enterprise Grid: people of its other workspaces are our own.
func TestClicksOfAnOrganisation(t *testing.T) {
	t.Parallel()
	f := newWorld(t, slacksim.Options{Enterprise: "E0ORG"})
	f.sim.AddUser(slacksim.User{ID: "U0EVE", Name: "eve", RealName: "Eve", TZ: "Europe/Paris", Team: "T0ELSE", Enterprise: "E0ELSE"})
	f.sim.AddUser(slacksim.User{ID: "U0GUS", Name: "gus", RealName: "Gus", TZ: "Europe/Paris", Team: "T0ALONE"})
	f.sim.AddUser(slacksim.User{ID: "U0FAY", Name: "fay", RealName: "Fay", TZ: "Europe/Paris", Team: "T0SISTER", Enterprise: "E0ORG"})
	f.listen(1)
	p, _ := f.posted()
	for id, name := range map[oncall.UserID]string{"U0EVE": "eve", "U0GUS": "gus"} {
		f.click(id, view.ActionAck)
		f.eventually(name+" is told", func() bool {
			return strings.Contains(f.sim.EphemeralText(name), "Only people of the workspace that runs Watchbill can do this")
		})
	}
	if in := f.picture(p.Incident.ID).Incident; in.Status != oncall.Triggered {
		t.Errorf("a click of another organisation made the incident %s", in.Status)
	}
	f.click("U0FAY", view.ActionAck)
	if in := f.picture(p.Incident.ID).Incident; in.Status != oncall.Acknowledged {
		t.Errorf("Fay's click left the incident %s", in.Status)
	}
	if text := f.command(ann, "/oncall who"); !strings.Contains(text, "payments days") {
		t.Errorf("a command in an organisation: %s", text)
	}
}

// After an upgrade nobody's standing is known. While Slack doesn't answer, whoever is in the team acts in
// time all the same, and nobody waits for a second look-up.
func TestClicksDoNotWaitForSlack(t *testing.T) {
	t.Parallel()
	f := newWorld(t, slacksim.Options{})
	f.listen(1)
	p, _ := f.posted()
	f.learnt()
	asked := f.calls("auth.test") + f.calls("users.info")
	f.bot.workspace.Store(nil)
	if _, err := f.store.Pool().Exec(f.ctx, `UPDATE users SET standing = ''`); err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{"auth.test", "users.info"} {
		f.sim.Fail(slacksim.Fault{Method: method, Kind: slacksim.FaultHang, Times: -1})
	}
	f.click(ann, view.ActionAck)
	if in := f.picture(p.Incident.ID).Incident; in.Status != oncall.Acknowledged {
		t.Errorf("Ann's click left the incident %s, want acknowledged", in.Status)
	}
	f.click(bo, view.ActionResolve)
	if in := f.picture(p.Incident.ID).Incident; in.Status != oncall.Resolved {
		t.Errorf("Bo's click left the incident %s, want resolved", in.Status)
	}
	if n := f.calls("auth.test") + f.calls("users.info") - asked; n > 1 {
		t.Errorf("Slack was asked %d times while it did not answer, want once", n)
	}
}

// After an upgrade nobody is known: they are looked up before they click.
func TestPeopleAreLearntBeforeTheyClick(t *testing.T) {
	t.Parallel()
	f := newWorld(t, slacksim.Options{})
	if _, err := f.store.Pool().Exec(f.ctx, `UPDATE users SET standing = ''`); err != nil {
		t.Fatal(err)
	}
	p, _ := f.posted()
	f.listen(1)
	f.learnt()
	for _, method := range []string{"auth.test", "users.info"} {
		f.sim.Fail(slacksim.Fault{Method: method, Kind: slacksim.FaultHang, Times: -1})
	}
	asked := f.calls("users.info")
	f.click(ann, view.ActionAck)
	if in := f.picture(p.Incident.ID).Incident; in.Status != oncall.Acknowledged {
		t.Errorf("Ann's click left the incident %s, want acknowledged", in.Status)
	}
	if n := f.calls("users.info") - asked; n != 0 {
		t.Errorf("Ann's click asked Slack %d times who Ann is, want 0", n)
	}
}

// learnt waits until nobody in the store is unknown.
func (w *world) learnt() {
	w.t.Helper()
	w.eventually("everybody is known", func() bool {
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

// Whoever comes back to the company acts again, also where the event about it was missed.
func TestWhoIsBackActsAgain(t *testing.T) {
	t.Parallel()
	f := newWorld(t, slacksim.Options{})
	f.listen(1)
	p, _ := f.posted()
	if _, err := f.store.Pool().Exec(f.ctx, `UPDATE users SET deactivated_at = '2026-01-01', standing = 'member' WHERE id = $1`, ann); err != nil {
		t.Fatal(err)
	}
	f.click(ann, view.ActionAck)
	if in := f.picture(p.Incident.ID).Incident; in.Status != oncall.Acknowledged {
		t.Errorf("Ann's click left the incident %s, want acknowledged", in.Status)
	}
}
