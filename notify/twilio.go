package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"
	studio "github.com/twilio/twilio-go/rest/studio/v2"
)

// Twilio is one Twilio account, shared by SMS and calls. Twilio's own client has no context, loses
// an answer's status and leaves bodies open, so each of its requests goes through an exchange of
// ours.
type Twilio struct {
	TwilioConfig
	api  *url.URL // an address to use instead of Twilio's; nil: Twilio's
	base http.RoundTripper

	filtered atomic.Int32 // messages in a row that carriers have filtered
	numbers  serviceNumbers
}

// NewTwilio returns the account.
func NewTwilio(c TwilioConfig) *Twilio {
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.MaxIdleConnsPerHost = 8
	if c.Key == "" {
		c.Key, c.Secret = c.Account, c.Token
	}
	return &Twilio{TwilioConfig: c, api: parseServiceURL(c.API), base: base}
}

const (
	// twilioTimeout limits one request. After a timeout the outcome is unknown: Twilio may have
	// accepted the message.
	twilioTimeout = 8 * time.Second
	// twilioLag is how long a message may be missing from Twilio's lists.
	twilioLag = 10 * time.Second
	// twilioSkew is how far Twilio's clock may be behind ours. Its times are whole seconds.
	twilioSkew = 2 * time.Minute
	// maxAnswer limits the body of an answer; 50 messages take 60 kB.
	maxAnswer = 4 << 20
)

// An exchange is one request and what came back.
type exchange struct {
	ctx context.Context
	t   *Twilio

	sent       bool // the request was sent
	status     int  // 0: no answer, or an incomplete one
	retryAfter time.Duration
	requestID  string
	body       []byte // of an error
}

// RoundTrip sends the client's request with our context and reads the whole answer, so that
// connections are reused.
func (e *exchange) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(e.ctx)
	if e.t.api != nil {
		req.URL.Scheme, req.URL.Host = e.t.api.Scheme, e.t.api.Host
		req.URL.Path = strings.TrimSuffix(e.t.api.Path, "/") + req.URL.Path
		req.Host = ""
	}
	e.sent = true
	resp, err := e.t.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	closed := resp.Body.Close()
	if err = errors.Join(err, closed); err != nil {
		return nil, fmt.Errorf("read Twilio's answer: %w", err)
	}
	e.status, e.requestID = resp.StatusCode, resp.Header.Get("Twilio-Request-Id")
	e.retryAfter = retryAfter(resp.Header)
	switch {
	case e.status >= 300 && e.status < 400: // the client would take it for success
		return nil, fmt.Errorf("we are sent elsewhere (%s, %q), which is not followed", resp.Status, resp.Header.Get("Location"))
	case e.status >= 400:
		e.body = body
	}
	resp.Body = io.NopCloser(strings.NewReader(string(body)))
	return resp, nil
}

// begin prepares one request; done releases it.
func (t *Twilio) begin(ctx context.Context) (x *exchange, handler *client.RequestHandler, done func()) {
	ctx, done = context.WithTimeout(ctx, twilioTimeout)
	x = &exchange{ctx: ctx, t: t}
	c := &client.Client{Credentials: client.NewCredentials(t.Key, t.Secret), HTTPClient: &http.Client{Transport: x}}
	c.SetAccountSid(t.Account)
	// Not made by its constructor, which would read TWILIO_EDGE and TWILIO_REGION.
	return x, &client.RequestHandler{Client: c, Edge: t.Edge, Region: t.Region}, done
}

// ask makes one request and explains its error.
func ask[T any](ctx context.Context, t *Twilio, what string, f func(*client.RequestHandler) (T, error)) (T, *exchange, error) {
	x, handler, done := t.begin(ctx)
	defer done()
	out, err := f(handler)
	if err != nil {
		err = fmt.Errorf("%s: %w", what, x.explain(err))
	}
	return out, x, err
}

// askAPI makes one request to Twilio's main API.
func askAPI[T any](ctx context.Context, t *Twilio, what string, f func(*api.ApiService) (T, error)) (T, *exchange, error) {
	return ask(ctx, t, what, func(h *client.RequestHandler) (T, error) { return f(api.NewApiService(h)) })
}

