package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// opsgenieRoutes adds the addresses of Opsgenie's Alert API and Heartbeat API. Clients don't always
// encode aliases, which may contain slashes, even two in a row. Such addresses don't reach the mux;
// see unclean.
func (s *server) opsgenieRoutes(mux *http.ServeMux) {
	for _, prefix := range []string{"", "/opsgenie", "/v1/signals/{key}"} {
		mux.HandleFunc(prefix+"/v2/alerts", s.opsgenie)
		mux.HandleFunc(prefix+"/v2/alerts/{rest...}", s.opsgenie)
		s.opsgenieHeartbeatRoutes(mux, prefix)
	}
}

// apiKeyPrefix begins API keys, which are not integration keys. Package rest decides what they may do.
const apiKeyPrefix = "wb_"

// opsgenie answers requests of the Alert API at once. The requested change happens later.
func (s *server) opsgenie(w http.ResponseWriter, r *http.Request) {
	if s.REST != nil && strings.HasPrefix(requestKey(r), apiKeyPrefix) {
		s.REST.ServeHTTP(w, r)
		return
	}
	rest := strings.Trim(r.PathValue("rest"), "/")
	id, verb := opsgenieTarget(r.Method, rest, r)
	if r.Method == http.MethodGet {
		s.opsgenieGet(w, r, rest)
		return
	}
	if verb == "" {
		refuseOpsgenie(w, newProblem(http.StatusMethodNotAllowed, "There is nothing like it in the Alert API."))
		return
	}
	request := newRequestID()
	s.receive(endpoint{
		refuse: refuseOpsgenie, limit: 16 << 20, reader: intake.ReadOpsgenie + verb,
		answer: func(w http.ResponseWriter, _ submission) { acceptedOpsgenie(w, request, "Request will be processed") },
		invalid: func(err error) *problem {
			p := newProblem(http.StatusUnprocessableEntity, err.Error())
			if wrong, ok := errors.AsType[intake.Problem](err); ok {
				p.Field = wrong.Field
			}
			return p
		},
		resolve: func(ctx context.Context, t *submission, body []byte) error {
			return s.opsgenieAct(ctx, t, body, opsgenieCall{request: request, verb: verb, id: id, by: r.URL.Query().Get("identifierType")})
		},
	})(w, r)
}

// An opsgenieCall is a parsed request.
type opsgenieCall struct{ request, verb, id, by string }

// opsgenieTarget parses an address from its end: everything before the verb identifies the alert, slashes included.
func opsgenieTarget(method, rest string, r *http.Request) (id, verb string) {
	if rest == "" {
		if method == http.MethodPost {
			return "", "create"
		}
		return "", ""
	}
	if id, custom, ok := strings.Cut(rest, "/actions/"); ok {
		return id, "actions/" + custom
	}
	at := strings.LastIndex(rest, "/")
	last := rest[at+1:]
	if method == http.MethodDelete && (last != "tags" && last != "details" || !r.URL.Query().Has("tags") && !r.URL.Query().Has("keys")) {
		return rest, "delete"
	}
	if at < 0 {
		return rest, ""
	}
	if method == http.MethodDelete {
		last = "remove " + last
	}
	return rest[:at], last
}

// opsgenieAct turns a request into a signal, and records the request so that the client can ask for its result.
func (s *server) opsgenieAct(ctx context.Context, sub *submission, body []byte, c opsgenieCall) error {
	fields, err := intake.ParseObject(body)
	if err != nil && c.verb == "create" {
		return err
	}
	var signal oncall.Signal
	if c.verb == "create" {
		if signal, err = intake.OpsgenieCreate(fields); err != nil {
			return err
		}
	} else {
		alias, err := s.opsgenieAlias(ctx, sub.integration.ID, c)
		if err != nil {
			s.outages.Warn().Err(err).Msg("an alert can't be looked up")
			return unavailable("The database is unavailable, so it is not known which alert that is; send it again.")
		}
		signal = intake.OpsgenieAct(c.verb, alias, fields)
	}
	sub.signals, sub.format = []oncall.Signal{signal}, "opsgenie"
	note := store.OpsgenieRequest{ID: c.request, IntegrationID: sub.integration.ID, Alias: signal.DedupKey, Action: c.verb, MadeAt: s.Clock()}
	ctx, cancel := context.WithTimeout(ctx, hintTimeout)
	defer cancel()
	if err := s.System.KeepOpsgenieRequest(ctx, note); err != nil {
		s.outages.Warn().Err(err).Msg("a request can't be asked for later")
	}
	return nil
}

