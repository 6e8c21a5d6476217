package rest

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// opsgenie is the dialect of Opsgenie's clients.
var opsgenie = dialect{
	key: func(r *http.Request) string { return bearer(r.Header.Get("Authorization"), "GenieKey", "Bearer") },
	refuse: func(w http.ResponseWriter, status int, sentence string) {
		if status == http.StatusConflict {
			status = http.StatusUnprocessableEntity
		}
		id := ogHeaders(w)
		body := map[string]any{"message": sentence, "took": ogTook, "requestId": id}
		if status == http.StatusUnprocessableEntity {
			body["errors"] = map[string]string{"request": sentence}
		}
		writeJSON(w, status, body)
	},
}

const ogTook = 0.001

// ogHeaders sets the headers that Opsgenie's own clients check, and returns the request's id.
func ogHeaders(w http.ResponseWriter) string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	id := fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
	h := w.Header()
	h.Set("X-Request-Id", id)
	h.Set("X-Response-Time", "0.001")
	h.Set("X-RateLimit-State", "OK")
	return id
}

// An ogBody is the response to a read.
type ogBody struct {
	Data       any       `json:"data"`
	Paging     *ogPaging `json:"paging,omitempty"`
	Expandable []string  `json:"expandable,omitempty"`
	Took       float64   `json:"took"`
	RequestID  string    `json:"requestId"`
}

// An ogPaging holds the links to other pages; clients read it without checking that it exists.
type ogPaging struct {
	Next  string `json:"next,omitempty"`
	First string `json:"first"`
	Last  string `json:"last"`
}

// opsgenieRoutes registers the parts of Opsgenie's REST API that clients read, and the few writes.
// Its Go client can set only a host, so they are served at the root too.
func (s *server) opsgenieRoutes(mux *http.ServeMux) {
	at := func(pattern string, do func(*dialectRequest) (ogBody, error)) {
		method, path, _ := strings.Cut(pattern, " ")
		for _, prefix := range []string{"", "/opsgenie"} {
			s.handleDialect(opsgenie, mux, method+" "+prefix+path, oncall.ScopeRead, func(f *dialectRequest) (dialectResponse, error) {
				body, err := do(f)
				body.Took, body.RequestID = ogTook, ogHeaders(f.w)
				return dialectResponse{http.StatusOK, body}, err
			})
		}
	}
	at("GET /v2/schedules", s.ogSchedules)
	at("GET /v2/schedules/on-calls", s.ogAllOnCalls)
	at("GET /v2/schedules/{id}", s.ogScheduleOne)
	at("GET /v2/schedules/{id}/on-calls", s.ogOnCalls)
	at("GET /v2/schedules/{id}/next-on-calls", s.ogNext)
	at("GET /v2/schedules/{id}/timeline", s.ogTimeline)
	at("GET /v2/teams", func(f *dialectRequest) (ogBody, error) {
		return ogBody{Data: mapSlice(f.Teams, func(t oncall.Team) ogRef { return ogRef{ID: pdNumber(t.ID), Name: t.Name, Description: new("")} })}, nil
	})
	at("GET /v1/incidents", func(*dialectRequest) (ogBody, error) { // Opsgenie's incidents are something else than ours
		return ogBody{Data: []any{}, Paging: &ogPaging{}}, nil
	})
	at("GET /v2/alerts", s.ogAlerts)
	at("GET /v2/alerts/{rest...}", s.ogAlert)
	for _, prefix := range []string{"", "/opsgenie"} {
		s.handleDialect(opsgenie, mux, "POST "+prefix+"/v2/alerts/{rest...}", oncall.ScopeAct, s.ogAct)
		s.handleDialect(opsgenie, mux, prefix+"/v2/alerts", oncall.ScopeAct, func(*dialectRequest) (dialectResponse, error) {
			return dialectResponse{}, oncall.Refuse("Alerts are made with the key of an integration; an API key pages by POST %s/incidents.", Base)
		})
	}
	s.handleDialect(opsgenie, mux, "/opsgenie/", oncall.ScopeRead, func(*dialectRequest) (dialectResponse, error) { return dialectResponse{}, oncall.ErrNotFound })
}

// An ogRef refers to an object.
type ogRef struct {
	ID          string  `json:"id"`
	Name        string  `json:"name"`
	Description *string `json:"description,omitempty"`
}

// An ogSchedule is a schedule in Opsgenie's format.
type ogSchedule struct {
	ID          string       `json:"id"`
	Name        string       `json:"name"`
	Description string       `json:"description"`
	Timezone    string       `json:"timezone"`
	Enabled     bool         `json:"enabled"`
	OwnerTeam   *ogRef       `json:"ownerTeam,omitempty"`
	Rotations   []ogRotation `json:"rotations"`
}

