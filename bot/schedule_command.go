package bot

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// shownDays is how many days of a schedule are shown.
const shownDays = 14

// scheduleCommand answers `/oncall schedule [name] [when]`, and opens the forms of `new`, `edit NAME` and
// `history NAME`.
func (b *Bot) scheduleCommand(ctx context.Context, r request) (string, error) {
	if len(r.words) > 0 {
		verb := strings.ToLower(r.words[0])
		open := map[string]func(context.Context, request, *schedule.Schedule) (string, error){
			"edit": b.editSchedule, "history": b.scheduleHistory,
		}[verb]
		switch {
		case verb == "new" && len(r.words) == 1:
			return b.newSchedule(ctx, r)
		case open != nil:
			all, err := r.schedulesMeant(strings.Join(r.words[1:], " "))
			switch {
			case err != nil:
				return "", err
			case len(all) > 1 && r.trigger != "":
				return "", b.openModal(ctx, r.trigger, view.ScheduleChoice(all, verb))
			}
			c, err := r.schedule(strings.Join(r.words[1:], " "))
			if err != nil {
				return "", err
			}
			return open(ctx, r, c)
		}
	}
	schedules, when, err := b.whoAndWhen(ctx, &r)
	if err != nil {
		return "", err
	}
	if len(schedules) == len(r.directory.Schedules) {
		schedules = r.ownSchedules()
	}
	if len(schedules) == 0 {
		if !mayInSome(r.directory, r.user.ID, access.EditSchedule) {
			return "", oncall.Refuse("There are no schedules%s.", cmp.Or(r.noneVisible(), " yet"))
		}
		return "", oncall.Refuse("There are no schedules%s. `/oncall schedule new` makes one.", cmp.Or(r.noneVisible(), " yet"))
	}
	from := when.Start
	if from.Before(r.now) && when.End.After(r.now) {
		from = r.now
	}
	s := r.span(schedules, from)
	b.inBackground(ctx, "the picture of a schedule", func(ctx context.Context) error { return b.sendPicture(ctx, r, s) })
	return view.PictureFollows(r.spanText(s)), nil
}

// ownSchedules returns the schedules of the person's teams, or all if there are none.
func (r request) ownSchedules() []*schedule.Schedule {
	own := slices.DeleteFunc(slices.Clone(r.directory.Schedules), func(s *schedule.Schedule) bool {
		return !slices.Contains(r.directory.Members[s.TeamID()], r.user.ID)
	})
	if len(own) == 0 {
		return r.directory.Schedules
	}
	return own
}
