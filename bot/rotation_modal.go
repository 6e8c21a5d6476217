package bot

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

func (e scheduleEdit) form() view.RotationForm {
	f := view.RotationForm{Meta: e.meta, Schedule: e.schedule, Name: func(u oncall.UserID) string { return nameOf(e.directory, u) }}
	if e.meta.Rotation >= 0 {
		f.Rotation = e.current[e.meta.Rotation]
		if f.Rotation.TimeZone == e.schedule.TimeZone {
			f.Rotation.TimeZone = ""
		}
	}
	return f
}

// rotationMore shows the remaining inputs, and keeps the current input.
func (b *Bot) rotationMore(ctx context.Context, p press) (string, error) {
	e, err := b.scheduleEdit(ctx, p.user, p.view.PrivateMetadata)
	if err != nil {
		return "", err
	}
	f := e.form()
	f.More = true
	return "", b.updateModal(ctx, p.view, f.Draw())
}

// submitRotation previews an edit. Submitted again unchanged, the edit is saved.
func (b *Bot) submitRotation(ctx context.Context, s submission) (modalResponse, error) {
	e, err := b.scheduleEdit(ctx, s.user, s.meta())
	if err != nil {
		return modalResponse{}, err
	}
	rotation, wrong := e.readRotation(s.form)
	for _, id := range s.form.users(view.BlockPeople) {
		u, err := b.user(ctx, id)
		if err != nil {
			return modalResponse{}, err
		}
		if u.DeactivatedAt != nil {
			wrong[view.BlockPeople] = nameOf(e.directory, id) + " is deactivated in Slack and can't be on call."
		}
		rotation.Turns = append(rotation.Turns, []oncall.UserID{id})
	}
	if len(rotation.Turns) == 0 && wrong[view.BlockTurns] == "" {
		wrong[view.BlockTurns] = "Nobody has a turn yet. For nobody on purpose, write nobody."
	}
	at := s.form.instant(view.BlockInForce)
	if !at.IsZero() && at.Before(e.now) {
		wrong[view.BlockInForce] = "This is in the past, which never changes. Leave it empty for at once."
	}
	if len(wrong) > 0 {
		return correct(wrong), nil
	}
	if at.IsZero() {
		at = e.newStart(rotation)
	}
	version, err := e.version(rotation, at)
	if err != nil {
		return modalResponse{}, err
	}
	if digest := s.form.digest(); digest != e.meta.Previewed {
		after, err := e.schedule.Edit(version, e.meta.Seen, e.now)
		if err != nil {
			return modalResponse{}, err
		}
		f := e.form()
		f.Rotation, f.More = rotation, s.form.has(view.BlockZone)
		f.Meta.Previewed = digest
		if f.Preview, err = e.preview(after, at); err != nil {
			return modalResponse{}, err
		}
		return replace(f.Draw()), nil
	}
	saved, err := b.saveEdit(ctx, e, version)
	if err != nil {
		return modalResponse{}, err
	}
	if err := b.updateBelow(ctx, s.view, e.overview(saved, e.saved("Saved.")).Draw()); err != nil {
		b.log.Warn().Err(err).Msg("could not redraw a schedule's form")
	}
	return modalResponse{}, nil
}

// newStart returns a first hand-off that was put into the future: until then the turns stay as they are. Zero: it was not.
func (e scheduleEdit) newStart(rotation schedule.Rotation) time.Time {
	if e.meta.Rotation < 0 {
		return time.Time{}
	}
	was := e.current[e.meta.Rotation]
	zone, err := schedule.LoadZone(cmp.Or(rotation.TimeZone, e.schedule.TimeZone))
	if err != nil || was.StartDate == rotation.StartDate && was.HandOff == rotation.HandOff {
		return time.Time{}
	}
	if at := zone.Instant(rotation.StartDate, rotation.HandOff); at.After(e.now) {
		return at
	}
	return time.Time{}
}