type ogRotation struct {
	ID           string          `json:"id"`
	Name         string          `json:"name"`
	StartDate    time.Time       `json:"startDate"`
	EndDate      *time.Time      `json:"endDate,omitempty"`
	Type         string          `json:"type"`
	Length       int             `json:"length"`
	Participants []ogParticipant `json:"participants"`
}

// An ogParticipant is a person, whose name in Opsgenie is their mail address.
type ogParticipant struct {
	ID       string `json:"id,omitempty"`
	Name     string `json:"name,omitempty"`
	Username string `json:"username,omitempty"`
	Type     string `json:"type"`
}

// An ogParent refers to the schedule of a response.
type ogParent struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"`
}

func (v view) ogMail(id oncall.UserID) string { return cmp.Or(v.Users[id].Email, v.Name(id)) }

func (v view) ogPerson(id oncall.UserID) ogParticipant {
	return ogParticipant{ID: string(id), Name: v.ogMail(id), Type: "user"}
}

func ogParentOf(is *schedule.Schedule) ogParent {
	return ogParent{pdNumber(is.ID()), is.Name(), true}
}

// ogSchedule converts a schedule, with its rotations if they are requested.
func (s *server) ogSchedule(f *dialectRequest, is *schedule.Schedule, rotations bool) (ogSchedule, error) {
	out := ogSchedule{ID: pdNumber(is.ID()), Name: is.Name(), Timezone: is.TimeZone(), Enabled: true, Rotations: []ogRotation{}}
	if t, known := f.Team(is.TeamID()); known {
		out.OwnerTeam = &ogRef{ID: pdNumber(t.ID), Name: t.Name}
	}
	if !rotations {
		return out, nil
	}
	d, err := s.Store.Schedule(f.ctx(), f.caller.by, is.ID())
	if err != nil {
		return out, err
	}
	units := map[schedule.Unit]string{schedule.HourUnit: "hourly", schedule.DayUnit: "daily", schedule.WeekUnit: "weekly"}
	for i, r := range d.Current(f.caller.now) {
		unit, known := units[r.Period.Unit]
		zone, err := time.LoadLocation(cmp.Or(r.TimeZone, is.TimeZone()))
		if !known || err != nil { // Opsgenie has no months or cron
			continue
		}
		day, err := time.ParseInLocation(time.DateOnly, r.StartDate.String(), zone)
		if err != nil {
			continue
		}
		start := time.Date(day.Year(), day.Month(), day.Day(), 0, int(r.HandOff), 0, 0, zone).UTC()
		one := ogRotation{
			ID: out.ID + "-" + strconv.Itoa(i+1), Name: r.Name, StartDate: start, EndDate: r.Until, Type: unit, Length: max(r.Period.Every, 1), Participants: []ogParticipant{},
		}
		for _, turn := range r.Turns {
			if len(turn) == 0 {
				one.Participants = append(one.Participants, ogParticipant{Type: "none"})
			}
			for _, u := range turn {
				one.Participants = append(one.Participants, ogParticipant{ID: string(u), Username: f.ogMail(u), Type: "user"})
			}
		}
		out.Rotations = append(out.Rotations, one)
	}
	return out, nil
}

func (s *server) ogSchedules(f *dialectRequest) (ogBody, error) {
	all := []ogSchedule{}
	for _, is := range f.Schedules {
		one, err := s.ogSchedule(f, is, f.query.Get("expand") == "rotation")
		if err != nil {
			return ogBody{}, err
		}
		all = append(all, one)
	}
	return ogBody{Data: all, Expandable: []string{"rotation"}}, nil
}

func (s *server) ogScheduleOne(f *dialectRequest) (ogBody, error) {
	is, err := f.scheduleByIdentifier("identifierType")
	if err != nil {
		return ogBody{}, err
	}
	out, err := s.ogSchedule(f, is, true)
	return ogBody{Data: out}, err
}

// scheduleByIdentifier returns the schedule in the path, by its id or, if the request says so, its name.
func (dr *dialectRequest) scheduleByIdentifier(kind string) (*schedule.Schedule, error) {
	text := dr.r.PathValue("id")
	i := slices.IndexFunc(dr.Schedules, func(is *schedule.Schedule) bool {
		if dr.query.Get(kind) == "name" {
			return is.Name() == text
		}
		return pdNumber(is.ID()) == text
	})
	if i < 0 {
		return nil, oncall.ErrNotFound
	}
	return dr.Schedules[i], nil
}

