package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/twiliosim"
)

// crashChannels lists the channels to try.
func crashChannels() []crashChannel {
	return []crashChannel{
		{name: "slack"},
		{name: "sms", method: oncall.MethodSMS, start: startTwilio},
		{name: "call", method: oncall.MethodVoice, start: startTwilio},
		{name: "flow", method: oncall.MethodVoice, start: startFlow},
		{name: "email", method: oncall.MethodEmail, start: startMail},
		{name: "ntfy", method: oncall.MethodNtfy, start: startNtfy},
		{name: "telegram", method: oncall.MethodTelegram, start: startTelegram},
		{name: "pushover", method: oncall.MethodPushover, start: startPushover},
		{name: "webhook", method: oncall.MethodWebhook, start: startWebhook},
	}
}

// A reached is the address and provider that reach a person, and how often the provider has
// accepted a message.
type reached struct {
	address string
	env     []string
	taken   func() int
}

// A counter counts the messages that a provider accepted.
type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) add() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
}

func (c *counter) taken() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// startMail returns a mail server.
func startMail(t *testing.T, trap *trap) reached {
	var c counter
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return mailbox{&c}, nil }))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	gate := newMailGate(t, l.Addr().String(), trap)
	return reached{
		address: "ann@example.com", taken: c.taken,
		env: []string{"WATCHBILL_SMTP_URL=smtp+insecure://" + gate, "WATCHBILL_MAIL_FROM=watchbill@example.com"},
	}
}

type mailbox struct{ *counter }

func (mailbox) Reset()                               {}
func (mailbox) Logout() error                        { return nil }
func (mailbox) Mail(string, *smtp.MailOptions) error { return nil }
func (mailbox) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (m mailbox) Data(r io.Reader) error {
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	m.add()
	return nil
}

// startNtfy returns an ntfy server with one topic, whose messages it lists.
func startNtfy(t *testing.T, trap *trap) reached {
	var c counter
	var mu sync.Mutex
	var lines []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, strings.Join(lines, ""))
			return
		}
		var m map[string]any
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		c.add()
		m["id"], m["time"], m["event"] = fmt.Sprint("id", len(lines)), time.Now().Unix(), "message"
		line, err := json.Marshal(m)
		if err != nil {
			t.Error(err)
		}
		lines = append(lines, string(line)+"\n")
		_, _ = w.Write(line)
	}))
	t.Cleanup(server.Close)
	gate := newHTTPGate(t, server.URL, trap, func(r *http.Request) bool { return r.Method == http.MethodPost })
	return reached{address: "ann-pages", taken: c.taken, env: []string{"WATCHBILL_NTFY_URL=" + gate}}
}

// startWebhook returns somebody's own receiver.
func startWebhook(t *testing.T, trap *trap) reached {
	var c counter
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		c.add()
	}))
	t.Cleanup(server.Close)
	gate := newHTTPGate(t, server.URL, trap, func(r *http.Request) bool { return r.Method == http.MethodPost })
	return reached{address: gate + "/oncall", taken: c.taken, env: []string{"WATCHBILL_WEBHOOK_LOOPBACK=localhost"}}
}

// startTelegram returns the part of Telegram's Bot API that sends.
func startTelegram(t *testing.T, trap *trap) reached {
	r := startJSON(t, trap, "/sendMessage", `{"ok": true, "result": {"message_id": 7}}`, `{"ok": true, "result": []}`,
		"WATCHBILL_TELEGRAM_TOKEN=123456:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc", "WATCHBILL_TELEGRAM_API_URL=")
	r.address = "5550100"
	return r
}

// startPushover returns the part of Pushover's API that sends.
func startPushover(t *testing.T, trap *trap) reached {
	r := startJSON(t, trap, "/messages.json", `{"status": 1, "request": "r1", "receipt": "rLqVuqTRh62UzxtmqiaLzQmVcPgiCy"}`, `{"status": 1}`,
		"WATCHBILL_PUSHOVER_TOKEN=azGDORePK8gMaC0QOYAMyEEuzJnyUi", "WATCHBILL_PUSHOVER_API_URL=")
	r.address = "uQiRzpo4DXghDmr9QzzfQu27cmVRsG"
	return r
}

// startJSON returns a provider that accepts messages at one path. Its address is appended to the last
// of env.
func startJSON(t *testing.T, trap *trap, path, taken, other string, env ...string) reached {
	var c counter
	sends := func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, path) }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		answer := other
		if sends(r) {
			c.add()
			answer = taken
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	env[len(env)-1] += newHTTPGate(t, server.URL, trap, sends)
	return reached{env: env, taken: c.taken}
}

// startFlow returns the simulated Twilio with a flow, as created by `watchbill twilio setup`.
func startFlow(t *testing.T, trap *trap) reached {
	r := startTwilio(t, trap)
	out := &lockedBuffer{}
	p := process{ctx: t.Context(), out: out, errOut: out, clock: time.Now}
	setup := &twilioSetupCmd{twilioFlags: twilioFlags{
		TwilioAccountSID: twiliosim.Account, TwilioAuthToken: twiliosim.Token, TwilioFrom: twiliosim.Number,
		TwilioAPIURL: strings.TrimPrefix(r.env[len(r.env)-1], "WATCHBILL_TWILIO_API_URL="),
	}}
	if err := setup.Run(p); err != nil {
		t.Fatal(err)
	}
	flow := regexp.MustCompile(`FW[0-9a-f]{32}`).FindString(out.String())
	if flow == "" {
		t.Fatalf("twilio setup made no flow: %s", out)
	}
	r.env = append(r.env, "TWILIO_FLOW_SID="+flow)
	return r
}

// startTwilio returns the simulated Twilio.
func startTwilio(t *testing.T, trap *trap) reached {
	sim := twiliosim.New(twiliosim.Options{})
	if _, err := sim.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	sends := func(r *http.Request) bool {
		return r.Method == http.MethodPost &&
			(strings.HasSuffix(r.URL.Path, "/Messages.json") || strings.HasSuffix(r.URL.Path, "/Calls.json") ||
				strings.HasSuffix(r.URL.Path, "/Executions"))
	}
	gate := newHTTPGate(t, sim.URL(), trap, sends)
	return reached{
		address: "+12025550100",
		env: []string{
			"TWILIO_ACCOUNT_SID=" + twiliosim.Account, "TWILIO_AUTH_TOKEN=" + twiliosim.Token,
			"TWILIO_FROM=" + twiliosim.Number, "WATCHBILL_TWILIO_API_URL=" + gate,
		},
		taken: func() (n int) {
			for _, r := range sim.Requests() {
				if r.Method == http.MethodPost && r.Status < 300 && sends(&http.Request{Method: r.Method, URL: &url.URL{Path: r.Path}}) {
					n++
				}
			}
			return n
		},
	}
}
