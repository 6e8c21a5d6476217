package rest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// A dialect is another vendor's API: where its requests carry the key, and the form of its errors.
type dialect struct {
	key    func(*http.Request) string
	refuse func(w http.ResponseWriter, status int, sentence string)
}

// A dialectRequest is a request in a dialect whose key has been admitted.
type dialectRequest struct {
	view
	r     *http.Request
	w     http.ResponseWriter // for headers
	query url.Values
	zone  *time.Location // for formatting times
}

// A dialectResponse is the response to such a request.
type dialectResponse struct {
	status int
	body   any // nil: empty
}

// handleDialect registers a request of a dialect.
func (s *server) handleDialect(d dialect, mux *http.ServeMux, pattern string, scope oncall.Scope, do func(*dialectRequest) (dialectResponse, error)) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		c, no, err := s.identify(r.Context(), d.key(r), r.RemoteAddr, scope, w.Header().Set)
		if no != nil {
			if no.wait > 0 {
				wait := strconv.Itoa(max(1, seconds(no.wait)))
				w.Header().Set("Retry-After", wait)
				w.Header().Set("Ratelimit-Reset", wait)
			}
			d.refuse(w, no.status, no.why)
			return
		}
		var v view
		if err == nil {
			v, err = s.viewFor(r.Context(), c)
		}
		var out dialectResponse
		if err == nil {
			out, err = do(&dialectRequest{view: v, r: r, w: w, query: r.URL.Query(), zone: time.UTC})
		}
		if err != nil {
			status, sentence := statusAndSentence(s.problem(err))
			d.refuse(w, status, sentence)
			return
		}
		writeJSON(w, out.status, out.body)
	})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	if body == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // an error means that the peer is gone
}

func (dr *dialectRequest) ctx() context.Context { return dr.r.Context() }

// list returns the values of a repeatable parameter, with or without brackets.
func (dr *dialectRequest) list(name string) []string {
	return slices.Concat(dr.query[name+"[]"], dr.query[name])
}

// has reports whether a repeatable filter parameter allows a value; a missing one allows all.
func (dr *dialectRequest) has(name, value string) bool {
	some := dr.list(name)
	return len(some) == 0 || slices.Contains(some, value)
}

// number parses a numeric parameter.
func (dr *dialectRequest) number(name string, usual, limit int) (int, error) {
	text := dr.query.Get(name)
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, invalid(name + " is a number.")
	}
	return min(n, limit), nil
}

// absolute lists the formats in which clients write times; Python's has no colon in the offset.
var absolute = []string{time.RFC3339Nano, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04Z07:00"}

// instants adds those of a parameter, which may be local.
var instants = append(slices.Clone(absolute), "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02")

// A bodyTime is a time in a body.
type bodyTime struct{ time.Time }

// UnmarshalJSON accepts all absolute formats.
func (b *bodyTime) UnmarshalJSON(data []byte) error {
	var text string
	err := json.Unmarshal(data, &text)
	if err != nil || text == "" {
		return err
	}
	for _, form := range absolute {
		if b.Time, err = time.Parse(form, text); err == nil {
			return nil
		}
	}
	return err
}

// instant parses a parameter that is a time; zero if it is missing.
func (dr *dialectRequest) instant(name string) (time.Time, error) {
	text := strings.ReplaceAll(dr.query.Get(name), " ", "+") // a plus sign that was not encoded
	if text == "" {
		return time.Time{}, nil
	}
	for _, form := range instants {
		if t, err := time.ParseInLocation(form, text, dr.zone); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, invalid(name + " is a time, such as 2026-12-24T20:00:00Z.")
}

// body decodes a JSON body of at most 1 MiB. Unknown fields are ignored, as the vendor does.
func (dr *dialectRequest) body(into any) error {
	if err := json.NewDecoder(io.LimitReader(dr.r.Body, 1<<20)).Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return invalid("The body is no JSON of the documented kind.")
	}
	return nil
}

// id returns the number in the path.
func (dr *dialectRequest) id() (int64, error) {
	n, err := strconv.ParseInt(dr.r.PathValue("id"), 10, 64)
	if err != nil || n <= 0 {
		return 0, oncall.ErrNotFound
	}
	return n, nil
}

// onBehalf returns the key as the actor, with the person named in the request. Timelines show both.
func (dr *dialectRequest) onBehalf(name string) oncall.Actor {
	by := dr.caller.by
	if runes := []rune(strings.ToValidUTF8(name, "")); len(runes) > 0 && by.User == "" {
		by.Name += ", for " + string(runes[:min(len(runes), 80)])
	}
	return by
}
