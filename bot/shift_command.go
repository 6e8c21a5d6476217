package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

const (
	shiftExample     = "/oncall shift add @ann sat 10:00 to 16:00"
	shiftAddUsage    = "Say who, from when and to when: `" + shiftExample + "`."
	shiftDeleteUsage = "Say from when and to when: `/oncall shift delete sat 10:00 to 16:00`."
)

// shift answers `/oncall shift add @user from to [schedule]` and `/oncall shift delete from to [schedule]`, for
// shifts that are entered by hand, in addition to those of the rotations.
func (b *Bot) shift(ctx context.Context, r request) (string, error) {
	verb := ""
	if len(r.words) > 0 {
		verb = strings.ToLower(r.words[0])
	}
	switch verb {
	case "add":
		return b.addShift(ctx, r, r.words[1:])
	case "delete", "remove":
		return b.deleteShifts(ctx, r, r.words[1:])
	}
	return "", oncall.Refuse("Say what to do: `/oncall shift add @ann sat 10:00 to 16:00` or `/oncall shift delete sat 10:00 to 16:00`.")
}

func (b *Bot) addShift(ctx context.Context, r request, words []string) (string, error) {
	users, words, err := b.readPeople(ctx, r, words)
	switch {
	case err != nil:
		return "", err
	case len(users) == 0 && len(words) > 0:
		return "", r.nobody(words[0], shiftExample)
	}
	if len(users) == 0 || len(words) == 0 {
		return "", oncall.Refuse(shiftAddUsage)
	}
	s, name, err := r.readSpan(words, shiftExample)
	if err != nil {
		return "", err
	}
	return b.changeShift(ctx, r, view.ShiftDraft{Users: users, From: s.from, To: s.to}, name)
}

func (b *Bot) deleteShifts(ctx context.Context, r request, words []string) (string, error) {
	if len(words) == 0 {
		return "", oncall.Refuse(shiftDeleteUsage)
	}
	s, name, err := r.readSpan(words, shiftExample)
	if err != nil {
		return "", err
	}
	return b.changeShift(ctx, r, view.ShiftDraft{Delete: true, From: s.from, To: s.to}, name)
}

// changeShift adds or deletes shifts in the named schedule. If several may be meant, it asks which in a form.
func (b *Bot) changeShift(ctx context.Context, r request, draft view.ShiftDraft, name string) (string, error) {
	all, err := r.schedulesMeant(name)
	if err != nil {
		return "", err
	}
	may := slices.DeleteFunc(slices.Clone(all), func(c *schedule.Schedule) bool { return r.mayEdit(c.TeamID()) != nil })
	switch {
	case len(may) == 0:
		return "", b.mayEdit(r, all[0].TeamID())
	case len(may) == 1:
		return b.changeShiftIn(ctx, r, draft, may[0])
	case r.trigger == "":
		_, err := r.schedule(name)
		return "", err
	}
	return "", b.openModal(ctx, r.trigger, view.ShiftChoice(may, draft, r.location))
}

// submitShiftChoice adds or deletes shifts in the chosen schedule.
func (b *Bot) submitShiftChoice(ctx context.Context, s submission) (modalResponse, error) {
	r, err := b.request(ctx, s.user, nil)
	if err != nil {
		return modalResponse{}, err
	}
	w, err := view.ReadShiftDraft(s.meta())
	if err != nil {
		return modalResponse{}, fmt.Errorf("read the form of a shift: %w", err)
	}
	c, known := r.directory.Schedule(oncall.ScheduleID(s.form.number(view.BlockSchedule)))
	if !known {
		return modalResponse{}, oncall.Refuse("That schedule no longer exists.")
	}
	text, err := b.changeShiftIn(ctx, r, w, c)
	if err != nil {
		return modalResponse{}, err
	}
	return replace(view.ShiftChanged(text)), nil
}

func (b *Bot) changeShiftIn(ctx context.Context, r request, draft view.ShiftDraft, compiled *schedule.Schedule) (string, error) {
	if err := b.mayEdit(r, compiled.TeamID()); err != nil {
		return "", err
	}
	if draft.Delete {
		n, err := b.store.DeleteShifts(ctx, r.by(), compiled.ID(), "", draft.From, draft.To, r.now)
		switch {
		case err != nil:
			return "", fmt.Errorf("delete shifts: %w", err)
		case n == 0:
			return "", oncall.Refuse("There is no shift made by hand in *%s*, %s.",
				view.Name(compiled.Name()), view.Between(draft.From, draft.To, r.location))
		}
		return view.ShiftsDeleted(n, compiled, draft.From, draft.To, r.location), nil
	}
	for _, id := range draft.Users {
		u, err := b.user(ctx, id)
		if err != nil {
			return "", err
		}
		if u.DeactivatedAt != nil {
			return "", oncall.Refuse("%s is deactivated in Slack and can't be on call.", id)
		}
	}
	if _, err := b.store.AddShift(ctx, r.by(), compiled.ID(), schedule.ManualShift{Start: draft.From, End: draft.To, Users: draft.Users}, r.now); err != nil {
		return "", fmt.Errorf("add a shift: %w", err)
	}
	return view.ShiftAdded(draft.Users, compiled, draft.From, draft.To, r.location), nil
}
