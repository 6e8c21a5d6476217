package notify

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	ntfyLag    = time.Second      // until a published message is listed
	ntfyStream = 50 * time.Second // for waiting for answers once
	ntfyLinger = 100 * time.Millisecond
	// ntfyText is how many bytes a message may have. A server turns a message of more than 4 KiB into a file, or
	// refuses it. It accepts no JSON of more than 8 KiB, in which a quotation mark takes two bytes.
	ntfyText = 2_800
)

// NtfyConfig is the ntfy server that pushes.
type NtfyConfig struct {
	URL        string       // of the server
	Token      string       // may publish to people's topics and read the reply topic
	ReplyTopic string       // where buttons send answers; empty: no buttons
	Rules      AddressRules // for other servers, which people name
}

// Problems says what is wrong with the settings, by their names and without secrets.
func (c NtfyConfig) Problems() []string {
	var out []string
	switch u := parseServiceURL(c.URL); {
	case c.URL == "" && (c.Token != "" || c.ReplyTopic != ""):
		out = append(out, "WATCHBILL_NTFY_URL is not set, but other settings of ntfy are; it is the server, such as https://ntfy.sh")
	case c.URL != "" && (u == nil || u.User != nil || u.RawQuery != ""):
		out = append(out, "WATCHBILL_NTFY_URL is not an address such as https://ntfy.sh")
	}
	if c.Token != "" && !strings.HasPrefix(c.Token, "tk_") {
		out = append(out, "WATCHBILL_NTFY_TOKEN does not begin with tk_; `ntfy token add USER` makes one")
	}
	return out
}

// Ntfy pushes through an ntfy server, ntfy.sh or one's own. A contact's address is a topic on that
// server, or the full URL of one on another server. Answers come back through the reply topic, so
// that nobody needs to reach us.
type Ntfy struct {
	config NtfyConfig
	web    *httpClient // for our own server
	others *httpClient
}

// NewNtfy returns a sender that uses one server.
func NewNtfy(c NtfyConfig) *Ntfy {
	c.URL = strings.TrimRight(c.URL, "/")
	return &Ntfy{config: c, web: newHTTPClient("ntfy", c.Token), others: newUntrustedClient("that ntfy server", c.Rules)}
}

type ntfyMessage struct {
	Topic    string       `json:"topic"`
	Title    string       `json:"title"`
	Message  string       `json:"message"`
	Priority int          `json:"priority"`
	Tags     []string     `json:"tags"`
	Click    string       `json:"click,omitempty"`
	Actions  []ntfyAction `json:"actions,omitempty"`
}

type ntfyAction struct {
	Action string `json:"action"`
	Label  string `json:"label"`
	URL    string `json:"url"`
	Method string `json:"method"`
	Body   string `json:"body"`
	Clear  bool   `json:"clear"`
}

// ntfyEvent is one line of a topic.
type ntfyEvent struct {
	ID      string   `json:"id"`
	Event   string   `json:"event"`
	Message string   `json:"message"`
	Tags    []string `json:"tags"`
}

// A ntfyTopic is the destination of a message, and how to reach it.
type ntfyTopic struct {
	web          *httpClient
	server, name string
	header       http.Header // authenticates us: only our own server gets the token
}

// topic reads an address.
func (n *Ntfy) topic(address string) (ntfyTopic, error) {
	topic := ntfyTopic{web: n.web, server: n.config.URL, name: address, header: n.header()}
	if strings.Contains(address, "://") {
		u := parseServiceURL(address)
		if u == nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(address, "#") {
			return topic, fmt.Errorf("the topic's address is not an http or https URL that ends with the topic")
		}
		address = strings.TrimRight(address, "/")
		at := strings.LastIndex(address, "/")
		topic.server, topic.name = address[:at], address[at+1:]
		if topic.server != n.config.URL {
			topic.web, topic.header = n.others, nil
		}
	}
	if topic.name == "" || strings.ContainsAny(topic.name, "/,?#%") {
		return topic, fmt.Errorf("what ends the topic's address is not a topic")
	}
	return topic, nil
}

