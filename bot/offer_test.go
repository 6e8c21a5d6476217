package bot

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
)

// refused reports whether an error is a refusal rather than a failure.
func refused(err error) bool {
	_, ok := errors.AsType[oncall.Refusal](err)
	return ok
}

// Every view for a single reader offers exactly what the reader may do: nothing that would be refused, and
// everything that others are offered and the reader may do, too.
func TestViewsOfferWhatTheReaderMayDo(t *testing.T) {
	t.Parallel()
	f := newOffering(t)
	counts := map[oncall.UserID]int{}
	f.bot.methods = []oncall.Method{oncall.MethodVoice}
	for _, v := range f.views() {
		f.compare(v, counts)
	}
	f.bot.methods = append(f.bot.methods, oncall.MethodEmail) // which guests may add, too
	for _, v := range f.views() {
		if strings.HasPrefix(v.name, "contact") {
			f.compare(v, counts)
		}
	}
	for _, order := range [][2]oncall.UserID{{anAdmin, aManager}, {aManager, aResponder}, {aResponder, aMember}, {pagedMember, aMember}, {aMember, aGuest}, {pagedGuest, aGuest}} {
		if counts[order[0]] <= counts[order[1]] {
			t.Errorf("%s is offered %d things, %s %d: want more", order[0], counts[order[0]], order[1], counts[order[1]])
		}
	}
}

// compare checks what a view offers to each reader against what they may do.
func (off *offering) compare(v readView, counts map[oncall.UserID]int) {
	t := off.t.(*testing.T)
	t.Helper()
	everything, offers := map[offered]bool{}, map[oncall.UserID]map[offered]bool{}
	for _, user := range readers {
		drawn, err := v.draw(user)
		switch {
		case refused(err):
			continue
		case err != nil:
			t.Fatalf("drawing %s for %s: %v", v.name, user, err)
		}
		offers[user] = offersIn(t, drawn, v.meta)
		counts[user] += len(offers[user])
		maps.Copy(everything, offers[user])
	}
	for o := range everything {
		for _, user := range readers {
			err := off.may(user, o)
			switch {
			case offers[user][o] && refused(err):
				t.Errorf("%s: %s is offered %+v, but may not do it (%v); want it left out", v.name, user, o, err)
			case !offers[user][o] && !refused(err) && !isOwn(o):
				t.Errorf("%s: %s is not offered %+v, but may do it (%v); want it offered", v.name, user, o, err)
			case !offers[user][o] && o.block == "" && !isOwn(o):
				if err := off.press(user, o); !refused(err) {
					t.Errorf("%s: %s, who is not offered %+v, pressed it: %v, want a Refusal", v.name, user, o, err)
				}
			}
		}
	}
}

// isOwn reports whether a thing belongs to the reader, so that it isn't offered to others: their
// settings, and whatever concerns their own shifts, which people without a team don't have.
func isOwn(o offered) bool {
	return slices.Contains([]view.Action{
		view.ActionRulesEdit, view.ActionContactMenu, view.ActionContactCode, view.ActionHomeAway, view.ActionHomeCover, view.ActionHomeSwap,
	}, o.action)
}

// A paged person can acknowledge, whatever their role, in every view with that button.
func TestPagedPersonIsOfferedToAcknowledge(t *testing.T) {
	t.Parallel()
	f := newOffering(t)
	for _, user := range []oncall.UserID{pagedMember, pagedGuest} {
		home, err := f.bot.home(f.ctx, user)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range f.incidents {
			overview, err := f.bot.incidentOverview(f.ctx, id, user)
			if err != nil {
				t.Fatal(err)
			}
			ack := offered{action: view.ActionAck, value: strconv.FormatInt(int64(id), 10)}
			if !offersIn(t, home.Draw(), "")[ack] || !offersIn(t, overview.Draw(), "")[ack] {
				t.Errorf("%s was paged by incident %s, want the button to acknowledge it on the home tab and in its modal", user, id)
			}
		}
	}
}

// The help lists the commands that its reader may use in some team, and no others. The help on another command
// says who may use it.
func TestHelpListsWhatItsReaderMayDo(t *testing.T) {
	t.Parallel()
	f := newOffering(t)
	for _, user := range readers {
		r, err := f.bot.request(f.ctx, user, nil)
		if err != nil {
			t.Fatal(err)
		}
		text, err := f.bot.help(f.ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		for name, do := range map[string]access.Permission{
			"who": access.See, "schedule": access.See, "integrations": access.See, "override": access.Override, "schedule edit": access.EditSchedule,
			"shift": access.EditSchedule, "mute": access.Integrations, "key": access.Integrations, "history": access.ReadAudit,
			"swap": access.OwnThings, "away": access.OwnThings, "contact": access.OwnThings, "ack": access.OwnThings, // somebody may have been paged
		} {
			names := strings.Contains(text, "`/oncall "+name+" ") || strings.Contains(text, "`/oncall "+name+"`")
			if may := f.inAny(user, do); names == refused(may) {
				t.Errorf("the help of %s lists %q: %t, but the permission check says: %v", user, name, names, may)
			}
			r.words = strings.Fields(name)[:1]
			one, err := f.bot.help(f.ctx, r)
			if err != nil {
				t.Fatal(err)
			}
			isFor := strings.Contains(one, "` is for ")
			if names && isFor {
				t.Errorf("the help of %s on %q is %s; want it not to say who may use it, as they may", user, name, one)
			}
			if !names && !isFor && name != "schedule edit" {
				t.Errorf("the help of %s on %q is %s; want it to say who may use it", user, name, one)
			}
		}
	}
}

// A command without a number asks only about incidents on which the person may act; for the others, the act's
// refusal says who may.
func TestOnlyActionableIncidentsAreAskedFor(t *testing.T) {
	t.Parallel()
	f := newOffering(t)
	closed := f.incidents[2]
	for user, offers := range map[oncall.UserID]bool{aMember: false, pagedMember: true, aResponder: true} {
		r, err := f.bot.request(f.ctx, user, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]bool{"ack": offers, "resolve": offers, "plan": true} {
			if _, err := f.bot.onlyIncident(f.ctx, r, name, "12"); !refused(err) || strings.Contains(err.Error(), closed.String()+" ") != want {
				t.Errorf("%s, `/oncall %s`: asks for incident %s: want %t: %v", user, name, closed, want, err)
			}
		}
	}
	open, err := f.store.OpenIncidents(f.ctx, oncall.ByUser(aMember), 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range open {
		if in.ID != closed {
			f.exec(`UPDATE incidents SET status = 'resolved', resolved_at = $2 WHERE id = $1`, in.ID, f.now)
		}
	}
	f.listen(1)
	if got := f.command(aMember, "/oncall ack"); !strings.Contains(got, `Only members of the team "closed" can do this`) {
		t.Errorf("with only a foreign incident open: %q, want the refusal that names its team", got)
	}
}
