package slackcall

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/notify"
)

// one answers every call in the same way.
type one struct {
	status int
	header http.Header
	body   []byte
}

func (o one) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: o.status, Status: strconv.Itoa(o.status), Header: o.header.Clone(), Request: r,
		Body: io.NopCloser(bytes.NewReader(o.body)), ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// Whatever answers in place of Slack, each call has an outcome, doesn't wait for ever and reveals no token, and
// a posted message has an address.
func FuzzSlackAnswers(f *testing.F) {
	f.Add(200, "", `{"ok":true,"channel":"C0PAY","ts":"1772452800.000100","message":{"ts":"1772452800.000100"}}`)
	const token = "xoxb-0123456789-secret"
	f.Fuzz(func(t *testing.T, status int, retryAfter, body string) {
		c, err := New(Config{BotToken: token, AppToken: "xapp-secret", APIURL: "http://slack.example.com/api/"})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.http.Transport = one{100 + max(status, -status)%500, http.Header{"Retry-After": {retryAfter}, "Content-Type": {"application/json"}}, []byte(strings.ReplaceAll(body, "SECRET", token))}
		check := func(what string, err error) {
			if err == nil {
				return
			}
			outcomes := []notify.Outcome{notify.Throttled, notify.Rejected, notify.Misconfigured, notify.Unknown, Unsent, Gone, Frozen}
			r := Receipt(err)
			if !slices.Contains(outcomes, OutcomeOf(err)) || r.RetryAfter < 0 || r.RetryAfter > longest429 || strings.Contains(err.Error(), token) {
				t.Fatalf("%s: %v (%+v), want a known outcome, a wait of 0 to %s, and no token", what, err, r, longest429)
			}
		}
		at, err := c.Post(t.Context(), Message{Channel: "C0PAY", Delivery: "d"}, "text", nil)
		check("a post", err)
		if err == nil && at.TS == "" {
			t.Fatalf("a posted message is at %+v, want a timestamp", at)
		}
		check("an update", c.Update(t.Context(), MessageID{"C0PAY", "1772452800.000100"}, "text", nil, Edit{Priority: ForUpdate}))
		_, err = c.User(t.Context(), "U0ANN", ForAnswer)
		check("a person", err)
		_, err = c.Conversation(t.Context(), "U0ANN", ForAnswer)
		check("a conversation", err)
		_, err = c.Auth(t.Context())
		check("who we are", err)
		check("a form", c.OpenView(t.Context(), "trigger", slack.ModalViewRequest{}))
	})
}

// A machine between us and Slack may answer yes to everything.
func TestEmptySuccessIsNoAnswer(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"ok":true}`, `null`, `{}`} {
		c, err := New(Config{BotToken: "xoxb-sim", AppToken: "xapp-sim", APIURL: "http://slack.example.com/api/"})
		if err != nil {
			t.Fatal(err)
		}
		c.http.Transport = one{http.StatusOK, http.Header{}, []byte(body)}
		errs := map[string]error{}
		_, errs["a post"] = c.Post(t.Context(), Message{Channel: "C0PAY"}, "text", nil)
		_, errs["a conversation"] = c.Conversation(t.Context(), "U0ANN", ForAnswer)
		_, errs["a person"] = c.User(t.Context(), "U0ANN", ForAnswer)
		_, errs["a person by mail"] = c.UserByEmail(t.Context(), "ann@example.com")
		_, errs["who we are"] = c.Auth(t.Context())
		for what, err := range errs {
			if !errors.Is(err, errNoAnswer) || OutcomeOf(err) != notify.Unknown {
				t.Errorf("%s answered with %s: %v, want errNoAnswer with outcome %s", what, body, err, notify.Unknown)
			}
		}
	}
}

// A proxy may ask for any wait, even a negative one.
func TestRetryAfterIsBounded(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[int64]time.Duration{-5: unclear429, 0: time.Second, 30: 30 * time.Second, 1 << 32: longest429, 9_223_372_037: unclear429} {
		err := Classify(&slack.RateLimitedError{RetryAfter: time.Duration(seconds) * time.Second})
		if r := Receipt(err); r.Outcome != notify.Throttled || r.RetryAfter != want {
			t.Errorf("Retry-After of %d seconds: %+v, want throttled for %s", seconds, r, want)
		}
		q := newQueue()
		q.freeze(call{method: methodPost}, err.retryAfter)
		q.freeze(call{method: methodPost}, -time.Hour)
	}
}
