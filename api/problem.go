package api

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// A problem is a response that names an error and its remedy (RFC 9457).
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Field  string `json:"field,omitempty"` // of the payload

	retryAfter int  // seconds
	hangUp     bool // close the connection, as the rest of the body will not be read
	toPage     bool // people must be paged about it, because the sender would only repeat the request or give up
}

func newProblem(status int, detail string) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}
}

// Error returns the problem's text.
func (p *problem) Error() string { return p.Detail }

// unavailable asks the sender to retry soon.
func unavailable(detail string) *problem {
	p := newProblem(http.StatusServiceUnavailable, detail)
	p.retryAfter = 5
	return p
}

func (p *problem) write(w http.ResponseWriter) {
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if p.hangUp {
		w.Header().Set("Connection", "close")
	}
	writeJSON(w, p.Status, "application/problem+json", p)
}

func writeJSON(w http.ResponseWriter, status int, kind string, v any) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // an error means that the client is gone
}