// readRotation reads the form.
func (e scheduleEdit) readRotation(f form) (rotation schedule.Rotation, wrong fieldErrors) {
	wrong = fieldErrors{}
	say := func(block view.Block, err error) {
		if err != nil {
			wrong[block] = sentence(err)
		}
	}
	if e.meta.Rotation >= 0 {
		rotation = e.current[e.meta.Rotation]
	}
	if rotation.Name = strings.TrimSpace(f.text(view.BlockName)); rotation.Name == "" {
		wrong[view.BlockName] = "A rotation needs a name."
	}
	var err error
	rotation.Turns, err = readTurns(e.directory, e.user.ID, f.text(view.BlockTurns), len(f.users(view.BlockPeople)) > 0)
	say(view.BlockTurns, err)
	rotation.Period, err = schedule.ParsePeriod(f.text(view.BlockPeriod))
	say(view.BlockPeriod, err)
	if rotation.Period.TooShort() && (e.meta.Rotation < 0 || rotation.Period != e.current[e.meta.Rotation].Period) {
		wrong[view.BlockPeriod] = "This hands over more often than once an hour. The shortest turn is an hour."
	}
	e.readStart(f, &rotation, wrong)
	rotation.Members = slices.DeleteFunc(slices.Clone(rotation.Members), func(m schedule.Member) bool {
		return !slices.ContainsFunc(rotation.Turns, func(t []oncall.UserID) bool { return slices.Contains(t, m.User) })
	})
	if f.has(view.BlockZone) {
		e.readMore(f, &rotation, wrong)
	}
	return rotation, wrong
}

// readStart reads the first hand-off, in wall-clock time of the rotation's zone: "2026-03-02 09:00" or "monday
// 9am".
func (e scheduleEdit) readStart(f form, rotation *schedule.Rotation, wrong fieldErrors) {
	name := cmp.Or(strings.TrimSpace(f.text(view.BlockZone)), rotation.TimeZone, e.schedule.TimeZone)
	zone, err := schedule.LoadZone(name)
	if err != nil {
		zone = e.zone // the zone's own input shows the error
	}
	words := strings.Fields(f.text(view.BlockStart))
	moment, n, err := schedule.Reader{Zone: zone, Now: e.now}.Moment(words)
	switch {
	case err != nil:
		wrong[view.BlockStart] = sentence(err)
	case n == 0 || n < len(words):
		wrong[view.BlockStart] = "Write a day and a time such as 2026-03-02 09:00 or monday 9am."
	case moment.Whole():
		rotation.StartDate, _ = zone.Local(moment.Start)
		rotation.HandOff = 9 * 60
	default:
		rotation.StartDate, rotation.HandOff = zone.Local(moment.Start)
	}
}

// readMore reads the optional inputs.
func (e scheduleEdit) readMore(f form, rotation *schedule.Rotation, wrong fieldErrors) {
	var err error
	if rotation.Windows, err = schedule.ParseWindows(f.text(view.BlockWindows)); err != nil {
		wrong[view.BlockWindows] = sentence(err)
	}
	if rotation.Holidays, err = readHolidays(f.text(view.BlockHolidays), rotation.Holidays); err != nil {
		wrong[view.BlockHolidays] = sentence(err)
	}
	rotation.Role = strings.ToLower(strings.TrimSpace(f.text(view.BlockRole)))
	rotation.TimeZone = strings.TrimSpace(f.text(view.BlockZone))
	if rotation.TimeZone != "" {
		if _, err := schedule.LoadZone(rotation.TimeZone); err != nil {
			wrong[view.BlockZone] = fmt.Sprintf("%q is not a time zone such as Europe/Berlin.", rotation.TimeZone)
		}
	}
	if rotation.Priority, err = strconv.Atoi(strings.TrimSpace(f.text(view.BlockPriority))); err != nil || rotation.Priority < -1000 || rotation.Priority > 1000 {
		wrong[view.BlockPriority] = "The priority is a whole number, such as 0 or 10."
	}
	rotation.Advance = schedule.Advance(f.choice(view.BlockAdvance))
	if rotation.Advance == schedule.AdvanceCalendar {
		rotation.Advance = ""
	}
	rotation.Until = nil
	if until := f.instant(view.BlockUntil); !until.IsZero() {
		rotation.Until = &until
	}
}

// sentence turns an error of the rules into a sentence.
func sentence(err error) string {
	text := strings.TrimSuffix(err.Error(), ".")
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
