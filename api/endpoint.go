package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
)

// An endpoint is a path to which monitors send, together with the API whose responses it imitates.
type endpoint struct {
	inBody  bool   // the key may be in the body
	limit   int64  // bytes of a body; the integration's format may allow less
	reader  string // the name of the format that reads the body, if the integration's format doesn't decide that
	read    func(oncall.Format, []byte) ([]oncall.Signal, oncall.Format, error)
	resolve func(ctx context.Context, t *submission, body []byte) error // used instead of read if reading takes more than the body
	answer  func(http.ResponseWriter, submission)
	refuse  func(http.ResponseWriter, *problem)
	// invalid, if set, turns a read error into the response of the imitated service to a bad request.
	invalid func(error) *problem
}

// submission is a request whose signals were read and stored.
type submission struct {
	integration oncall.Integration
	at          time.Time // when the request arrived
	signals     []oncall.Signal
	format      oncall.Format  // the format used to read the body
	hints       []string       // fields that were not understood, and signals without effect
	payload     oncall.Payload // the request, unchanged
	unverified  string         // why nobody knows whether the integration's monitor sent it; empty: it did. People see this text unchanged
}

// watchbillEndpoint is the address that Watchbill gives to people.
var watchbillEndpoint = endpoint{answer: answerAccepted, refuse: refuseWithProblem}

func answerAccepted(w http.ResponseWriter, sub submission) {
	out := struct {
		Status       string   `json:"status"`
		Signals      int      `json:"signals"`
		RecognisedAs string   `json:"taken_for,omitempty"` // if no format was configured
		Hints        []string `json:"hints,omitempty"`
	}{"accepted", len(sub.signals), "", sub.hints}
	if sub.integration.Format == intake.Auto && sub.format != "" {
		out.RecognisedAs = string(sub.format)
	}
	writeJSON(w, http.StatusAccepted, "application/json", out)
}

func refuseWithProblem(w http.ResponseWriter, p *problem) { p.write(w) }

// endpointRoutes adds the addresses of other services, such as PagerDuty. A monitor set up for one of
// them needs only another host and key.
func (s *server) endpointRoutes(mux *http.ServeMux) {
	at := func(pattern string, a endpoint) {
		mux.HandleFunc(pattern, s.receive(a))
	}
	for _, prefix := range []string{"", "/pagerduty", "/v1/signals/{key}"} {
		at("POST "+prefix+"/v2/enqueue", pagerDutyAlert)
		at("POST "+prefix+"/v2/change/enqueue", pagerDutyChange)
		at("POST "+prefix+"/generic/2010-04-15/create_event.json", pagerDutyV1)
	}
	at("POST /integration/{key}/enqueue", pagerDutyAny)
	at("POST /x-ere/{key}", pagerDutyAny)
	for _, prefix := range []string{"", "/v1/signals/{key}"} {
		at("POST "+prefix+"/api/v2/alerts", alertmanagerV2)
		at("POST "+prefix+"/api/v1/alerts", alertmanagerV1)
	}
	at("/integrations/v1/{kind}/{key}", grafanaOnCall)
	at("/integrations/v1/{kind}/{key}/{$}", grafanaOnCall)
	for _, path := range []string{
		"/api/v2/generic/incoming", "/api/v2/grafana/incoming", "/api/v2/site24x7/incoming", "/api/v2/prometheusalertmanager/incoming",
		"/v1/api/alerts", "/v1/webhooks/grafana", "/v1/webhooks/site24x7", "/v1/webhooks/prometheusalertmanager",
	} {
		at(path, goAlert)
	}
	at("POST /integrations/generic/20131114/alert/{key}", victorOps)
	at("POST /integrations/generic/20131114/alert/{key}/{routing...}", victorOps)
	// Some senders add their own path to the address that they are given.
	mux.HandleFunc("/v1/signals/{key}/{rest...}", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost && r.Method != http.MethodPut {
			notFound(w, r)
			return
		}
		s.receive(watchbillEndpoint)(w, r)
	})
}

var (
	alertmanagerV1 = endpoint{refuse: refuseWithProblem, answer: func(w http.ResponseWriter, _ submission) {
		writeJSON(w, http.StatusOK, "application/json", map[string]string{"status": "success"})
	}}
	alertmanagerV2 = endpoint{refuse: refuseWithProblem, answer: func(w http.ResponseWriter, _ submission) { w.WriteHeader(http.StatusOK) }}
	grafanaOnCall  = endpoint{refuse: refuseWithProblem, answer: func(w http.ResponseWriter, _ submission) {
		writeJSON(w, http.StatusOK, "application/json", "Ok.")
	}}
	victorOps = endpoint{refuse: refuseWithProblem, answer: func(w http.ResponseWriter, t submission) {
		out := map[string]string{"result": "success"}
		if len(t.signals) > 0 {
			out["entity_id"] = t.signals[0].DedupKey
		}
		writeJSON(w, http.StatusOK, "application/json", out)
	}}
	goAlert = endpoint{refuse: refuseWithProblem, answer: func(w http.ResponseWriter, _ submission) { w.WriteHeader(http.StatusNoContent) }}
)

// requestKey returns the key in a request's headers, or "" if there is none.
func requestKey(r *http.Request) string {
	if key := r.PathValue("key"); key != "" {
		return key
	}
	header := strings.TrimSpace(r.Header.Get("Authorization"))
	scheme, token, two := strings.Cut(header, " ")
	switch strings.ToLower(scheme) {
	case "bearer", "geniekey", "key", "apikey":
		if key := strings.TrimSpace(token); key != "" {
			return key
		}
	case "token":
		if key := strings.Trim(strings.TrimPrefix(strings.TrimSpace(token), "token="), `"`); key != "" {
			return key
		}
	case "basic":
		if user, password, ok := r.BasicAuth(); ok {
			if password != "" && len(password) != 1 {
				return password
			}
			return user
		}
	default:
		if !two && header != "" {
			return header
		}
	}
	for _, name := range []string{"X-Api-Key", "X-Routing-Key", "X-Auth-Token"} {
		if key := strings.TrimSpace(r.Header.Get(name)); key != "" {
			return key
		}
	}
	query := r.URL.Query()
	for _, name := range intake.KeyParameters {
		if key := query.Get(name); key != "" {
			return key
		}
	}
	return ""
}

// handleGET handles a GET. A GET with a title, msg or status is a signal. Any other comes from a
// person who opened the address, or from a link preview.
func (s *server) handleGET(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && intake.HasSignal(r.URL.Query()) {
		s.receive(watchbillEndpoint)(w, r)
		return
	}
	if _, p := s.authenticate(w, r, requestKey(r)); p != nil {
		p.write(w)
		return
	}
	writeText(w, "This is where a monitor sends its signals, by POST as JSON or as a form, or by GET with title=… in the address.\n"+
		"Nothing was opened. `watchbill integration show` prints what to paste into each monitor.\n")
}
