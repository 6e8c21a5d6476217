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
		id := opsgenieHeaders(w)
		body := map[string]any{"message": sentence, "took": opsgenieTook, "requestId": id}
		if status == http.StatusUnprocessableEntity {
			body["errors"] = map[string]string{"request": sentence}
		}
		writeJSON(w, status, body)
	},
}

const opsgenieTook = 0.001

// opsgenieHeaders sets the headers that Opsgenie's own clients check, and returns the request's id.
func opsgenieHeaders(w http.ResponseWriter) string {
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

// An opsgenieBody is the response to a read.
type opsgenieBody struct {
	Data       any             `json:"data"`
	Paging     *opsgeniePaging `json:"paging,omitempty"`
	Expandable []string        `json:"expandable,omitempty"`
	Took       float64         `json:"took"`
	RequestID  string          `json:"requestId"`
}

// An opsgeniePaging holds the links to other pages; clients read it without checking that it exists.
type opsgeniePaging struct {
	Next  string `json:"next,omitempty"`
	First string `json:"first"`
	Last  string `json:"last"`
}

// opsgenieRoutes registers the parts of Opsgenie's REST API that clients read, and the few writes.
// Its Go client can set only a host, so they are served at the root too.
func (s *server) opsgenieRoutes(mux *http.ServeMux) {
	at := func(pattern string, do func(*dialectRequest) (opsgenieBody, error)) {
		method, path, _ := strings.Cut(pattern, " ")
		for _, prefix := range []string{"", "/opsgenie"} {
			s.handleDialect(opsgenie, mux, method+" "+prefix+path, oncall.ScopeRead, func(f *dialectRequest) (dialectResponse, error) {
				body, err := do(f)
				body.Took, body.RequestID = opsgenieTook, opsgenieHeaders(f.w)
				return dialectResponse{http.StatusOK, body}, err
			})
		}
	}
	at("GET /v2/schedules", s.opsgenieSchedules)
	at("GET /v2/schedules/on-calls", s.opsgenieAllOnCalls)
	at("GET /v2/schedules/{id}", s.opsgenieScheduleOne)
	at("GET /v2/schedules/{id}/on-calls", s.opsgenieOnCalls)
	at("GET /v2/schedules/{id}/next-on-calls", s.opsgenieNext)
	at("GET /v2/schedules/{id}/timeline", s.opsgenieTimeline)
	at("GET /v2/teams", func(f *dialectRequest) (opsgenieBody, error) {
		return opsgenieBody{Data: mapSlice(f.Teams, func(t oncall.Team) opsgenieRef {
			return opsgenieRef{ID: pagerDutyNumber(t.ID), Name: t.Name, Description: new("")}
		})}, nil
	})
	at("GET /v1/incidents", func(*dialectRequest) (opsgenieBody, error) { // Opsgenie's incidents are something else than ours
		return opsgenieBody{Data: []any{}, Paging: &opsgeniePaging{}}, nil
	})
	at("GET /v2/alerts", s.opsgenieAlerts)
	at("GET /v2/alerts/{rest...}", s.opsgenieAlert)
	for _, prefix := range []string{"", "/opsgenie"} {
		s.handleDialect(opsgenie, mux, "POST "+prefix+"/v2/alerts/{rest...}", oncall.ScopeAct, s.opsgenieAct)
		s.handleDialect(opsgenie, mux, prefix+"/v2/alerts", oncall.ScopeAct, func(*dialectRequest) (dialectResponse, error) {
			return dialectResponse{}, oncall.Refuse("Alerts are made with the key of an integration; an API key pages by POST %s/incidents.", Base)
		})
	}
	s.handleDialect(opsgenie, mux, "/opsgenie/", oncall.ScopeRead, func(*dialectRequest) (dialectResponse, error) { return dialectResponse{}, oncall.ErrNotFound })
}

// An opsgenieRef refers to an object.
type opsgenieRef struct {
	ID          string  `json:"id"`
	Name        string  `json:"name"`
	Description *string `json:"description,omitempty"`
}

// An opsgenieSchedule is a schedule in Opsgenie's format.
type opsgenieSchedule struct {
	ID          string             `json:"id"`
	Name        string             `json:"name"`
	Description string             `json:"description"`
	Timezone    string             `json:"timezone"`
	Enabled     bool               `json:"enabled"`
	OwnerTeam   *opsgenieRef       `json:"ownerTeam,omitempty"`
	Rotations   []opsgenieRotation `json:"rotations"`
}

type opsgenieRotation struct {
	ID           string                `json:"id"`
	Name         string                `json:"name"`
	StartDate    time.Time             `json:"startDate"`
	EndDate      *time.Time            `json:"endDate,omitempty"`
	Type         string                `json:"type"`
	Length       int                   `json:"length"`
	Participants []opsgenieParticipant `json:"participants"`
}

// An opsgenieParticipant is a person, whose name in Opsgenie is their mail address.
type opsgenieParticipant struct {
	ID       string `json:"id,omitempty"`
	Name     string `json:"name,omitempty"`
	Username string `json:"username,omitempty"`
	Type     string `json:"type"`
}

// An opsgenieParent refers to the schedule of a response.
type opsgenieParent struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"`
}

