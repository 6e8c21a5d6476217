package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// A scope is a right that a request's key must have.
type scope string

// The scopes. An integration's key has only the first, because such keys often lie around in
// configuration files, and a monitor must not decide which heartbeats are expected or muted.
const (
	scopeSignal scope = "signal" // about its own alerts and heartbeats
	scopeEdit   scope = "edit"   // the set-up
)

// opsgenieHeartbeatRoutes adds the addresses of Opsgenie's Heartbeat API.
func (s *server) opsgenieHeartbeatRoutes(mux *http.ServeMux, prefix string) {
	at := func(pattern string, takes scope, do func(*server, heartbeatCall) *problem) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(strings.TrimSpace(method+" "+prefix+path), func(w http.ResponseWriter, r *http.Request) { s.opsgenieHeartbeat(w, r, takes, do) })
	}
	for _, method := range []string{"GET", "POST", "PUT", "PATCH"} {
		at(method+" /v2/heartbeats/{name}/ping", scopeSignal, (*server).opsgeniePing)
	}
	at("GET /v2/heartbeats/{name}", scopeSignal, (*server).opsgenieShowHeartbeat)
	for _, pattern := range []string{
		"POST /v2/heartbeats", "PATCH /v2/heartbeats/{name}", "DELETE /v2/heartbeats/{name}",
		"GET /v2/heartbeats/{name}/enable", "POST /v2/heartbeats/{name}/enable",
		"GET /v2/heartbeats/{name}/disable", "POST /v2/heartbeats/{name}/disable",
	} {
		at(pattern, scopeEdit, (*server).opsgenieShowHeartbeat)
	}
}

// A heartbeatCall is a request about a heartbeat. Opsgenie allows any characters in a heartbeat's
// name: asked is the name in the request, and name is the corresponding name in Watchbill.
type heartbeatCall struct {
	ctx         context.Context
	w           http.ResponseWriter
	r           *http.Request
	in          oncall.Integration
	name, asked string
}

// scopeProblem refuses a request that needs more rights than an integration's key has.
func scopeProblem(takes scope) *problem {
	if takes == scopeSignal {
		return nil
	}
	return newProblem(http.StatusForbidden, "The key of an integration is good for pings and for reading its heartbeats. "+
		"What is expected of them stands in the set-up file, or is made by the first ping; managers of the team mute them in Slack.")
}

func (s *server) opsgenieHeartbeat(w http.ResponseWriter, r *http.Request, takes scope, do func(*server, heartbeatCall) *problem) {
	in, p := s.authenticate(w, r, requestKey(r))
	if p == nil {
		p = scopeProblem(takes)
	}
	if p != nil {
		refuseOpsgenie(w, p)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), lookupTimeout)
	defer cancel()
	asked := r.PathValue("name")
	if p := do(s, heartbeatCall{ctx: ctx, w: w, r: r, in: in, name: oncall.HeartbeatNameOf(asked), asked: asked}); p != nil {
		refuseOpsgenie(w, p)
	}
}

// opsgeniePing accepts a ping. Opsgenie responds the same way for unknown heartbeats, but Watchbill
// creates them.
func (s *server) opsgeniePing(c heartbeatCall) *problem {
	if _, p := s.storePing(c.r.Context(), c.in, c.name, oncall.Ping{Kind: oncall.PingSuccess, Create: true}, ""); p != nil {
		return p
	}
	acceptedOpsgenie(c.w, newRequestID(), "PONG - Heartbeat received")
	return nil
}

// opsgenieUnits are Opsgenie's units of time, in seconds.
var opsgenieUnits = map[string]int64{"minutes": 60, "hours": 3600, "days": 24 * 3600}

func (s *server) opsgenieShowHeartbeat(c heartbeatCall) *problem {
	return s.opsgenieAnswerHeartbeat(c, http.StatusOK)
}

// opsgenieAnswerHeartbeat returns the state of a heartbeat.
func (s *server) opsgenieAnswerHeartbeat(c heartbeatCall, status int) *problem {
	beat, err := s.System.HeartbeatOf(c.ctx, c.in.ID, c.name)
	if err != nil {
		return s.heartbeatProblem(err)
	}
	unit, interval := "minutes", int64(max(1, beat.Every/60))
	for _, larger := range []string{"hours", "days"} {
		if n := int64(beat.Every); n%opsgenieUnits[larger] == 0 {
			unit, interval = larger, n/opsgenieUnits[larger]
		}
	}
	request := newRequestID()
	opsgenieHeaders(c.w, request)
	writeJSON(c.w, status, "application/json", map[string]any{
		"data": map[string]any{
			"name": c.asked, "description": "", "interval": interval, "intervalUnit": unit, "enabled": !beat.Muted(s.Clock()),
			"expired": beat.DownAt != nil, "alertTags": []string{}, "alertMessage": "",
			"alertPriority": map[oncall.Severity]string{oncall.Critical: "P1", oncall.High: "P3", oncall.Medium: "P4", oncall.Low: "P5"}[beat.Severity],
		},
		"took": 0.001, "requestId": request,
	})
	return nil
}

// heartbeatProblem returns the error that a client is shown.
func (s *server) heartbeatProblem(err error) *problem {
	if refused, ok := errors.AsType[oncall.Refusal](err); ok {
		return newProblem(http.StatusForbidden, refused.Error())
	}
	if errors.Is(err, oncall.ErrNotFound) {
		return newProblem(http.StatusNotFound, "Heartbeat does not exist")
	}
	s.outages.Warn().Err(err).Msg("a heartbeat can't be looked up")
	return unavailable("The database is unavailable; ask again.")
}
