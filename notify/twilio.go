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
	"strconv"
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
}

// NewTwilio returns the account.
func NewTwilio(c TwilioConfig) *Twilio {
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.MaxIdleConnsPerHost = 8
	if c.Key == "" {
		c.Key, c.Secret = c.Account, c.Token
	}
	return &Twilio{TwilioConfig: c, api: webAddress(c.API), base: base}
}

const (
	// twilioPatience limits one request. After a timeout the fate is unknown: Twilio may have
	// accepted the message.
	twilioPatience = 8 * time.Second
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
func (x *exchange) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(x.ctx)
	if x.t.api != nil {
		req.URL.Scheme, req.URL.Host = x.t.api.Scheme, x.t.api.Host
		req.URL.Path = strings.TrimSuffix(x.t.api.Path, "/") + req.URL.Path
		req.Host = ""
	}
	x.sent = true
	resp, err := x.t.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	closed := resp.Body.Close()
	if err = errors.Join(err, closed); err != nil {
		return nil, fmt.Errorf("read Twilio's answer: %w", err)
	}
	x.status, x.requestID = resp.StatusCode, resp.Header.Get("Twilio-Request-Id")
	x.retryAfter = askedWait(resp.Header)
	switch {
	case x.status >= 300 && x.status < 400: // the client would take it for success
		return nil, fmt.Errorf("we are sent elsewhere (%s, %q), which is not followed", resp.Status, resp.Header.Get("Location"))
	case x.status >= 400:
		x.body = body
	}
	resp.Body = io.NopCloser(strings.NewReader(string(body)))
	return resp, nil
}