func (v view) opsgenieMail(id oncall.UserID) string { return cmp.Or(v.Users[id].Email, v.Name(id)) }

func (v view) opsgeniePerson(id oncall.UserID) opsgenieParticipant {
	return opsgenieParticipant{ID: string(id), Name: v.opsgenieMail(id), Type: "user"}
}

func opsgenieParentOf(sched *schedule.Schedule) opsgenieParent {
	return opsgenieParent{pagerDutyNumber(sched.ID()), sched.Name(), true}
}

// opsgenieSchedule converts a schedule, with its rotations if they are requested.
func (s *server) opsgenieSchedule(f *dialectRequest, sched *schedule.Schedule, rotations bool) (opsgenieSchedule, error) {
	out := opsgenieSchedule{ID: pagerDutyNumber(sched.ID()), Name: sched.Name(), Timezone: sched.TimeZone(), Enabled: true, Rotations: []opsgenieRotation{}}
	if t, known := f.Team(sched.TeamID()); known {
		out.OwnerTeam = &opsgenieRef{ID: pagerDutyNumber(t.ID), Name: t.Name}
	}
	if !rotations {
		return out, nil
	}
	d, err := s.Store.Schedule(f.ctx(), f.caller.by, sched.ID())
	if err != nil {
		return out, err
	}
	units := map[schedule.Unit]string{schedule.HourUnit: "hourly", schedule.DayUnit: "daily", schedule.WeekUnit: "weekly"}
	for i, rotation := range d.Current(f.caller.now) {
		unit, known := units[rotation.Period.Unit]
		zone, err := time.LoadLocation(cmp.Or(rotation.TimeZone, sched.TimeZone()))
		if !known || err != nil { // Opsgenie has no months or cron
			continue
		}
		day, err := time.ParseInLocation(time.DateOnly, rotation.StartDate.String(), zone)
		if err != nil {
			continue
		}
		start := time.Date(day.Year(), day.Month(), day.Day(), 0, int(rotation.HandOff), 0, 0, zone).UTC()
		one := opsgenieRotation{
			ID: out.ID + "-" + strconv.Itoa(i+1), Name: rotation.Name, StartDate: start, EndDate: rotation.Until, Type: unit, Length: max(rotation.Period.Every, 1), Participants: []opsgenieParticipant{},
		}
		for _, turn := range rotation.Turns {
			if len(turn) == 0 {
				one.Participants = append(one.Participants, opsgenieParticipant{Type: "none"})
			}
			for _, u := range turn {
				one.Participants = append(one.Participants, opsgenieParticipant{ID: string(u), Username: f.opsgenieMail(u), Type: "user"})
			}
		}
		out.Rotations = append(out.Rotations, one)
	}
	return out, nil
}

func (s *server) opsgenieSchedules(f *dialectRequest) (opsgenieBody, error) {
	all := []opsgenieSchedule{}
	for _, sched := range f.Schedules {
		one, err := s.opsgenieSchedule(f, sched, f.query.Get("expand") == "rotation")
		if err != nil {
			return opsgenieBody{}, err
		}
		all = append(all, one)
	}
	return opsgenieBody{Data: all, Expandable: []string{"rotation"}}, nil
}

func (s *server) opsgenieScheduleOne(f *dialectRequest) (opsgenieBody, error) {
	sched, err := f.scheduleByIdentifier("identifierType")
	if err != nil {
		return opsgenieBody{}, err
	}
	out, err := s.opsgenieSchedule(f, sched, true)
	return opsgenieBody{Data: out}, err
}

// scheduleByIdentifier returns the schedule in the path, by its id or, if the request says so, its name.
func (dr *dialectRequest) scheduleByIdentifier(kind string) (*schedule.Schedule, error) {
	text := dr.r.PathValue("id")
	i := slices.IndexFunc(dr.Schedules, func(sched *schedule.Schedule) bool {
		if dr.query.Get(kind) == "name" {
			return sched.Name() == text
		}
		return pagerDutyNumber(sched.ID()) == text
	})
	if i < 0 {
		return nil, oncall.ErrNotFound
	}
	return dr.Schedules[i], nil
}