func (n *Ntfy) header() http.Header {
	if n.config.Token == "" {
		return nil
	}
	return http.Header{"Authorization": {"Bearer " + n.config.Token}}
}

// Send publishes the message once.
func (n *Ntfy) Send(ctx context.Context, message Message) Receipt {
	topic, err := n.topic(message.To)
	if err != nil {
		return Receipt{Outcome: Rejected, Dead: true, Err: err}
	}
	response, failed := topic.web.postJSON(ctx, topic.server, ntfyMessage{
		Topic: topic.name, Title: message.headline(), Message: cutBytes(cmp.Or(message.note(), message.headline()), ntfyText), Priority: message.ntfyPriority(),
		Tags: []string{ntfyTag(message.Key)}, Click: message.Link, Actions: n.actions(message),
	}, topic.header)
	if failed != nil {
		return *failed
	}
	response.secrets = append(response.secrets, message.secrets()...)
	if response.status == http.StatusOK {
		var e ntfyEvent
		if err := json.Unmarshal(response.body, &e); err != nil || e.ID == "" {
			return Receipt{Outcome: Unknown, Err: fmt.Errorf("ntfy answered 200 without an id: %s", response.quote())}
		}
		return Receipt{Outcome: Accepted, Reference: oneLine(e.ID, maxTitle)}
	}
	receipt, ours := topic.web.refusedReceipt(response, ntfyReason(response)), topic.web == n.web
	code := ntfyRefusal(response).Code
	usedUp := code == ntfyMessages || code == ntfyBandwidth
	switch {
	case response.status == http.StatusNotFound && ours: // the server's URL is wrong: a topic exists even if unused
		receipt.Outcome = Misconfigured
	case usedUp && ours:
		receipt.Outcome, receipt.RetryAfter = Misconfigured, untilMidnight(response.header)
		receipt.Err = fmt.Errorf("%w: what ntfy allows in a day is used up until midnight (UTC); give the token's user a tier, or use a server of your own", receipt.Err)
	case usedUp:
		receipt.Outcome, receipt.RetryAfter = Rejected, 0
	}
	return receipt
}

// Server names the host of a topic on another server than ours.
func (n *Ntfy) Server(to string) string {
	if t, err := n.topic(to); err == nil && t.web == n.others {
		return hostOf(to)
	}
	return ""
}

// ntfy's error codes for daily limits. Other limits end within seconds.
const (
	ntfyBandwidth = 42905
	ntfyMessages  = 42908
)

// untilMidnight returns the time until midnight UTC by the service's clock; 0 if unknown.
func untilMidnight(h http.Header) time.Duration {
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return now.Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(now)
}

// ntfyRefusal parses an error response. The result is empty if it isn't ntfy's JSON.
func ntfyRefusal(a httpResponse) (response struct {
	Code  int    `json:"code"`
	Error string `json:"error"`
},
) {
	_ = json.Unmarshal(a.body, &response)
	return response
}

// ntfyReason returns the reason in an answer of ntfy.
func ntfyReason(a httpResponse) string { return ntfyRefusal(a).Error }

// ntfyPriority is 5 for messages that may override silence.
func (m Message) ntfyPriority() int {
	switch {
	case m.urgent():
		return 5
	case m.Severity == "medium":
		return 4
	}
	return 3
}

// ntfyTag marks a message so that Find recognises it. It is short because it is shown below the
// message.
func ntfyTag(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "wb-" + hex.EncodeToString(sum[:6])
}