// begin prepares one request; done releases it.
func (t *Twilio) begin(ctx context.Context) (x *exchange, handler *client.RequestHandler, done func()) {
	ctx, done = context.WithTimeout(ctx, twilioPatience)
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
func (x *exchange) explain(err error) error {
	known := x.t.secrets()
	rest, said := errors.AsType[*client.TwilioRestError](err)
	switch {
	case said && rest.Code != 0:
		more := cmp.Or(known.line(rest.MoreInfo), "https://www.twilio.com/docs/errors/"+strconv.Itoa(rest.Code))
		return worded{fmt.Sprintf("error %d: %s (%s)", rest.Code, known.line(rest.Message), more), err}
	case x.status >= 400:
		return worded{fmt.Sprintf("status %d: %s", x.status, known.quote(x.body)), err}
	case errors.Is(err, context.DeadlineExceeded):
		return worded{"Twilio has not answered in time", err}
	}
	return known.clean(bare(err))
}

// secrets are the secrets that an answer may repeat.
func (t *Twilio) secrets() secrets { return append(credentials(t.api), t.Secret) }

// code is Twilio's code for an error, or 0 if it has none.
func code(err error) int {
	if rest, ok := errors.AsType[*client.TwilioRestError](err); ok {
		return rest.Code
	}
	return 0
}

// A fault is what one of Twilio's codes means to us.
type fault struct {
	outcome Outcome
	dead    bool
	mend    string // what an admin has to do; only this recipient is concerned, or those like it
}

// What an admin has to do about countries.
const (
	allowSMS   = "allow the country in Twilio's Console under Messaging, Geo permissions (error 21408)"
	allowCalls = "allow the country in Twilio's Console under Voice, Geo permissions (error 21215)"
)

// faults are the codes for which the HTTP status doesn't say enough.
var faults = map[int]fault{
	20429: {outcome: Throttled},

	21211: {outcome: Rejected, dead: true}, // not a number
	21217: {outcome: Rejected, dead: true},
	21214: {outcome: Rejected, dead: true}, // can't be reached
	21610: {outcome: Rejected, dead: true}, // answered STOP
	21614: {outcome: Rejected, dead: true}, // not a mobile phone
	21635: {outcome: Rejected, dead: true}, // a landline
	21408: {outcome: Rejected, mend: allowSMS},
	21215: {outcome: Rejected, mend: allowCalls},
	13227: {outcome: Rejected, mend: allowCalls},
	21612: {outcome: Rejected},             // no route from our number
	13223: {outcome: Rejected, dead: true}, // not a number, for calls
	13224: {outcome: Rejected},

	10002:  {outcome: Misconfigured}, // trial accounts, and those without an approved profile
	10004:  {outcome: Throttled},     // too many calls at once
	21219:  {outcome: Misconfigured},
	21607:  {outcome: Misconfigured},
	572002: {outcome: Misconfigured},
	572005: {outcome: Misconfigured},
	573002: {outcome: Misconfigured},
	573005: {outcome: Misconfigured},

	20003: {outcome: Misconfigured}, // wrong credentials
	20005: {outcome: Misconfigured},
	20404: {outcome: Misconfigured}, // the flow or the account is gone
	21210: {outcome: Misconfigured}, // our number isn't ours
	21212: {outcome: Misconfigured},
	21222: {outcome: Misconfigured}, // invalid characters in the credentials, found before anything is sent
	21224: {outcome: Misconfigured},
	21603: {outcome: Misconfigured},
	21606: {outcome: Misconfigured},
	21608: {outcome: Misconfigured}, // a trial account
	21609: {outcome: Misconfigured}, // our public address isn't
	21659: {outcome: Misconfigured},
	21701: {outcome: Misconfigured},
	21703: {outcome: Misconfigured},
	30002: {outcome: Misconfigured}, // suspended
	30034: {outcome: Misconfigured}, // not registered for A2P
}

// receipt is the receipt for a request to send, given the SID of what Twilio accepted.
func (x *exchange) receipt(m Message, sid *string, err error) Receipt {
	if err == nil {
		if sid == nil || *sid == "" {
			return Receipt{Outcome: Unknown, Err: errors.New("it was taken without a SID")}
		}
		return Receipt{Outcome: Accepted, Reference: oneLine(*sid, longestTitle)}
	}
	r := Receipt{Outcome: Unknown, Err: err}
	f, known := faults[code(err)]
	switch {
	case known && (x.status >= 400 || !x.sent):
		r.Outcome, r.Dead, r.Mend = f.outcome, f.dead, f.mend
	case x.status == http.StatusTooManyRequests:
		r.Outcome = Throttled
	case x.status == http.StatusUnauthorized || x.status == http.StatusForbidden || x.status == http.StatusNotFound:
		r.Outcome = Misconfigured
	case x.status >= 400 && x.status < 500 && code(err) != 0:
		r.Outcome = Rejected
	}
	if r.Outcome == Throttled {
		r.RetryAfter = max(x.retryAfter, backoff(m.Attempt))
	}
	return r
}

// backoff is 1, 2, 4 … seconds, with some jitter.
func backoff(attempt int) time.Duration {
	wait := min(time.Second<<min(max(attempt-1, 0), 5), 16*time.Second)
	return wait + rand.N(wait/4)
}

// losses say why messages are lost that Twilio has accepted, and what an admin has to do about that.
var losses = map[int]struct{ why, mend string }{
	30002: {"the account is suspended", "look at the account in Twilio's Console: it is suspended"},
	30003: {"the phone is switched off or out of reach", ""},
	30004: {"it is blocked by the phone or its carrier", ""},
	30005: {"the number does not exist", ""},
	30006: {"it is a land line", ""},
	30007: {"the carrier filtered it", ""},
	30008: {"the carrier lost it", ""},
	30023: {"the carrier's daily limit is reached", "raise the daily limit of the A2P 10DLC brand"},
	30024: {"our number is not provisioned with the carrier", "finish the registration of the sending number in Twilio's Console"},
	30032: {"our toll-free number is not verified", "have the toll-free number verified in Twilio's Console"},
	30033: {"our campaign is suspended", "look at the A2P 10DLC campaign in Twilio's Console: it is suspended"},
	30034: {"our number is not registered for messages to the US (A2P 10DLC)", "register the sending number for A2P 10DLC in Twilio's Console"},
	30035: {"our number's registration is not finished", "finish the A2P 10DLC registration in Twilio's Console"},
	30410: {"the carrier has an outage", ""},
	30450: {"Twilio's fraud guard blocked it", "allow the country in Twilio's Console under Messaging, SMS pumping protection"},
	63038: {"the account's daily limit of messages is reached", "raise the account's daily limit of messages: ask Twilio"},
	21610: {"the number has answered STOP", ""},
}

// filteredOften is how many messages in a row carriers filter before it is an admin's matter.
const filteredOften = 3

// lost says what a code means that comes after Twilio accepted a message.
func (t *Twilio) lost(number *int, text *string) Track {
	if number == nil || *number == 0 {
		return Track{State: Failed, Final: true, Err: errors.New("it could not be delivered")}
	}
	known := losses[*number]
	why := known.why
	if why == "" && text != nil {
		why = t.secrets().line(*text)
	}
	if why == "" {
		why = "not delivered (https://www.twilio.com/docs/errors/" + strconv.Itoa(*number) + ")"
	}
	mend := cmp.Or(known.mend, faults[*number].mend)
	if *number == 30007 && t.filtered.Add(1) >= filteredOften {
		mend = "carriers filter one message after the other: look at the number's registration, and change what it sends"
	}
	if known.mend != "" {
		mend += " (error " + strconv.Itoa(*number) + ")"
	}
	return Track{
		State: Failed, Final: true, Err: fmt.Errorf("error %d: %s", *number, why), Mend: mend,
		Dead: *number == 30005 || *number == 30006 || *number == 21610 || faults[*number].dead,
	}
}

// gone is the track of a message that Twilio doesn't know, or no longer knows: it has failed, so that
// the person is reached by another method.
func (x *exchange) gone(err error) (Track, error) {
	if x.status == http.StatusNotFound {
		return Track{State: Failed, Final: true, Err: err}, nil
	}
	return Track{}, err
}

// value dereferences a pointer from Twilio's client; nil becomes the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// twilioTime reads the times of Twilio's main API, such as "Thu, 24 Aug 2023 05:01:45 +0000".
func twilioTime(p *string) time.Time {
	at, err := time.Parse(time.RFC1123Z, value(p))
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// nextPage returns the token and number in the address of the next page; empty at the end.
func nextPage(address *string) (token, number string) {
	u, err := url.Parse(value(address))
	if err != nil || value(address) == "" {
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
