package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

const overrideUsage = "Say who, from when and to when: `/oncall override @ann today 18:00 to 22:00`."

// override answers `/oncall override @user from to [schedule] [reason]`, which puts a person
// on call instead of others. A form asks for what is missing or wrong.
func (b *Bot) override(ctx context.Context, r request) (view.Drawing, error) {
	if len(r.words) == 1 && strings.EqualFold(r.words[0], "cancel") {
		return b.ownOverrides(ctx, r)
	}
	w, err := r.readOverride()
	if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
		said := ""
		if len(r.words) > 0 {
			said = view.Sentence(refusal.Sentence)
		}
		return view.Drawing{}, b.openModal(ctx, r.trigger, r.overrideModal(w, said))
	}
	if err != nil {
		return view.Drawing{}, err
	}
	return b.makeOverride(ctx, r, w)
}

// overrideModal asks for what is missing of an override.
func (r request) overrideModal(w view.OverrideWish, said string) slack.ModalViewRequest {
	if w.Schedule == nil {
		w.Schedule, _ = r.schedule("")
	}
	if w.From.IsZero() {
		w.From, w.To = r.now, r.now.Add(time.Hour)
	}
	return view.OverrideForm(r.directory.Schedules, w, said)
}

// readOverride reads as much of the words as it can.
func (r request) readOverride() (view.OverrideWish, error) {
	w := view.OverrideWish{Replaces: view.ReplaceAll}
	if len(r.words) == 0 {
		return w, oncall.Refuse("%s", overrideUsage)
	}
	id, ok := view.ReadMention(r.words[0])
	if !ok {
		return w, oncall.Refuse("%q is nobody in this workspace. Begin with a person: `/oncall override @ann today 18:00 to 22:00`.",
			view.Name(unescape(r.words[0])))
	}
	w.User = id
	s, name, err := r.readSpan(r.words[1:])
	w.From, w.To = s.from, s.to // also times that are refused, to be corrected in the form
	if err != nil {
		return w, err
	}
	w.Schedule, w.Reason, err = r.scheduleAndReason(name)
	return w, err
}

// makeOverride saves an override, and shows what it changes.
func (b *Bot) makeOverride(ctx context.Context, r request, w view.OverrideWish) (view.Drawing, error) {
	user, err := b.user(ctx, w.User)
	if err != nil {
		return view.Drawing{}, err
	}
	if user.DeactivatedAt != nil {
		return view.Drawing{}, oncall.Refuse("%s is deactivated in Slack and can't be on call.", w.User)
	}
	o := r.overridden(w)
	replaced, alone := displaced(w.Schedule, span{w.From, w.To}, w.User)
	switch {
	case !r.mayOverride(w, replaced):
		return view.Drawing{}, oncall.Refuse("Only the team of %q can put others on call in it.", view.Name(w.Schedule.Name()))
	case alone && w.Replaces == view.ReplaceAll && len(w.Windows) == 0:
		return view.Drawing{}, oncall.Refuse("%s is on call alone in %q for all of that time already.", w.User, view.Name(w.Schedule.Name()))
	case w.Replaces == view.ReplaceOne && !slices.Contains(replaced, w.Leaves):
		return view.Drawing{}, oncall.Refuse("%s is not on call in %q at that time.", w.Leaves, view.Name(w.Schedule.Name()))
	}
	o, err = b.store.AddOverride(ctx, w.Schedule.ID(), o, r.now)
	if err != nil {
		return view.Drawing{}, fmt.Errorf("add an override: %w", err)
	}
	directory, err := b.store.Directory(ctx)
	if err != nil {
		return view.Drawing{}, fmt.Errorf("load the directory: %w", err)
	}
	var moves []schedule.Move
	if after, known := directory.Schedule(w.Schedule.ID()); known {
		moves = schedule.MovedShifts(w.Schedule, after, w.From, w.To)
	}
	away, err := b.store.TimeOff(ctx, w.From, w.To)
	if err != nil {
		return view.Drawing{}, fmt.Errorf("load time off: %w", err)
	}
	w.Away = slices.ContainsFunc(away, func(t oncall.TimeOff) bool { return t.UserID == w.User })
	return view.Override(w, o.ID, replaced, moves, r.location), nil
}

// overridden is the override that a wish asks for.
func (r request) overridden(w view.OverrideWish) schedule.Override {
	o := schedule.Override{
		Start: w.From, End: w.To, Users: []oncall.UserID{w.User},
		Reason: w.Reason, CreatedBy: r.user.ID, Windows: w.Windows,
	}
	switch w.Replaces {
	case view.ReplaceNobody:
		o.Kind = schedule.OverrideAdd
	case view.ReplaceOne:
		o.Kind, o.From, o.To, o.Users = schedule.OverrideSwap, w.Leaves, w.User, nil
	default:
		o.Kind = schedule.OverrideCover
	}
	if len(w.Windows) > 0 {
		o.TimeZone = r.zone.Name()
	}
	return o
}

// mayOverride reports whether a person may make the override: the schedule's team may, and
// everybody else may only put themselves on call, where nobody else is.
func (r request) mayOverride(w view.OverrideWish, replaced []oncall.UserID) bool {
	if manages(r.directory, r.user.ID, w.Schedule) {
		return true
	}
	for _, u := range append(slices.Clone(replaced), w.User) {
		if u != r.user.ID {
			return false
		}
	}
	return true
}

// displaced returns who else is on call in the span, and whether the person is on call
// alone throughout.
func displaced(c *schedule.Schedule, s span, id oncall.UserID) (others []oncall.UserID, alone bool) {
	alone = true
	for _, shift := range c.Shifts(s.from, s.to, schedule.RolePrimary) {
		alone = alone && len(shift.Users) == 1 && shift.Users[0] == id
		for _, u := range shift.Users {
			if u != id && !slices.Contains(others, u) {
				others = append(others, u)
			}
		}
	}
	return others, alone
}