// opsgenieAlias finds the alert that an id refers to. An unknown id is used as an alias, because no
// client waits for an error.
func (s *server) opsgenieAlias(ctx context.Context, in oncall.IntegrationID, c opsgenieCall) (string, error) {
	if c.by == "alias" {
		return c.id, nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	alias, err := s.System.OpsgenieAlias(ctx, in, c.id, c.by == "tiny")
	if errors.Is(err, oncall.ErrNotFound) {
		return c.id, nil
	}
	return alias, err
}

// opsgenieGet returns the result of a request, or the state of an alert.
func (s *server) opsgenieGet(w http.ResponseWriter, r *http.Request, rest string) {
	in, p := s.authenticate(w, r, requestKey(r))
	if p != nil {
		refuseOpsgenie(w, p)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), lookupTimeout)
	defer cancel()
	var data any
	var err error
	request, isRequest := strings.CutPrefix(rest, "requests/")
	if isRequest {
		data, err = s.opsgenieResult(ctx, in.ID, request)
	} else {
		data, err = s.opsgenieShow(ctx, in.ID, opsgenieCall{id: rest, by: r.URL.Query().Get("identifierType")})
	}
	switch {
	case err == nil:
		opsgenieHeaders(w, newRequestID())
		writeJSON(w, http.StatusOK, "application/json", map[string]any{"data": data, "took": 0.001, "requestId": w.Header().Get("X-Request-Id")})
	case errors.Is(err, oncall.ErrNotFound) && isRequest:
		w.Header().Set("X-Opsgenie-Errortype", "RequestNotProcessed")
		refuseOpsgenie(w, newProblem(http.StatusNotFound, "Request not found. It might not be processed, yet."))
	case errors.Is(err, oncall.ErrNotFound):
		refuseOpsgenie(w, newProblem(http.StatusNotFound, "Alert does not exist"))
	default:
		s.outages.Warn().Err(err).Msg("an alert can't be looked up")
		refuseOpsgenie(w, unavailable("The database is unavailable; ask again."))
	}
}

// opsgenieDone maps actions to Opsgenie's names for them once completed.
var opsgenieDone = map[string][2]string{
	"create": {"Create", "Created alert"}, "close": {"Close", "Closed alert"}, "acknowledge": {"Acknowledge", "Acknowledged alert"},
	"notes": {"AddNote", "Added note to alert"}, "message": {"UpdateMessage", "Updated message"}, "description": {"UpdateDescription", "Updated description"},
	"priority": {"UpdatePriority", "Updated priority"}, "details": {"AddDetails", "Added details"}, "tags": {"AddTags", "Added tags"}, "delete": {"Delete", "Deleted alert"},
}

// These are how long a response waits for a request to complete, and how often it checks. Zabbix asks
// 25 times without a pause and then gives up.
const (
	opsgenieTimeout = 2 * time.Second
	opsgenieLook    = 50 * time.Millisecond
)

// opsgenieResult returns the result of a request, waiting briefly for one in progress.
func (s *server) opsgenieResult(ctx context.Context, in oncall.IntegrationID, id string) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, opsgenieTimeout)
	defer cancel()
	look := time.NewTicker(opsgenieLook)
	defer look.Stop()
	for waited := false; ; waited = true {
		data, waits, err := s.opsgenieState(ctx, in, id)
		if waited && errors.Is(err, context.DeadlineExceeded) {
			return nil, oncall.ErrNotFound
		}
		if !waits {
			return data, err
		}
		select {
		case <-ctx.Done():
			return nil, oncall.ErrNotFound
		case <-look.C:
		}
	}
}

