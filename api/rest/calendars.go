package rest

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// A Calendar is a feed that somebody has subscribed to. Its address is a secret.
type Calendar struct {
	ID        int64     `json:"id"`
	Schedule  *Ref      `json:"schedule,omitempty" doc:"Of which schedule; left out where it has the person's own shifts."`
	CreatedAt time.Time `json:"created_at"`
}

// A NewCalendar is one that was made just now.
type NewCalendar struct {
	Calendar
	URL string `json:"url" doc:"Its address, shown this once. Whoever has it sees the shifts."`
}

// maxFeeds is how many calendars one person may have, as in Slack.
const maxFeeds = 20

var errSharedKey = oncall.Refuse("A calendar is somebody's own, so it takes an API key of theirs.")

func (s *server) calendarRoutes() {
	handle(s, operation{
		method: http.MethodGet, path: "/calendars", id: "list-calendars", tag: "calendars", summary: "List one's calendars", scope: oncall.ScopeAct,
		about: "It takes a key of a person's own.", errors: []int{409},
	}, func(ctx context.Context, c caller, in *Paged) (*ListResponse[Calendar], error) {
		v, all, err := s.calendars(ctx, c)
		if err != nil {
			return nil, err
		}
		return page(mapSlice(all, v.calendar), *in)
	})
	handle(s, operation{
		method: http.MethodPost, path: "/calendars", id: "create-calendar", tag: "calendars", summary: "Make a calendar to subscribe to",
		about: "As `/oncall calendar` does: of one's own shifts in all schedules, or of one schedule. It takes a key of a person's own.",
		scope: oncall.ScopeAct, status: http.StatusCreated, errors: []int{409},
	}, s.createCalendar)
	handle(s, operation{
		method: http.MethodDelete, path: "/calendars/{id}", id: "delete-calendar", tag: "calendars", summary: "End a calendar: its address shows nothing any more",
		about: "It takes a key of a person's own.", scope: oncall.ScopeAct, status: http.StatusNoContent, errors: []int{404, 409},
	}, func(ctx context.Context, c caller, in *struct {
		ID int64 `path:"id" minimum:"1"`
	},
	) (*NoContent, error) {
		_, all, err := s.calendars(ctx, c)
		if err != nil {
			return nil, err
		}
		for _, f := range all {
			if int64(f.ID) == in.ID {
				return &NoContent{http.StatusNoContent}, s.Store.RevokeFeed(ctx, c.by, f.ID, c.now)
			}
		}
		return nil, oncall.ErrNotFound
	})
}

func (s *server) createCalendar(ctx context.Context, c caller, in *struct {
	Body struct {
		Schedule string `json:"schedule,omitempty" maxLength:"200" doc:"Name or id; one's own shifts where it is left out."`
	}
},
) (*ObjectResponse[NewCalendar], error) {
	v, all, err := s.calendars(ctx, c)
	if err != nil {
		return nil, err
	}
	if len(all) >= maxFeeds {
		return nil, oncall.Refuse("You have %d calendars already; remove one first.", len(all))
	}
	f := store.Feed{UserID: c.by.User}
	of, given, err := filterValue(in.Body.Schedule, v.schedule, "schedule")
	if err != nil {
		return nil, err
	}
	if given {
		f = store.Feed{ScheduleID: of.ID()}
	}
	f, secret, err := s.Store.MakeFeed(ctx, c.by, f, c.now)
	if err != nil {
		return nil, err
	}
	return &ObjectResponse[NewCalendar]{NewCalendar{v.calendar(f), strings.TrimSuffix(s.Address, "/") + "/v1/calendar/" + secret + ".ics"}}, nil
}

// calendars returns the calendar feeds that the caller has made.
func (s *server) calendars(ctx context.Context, c caller) (v view, all []store.Feed, err error) {
	if c.by.User == "" {
		return v, nil, errSharedKey
	}
	if v, err = s.viewFor(ctx, c); err != nil {
		return v, nil, err
	}
	all, err = s.Store.FeedsBy(ctx, c.by, c.by.User)
	return v, all, err
}

func (v view) calendar(f store.Feed) Calendar {
	out := Calendar{ID: int64(f.ID), CreatedAt: f.CreatedAt}
	if sched, known := v.Schedule(f.ScheduleID); known {
		out.Schedule = &Ref{int64(sched.ID()), sched.Name()}
	}
	return out
}