// ogInstant returns the requested instant, and loads the directory for it.
func (s *server) ogInstant(f *dialectRequest) (time.Time, error) {
	at, err := f.instant("date")
	if err != nil || at.IsZero() {
		return f.caller.now, err
	}
	f.Directory, err = s.Store.DirectoryAt(f.ctx(), f.caller.by, f.Directory, at)
	return at, err
}

func (s *server) ogOnCalls(f *dialectRequest) (ogBody, error) {
	at, err := s.ogInstant(f)
	if err != nil {
		return ogBody{}, err
	}
	is, err := f.scheduleByIdentifier("scheduleIdentifierType")
	if err != nil {
		return ogBody{}, err
	}
	return ogBody{Data: f.ogOnCall(is, at)}, nil
}

func (s *server) ogAllOnCalls(f *dialectRequest) (ogBody, error) {
	at, err := s.ogInstant(f)
	if err != nil {
		return ogBody{}, err
	}
	return ogBody{Data: mapSlice(f.Schedules, func(is *schedule.Schedule) map[string]any { return f.ogOnCall(is, at) })}, nil
}

func (dr *dialectRequest) ogOnCall(is *schedule.Schedule, at time.Time) map[string]any {
	people := []oncall.UserID{}
	for _, shift := range dr.onDuty(is, "", at, at, true) {
		people = append(people, shift.Users...)
	}
	if dr.query.Get("flat") == "true" {
		return map[string]any{"_parent": ogParentOf(is), "onCallRecipients": mapSlice(people, dr.ogMail)}
	}
	return map[string]any{"_parent": ogParentOf(is), "onCallParticipants": mapSlice(people, dr.ogPerson)}
}

func (s *server) ogNext(f *dialectRequest) (ogBody, error) {
	at, err := s.ogInstant(f)
	if err != nil {
		return ogBody{}, err
	}
	is, err := f.scheduleByIdentifier("scheduleIdentifierType")
	if err != nil {
		return ogBody{}, err
	}
	next := []oncall.UserID{}
	for _, d := range is.Who(at) {
		if d.Role != schedule.RoleShadow {
			next = append(next, d.Next...)
		}
	}
	out := map[string]any{"_parent": ogParentOf(is)}
	if f.query.Get("flat") == "true" {
		out["nextOnCallParticipants"], out["exactNextOnCallParticipants"] = mapSlice(next, f.ogMail), mapSlice(next, f.ogMail)
	} else {
		out["nextOnCallRecipients"], out["exactNextOnCallRecipients"] = mapSlice(next, f.ogPerson), mapSlice(next, f.ogPerson)
	}
	return ogBody{Data: out}, nil
}

// ogTimeline returns who is on call for a number of days, weeks or months: each role is a rotation
// of its own.
func (s *server) ogTimeline(f *dialectRequest) (ogBody, error) {
	type period struct {
		Start     time.Time     `json:"startDate"`
		End       time.Time     `json:"endDate"`
		Type      string        `json:"type"`
		Recipient ogParticipant `json:"recipient"`
	}
	type rotation struct {
		ID      string   `json:"id"`
		Name    string   `json:"name"`
		Order   int      `json:"order"`
		Periods []period `json:"periods"`
	}
	from, err := s.ogInstant(f)
	if err != nil {
		return ogBody{}, err
	}
	is, err := f.scheduleByIdentifier("identifierType")
	if err != nil {
		return ogBody{}, err
	}
	n, err := f.number("interval", 1, 366)
	if err != nil {
		return ogBody{}, err
	}
	days, months := 7*n, 0
	switch f.query.Get("intervalUnit") {
	case "days":
		days = n
	case "months":
		days, months = 0, n
	}
	from, to, err := Span{from, from.AddDate(0, months, days)}.between(f.caller.now)
	if err != nil {
		return ogBody{}, err
	}
	rotations := []rotation{}
	for i, role := range is.Roles() {
		r := rotation{pdNumber(is.ID()) + "-" + role, role, i + 1, []period{}}
		for _, shift := range is.Shifts(from, to, role) {
			kind := "default"
			if shift.Source.Override != 0 {
				kind = "override"
			}
			for _, u := range shift.Users {
				r.Periods = append(r.Periods, period{shift.Start, shift.End, kind, f.ogPerson(u)})
			}
		}
		rotations = append(rotations, r)
	}
	return ogBody{Data: map[string]any{
		"_parent": ogParentOf(is), "startDate": from, "endDate": to, "finalTimeline": map[string]any{"rotations": rotations},
	}, Expandable: []string{"base", "forwarding", "override"}}, nil
}