func (s *server) opsgenieState(ctx context.Context, in oncall.IntegrationID, id string) (data any, waits bool, err error) {
	state, err := s.System.OpsgenieRequest(ctx, in, id)
	if err != nil || state.Waits {
		return nil, err == nil, err
	}
	done, known := opsgenieDone[state.Action]
	if !known {
		done = [2]string{state.Action, "Told in the incident, and not done"}
	}
	good := state.Found && known
	if !state.Found {
		done[1] = "Alert does not exist"
	}
	return map[string]any{
		"success": good, "isSuccess": good, "action": done[0], "processedAt": state.MadeAt.UTC().Format(time.RFC3339Nano),
		"integrationId": strconv.FormatInt(int64(in), 10), "status": done[1], "alertId": state.AlertID, "alias": state.Alias,
	}, false, nil
}

func (s *server) opsgenieShow(ctx context.Context, in oncall.IntegrationID, c opsgenieCall) (any, error) {
	if c.id == "" || c.id == "count" {
		return nil, oncall.ErrNotFound
	}
	alias, err := s.opsgenieAlias(ctx, in, c)
	if err != nil {
		return nil, err
	}
	a, err := s.System.OpsgenieAlert(ctx, in, alias)
	if err != nil {
		return nil, err
	}
	status := "open"
	if !a.Alert.Firing || a.Status == oncall.Resolved {
		status = "closed"
	}
	priority := map[oncall.Severity]string{oncall.Critical: "P1", oncall.High: "P2", oncall.Medium: "P3", oncall.Low: "P5"}[a.Alert.Severity]
	return map[string]any{
		"id": store.OpsgenieID(in, a.Alert.DedupKey), "tinyId": strconv.FormatInt(int64(a.Alert.ID), 10), "alias": a.Alert.DedupKey,
		"message": a.Alert.Title, "description": a.Alert.Body, "status": status, "acknowledged": a.Status == oncall.Acknowledged,
		"isSeen": a.Status != oncall.Triggered, "snoozed": a.Status == oncall.Snoozed, "count": a.Alert.Count, "priority": priority,
		"createdAt": a.Alert.FirstAt.UTC().Format(time.RFC3339Nano), "updatedAt": a.Alert.LastAt.UTC().Format(time.RFC3339Nano),
		"lastOccurredAt": a.Alert.LastAt.UTC().Format(time.RFC3339Nano), "details": a.Alert.Details, "tags": []string{},
	}, nil
}

func acceptedOpsgenie(w http.ResponseWriter, request, result string) {
	opsgenieHeaders(w, request)
	writeJSON(w, http.StatusAccepted, "application/json", struct {
		Result    string  `json:"result"`
		Took      float64 `json:"took"`
		RequestID string  `json:"requestId"`
	}{result, 0.001, request})
}

// opsgenieHeaders sets the headers that Opsgenie's own clients check.
func opsgenieHeaders(w http.ResponseWriter, request string) {
	h := w.Header()
	h.Set("X-Request-Id", request)
	h.Set("X-Response-Time", "0.001")
	h.Set("X-RateLimit-State", "OK")
}

func refuseOpsgenie(w http.ResponseWriter, p *problem) {
	request := newRequestID()
	opsgenieHeaders(w, request)
	p.writeHead(w)
	out := map[string]any{"message": p.Detail, "took": 0.001, "requestId": request}
	if p.Status == http.StatusUnprocessableEntity {
		field := p.Field
		if field == "" {
			field = "body"
		}
		out["errors"] = map[string]string{field: p.Detail}
	}
	writeJSON(w, p.Status, "application/json", out)
}

// newRequestID makes a random UUID.
func newRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
