package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
)

// lookupTimeout is how long the database may take to find a key. Senders give up after 5 s at the
// earliest, and some never resend a signal after a 503, so a shorter limit would only lose signals.
// The store limits how long signals wait to be stored.
const lookupTimeout = 4 * time.Second

// Limits on the cost of hints.
const (
	maxHints    = 20
	hintTimeout = 250 * time.Millisecond
)

const maxKey = 256 // bytes; every real key is shorter

// receive handles a monitor's request to an address.
func (s *server) receive(e endpoint) http.HandlerFunc {
	if e.read == nil {
		e.read = intake.Read
	}
	return func(w http.ResponseWriter, r *http.Request) {
		start := s.Clock()
		if s.load.inFlight.Add(1) > maxInFlight {
			s.load.inFlight.Add(-1)
			e.refuse(w, overloaded())
			return
		}
		defer s.load.inFlight.Add(-1)
		sub, p := s.receiveSignals(w, r, e)
		if p != nil {
			e.refuse(w, p)
			return
		}
		s.accepted.Observe(s.Clock().Sub(start).Seconds())
		e.answer(w, sub)
	}
}

// receiveSignals stores the signals of a request, or returns the problem to answer with if none was stored.
func (s *server) receiveSignals(w http.ResponseWriter, r *http.Request, e endpoint) (submission, *problem) {
	key := r.PathValue("key")
	var received *requestBody
	if key == "" && e.inBody {
		received = s.read(w, r, keySearchLimit)
		defer received.release()
		if received.problem != nil {
			return submission{}, received.problem // a truncated body has no readable key
		}
		key = intake.Key(received.body)
	}
	if key == "" {
		key = requestKey(r)
	}
	integration, p := s.authenticate(w, r, key)
	if p != nil {
		return submission{}, p
	}
	sub := submission{integration: integration}
	if received == nil {
		received = s.read(w, r, max(e.limit, intake.FormatNamed(integration.Format).Limit))
		defer received.release()
	}
	if received.problem != nil && !received.problem.toPage {
		return sub, received.problem
	}
	if received.problem == nil {
		var rejected string
		if rejected, sub.unverified = s.checkSignature(r, e, integration, received.body); rejected != "" {
			return sub, s.strike(w, r, rejected)
		}
	}
	sub.at = s.Clock()
	sub.payload = payloadOf(r, e, key, received, sub)
	if p := s.parse(w, r, e, received, &sub); p != nil {
		sub.payload.Trouble = p.Detail
		s.System.KeepPayload(r.Context(), sub.payload)
		return sub, p
	}
	return sub, s.storeSignals(r.Context(), &sub)
}

// payloadOf returns a request in the form in which it is stored.
func payloadOf(r *http.Request, e endpoint, key string, received *requestBody, sub submission) oncall.Payload {
	headers := make(map[string]string, len(r.Header))
	for name := range r.Header {
		headers[name] = r.Header.Get(name)
	}
	payload := oncall.Payload{
		Integration: sub.integration.ID, At: sub.at, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Headers: headers,
		Body: received.body, Size: int64(len(received.body)), Reader: e.reader,
	}
	if received.problem != nil {
		payload.Cut, payload.Size = true, 0
		if r.Header.Get("Content-Encoding") == "" {
			payload.Size = max(r.ContentLength, 0)
		}
	}
	return intake.Redact(payload, key)
}

// storeSignals stores the signals and the payload of a request.
func (s *server) storeSignals(ctx context.Context, sub *submission) *problem {
	for i := range sub.signals {
		sub.signals[i].Format = sub.format
	}
	if title := intake.FormatNamed(sub.format).Title; sub.integration.Format == intake.Auto && sub.integration.Mapping == nil && sub.format != "" && len(sub.signals) > 0 && !slices.Contains(sub.integration.Recognised(), title) {
		for i := range sub.signals {
			sub.signals[i].NewMonitor = title
		}
	}
	sub.hints = s.hints(ctx, sub.integration, sub.signals)
	sub.payload.RecognisedAs = sub.format
	sub.payload.NoteSignals(sub.signals)
	if err := s.Receiver.Accept(ctx, sub.integration.ID, sub.signals, sub.at, sub.payload); err != nil {
		if ctx.Err() == nil { // otherwise the sender hung up
			s.outages.Error().Err(err).Str("integration", sub.integration.Name).Msg("signals not stored")
		}
		return unavailable("The database did not confirm that the signals are stored; send them again.")
	}
	return nil
}

// keySearchLimit limits the bodies, in bytes, that are searched for a key.
const keySearchLimit = 1 << 20