// opsgenieInstant returns the requested instant, and loads the directory for it.
func (s *server) opsgenieInstant(f *dialectRequest) (time.Time, error) {
	at, err := f.instant("date")
	if err != nil || at.IsZero() {
		return f.caller.now, err
	}
	f.Directory, err = s.Store.DirectoryAt(f.ctx(), f.caller.by, f.Directory, at)
	return at, err
}

func (s *server) opsgenieOnCalls(f *dialectRequest) (opsgenieBody, error) {
	at, err := s.opsgenieInstant(f)
	if err != nil {
		return opsgenieBody{}, err
	}
	sched, err := f.scheduleByIdentifier("scheduleIdentifierType")
	if err != nil {
		return opsgenieBody{}, err
	}
	return opsgenieBody{Data: f.opsgenieOnCall(sched, at)}, nil
}

func (s *server) opsgenieAllOnCalls(f *dialectRequest) (opsgenieBody, error) {
	at, err := s.opsgenieInstant(f)
	if err != nil {
		return opsgenieBody{}, err
	}
	return opsgenieBody{Data: mapSlice(f.Schedules, func(sched *schedule.Schedule) map[string]any { return f.opsgenieOnCall(sched, at) })}, nil
}

func (dr *dialectRequest) opsgenieOnCall(sched *schedule.Schedule, at time.Time) map[string]any {
	people := []oncall.UserID{}
	for _, shift := range dr.onDuty(sched, "", at, at, true) {
		people = append(people, shift.Users...)
	}
	if dr.query.Get("flat") == "true" {
		return map[string]any{"_parent": opsgenieParentOf(sched), "onCallRecipients": mapSlice(people, dr.opsgenieMail)}
	}
	return map[string]any{"_parent": opsgenieParentOf(sched), "onCallParticipants": mapSlice(people, dr.opsgeniePerson)}
}

func (s *server) opsgenieNext(f *dialectRequest) (opsgenieBody, error) {
	at, err := s.opsgenieInstant(f)
	if err != nil {
		return opsgenieBody{}, err
	}
	sched, err := f.scheduleByIdentifier("scheduleIdentifierType")
	if err != nil {
		return opsgenieBody{}, err
	}
	next := []oncall.UserID{}
	for _, d := range sched.Who(at) {
		if d.Role != schedule.RoleShadow {
			next = append(next, d.Next...)
		}
	}
	out := map[string]any{"_parent": opsgenieParentOf(sched)}
	if f.query.Get("flat") == "true" {
		out["nextOnCallParticipants"], out["exactNextOnCallParticipants"] = mapSlice(next, f.opsgenieMail), mapSlice(next, f.opsgenieMail)
	} else {
		out["nextOnCallRecipients"], out["exactNextOnCallRecipients"] = mapSlice(next, f.opsgeniePerson), mapSlice(next, f.opsgeniePerson)
	}
	return opsgenieBody{Data: out}, nil
}

// opsgenieTimeline returns who is on call for a number of days, weeks or months: each role is a rotation
// of its own.
func (s *server) opsgenieTimeline(f *dialectRequest) (opsgenieBody, error) {
	type period struct {
		Start     time.Time           `json:"startDate"`
		End       time.Time           `json:"endDate"`
		Type      string              `json:"type"`
		Recipient opsgenieParticipant `json:"recipient"`
	}
	type rotation struct {
		ID      string   `json:"id"`
		Name    string   `json:"name"`
		Order   int      `json:"order"`
		Periods []period `json:"periods"`
	}
	from, err := s.opsgenieInstant(f)
	if err != nil {
		return opsgenieBody{}, err
	}
	sched, err := f.scheduleByIdentifier("identifierType")
	if err != nil {
		return opsgenieBody{}, err
	}
	n, err := f.number("interval", 1, 366)
	if err != nil {
		return opsgenieBody{}, err
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
		return opsgenieBody{}, err
	}
	rotations := []rotation{}
	for i, role := range sched.Roles() {
		r := rotation{pagerDutyNumber(sched.ID()) + "-" + role, role, i + 1, []period{}}
		for _, shift := range sched.Shifts(from, to, role) {
			kind := "default"
			if shift.Source.Override != 0 {
				kind = "override"
			}
			for _, u := range shift.Users {
				r.Periods = append(r.Periods, period{shift.Start, shift.End, kind, f.opsgeniePerson(u)})
			}
		}
		rotations = append(rotations, r)
	}
	return opsgenieBody{Data: map[string]any{
		"_parent": opsgenieParentOf(sched), "startDate": from, "endDate": to, "finalTimeline": map[string]any{"rotations": rotations},
	}, Expandable: []string{"base", "forwarding", "override"}}, nil
}
