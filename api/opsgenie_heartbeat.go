package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// opsgenieHeartbeatRoutes are those of Opsgenie's Heartbeat API, but for removing one: that takes a person.
func (s *server) opsgenieHeartbeatRoutes(mux *http.ServeMux, prefix string) {
	at := func(pattern string, do func(*server, heartbeatCall) *problem) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(strings.TrimSpace(method+" "+prefix+path), func(w http.ResponseWriter, r *http.Request) { s.opsgenieHeartbeat(w, r, do) })
	}
	for _, method := range []string{"GET", "POST", "PUT", "PATCH"} {
		at(method+" /v2/heartbeats/{name}/ping", (*server).opsgeniePing)
	}
	at("POST /v2/heartbeats", (*server).opsgenieSetHeartbeat)
	at("GET /v2/heartbeats/{name}", (*server).opsgenieShowHeartbeat)
	at("PATCH /v2/heartbeats/{name}", (*server).opsgenieSetHeartbeat)
	for _, method := range []string{"GET", "POST"} {
		at(method+" /v2/heartbeats/{name}/enable", (*server).opsgenieEnable)
		at(method+" /v2/heartbeats/{name}/disable", (*server).opsgenieDisable)
	}
}

// A heartbeatCall is a request about a heartbeat. Opsgenie's names may have anything in them; asked is the name as it
// came, and name the one that it has here.
type heartbeatCall struct {
	ctx         context.Context
	w           http.ResponseWriter
	r           *http.Request
	in          oncall.Integration
	name, asked string
}

func (c heartbeatCall) holder(s *server) store.KeyHolder {
	return store.KeyHolder{Integration: c.in, Now: s.Clock()}
}

func (s *server) opsgenieHeartbeat(w http.ResponseWriter, r *http.Request, do func(*server, heartbeatCall) *problem) {
	in, p := s.authenticate(w, r, keyIn(r))
	if p != nil {
		refuseOpsgenie(w, p)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), lookupPatience)
	defer cancel()
	asked := r.PathValue("name")
	if p := do(s, heartbeatCall{ctx: ctx, w: w, r: r, in: in, name: oncall.HeartbeatNameOf(asked), asked: asked}); p != nil {
		refuseOpsgenie(w, p)
	}
}

// opsgeniePing takes a ping. Opsgenie answers the same whether there is such a heartbeat or not; here there is one from
// then on.
func (s *server) opsgeniePing(c heartbeatCall) *problem {
	if _, p := s.pinged(c.r.Context(), c.in, c.name, oncall.Ping{Kind: oncall.PingSuccess, Create: true}, ""); p != nil {
		return p
	}
	acceptedOpsgenie(c.w, newRequestID(), "PONG - Heartbeat received")
	return nil
}

// An opsgenieSpec is what a client wants of a heartbeat.
type opsgenieSpec struct {
	Name     string        `json:"name"`
	Interval *int64        `json:"interval"`
	Unit     string        `json:"intervalUnit"`
	Enabled  *bool         `json:"enabled"`
	Priority opsgenieGrade `json:"alertPriority"`
}

type opsgenieGrade string

func (g opsgenieGrade) severity() oncall.Severity {
	switch g {
	case "P1":
		return oncall.Critical
	case "P4":
		return oncall.Medium
	case "P5":
		return oncall.Low
	}
	return oncall.High
}

// opsgenieUnits are Opsgenie's units, in seconds.
var opsgenieUnits = map[string]int64{"minutes": 60, "hours": 3600, "days": 24 * 3600}

func (s *server) opsgenieSetHeartbeat(c heartbeatCall) *problem {
	came := s.read(c.w, c.r, earlyLimit)
	defer came.release()
	if came.problem != nil {
		return came.problem
	}
	var want opsgenieSpec
	if err := json.Unmarshal(came.body, &want); err != nil {
		return newProblem(http.StatusUnprocessableEntity, "The body is no JSON object as the Heartbeat API takes it.")
	}
	fresh := c.asked == ""
	if fresh {
		c.asked, c.name = want.Name, oncall.HeartbeatNameOf(want.Name)
	}
	if c.asked == "" {
		return fieldProblem("name", "Name can not be empty.")
	}
	spec, p := s.opsgenieSpecOf(c, want, fresh)
	if p != nil {
		return p
	}
	if _, err := s.System.SetHeartbeat(c.ctx, c.holder(s), c.name, spec); err != nil {
		return s.heartbeatProblem(err)
	}
	if want.Enabled != nil {
		if err := s.System.SwitchHeartbeat(c.ctx, c.holder(s), c.name, *want.Enabled); err != nil {
			return s.heartbeatProblem(err)
		}
	}
	if fresh {
		return s.opsgenieAnswerHeartbeat(c, http.StatusCreated)
	}
	return s.opsgenieAnswerHeartbeat(c, http.StatusOK)
}