// askStudio makes one request to Studio.
func askStudio[T any](ctx context.Context, t *Twilio, what string, f func(*studio.ApiService) (T, error)) (T, *exchange, error) {
	return ask(ctx, t, what, func(h *client.RequestHandler) (T, error) { return f(studio.NewApiService(h)) })
}

// explain puts an error into words for the log and for admins.
func (e *exchange) explain(err error) error {
	known := e.t.secrets()
	rest, isAPI := errors.AsType[*client.TwilioRestError](err)
	switch {
	case isAPI && rest.Code != 0:
		more := cmp.Or(known.line(rest.MoreInfo), docsURL(rest.Code))
		return rewordedError{fmt.Sprintf("error %d: %s (%s)", rest.Code, known.line(rest.Message), more), err}
	case e.status >= 400:
		return rewordedError{fmt.Sprintf("status %d: %s", e.status, known.quote(e.body)), err}
	case errors.Is(err, context.DeadlineExceeded):
		return rewordedError{"Twilio has not answered in time", err}
	}
	return known.clean(withoutAddress(err))
}

// secrets returns the secrets that an answer may repeat.
func (t *Twilio) secrets() secrets { return append(credentials(t.api), t.Secret) }

// code returns Twilio's code for an error, or 0 if it has none.
func code(err error) int {
	if rest, ok := errors.AsType[*client.TwilioRestError](err); ok {
		return rest.Code
	}
	return 0
}

// receipt returns the receipt for a request to send, given the SID of what Twilio accepted.
func (e *exchange) receipt(message Message, sid *string, err error) Receipt {
	if err == nil {
		if sid == nil || *sid == "" {
			return Receipt{Outcome: Unknown, Err: errors.New("it was taken without a SID")}
		}
		return Receipt{Outcome: Accepted, Reference: oneLine(*sid, maxTitle)}
	}
	receipt := Receipt{Outcome: Unknown, Err: err}
	f, known := faults[code(err)]
	switch {
	case known && (e.status >= 400 || !e.sent):
		receipt.Outcome, receipt.Dead = f.outcome, f.dead
		if f.outcome == Rejected {
			receipt.Remedy = remedyFor(code(err))
		}
	case e.status == http.StatusTooManyRequests:
		receipt.Outcome = Throttled
	case e.status == http.StatusUnauthorized || e.status == http.StatusForbidden || e.status == http.StatusNotFound:
		receipt.Outcome = Misconfigured
	case e.status >= 400 && e.status < 500 && code(err) != 0:
		receipt.Outcome = Rejected
	}
	if receipt.Outcome == Throttled {
		receipt.RetryAfter = max(e.retryAfter, backoff(message.Attempt))
	}
	return receipt
}

// backoff is 1, 2, 4 … seconds, with some jitter.
func backoff(attempt int) time.Duration {
	wait := min(time.Second<<min(max(attempt-1, 0), 5), 16*time.Second)
	return wait + rand.N(wait/4)
}

// goneTrack returns the track of a message that Twilio doesn't know, or no longer knows: it has failed, so that
// the person is reached by another method.
func (e *exchange) goneTrack(err error) (Track, error) {
	if e.status == http.StatusNotFound {
		return Track{State: Failed, Final: true, Err: err}, nil
	}
	return Track{}, err
}

// deref dereferences a pointer from Twilio's client; nil becomes the zero value.
func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// twilioTime reads the times of Twilio's main API, such as "Thu, 24 Aug 2023 05:01:45 +0000".
func twilioTime(p *string) time.Time {
	at, err := time.Parse(time.RFC1123Z, deref(p))
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// nextPage returns the token and number in the address of the next page; empty at the end.
func nextPage(address *string) (token, number string) {
	u, err := url.Parse(deref(address))
	if err != nil || deref(address) == "" {
		return "", ""
	}
	return u.Query().Get("PageToken"), u.Query().Get("Page")
}

// decode converts what Twilio's client decoded as any into a value.
func decode(from, to any) error {
	data, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, to)
}