// parse reads the signals in a request. A body that can't be read, or costs too much to read, becomes one signal that
// reports the problem, because most monitors neither show an error response to anybody nor retry.
func (s *server) parse(w http.ResponseWriter, r *http.Request, e endpoint, received *requestBody, sub *submission) *problem {
	if p := received.problem; p != nil {
		if p.hangUp {
			w.Header().Set("Connection", "close") // the rest of the body is unread
		}
		sub.signals = []oncall.Signal{intake.UnreadableSignal(sub.payload.Body, p.Detail)}
		return nil
	}
	if sub.unverified != "" {
		s.outages.Error().Str("integration", sub.integration.Name).Msg(sub.unverified)
		sub.signals = []oncall.Signal{intake.UnreadableSignal(sub.payload.Body, sub.unverified)}
		return nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), parseTimeout)
	defer cancel()
	weight := int64(len(received.body))
	if err := s.load.parsing.Acquire(ctx, weight); err != nil {
		const why = "So many large bodies came at once that this one could not be read; send fewer alerts at once."
		sub.signals = []oncall.Signal{intake.UnreadableSignal(sub.payload.Body, why)}
		return nil
	}
	received.onRelease = append(received.onRelease, func() { s.load.parsing.Release(weight) })
	body := intake.RequestJSON(r.URL.Query(), r.Header.Get("Content-Type"), received.body)
	var hint string
	if m := snsMessageIn(body); (m != nil || len(sub.integration.Topics) > 0) && e.resolve == nil {
		var forged string
		var p *problem
		if hint, forged, p = s.checkSNS(r.Context(), m, sub.integration.Topics); p != nil {
			return p
		}
		if forged != "" {
			sub.signals = []oncall.Signal{intake.UnreadableSignal(sub.payload.Body, forged)}
			return nil
		}
	}
	var err error
	switch {
	case e.resolve != nil:
		err = e.resolve(r.Context(), sub, body)
	case sub.integration.Mapping != nil:
		sub.signals, sub.format, err = intake.ReadFor(ctx, sub.integration, body)
	default:
		sub.signals, sub.format, err = e.read(sub.integration.Format, body)
	}
	if err == nil && hint != "" && len(sub.signals) > 0 {
		sub.signals[0].Hints = append(sub.signals[0].Hints, oncall.Hint{Field: "Signature", Text: hint})
	}
	if err == nil {
		return nil
	}
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	if e.invalid != nil && !tooCostly(err) {
		return e.invalid(err)
	}
	sub.format = ""
	sub.signals = []oncall.Signal{intake.UnreadableSignal(sub.payload.Body, unparsed(err, received.body, r.Header.Get("Content-Type")))}
	return nil
}

// hints names the fields that were not understood, and the ends and acknowledgements that match no firing alert. The
// number of hints is limited, and finding them never delays a signal for long.
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
	if len(keys) == 0 || s.System.Suspended() {
		return hints
	}
	ctx, cancel := context.WithTimeout(ctx, hintTimeout)
	defer cancel()
	firing, err := s.System.Firing(ctx, in.ID, keys)
	if err != nil {
		return hints // a failure here doesn't matter, because storing the signals comes next
	}
	for _, key := range keys {
		if !firing[key] {
			hints = append(hints, fmt.Sprintf("Nothing fires under dedup_key %q, so this ends or acknowledges nothing. "+
				"Without a dedup_key, it is made from the title.", key))
		}
	}
	return hints
}

// authenticate finds the integration by a key.
func (s *server) authenticate(w http.ResponseWriter, r *http.Request, key string) (oncall.Integration, *problem) {
	var none oncall.Integration
	if key == "" {
		return none, s.strike(w, r, "The request has no key; send it to /v1/signals/KEY, or with the header Authorization: Bearer KEY.")
	}
	if len(key) > maxKey {
		return none, s.strike(w, r, unknownKey)
	}
	ctx, cancel := context.WithTimeout(r.Context(), lookupTimeout)
	defer cancel()
	integration, err := s.Receiver.IntegrationByKey(ctx, key, s.Clock())
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

// strike counts a request without a valid key, and returns the problem to answer with.
func (s *server) strike(w http.ResponseWriter, r *http.Request, detail string) *problem {
	wait, out := s.strikes.add(r.RemoteAddr, s.Clock())
	return refuseKey(w, wait, out, detail)
}

// refuseKey returns the problem for a request without a valid key. If its peer has sent too many of
// them, out is true.
func refuseKey(w http.ResponseWriter, wait time.Duration, out bool, detail string) *problem {
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

// unparsed describes what is wrong with a payload. A Content-Type of JSON is not trusted. Any other
// only helps to describe a body that isn't JSON.
func unparsed(err error, body []byte, contentType string) string {
	kind, _, _ := mime.ParseMediaType(contentType)
	foreign := kind != "" && kind != "text/plain" && !strings.Contains(kind, "json")
	if start := strings.TrimLeft(string(body[:min(len(body), 64)]), "\ufeff \t\r\n"); foreign && start != "" && start[0] != '{' && start[0] != '[' {
		return fmt.Sprintf("The body is %s; send JSON.", kind)
	}
	return err.Error()
}
