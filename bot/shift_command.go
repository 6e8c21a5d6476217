package bot

import (
	"context"
	"fmt"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

const (
	shiftAddUsage    = "Say who, from when and to when: `/oncall shift add @ann sat 10:00 to 16:00`."
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
		return "", r.nobody(words[0], "/oncall shift add @ann sat 10:00 to 16:00")
	}
	if len(users) == 0 || len(words) == 0 {
		return "", oncall.Refuse(shiftAddUsage)
	}
	span, c, err := b.shiftSpan(r, words)
	if err != nil {
		return "", err
	}
	for _, id := range users {
		u, err := b.user(ctx, id)
		if err != nil {
			return "", err
		}
		if u.DeactivatedAt != nil {
			return "", oncall.Refuse("%s is deactivated in Slack and can't be on call.", id)
		}
	}
	_, err = b.store.AddShift(ctx, r.by(), c.ID(), schedule.ManualShift{Start: span.from, End: span.to, Users: users}, r.now)
	if err != nil {
		return "", fmt.Errorf("add a shift: %w", err)
	}
	return view.ShiftAdded(users, c, span.from, span.to, r.location), nil
}

func (b *Bot) deleteShifts(ctx context.Context, r request, words []string) (string, error) {
	if len(words) == 0 {
		return "", oncall.Refuse(shiftDeleteUsage)
	}
	span, c, err := b.shiftSpan(r, words)
	if err != nil {
		return "", err
	}
	n, err := b.store.DeleteShifts(ctx, r.by(), c.ID(), "", span.from, span.to, r.now)
	switch {
	case err != nil:
		return "", fmt.Errorf("delete shifts: %w", err)
	case n == 0:
		return "", oncall.Refuse("There is no shift made by hand in *%s*, %s.",
			view.Name(c.Name()), view.Between(span.from, span.to, r.location))
	}
	return view.ShiftsDeleted(n, c, span.from, span.to, r.location), nil
}

// shiftSpan parses times and a schedule that the person may change.
func (b *Bot) shiftSpan(r request, words []string) (span, *schedule.Schedule, error) {
	s, name, err := r.readSpan(words, "/oncall shift add @ann sat 10:00 to 16:00")
	if err != nil {
		return span{}, nil, err
	}
	c, err := r.schedule(name)
	if err != nil {
		return span{}, nil, err
	}
	return s, c, b.mayEdit(r, c.TeamID())
}
