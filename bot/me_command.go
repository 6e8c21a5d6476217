package bot

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// me answers `/oncall me` with the person's current and next shifts in all schedules.
func (b *Bot) me(ctx context.Context, r request) (string, error) {
	if len(r.words) > 0 {
		return "", oncall.Refuse("`/oncall me` needs no more words; `/oncall schedule NAME` shows other people's shifts.")
	}
	zone := "Times are in your time zone"
	if r.user.TimeZone != "" {
		zone += ", " + view.Name(r.user.TimeZone)
	}
	text := view.OwnShifts(ownStints(r.directory, r.user.ID, r.now), r.now, r.location) + "\n" + zone + "."
	reach, err := b.store.ContactSettings(ctx, r.by(), r.user.ID)
	if err != nil {
		return "", fmt.Errorf("load how %s is reached: %w", r.user.ID, err)
	}
	if more := b.addMore(r.directory, r.user.ID, reach); more != "" {
		text += "\n" + more
	}
	return text, nil
}

// ownStints returns a person's shifts in all schedules, including shadow shifts, as far ahead as
// people can see their own.
func ownStints(d *store.Directory, user oncall.UserID, now time.Time) []schedule.Stint {
	from, to := now, now.Add(view.OwnShiftsAhead)
	mine := d.Roster().Stints(user, from, to)
	for _, c := range d.Schedules {
		for _, shift := range c.Shifts(from, to, schedule.RoleShadow) {
			if slices.Contains(shift.Users, user) {
				mine = append(mine, schedule.Stint{
					Schedule: c.ID(), Name: c.Name(), TimeZone: c.TimeZone(), Role: schedule.RoleShadow, User: user, Start: shift.Start, End: shift.End,
				})
			}
		}
	}
	slices.SortStableFunc(mine, func(a, b schedule.Stint) int { return a.Start.Compare(b.Start) })
	return mine
}

// next answers `/oncall next [team or schedule]`, which shows who is on call next, and when.
func (b *Bot) next(_ context.Context, r request) (string, error) {
	schedules := r.ownSchedules()
	if len(r.words) > 0 {
		name := strings.Join(r.words, " ")
		found, ok := lookUp(r.directory, name)
		if !ok {
			return "", unknownName(r.directory, name, "team or schedule")
		}
		schedules = found
	}
	if len(schedules) == 0 {
		return "", oncall.Refuse("There are no schedules%s.", cmp.Or(r.noneVisible(), " yet"))
	}
	return view.NextOnCall(schedules, r.now, r.location), nil
}
