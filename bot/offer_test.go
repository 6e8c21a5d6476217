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

// refused tells a refusal from what goes wrong.
func refused(err error) bool {
	_, is := errors.AsType[oncall.Refusal](err)
	return is
}

// In every view that one person reads, what is offered is what they may do: nothing that is refused, and
// nothing is missing that others are offered and they may do, too.
func TestWhatIsOfferedIsWhatOneMayDo(t *testing.T) {
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

// compare holds what a view offers to each reader against what they may do.
func (f *offering) compare(v readView, counts map[oncall.UserID]int) {
	t := f.t.(*testing.T)
	t.Helper()
	everything, offers := map[offered]bool{}, map[oncall.UserID]map[offered]bool{}
	for _, user := range readers {
		drawn, err := v.draw(user)
		switch {
		case refused(err):
			continue
		case err != nil:
			t.Fatalf("%s, %s: %v", v.name, user, err)
		}
		offers[user] = offersIn(t, drawn, v.meta)
		counts[user] += len(offers[user])
		maps.Copy(everything, offers[user])
	}
	for o := range everything {
		for _, user := range readers {
			err := f.may(user, o)
			switch {
			case offers[user][o] && refused(err):
				t.Errorf("%s: %s is offered %+v, which is refused: %v", v.name, user, o, err)
			case !offers[user][o] && !refused(err) && !isOwn(o):
				t.Errorf("%s: %s is not offered %+v, which is not refused: %v", v.name, user, o, err)
			case !offers[user][o] && o.block == "" && !isOwn(o):
				if err := f.press(user, o); !refused(err) {
					t.Errorf("%s: %s is not offered %+v and may press it all the same: %v", v.name, user, o, err)
				}
			}
		}
	}
}

// isOwn reports whether something is of the reader's own, which others are not offered.
func isOwn(o offered) bool {
	return slices.Contains([]view.Action{view.ActionRulesEdit, view.ActionContactMenu, view.ActionContactCode}, o.action)
}

// Whoever was paged is offered to acknowledge, whatever their role, wherever it is offered at all.
func TestWhoWasPagedIsOfferedToAcknowledge(t *testing.T) {
	t.Parallel()
	f := newOffering(t)
	for _, user := range []oncall.UserID{pagedMember, pagedGuest} {
		home, err := f.bot.home(f.ctx, user)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range f.incidents {
			sheet, err := f.bot.sheet(f.ctx, id, user)
			if err != nil {
				t.Fatal(err)
			}
			ack := offered{action: view.ActionAck, value: strconv.FormatInt(int64(id), 10)}
			if !offersIn(t, home.Draw(), "")[ack] || !offersIn(t, sheet.Draw(), "")[ack] {
				t.Errorf("%s was paged by incident %s and is not offered to acknowledge it", user, id)
			}
		}
	}
}

// The help names the commands that its reader may use in some team, and no others. Who asks for one of the others
// is told for whom it is.
func TestTheHelpNamesWhatItsReaderMayDo(t *testing.T) {
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
				t.Errorf("the help of %s names %q: %t, but they are told: %v", user, name, names, may)
			}
			r.words = strings.Fields(name)[:1]
			one, err := f.bot.help(f.ctx, r)
			if isFor := strings.Contains(one, "` is for "); err != nil || isFor && names || name != "schedule edit" && isFor == names {
				t.Errorf("the help of %s for %q: %s, %v", user, name, one, err)
			}
		}
	}
}

// Which incident is meant is asked only of those with which the person may do something; of others the act says
// who may.
func TestOnlyIncidentsOnWhichOneMayActAreAskedFor(t *testing.T) {
	t.Parallel()
	f := newOffering(t)
	closed := f.incidents[2]
	for user, offers := range map[oncall.UserID]bool{aMember: false, pagedMember: true, aResponder: true} {
		r, err := f.bot.request(f.ctx, user, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]bool{"ack": offers, "resolve": offers, "plan": true} {
			if _, err := f.bot.theIncident(f.ctx, r, name, "12"); !refused(err) || strings.Contains(err.Error(), closed.String()+" ") != want {
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
		t.Errorf("where there is no other: %s", got)
	}
}