// opsgenieSpecOf is what is to be expected of a heartbeat from now on. Opsgenie knows no grace.
func (s *server) opsgenieSpecOf(c heartbeatCall, want opsgenieSpec, fresh bool) (spec oncall.HeartbeatSpec, p *problem) {
	known, err := s.System.HeartbeatOf(c.ctx, c.in.ID, c.name)
	switch {
	case err == nil && fresh:
		return spec, newProblem(http.StatusConflict, "Heartbeat with name ["+c.asked+"] already exists.")
	case err != nil && (!fresh || !errors.Is(err, oncall.ErrNotFound)):
		return spec, s.heartbeatProblem(err)
	}
	spec = known.HeartbeatSpec
	if fresh {
		spec.Severity = want.Priority.severity()
	} else if want.Priority != "" {
		spec.Severity = want.Priority.severity()
	}
	if want.Interval != nil {
		unit := opsgenieUnits[strings.ToLower(want.Unit)]
		if unit == 0 {
			return spec, fieldProblem("intervalUnit", "intervalUnit should be one of minutes, hours, days.")
		}
		if *want.Interval < 1 || *want.Interval > 1_000_000 {
			return spec, fieldProblem("interval", "interval is out of range.")
		}
		spec.Every = oncall.Seconds(*want.Interval * unit)
	}
	if err := spec.CheckHeartbeat(); err != nil {
		return spec, fieldProblem("interval", "interval: "+err.Error())
	}
	return spec, nil
}

func fieldProblem(field, detail string) *problem {
	p := newProblem(http.StatusUnprocessableEntity, detail)
	p.Field = field
	return p
}

func (s *server) opsgenieShowHeartbeat(c heartbeatCall) *problem {
	return s.opsgenieAnswerHeartbeat(c, http.StatusOK)
}

func (s *server) opsgenieEnable(c heartbeatCall) *problem  { return s.opsgenieSwitch(c, true) }
func (s *server) opsgenieDisable(c heartbeatCall) *problem { return s.opsgenieSwitch(c, false) }

func (s *server) opsgenieSwitch(c heartbeatCall, on bool) *problem {
	if err := s.System.SwitchHeartbeat(c.ctx, c.holder(s), c.name, on); err != nil {
		return s.heartbeatProblem(err)
	}
	return s.opsgenieAnswerHeartbeat(c, http.StatusOK)
}

// opsgenieAnswerHeartbeat answers how a heartbeat is.
func (s *server) opsgenieAnswerHeartbeat(c heartbeatCall, status int) *problem {
	h, err := s.System.HeartbeatOf(c.ctx, c.in.ID, c.name)
	if err != nil {
		return s.heartbeatProblem(err)
	}
	unit, interval := "minutes", int64(max(1, h.Every/60))
	for _, larger := range []string{"hours", "days"} {
		if n := int64(h.Every); n%opsgenieUnits[larger] == 0 {
			unit, interval = larger, n/opsgenieUnits[larger]
		}
	}
	request := newRequestID()
	opsgenieHead(c.w, request)
	writeJSON(c.w, status, "application/json", map[string]any{
		"data": map[string]any{
			"name": c.asked, "description": "", "interval": interval, "intervalUnit": unit, "enabled": !h.Muted(s.Clock()),
			"expired": h.DownAt != nil, "alertTags": []string{}, "alertMessage": "",
			"alertPriority": map[oncall.Severity]string{oncall.Critical: "P1", oncall.High: "P3", oncall.Medium: "P4", oncall.Low: "P5"}[h.Severity],
		},
		"took": 0.001, "requestId": request,
	})
	return nil
}

// heartbeatProblem is what a client is told of an error.
func (s *server) heartbeatProblem(err error) *problem {
	if refused, is := errors.AsType[oncall.Refusal](err); is {
		return newProblem(http.StatusForbidden, refused.Error())
	}
	if errors.Is(err, oncall.ErrNotFound) {
		return newProblem(http.StatusNotFound, "Heartbeat does not exist")
	}
	s.outages.Warn().Err(err).Msg("a heartbeat can't be looked up")
	return unavailable("The database is unavailable; ask again.")
}
