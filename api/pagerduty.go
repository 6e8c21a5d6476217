package api

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
)

// The addresses of PagerDuty's Events API, answered the way PagerDuty does, because its clients look
// for exactly these codes and fields.
var (
	pagerDutyAlert = endpoint{inBody: true, reader: intake.ReadPagerDuty, read: readPagerDuty, refuse: refusePagerDuty, invalid: invalidEvent, answer: func(w http.ResponseWriter, t submission) {
		processed(w, http.StatusAccepted, "Event processed", "dedup_key", t)
	}}
	pagerDutyChange = endpoint{inBody: true, reader: intake.ReadPagerDuty, read: readPagerDuty, refuse: refusePagerDuty, invalid: invalidEvent, answer: func(w http.ResponseWriter, t submission) {
		processed(w, http.StatusAccepted, "Change event processed", "", t)
	}}
	pagerDutyV1 = endpoint{inBody: true, reader: intake.ReadPagerDuty, read: readPagerDuty, invalid: invalidEvent, answer: func(w http.ResponseWriter, t submission) {
		processed(w, http.StatusOK, "Event processed", "incident_key", t)
	}, refuse: func(w http.ResponseWriter, p *problem) {
		if p.Status == http.StatusUnauthorized || p.Status == http.StatusTooManyRequests { // the message that version 1 returns
			p.Status = http.StatusForbidden
		}
		refusePagerDuty(w, p)
	}}
	// pagerDutyAny accepts what tools send to the PagerDuty integrations named after them.
	pagerDutyAny = endpoint{refuse: refusePagerDuty, answer: func(w http.ResponseWriter, t submission) {
		processed(w, http.StatusAccepted, "Event processed", "dedup_key", t)
	}}
)

func readPagerDuty(_ oncall.Format, body []byte) ([]oncall.Signal, oncall.Format, error) {
	signals, err := intake.PagerDuty(body)
	return signals, "pagerduty", err
}

func processed(w http.ResponseWriter, code int, message, field string, t submission) {
	out := map[string]string{"status": "success", "message": message}
	if field != "" && len(t.signals) > 0 {
		out[field] = t.signals[0].DedupKey
	}
	writeJSON(w, code, "application/json", out)
}

func invalidEvent(err error) *problem {
	return newProblem(http.StatusBadRequest, err.Error())
}

// refusePagerDuty puts the error message both where PagerDuty's documentation puts it and where its Go
// client reads it.
func refusePagerDuty(w http.ResponseWriter, p *problem) {
	status, message := "invalid event", "Event object is invalid"
	switch p.Status {
	case http.StatusTooManyRequests:
		status, message = "throttle exceeded", "Requests for this service are arriving too quickly."
	case http.StatusServiceUnavailable:
		status, message = "error", "Internal Server Error"
	}
	p.writeHead(w)
	writeJSON(w, p.Status, "application/json", map[string]any{
		"status": status, "message": message, "errors": []string{p.Detail},
		"error": map[string]any{"message": message, "code": p.Status, "errors": []string{p.Detail}},
	})
}

// writeHead sets the headers of a problem.
func (p *problem) writeHead(w http.ResponseWriter) {
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if p.hangUp {
		w.Header().Set("Connection", "close")
	}
}

// tooCostly reports whether an error means that a body costs too much to read, although it may be valid.
func tooCostly(err error) bool {
	p, ok := errors.AsType[intake.Problem](err)
	return ok && p.TooMuch
}
