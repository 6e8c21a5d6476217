package bot

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/timeline"
)

// A scheduleSpan is a period of one or several schedules.
type scheduleSpan struct {
	title    string
	timeZone string
	from, to time.Time
	now      time.Time
	names    map[oncall.UserID]string
	rows     []view.ScheduleRow
}

// maxShownShifts is the maximum number of shifts of a role in a picture or a list.
const maxShownShifts = 1_000

func (r request) span(schedules []*schedule.Schedule, from time.Time) scheduleSpan {
	day, clock := r.zone.Local(from)
	s := scheduleSpan{
		title: schedules[0].Name(), timeZone: schedules[0].TimeZone(), from: from,
		to: r.zone.Instant(day.AddDays(shownDays), clock), now: r.now, names: map[oncall.UserID]string{},
	}
	for i, compiled := range schedules {
		if i > 0 {
			s.title = "Schedules"
		}
		if compiled.TimeZone() != s.timeZone {
			s.timeZone = r.user.TimeZone
		}
		for n, role := range compiled.Roles() {
			row := view.ScheduleRow{Schedule: compiled.Name(), Role: role, Shifts: compiled.FirstShifts(s.from, s.to, role, maxShownShifts)}
			if most := len(row.Shifts); most == maxShownShifts { // shorten the period for all rows
				s.to = row.Shifts[most-1].End
			}
			if n == 0 {
				row.Holidays = compiled.HolidaysIn(s.from, s.to)
			}
			if len(compiled.Roles()) == 1 && role == schedule.RolePrimary {
				row.Role = ""
			}
			for _, shift := range row.Shifts {
				for _, u := range shift.Users {
					if name := r.directory.Users[u].Name; name != "" {
						s.names[u] = name
					}
				}
			}
			s.rows = append(s.rows, row)
		}
	}
	for i, row := range s.rows {
		s.rows[i].Shifts = slices.DeleteFunc(row.Shifts, func(shift schedule.Shift) bool { return !shift.Start.Before(s.to) })
	}
	return s
}

func (r request) spanText(s scheduleSpan) string {
	return view.Shifts(s.rows, s.from, s.to, r.directory.Override, r.location)
}

// picture returns the span as a timeline.
func (s scheduleSpan) picture() timeline.Timeline {
	t := timeline.Timeline{Title: s.title, From: s.from, To: s.to, TimeZone: s.timeZone, Now: s.now, Names: s.names}
	for _, r := range s.rows {
		t.Rows = append(t.Rows, timeline.Row{Name: r.Schedule, Detail: r.Role, Shifts: r.Shifts, Free: r.Role == schedule.RoleShadow})
	}
	return t
}

// errNotShared means that Slack accepted a file but doesn't show it.
var errNotShared = errors.New("slack accepted the file, but doesn't show it")

// sendPicture sends a schedule as a picture in a direct message, or as text if Slack doesn't take the picture.
func (b *Bot) sendPicture(ctx context.Context, r request, s scheduleSpan) error {
	t := s.picture()
	var png bytes.Buffer
	if err := timeline.Draw(&png, t); err != nil {
		return err
	}
	err := b.upload(ctx, r.user.ID, slack.UploadFileParameters{
		Filename: "schedule.png", Title: s.title, AltTxt: timeline.AltText(t), FileSize: png.Len(), Reader: &png,
	})
	if err == nil {
		return nil
	}
	_, postErr := b.post(ctx, slackcall.Message{Channel: string(r.user.ID), Priority: slackcall.ForRest}, view.ShiftsWithoutPicture(r.spanText(s), whyNoPicture(err)))
	return errors.Join(err, postErr)
}

// whyNoPicture says why a picture could not be shown.
func whyNoPicture(err error) string {
	code := slackcall.CodeOf(err)
	switch {
	case code == "missing_scope":
		return "the app lacks a scope, files:write or im:write, which an admin can add (`watchbill doctor` says how)"
	case code == "storage_limit_reached" || code == "file_upload_size_restricted" || code == "over_file_size_limit":
		return "the workspace has no room for it (" + code + ")"
	case code != "":
		return "it answered " + code
	case errors.Is(err, errNotShared):
		return "it took the file and doesn't show it"
	default:
		return "it could not be reached"
	}
}

// looksForFile is how often upload checks whether the file is there, once a second.
const looksForFile = 4

// upload shares a file in the direct message with a person.
func (b *Bot) upload(ctx context.Context, to oncall.UserID, p slack.UploadFileParameters) error {
	return b.share(ctx, string(to), p)
}

// share shares a file in a channel or direct message, and checks that it is there, since Slack may report
// success and share nothing.
func (b *Bot) share(ctx context.Context, to string, p slack.UploadFileParameters) error {
	var err error
	if p.Channel, err = b.slack.Conversation(ctx, to, 0); err != nil {
		return err
	}
	id, err := b.slack.Upload(ctx, p)
	if err != nil {
		return err
	}
	for range looksForFile {
		messages, err := b.slack.Recent(ctx, p.Channel)
		if err != nil {
			return err
		}
		for _, m := range messages {
			if slices.ContainsFunc(m.Files, func(f slack.File) bool { return f.ID == id }) {
				return nil
			}
		}
		if !sleep(ctx, time.Second) {
			return ctx.Err()
		}
	}
	return errNotShared
}
