package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	pushoverURL    = "https://api.pushover.net"
	pushoverRepeat = 60 * time.Second    // between two alarms of an emergency
	pushoverLong   = 50 * pushoverRepeat // Pushover repeats an alarm 50 times at most
	pushoverShort  = 2 * pushoverRepeat
	pushoverPolls  = 5 * time.Second // Pushover doesn't want to be asked more often
	pushoverTitle  = 250             // characters
	pushoverText   = 1024
)

// PushoverConfig is the Pushover application that pushes.
type PushoverConfig struct {
	Token string
	URL   string // an address to use instead of Pushover's; empty: Pushover's
	Clock func() time.Time
}

var pushoverToken = regexp.MustCompile(`^[A-Za-z0-9]{30}$`)

// Problems says what is wrong with the settings, by their names and without secrets.
func (c PushoverConfig) Problems() []string {
	out := apiProblems("WATCHBILL_PUSHOVER_API_URL", c.URL)
	if c.Token != "" && !pushoverToken.MatchString(c.Token) {
		out = append(out, "WATCHBILL_PUSHOVER_TOKEN is not an API token of 30 letters and digits; it stands on your application's page at pushover.net")
	}
	return out
}

// Pushover pushes through pushover.net. Messages that may wake somebody are emergencies there: the
// alarm repeats on the phone until it is acknowledged, and the receipt tells us that.
type Pushover struct {
	config PushoverConfig
	web    *httpClient

	mu    sync.Mutex
	asked map[string]pushoverAsked // by receipt
}

type pushoverAsked struct {
	at   time.Time
	last Track
}

// NewPushover returns a sender that uses one application.
func NewPushover(c PushoverConfig) *Pushover {
	c.URL = strings.TrimRight(cmp.Or(c.URL, pushoverURL), "/")
	return &Pushover{config: c, web: newHTTPClient("Pushover", c.Token), asked: map[string]pushoverAsked{}}
}

// pushoverResponse is the answer of all API methods.
type pushoverResponse struct {
	Status       int      `json:"status"`
	Request      string   `json:"request"`
	Receipt      string   `json:"receipt"`
	Token        string   `json:"token"` // "invalid"
	User         string   `json:"user"`
	Errors       []string `json:"errors"`
	Acknowledged int      `json:"acknowledged"`
	Delivered    int64    `json:"last_delivered_at"`
	Expired      int      `json:"expired"`
	Limit        int      `json:"limit"`
	Remaining    int      `json:"remaining"`
}

// Send pushes the message once.
func (p *Pushover) Send(ctx context.Context, message Message) Receipt {
	form := url.Values{
		"token": {p.config.Token}, "user": {message.To},
		"title":   {oneLine(message.headline(), pushoverTitle)},
		"message": {cut(cmp.Or(message.note(), message.headline()), pushoverText)},
	}
	if !message.Opened.IsZero() {
		form.Set("timestamp", strconv.FormatInt(message.Opened.Unix(), 10))
	}
	if message.Link != "" {
		form.Set("url", message.Link)
		form.Set("url_title", message.offers())
	}
	switch {
	case message.urgent() || message.Purpose == ForCheck:
		left := pushoverLong
		if !message.Expires.IsZero() {
			left = min(max(message.Expires.Sub(p.config.Clock()), pushoverShort), pushoverLong)
		}
		form.Set("priority", "2")
		form.Set("retry", strconv.Itoa(int(pushoverRepeat.Seconds())))
		form.Set("expire", strconv.Itoa(int(left.Seconds())))
	case message.Severity == "medium":
		form.Set("priority", "1")
	}
	a, failed := p.web.post(ctx, p.config.URL+"/1/messages.json", "application/x-www-form-urlencoded", []byte(form.Encode()), nil)
	if failed != nil {
		return *failed
	}
	a.secrets = append(a.secrets, message.secrets()...)
	var response pushoverResponse
	err := json.Unmarshal(a.body, &response)
	switch {
	case a.status == http.StatusOK && err == nil && response.Status == 1:
		return Receipt{Outcome: Accepted, Reference: oneLine(response.Receipt, maxTitle)}
	case a.status == http.StatusOK:
		return Receipt{Outcome: Unknown, Err: fmt.Errorf("Pushover answered 200 without saying that it was sent: %s", a.quote())}
	}
	return p.refused(a, response)
}

// refused returns the receipt for an answer that doesn't accept the message.
func (p *Pushover) refused(a httpResponse, response pushoverResponse) Receipt {
	r := p.web.refusedReceipt(a, strings.Join(response.Errors, "; "))
	switch {
	case response.Token != "":
		r.Outcome = Misconfigured
	case response.User != "":
		r.Outcome, r.Dead = Rejected, true
	case a.status == http.StatusTooManyRequests && a.header.Get("X-Limit-App-Remaining") == "0":
		r.Outcome = Misconfigured // this month's messages are used up
	}
	return r
}