// actions returns the buttons, with which the phone posts a signed answer to the reply topic.
func (n *Ntfy) actions(m Message) []ntfyAction {
	if n.config.ReplyTopic == "" || m.Token == "" {
		return nil
	}
	var out []ntfyAction
	for _, b := range m.buttons() {
		out = append(out, ntfyAction{
			Action: "http", Label: b.label, Method: http.MethodPost, Clear: true,
			URL: n.config.URL + "/" + n.config.ReplyTopic, Body: ntfyReply(b.does, m.Token),
		})
	}
	return out
}

// ntfyReply returns what a button posts to the reply topic.
func ntfyReply(does ButtonAct, token string) string { return string(does) + " " + token }

// readNtfyReply reads what a button has posted. Anybody may write to the topic, so anything else is
// ignored.
func readNtfyReply(text string) (does ButtonAct, token string, ok bool) {
	words := strings.Fields(text)
	if len(words) != 2 || !ButtonAct(words[0]).known() {
		return "", "", false
	}
	return ButtonAct(words[0]), words[1], true
}

// Lag is short, because a published message is in the server's cache before the server answers.
func (n *Ntfy) Lag() time.Duration { return ntfyLag }

// Find looks for the message among those that the server still has.
func (n *Ntfy) Find(ctx context.Context, message Message, since time.Time) (Receipt, bool, error) {
	topic, err := n.topic(message.To)
	if err != nil {
		return foundReceipt("", err)
	}
	// A second earlier, because ntfy counts whole seconds.
	a, err := topic.web.get(ctx, fmt.Sprintf("%s/%s/json?poll=1&since=%d", topic.server, topic.name, since.Unix()-1), topic.header)
	if err != nil {
		return foundReceipt("", fmt.Errorf("look for a message on ntfy: %w", err))
	}
	if a.status != http.StatusOK {
		return foundReceipt("", fmt.Errorf("look for a message: %w", topic.web.refusedReceipt(a, "").Err))
	}
	for line := range bytes.Lines(a.body) {
		var e ntfyEvent
		if json.Unmarshal(line, &e) == nil && slices.Contains(e.Tags, ntfyTag(message.Key)) {
			return foundReceipt(oneLine(e.ID, maxTitle), nil)
		}
	}
	return foundReceipt("", nil)
}

const ntfyAddress = "WATCHBILL_NTFY_URL" // the setting, for people

// Check checks that the server can be reached, accepts the token and lets us read the answers.
func (n *Ntfy) Check(ctx context.Context) []CheckResult {
	look := n.checkServer
	if n.config.Token != "" {
		look = n.checkToken
	}
	found := []CheckResult{look(ctx)}
	if n.config.ReplyTopic != "" && (found[0].OK || found[0].Note) {
		found = append(found, n.checkReplies(ctx))
	}
	return found
}

func (n *Ntfy) checkServer(ctx context.Context) CheckResult {
	a, err := n.web.get(ctx, n.config.URL+"/v1/health", nil)
	if err != nil {
		return n.web.unreachableResult(err, n.config.URL, ntfyAddress)
	}
	var response struct{ Healthy bool }
	if json.Unmarshal(a.body, &response) != nil || a.status != http.StatusOK || !response.Healthy {
		return n.web.unexpectedResult(a, ntfyReason(a), ntfyAddress)
	}
	return CheckResult{OK: true, Text: "the server is there; no token is set"}
}

// checkToken asks whose token it is. A server without users, or behind a proxy that doesn't pass
// the token on, answers that we are anonymous.
func (n *Ntfy) checkToken(ctx context.Context) CheckResult {
	a, err := n.web.get(ctx, n.config.URL+"/v1/account", n.header())
	if err != nil {
		return n.web.unreachableResult(err, n.config.URL, ntfyAddress)
	}
	var response struct{ Username, Role string }
	err = json.Unmarshal(a.body, &response)
	switch {
	case a.status == http.StatusUnauthorized:
		return CheckResult{
			Text:   n.web.refusedReceipt(a, ntfyReason(a)).Err.Error() + ": it doesn't know the token",
			Remedy: "Make a token on the server with `ntfy token add watchbill`, and set WATCHBILL_NTFY_TOKEN to it.",
		}
	case err != nil || a.status != http.StatusOK || response.Role == "":
		return n.web.unexpectedResult(a, ntfyReason(a), ntfyAddress)
	case response.Role == "anonymous":
		return CheckResult{
			Note: true, Text: "the server is there and takes no notice of the token: it has no users, or a proxy keeps the token to itself",
			Remedy: "Set auth-file in the server's server.yml, so that not everybody reads the pages; let a proxy pass Authorization on.",
		}
	}
	return CheckResult{OK: true, Text: "the server takes the token of the user " + oneLine(response.Username, maxName)}
}

