package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
)

// lookupPatience is how long the database may take to find a key. How long signals may wait
// to be stored is limited by the store.
const lookupPatience = 2 * time.Second

const maxKey = 256 // bytes; every real key is shorter

// signals handles what a monitor sends.
func (s *server) signals(w http.ResponseWriter, r *http.Request) {
	start := s.Clock()
	if s.load.inFlight.Add(1) > maxInFlight {
		s.load.inFlight.Add(-1)
		crowded().write(w)
		return
	}
	defer s.load.inFlight.Add(-1)
	n, p := s.take(w, r)
	if p != nil {
		p.write(w)
		return
	}
	s.accepted.Observe(s.Clock().Sub(start).Seconds())
	writeJSON(w, http.StatusAccepted, "application/json", struct {
		Status  string `json:"status"`
		Signals int    `json:"signals"`
	}{"accepted", n})
}

// take returns how many signals were stored, or the problem to answer with if none was.
func (s *server) take(w http.ResponseWriter, r *http.Request) (int, *problem) {
	integration, p := s.authenticate(w, r)
	if p != nil {
		return 0, p
	}
	format := intake.Of(integration.Format)
	body, release, p := s.read(w, r, format.Limit)
	if p != nil {
		return 0, p
	}
	defer release()
	signals, err := format.Parse(body)
	if err != nil {
		return 0, unparsed(err, body, r.Header.Get("Content-Type"))
	}
	if err := s.System.Accept(r.Context(), integration.ID, signals, s.Clock()); err != nil {
		if r.Context().Err() == nil { // otherwise the sender hung up
			s.outages.Error().Err(err).Str("integration", integration.Name).Msg("signals not stored")
		}
		return 0, unavailable("The database did not confirm that the signals are stored; send them again.")
	}
	return len(signals), nil
}

// authenticate finds the integration by the key in the request.
func (s *server) authenticate(w http.ResponseWriter, r *http.Request) (oncall.Integration, *problem) {
	var none oncall.Integration
	key := r.PathValue("key")
	if key == "" {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if strings.EqualFold(scheme, "Bearer") {
			key = strings.TrimSpace(token)
		}
	}
	if key == "" {
		return none, s.strike(w, r, "The request has no key; send it to /v1/signals/KEY, or with the header Authorization: Bearer KEY.")
	}
	if len(key) > maxKey {
		return none, s.strike(w, r, unknownKey)
	}
	ctx, cancel := context.WithTimeout(r.Context(), lookupPatience)
	defer cancel()
	integration, err := s.System.IntegrationByKey(ctx, key)
	switch {
	case errors.Is(err, oncall.ErrNotFound):
		return none, s.strike(w, r, unknownKey)
	case err != nil:
		if r.Context().Err() == nil {
			s.outages.Error().Err(err).Msg("key not checked")
		}
		return none, unavailable("The database is unavailable, so the key can't be checked; nothing was stored, send it again.")
	}
	return integration, nil
}

const unknownKey = "No integration has this key; it may have been replaced by a new one."

// strike counts a request without a valid key and returns the problem to answer with.
func (s *server) strike(w http.ResponseWriter, r *http.Request, detail string) *problem {
	wait, out := s.strikes.out(r.RemoteAddr, s.Clock())
	if out {
		p := answer(http.StatusTooManyRequests, "Too many requests without a good key came from this address; correct the key.")
		p.retryAfter, p.hangUp = int(math.Ceil(wait.Seconds())), true
		return p
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="watchbill"`)
	p := answer(http.StatusUnauthorized, detail)
	p.hangUp = true
	return p
}

// unparsed is the problem with a payload. The Content-Type is not trusted when it says that
// the body is JSON; it only helps to name a body that isn't.
func unparsed(err error, body []byte, contentType string) *problem {
	kind, _, _ := mime.ParseMediaType(contentType)
	foreign := kind != "" && kind != "text/plain" && !strings.Contains(kind, "json")
	if start := strings.TrimLeft(string(body[:min(len(body), 64)]), "\ufeff \t\r\n"); foreign && start != "" && start[0] != '{' && start[0] != '[' {
		return answer(http.StatusUnsupportedMediaType, fmt.Sprintf("The body is %s; send JSON.", kind))
	}
	p := answer(http.StatusBadRequest, err.Error())
	if bad, ok := errors.AsType[intake.Problem](err); ok {
		p.Field = bad.Field
	}
	return p
}