// Track asks for the state of an emergency. Other messages have no receipt at Pushover, so their state is unknown.
func (p *Pushover) Track(ctx context.Context, reference string) (Track, error) {
	if reference == "" {
		return Track{State: Sent, Final: true}, nil
	}
	if last, early := p.cachedTrack(reference); early {
		return last, nil
	}
	a, err := p.web.get(ctx, p.config.URL+"/1/receipts/"+url.PathEscape(reference)+".json?token="+url.QueryEscape(p.config.Token), nil)
	if err != nil {
		return Track{}, fmt.Errorf("ask for a receipt: %w", err)
	}
	var response pushoverResponse
	if err := json.Unmarshal(a.body, &response); a.status != http.StatusOK || err != nil || response.Status != 1 {
		if a.status == http.StatusNotFound { // Pushover forgets receipts after a week
			return Track{State: Sent, Final: true}, nil
		}
		return Track{}, fmt.Errorf("ask for a receipt: %w", p.refused(a, response).Err)
	}
	t := Track{State: Pending}
	if response.Delivered > 0 {
		t.State = Delivered
	}
	switch {
	case response.Acknowledged == 1:
		t = Track{State: Answered, Final: true, Answer: Ack}
	case response.Expired == 1:
		t.State, t.Final = Unanswered, true
		t.Err = fmt.Errorf("nobody has acknowledged it on the phone")
	}
	p.remember(reference, t)
	return t, nil
}

// cachedTrack returns the last answer if it is too early to ask Pushover again.
func (p *Pushover) cachedTrack(reference string) (Track, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	last, known := p.asked[reference]
	age := p.config.Clock().Sub(last.at)
	return last.last, known && age >= 0 && age < pushoverPolls
}

func (p *Pushover) remember(reference string, t Track) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.config.Clock()
	for old, asked := range p.asked {
		if now.Sub(asked.at) >= pushoverPolls {
			delete(p.asked, old)
		}
	}
	p.asked[reference] = pushoverAsked{at: now, last: t}
}

// Cancel stops the alarm on the phone.
func (p *Pushover) Cancel(ctx context.Context, reference string) error {
	if reference == "" {
		return nil
	}
	form := url.Values{"token": {p.config.Token}}
	a, failed := p.web.post(ctx, p.config.URL+"/1/receipts/"+url.PathEscape(reference)+"/cancel.json",
		"application/x-www-form-urlencoded", []byte(form.Encode()), nil)
	if failed != nil {
		return fmt.Errorf("end an alarm: %w", failed.Err)
	}
	var response pushoverResponse
	if err := json.Unmarshal(a.body, &response); a.status != http.StatusOK || err != nil || response.Status != 1 {
		return fmt.Errorf("end an alarm: %w", p.refused(a, response).Err)
	}
	return nil
}

// Check asks how many messages the application may still send, which also checks its token.
func (p *Pushover) Check(ctx context.Context) []CheckResult {
	const setting = "WATCHBILL_PUSHOVER_API_URL if it is set"
	a, err := p.web.get(ctx, p.config.URL+"/1/apps/limits.json?token="+url.QueryEscape(p.config.Token), nil)
	if err != nil {
		return []CheckResult{p.web.unreachableResult(err, p.config.URL, setting)}
	}
	var response pushoverResponse
	err = json.Unmarshal(a.body, &response)
	usedUp := a.status == http.StatusTooManyRequests && a.header.Get("X-Limit-App-Remaining") == "0"
	switch {
	case err == nil && a.status == http.StatusOK && response.Status == 1 && response.Limit > 0 && response.Remaining <= 0 || usedUp:
		return []CheckResult{{
			Text:   "the month's messages are used up",
			Remedy: "Buy more on your application's page at pushover.net, or wait for the first of the month.",
		}}
	case err == nil && a.status == http.StatusOK && response.Status == 1:
		return []CheckResult{{OK: true, Text: fmt.Sprintf("the token is good, with %d of %d messages left this month", response.Remaining, response.Limit)}}
	case err == nil && a.status >= http.StatusBadRequest && a.status < http.StatusInternalServerError && a.status != http.StatusTooManyRequests:
		return []CheckResult{{
			Text:   p.refused(a, response).Err.Error(),
			Remedy: "Copy the API token from your application's page at pushover.net to WATCHBILL_PUSHOVER_TOKEN; your user key is another thing.",
		}}
	}
	return []CheckResult{p.web.unexpectedResult(a, strings.Join(response.Errors, "; "), setting)}
}