func (n *Ntfy) checkReplies(ctx context.Context) CheckResult {
	response, err := n.web.get(ctx, n.config.URL+"/"+n.config.ReplyTopic+"/json?poll=1&since=1s", n.header())
	switch {
	case err != nil:
		return n.web.unreachableResult(err, n.config.URL, ntfyAddress)
	case response.status == http.StatusUnauthorized || response.status == http.StatusForbidden:
		f := CheckResult{
			Text:   "we may not read the reply topic: " + n.web.refusedReceipt(response, ntfyReason(response)).Err.Error(),
			Remedy: fmt.Sprintf("Allow it on the server, with the token's user: `ntfy access watchbill %s rw`.", n.config.ReplyTopic),
		}
		if n.config.Token == "" {
			f.Remedy = "Set WATCHBILL_NTFY_TOKEN to the token of a user who may (`ntfy token add watchbill` on the server)."
		}
		return f
	case response.status != http.StatusOK:
		return n.web.unexpectedResult(response, ntfyReason(response), ntfyAddress)
	}
	return CheckResult{OK: true, Text: "answers can be read"}
}

// Listen waits for answers in the reply topic. The cursor is the id of the last one.
func (n *Ntfy) Listen(ctx context.Context, cursor string) ([]Answer, string, error) {
	ctx, cancel := context.WithTimeout(ctx, ntfyStream)
	defer cancel()
	if n.config.ReplyTopic == "" { // there are no answers
		<-ctx.Done()
		return nil, cursor, nil
	}
	address := n.config.URL + "/" + n.config.ReplyTopic + "/json?since=" + url.QueryEscape(cmp.Or(cursor, "all"))
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, cursor, fmt.Errorf("ntfy: %w", withoutAddress(err))
	}
	r.Header = n.header()
	known := n.web.secretsIn(r)
	response, err := n.web.client.Do(r)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, cursor, nil
	case err != nil:
		return nil, cursor, fmt.Errorf("listen to ntfy: %w", known.clean(withoutAddress(err)))
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, cursor, fmt.Errorf("listen to ntfy: it answered %d to the reply topic", response.StatusCode)
	}
	return n.read(ctx, response, cursor, cancel)
}

// read reads lines until it has answers and no more come right away.
func (n *Ntfy) read(ctx context.Context, response *http.Response, cursor string, end func()) ([]Answer, string, error) {
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, webBody)
	var replies []Answer
	var linger *time.Timer
	for lines.Scan() {
		var e ntfyEvent
		if json.Unmarshal(lines.Bytes(), &e) != nil || e.Event != "message" || e.ID == "" {
			continue
		}
		cursor = e.ID
		does, token, ok := readNtfyReply(e.Message)
		if !ok {
			continue
		}
		replies = append(replies, Answer{ID: e.ID, Act: does, Token: token})
		if linger == nil {
			linger = time.NewTimer(ntfyLinger)
			defer linger.Stop()
			go func() {
				select {
				case <-linger.C:
					end()
				case <-ctx.Done():
				}
			}()
		}
	}
	if err := lines.Err(); err != nil && ctx.Err() == nil && len(replies) == 0 {
		return nil, cursor, fmt.Errorf("listen to ntfy: %w", withoutAddress(err))
	}
	return replies, cursor, nil
}
