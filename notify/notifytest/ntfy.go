// Package notifytest simulates, for tests, what notify uses of the services it sends through.
package notifytest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Ntfy is the part of an ntfy server that we use: topics with a cache, streams, tokens.
type Ntfy struct {
	*httptest.Server
	clock func() time.Time
	Open  bool // without users: it ignores tokens

	mu     sync.Mutex
	topics map[string][]NtfyMessage
	fault  string // of the next publications: "cut" after accepting it, "hang", a status, or ntfy's code
	wake   chan struct{}
	onWait func()
}

// NtfyMessage is one line of a topic.
type NtfyMessage struct {
	ID       string   `json:"id"`
	Time     int64    `json:"time"`
	Event    string   `json:"event"`
	Topic    string   `json:"topic"`
	Title    string   `json:"title,omitempty"`
	Message  string   `json:"message,omitempty"`
	Priority int      `json:"priority,omitempty"`
	Tags     []string `json:"tags,omitempty"`
	Click    string   `json:"click,omitempty"`
	Actions  []struct {
		Action, Label, URL, Method, Body string
	} `json:"actions,omitempty"`
}

// maxText is the server's default for a message, in bytes.
const maxText = 4096

// NtfyToken is the only valid access token.
const NtfyToken = "tk_secret"

// NewNtfy starts a server; Close stops it.
func NewNtfy(clock func() time.Time) *Ntfy {
	n := &Ntfy{clock: clock, topics: map[string][]NtfyMessage{}, wake: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{$}", n.publish)
	mux.HandleFunc("POST /{topic}", n.reply)
	mux.HandleFunc("GET /{topic}/json", n.subscribe)
	mux.HandleFunc("GET /v1/health", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, `{"healthy":true}`) })
	mux.HandleFunc("GET /v1/account", n.account)
	n.Server = httptest.NewServer(n.known(mux))
	return n
}

// known refuses requests with an unknown token, whatever they are for.
func (n *Ntfy) known(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if auth := r.Header.Get("Authorization"); auth != "" && auth != "Bearer "+NtfyToken && !n.Open {
			n.refuse(w, http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// account says whose token it is; without a token it says that the client is anonymous.
func (n *Ntfy) account(w http.ResponseWriter, r *http.Request) {
	if n.Open || r.Header.Get("Authorization") == "" {
		fmt.Fprintln(w, `{"username":"*","role":"anonymous"}`)
		return
	}
	fmt.Fprintln(w, `{"username":"watchbill","role":"user"}`)
}

func (n *Ntfy) refuse(w http.ResponseWriter, status int) {
	n.refuseAs(w, 100*status+1, strings.ToLower(http.StatusText(status)))
}

// refuseAs refuses with a code of ntfy's, which begins with the status.
func (n *Ntfy) refuseAs(w http.ResponseWriter, code int, why string) {
	w.Header().Set("Date", n.clock().UTC().Format(http.TimeFormat))
	w.WriteHeader(code / 100)
	fmt.Fprintf(w, `{"code":%d,"http":%d,"error":"%s"}`, code, code/100, why)
}

func (n *Ntfy) publish(w http.ResponseWriter, r *http.Request) {
	var m NtfyMessage
	b, err := io.ReadAll(r.Body)
	if len(b) > 2*maxText {
		n.refuseAs(w, 41303, "JSON body too large")
		return
	}
	if err := cmp.Or(err, json.Unmarshal(b, &m)); err != nil || m.Topic == "" || len(m.Actions) > 3 {
		n.refuse(w, http.StatusBadRequest)
		return
	}
	if len(m.Message) > maxText { // it would be a file
		n.refuseAs(w, 41301, "attachment too large, or bandwidth limit reached")
		return
	}
	if r.Header.Get("Authorization") == "" || m.Topic == "of-somebody-else" {
		n.refuse(w, http.StatusForbidden)
		return
	}
	n.mu.Lock()
	fault := n.fault
	n.mu.Unlock()
	switch status, err := strconv.Atoi(fault); {
	case err == nil && status >= 1000:
		n.refuseAs(w, status, "limit reached: daily message quota reached")
	case err == nil:
		n.refuse(w, status)
	case fault == "hang":
		n.waits()
		<-r.Context().Done()
	default:
		m = n.Add(m)
		if fault == "cut" {
			panic(http.ErrAbortHandler)
		}
		_ = json.NewEncoder(w).Encode(m)
	}
}

// reply accepts a text without a token, because everybody may write to the reply topic.
func (n *Ntfy) reply(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	_ = json.NewEncoder(w).Encode(n.Add(NtfyMessage{Topic: r.PathValue("topic"), Message: string(b)}))
}

// Add adds a message to its topic.
func (n *Ntfy) Add(m NtfyMessage) NtfyMessage {
	n.mu.Lock()
	defer n.mu.Unlock()
	m.Event, m.Time = "message", n.clock().Unix()
	m.ID = fmt.Sprintf("id%06d", len(n.topics[m.Topic])+1)
	n.topics[m.Topic] = append(n.topics[m.Topic], m)
	close(n.wake)
	n.wake = make(chan struct{})
	return m
}

// since returns what a topic has after an id or a time.
func (n *Ntfy) since(topic, since string) ([]NtfyMessage, chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := n.topics[topic]
	if at := slices.IndexFunc(all, func(m NtfyMessage) bool { return m.ID == since }); at >= 0 {
		all = all[at+1:]
	} else if from, err := strconv.ParseInt(since, 10, 64); err == nil {
		all = slices.DeleteFunc(slices.Clone(all), func(m NtfyMessage) bool { return m.Time < from })
	}
	return slices.Clone(all), n.wake
}

func (n *Ntfy) subscribe(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") == "" || r.PathValue("topic") == "of-somebody-else" {
		n.refuse(w, http.StatusForbidden)
		return
	}
	topic, since := r.PathValue("topic"), r.FormValue("since")
	out := json.NewEncoder(w)
	_ = out.Encode(NtfyMessage{ID: "open", Event: "open", Topic: topic})
	for {
		lines, wake := n.since(topic, since)
		for _, m := range lines {
			_ = out.Encode(m)
			since = m.ID
		}
		if r.FormValue("poll") == "1" {
			return
		}
		_ = http.NewResponseController(w).Flush()
		n.waits()
		select {
		case <-wake:
		case <-r.Context().Done():
			return
		}
	}
}

// Fail makes the next publications fail: "cut" after accepting it, "hang", or a status.
func (n *Ntfy) Fail(with string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fault = with
}

// OnWait makes the server call f whenever a request starts to wait: a publication that hangs, or a
// listener without new messages.
func (n *Ntfy) OnWait(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.onWait = f
}

func (n *Ntfy) waits() {
	n.mu.Lock()
	f := n.onWait
	n.mu.Unlock()
	if f != nil {
		f()
	}
}

// Tap presses a button of a message on the phone.
func (n *Ntfy) Tap(m NtfyMessage, label string) error {
	for _, a := range m.Actions {
		if a.Label != label || a.Action != "http" {
			continue
		}
		r, err := http.Post(a.URL, "text/plain", strings.NewReader(a.Body)) //nolint:noctx // of this machine
		if err != nil {
			return err
		}
		return r.Body.Close()
	}
	return fmt.Errorf("there is no button %q: %+v", label, m.Actions)
}

// Topic returns a topic's messages, oldest first.
func (n *Ntfy) Topic(name string) []NtfyMessage {
	all, _ := n.since(name, "")
	return all
}
