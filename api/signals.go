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

// lookupPatience is how long the database may take to find a key. The shortest time after which a sender
// gives up is 5 s, and some never send again what was answered with 503: to give up earlier only loses
// signals. How long they may wait to be stored is limited by the store.
const lookupPatience = 4 * time.Second

// What a hint may cost.
const (
	maxHints     = 20
	hintPatience = 250 * time.Millisecond
)

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
	n, hints, p := s.take(w, r)
	if p != nil {
		p.write(w)
		return
	}
	s.accepted.Observe(s.Clock().Sub(start).Seconds())
	writeJSON(w, http.StatusAccepted, "application/json", struct {
		Status  string   `json:"status"`
		Signals int      `json:"signals"`
		Hints   []string `json:"hints,omitempty"` // what was not understood, or came to nothing
	}{"accepted", n, hints})
}

// take returns how many signals were stored and what the sender may want to know of them, or the problem
// to answer with if none was.
func (s *server) take(w http.ResponseWriter, r *http.Request) (int, []string, *problem) {
	integration, p := s.authenticate(w, r)
	if p != nil {
		return 0, nil, p
	}
	signals, done, p := s.parse(w, r, intake.Of(integration.Format))
	if p != nil {
		return 0, nil, p
	}
	defer done()
	hints := s.hints(r.Context(), integration, signals)
	if err := s.System.Accept(r.Context(), integration.ID, signals, s.Clock()); err != nil {
		if r.Context().Err() == nil { // otherwise the sender hung up
			s.outages.Error().Err(err).Str("integration", integration.Name).Msg("signals not stored")
		}
		return 0, nil, unavailable("The database did not confirm that the signals are stored; send them again.")
	}
	return len(signals), hints, nil
}

// parse reads the signals in a request. What can't be read, or costs too much to read, becomes one signal
// that says so: most monitors don't tell anybody of an answer that says no, nor send again.
func (s *server) parse(w http.ResponseWriter, r *http.Request, format intake.Format) (signals []oncall.Signal, done func(), p *problem) {
	body, release, p := s.read(w, r, format.Limit)
	if p != nil && p.toPage {
		if p.hangUp {
			w.Header().Set("Connection", "close") // there is more of it
		}
		return []oncall.Signal{intake.Unread(body, p.Detail)}, func() {}, nil
	}
	if p != nil {
		return nil, nil, p
	}
	ctx, cancel := context.WithTimeout(r.Context(), parsePatience)
	defer cancel()
	weight := int64(len(body))
	if err := s.load.parsing.Acquire(ctx, weight); err != nil {
		defer release()
		const why = "So many large bodies came at once that this one could not be read; send fewer alerts at once."
		return []oncall.Signal{intake.Unread(body, why)}, func() {}, nil
	}
	done = func() {
		s.load.parsing.Release(weight)
		release()
	}
	signals, _, err := intake.Read(format.Name, body)
	if err != nil {
		signals = []oncall.Signal{intake.Unread(body, unparsed(err, body, r.Header.Get("Content-Type")))}
	}
	return signals, done, nil
}

// hints say what of the signals was not understood, and which ends and acknowledgements are about
// nothing. They are few, and never a reason to keep a signal waiting for long.
func (s *server) hints(ctx context.Context, in oncall.Integration, signals []oncall.Signal) []string {
	var hints, keys []string
	switch {
	case in.IsMuted(s.Clock()) && in.MutedUntil != nil:
		hints = append(hints, "The integration is muted: what fires pages nobody until "+in.MutedUntil.UTC().Format(time.RFC3339)+", or until somebody unmutes it.")
	case in.IsMuted(s.Clock()):
		hints = append(hints, "The integration is muted: what fires pages nobody until somebody unmutes it.")
	}
	for _, sig := range signals {
		for _, h := range sig.Hints {
			if len(hints) < maxHints {
				hints = append(hints, h.Text)
			}
		}
		if (sig.Action == oncall.Clear || sig.Action == oncall.AckSignal) && len(keys) < maxHints {
			keys = append(keys, sig.DedupKey)
		}
	}
	if len(keys) == 0 {
		return hints
	}
	ctx, cancel := context.WithTimeout(ctx, hintPatience)
	defer cancel()
	firing, err := s.System.Firing(ctx, in.ID, keys)
	if err != nil {
		return hints // whether they can be stored is what counts, and is about to be seen
	}
	for _, key := range keys {
		if !firing[key] {
			hints = append(hints, fmt.Sprintf("Nothing fires under dedup_key %q, so this ends or acknowledges nothing. "+
				"Without a dedup_key, it is made from the title.", key))
		}
	}
	return hints
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
	integration, err := s.System.IntegrationByKey(ctx, key, s.Clock())
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
		p := newProblem(http.StatusTooManyRequests, "Too many requests without a good key came from this address; correct the key.")
		p.retryAfter, p.hangUp = int(math.Ceil(wait.Seconds())), true
		return p
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="watchbill"`)
	p := newProblem(http.StatusUnauthorized, detail)
	p.hangUp = true
	return p
}

// unparsed says what is wrong with a payload. The Content-Type is not trusted when it says that
// the body is JSON; it only helps to name a body that isn't.
func unparsed(err error, body []byte, contentType string) string {
	kind, _, _ := mime.ParseMediaType(contentType)
	foreign := kind != "" && kind != "text/plain" && !strings.Contains(kind, "json")
	if start := strings.TrimLeft(string(body[:min(len(body), 64)]), "\ufeff \t\r\n"); foreign && start != "" && start[0] != '{' && start[0] != '[' {
		return fmt.Sprintf("The body is %s; send JSON.", kind)
	}
	return err.Error()
}
