package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
	"weak"

	"github.com/watchbill/watchbill/ical"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// calendarTimeout is how long the database may take; calendar programs can wait.
const calendarTimeout = 10 * time.Second

// calendar serves programs that subscribe to shifts. The address itself is the secret.
func (s *server) calendar(w http.ResponseWriter, r *http.Request) {
	c, p := s.feedCalendar(r)
	if p != nil {
		p.write(w)
		return
	}
	w.Header().Set("ETag", c.tag)
	w.Header().Set("Cache-Control", "private, max-age=300")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if etagMatches(r.Header.Get("If-None-Match"), c.tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "text/calendar; charset=utf-8")
	w.Header().Set("Content-Disposition", `inline; filename="watchbill.ics"`)
	_, _ = w.Write(c.body) // an error means that the client is gone
}

// etagMatches reports whether an If-None-Match header names the tag.
func etagMatches(header, tag string) bool {
	for one := range strings.SplitSeq(header, ",") {
		one = strings.TrimPrefix(strings.TrimSpace(one), "W/")
		if one == tag || one == "*" {
			return true
		}
	}
	return false
}

// feedCalendar returns the calendar for the secret in the request, or the problem to answer with.
func (s *server) feedCalendar(r *http.Request) (*builtCalendar, *problem) {
	secret, ok := strings.CutSuffix(r.PathValue("file"), ".ics")
	if !ok || len(secret) > maxKey {
		return nil, s.unknownCalendar(r)
	}
	ctx, cancel := context.WithTimeout(r.Context(), calendarTimeout)
	defer cancel()
	f, err := s.System.FeedBySecret(ctx, secret)
	if errors.Is(err, oncall.ErrNotFound) {
		return nil, s.unknownCalendar(r)
	}
	var c *builtCalendar
	if err == nil {
		c, err = s.buildCalendar(ctx, f)
	}
	if err != nil {
		if r.Context().Err() == nil { // otherwise the client hung up
			s.outages.Error().Err(err).Msg("calendar not shown")
		}
		return nil, unavailable("The database is unavailable, so the calendar can't be shown; ask again.")
	}
	return c, nil
}

// unknownCalendar answers an unknown secret and counts the attempt, to slow down guessing.
func (s *server) unknownCalendar(r *http.Request) *problem {
	if wait, out := s.strikes.add(r.RemoteAddr, s.Clock()); out {
		p := newProblem(http.StatusTooManyRequests, "Too many requests for calendars that do not exist came from this address.")
		p.retryAfter = int(math.Ceil(wait.Seconds()))
		return p
	}
	return newProblem(http.StatusNotFound, "There is no calendar at this address; it may have been revoked.")
}

// buildCalendar returns a feed's calendar as of today.
func (s *server) buildCalendar(ctx context.Context, f store.Feed) (*builtCalendar, error) {
	now := s.Clock()
	// This comes before loading the directory: an edit in between may cause a needless rebuild, but never
	// a stale calendar.
	state, err := s.System.FeedState(ctx, f)
	if err != nil {
		return nil, err
	}
	dir, err := s.System.Directory(ctx)
	if err != nil {
		return nil, err
	}
	of := calendarState{revision: state.Revision, day: now.UTC().Truncate(24 * time.Hour), directory: weak.Make(dir)}
	return s.calendars.get(ctx, f.ID, of, func() ([]byte, error) { return renderCalendar(ctx, dir, f, state, now) })
}

// renderCalendar renders a feed's calendar.
func renderCalendar(ctx context.Context, dir *store.Directory, f store.Feed, state store.Calendar, now time.Time) ([]byte, error) {
	c, err := dir.Calendar(ctx, f, state, now)
	if err != nil {
		return nil, err
	}
	feed := ical.Feed{Revision: c.Revision, Changed: c.Changed, Note: "From Watchbill. Shifts may change; ask /oncall who in Slack for the present."}
	if f.UserID != "" {
		feed.Name = "On call: " + dir.Name(f.UserID)
	} else if schedule, ok := dir.Schedule(f.ScheduleID); ok {
		feed.Name = "On call: " + schedule.Name()
	}
	if c.More {
		feed.Note += fmt.Sprintf(" Only the first %d shifts are shown.", store.FeedShifts)
	}
	for _, shift := range c.Shifts {
		feed.Events = append(feed.Events, calendarEvent(dir, shift, f.UserID != ""))
	}
	var out bytes.Buffer
	if err := ical.Write(&out, feed); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// calendarEvent describes a shift. A person's own calendar shows the name of the schedule, and a
// schedule's calendar shows the people on call.
func calendarEvent(dir *store.Directory, shift store.CalendarShift, own bool) ical.Event {
	names := make([]string, len(shift.Users))
	for i, u := range shift.Users {
		names[i] = dir.Name(u)
	}
	slices.Sort(names)
	name := shift.Schedule.Name()
	if shift.Role != schedule.RolePrimary {
		name += " (" + shift.Role + ")"
	}
	summary := strings.Join(names, ", ") + ": " + name
	if own {
		summary = "On call: " + name
	}
	note := fmt.Sprintf("On call: %s\nSchedule: %s", strings.Join(names, ", "), name)
	if zone, err := time.LoadLocation(shift.Schedule.TimeZone()); err == nil {
		note += fmt.Sprintf("\n%s (%s)", schedule.Between(shift.Start, shift.End, zone), zone)
	}
	return ical.Event{Key: shift.Key, Start: shift.Start, End: shift.End, Summary: summary, Note: note}
}
