package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"
)

// WebhookConfig says how outgoing webhooks are called.
type WebhookConfig struct {
	Secret     string // for signing; empty: not signed
	PublicOnly bool   // refuses addresses of this machine and of private networks
	Clock      func() time.Time
}

const shortestWebhookSecret = 16 // characters

// Problems says what is wrong with the settings, by their names and without secrets.
func (c WebhookConfig) Problems() []string {
	if n := len(c.Secret); n > 0 && n < shortestWebhookSecret {
		return []string{fmt.Sprintf("WATCHBILL_WEBHOOK_SECRET is shorter than %d characters; `openssl rand -hex 32` makes a good one", shortestWebhookSecret)}
	}
	return nil
}

// Webhook posts messages as JSON to the address of a person or an escalation step.
type Webhook struct {
	config WebhookConfig
	web    *web
}

// NewWebhook returns a sender for addresses that users choose.
func NewWebhook(c WebhookConfig) *Webhook {
	dialer := &net.Dialer{Timeout: webLimit, Control: func(_, address string, _ syscall.RawConn) error {
		return c.allowed(address)
	}}
	w := &Webhook{config: c, web: newWebBy("the webhook", &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext,
	})}
	w.web.private = true
	return w
}

// metadata is the AWS metadata service over IPv6; everywhere else it has a link-local address.
var metadata = netip.MustParseAddr("fd00:ec2::254")

// allowed refuses addresses that no webhook needs. It sees the address actually connected to,
// whatever name was given.
func (c WebhookConfig) allowed(address string) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%s: %w", address, errForbiddenAddress)
	}
	ip := to.Addr().Unmap().WithZone("")
	switch {
	case ip.IsLinkLocalUnicast(), ip.IsMulticast(), ip.IsUnspecified(), ip == metadata:
		return fmt.Errorf("%s: %w", ip, errForbiddenAddress)
	case c.PublicOnly && (ip.IsPrivate() || ip.IsLoopback()):
		return fmt.Errorf("%s is not a public address, and those are only called with WATCHBILL_WEBHOOK_PRIVATE=true: %w", ip, errForbiddenAddress)
	}
	return nil
}

// webhookBody is what the receiver gets. Fields may be added, but never change.
type webhookBody struct {
	Version  int              `json:"version"`
	Type     Purpose          `json:"type"`
	Key      string           `json:"key"`
	Attempt  int              `json:"attempt"`
	Incident *webhookIncident `json:"incident,omitempty"`
	Title    string           `json:"title"`
	Why      string           `json:"why,omitempty"`
	Count    int              `json:"count,omitempty"`
	Lines    []string         `json:"lines,omitempty"`
	Link     string           `json:"link,omitempty"`
	Code     string           `json:"code,omitempty"`
	Expires  *time.Time       `json:"expires_at,omitempty"`
}

type webhookIncident struct {
	ID       int64      `json:"id"`
	Title    string     `json:"title"`
	Severity string     `json:"severity,omitempty"`
	Team     string     `json:"team,omitempty"`
	Opened   *time.Time `json:"opened_at,omitempty"`
}

// Send posts the message once.
func (w *Webhook) Send(ctx context.Context, m Message) Receipt {
	u, err := url.Parse(m.To)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return Receipt{Outcome: Rejected, Dead: true, Err: fmt.Errorf("the webhook's address is not an http or https URL")}
	}
	body, err := json.Marshal(m.webhookBody())
	if err != nil {
		return Receipt{Outcome: Rejected, Err: fmt.Errorf("encode the webhook's body: %w", err)}
	}
	header := http.Header{"Idempotency-Key": {m.Key}, "User-Agent": {"Watchbill"}}
	if w.config.Secret != "" {
		header.Set("Watchbill-Signature", sign(w.config.Secret, w.config.Clock(), body))
	}
	a, failed := w.web.post(ctx, m.To, "application/json", body, header)
	a.secrets = append(a.secrets, m.secrets()...)
	switch {
	case failed != nil:
		return *failed
	case a.status >= 200 && a.status < 300:
		return Receipt{Outcome: Accepted, Reference: m.Key}
	case a.status >= 300 && a.status < 400, a.status == http.StatusUnauthorized, a.status == http.StatusProxyAuthRequired:
		// The address is wrong, not the channel.
		return Receipt{Outcome: Rejected, Err: w.web.refused(a, "").Err}
	}
	return w.web.refused(a, "")
}

// webhookBody converts a message to the documented format.
func (m Message) webhookBody() webhookBody {
	b := webhookBody{
		Version: 1, Type: m.Purpose, Key: m.Key, Attempt: m.Attempt, Title: m.Title, Why: m.Why,
		Lines: m.Lines, Link: m.Link, Code: m.Verify, Expires: instant(m.Expires),
	}
	if m.Count > 1 {
		b.Count = m.Count
	}
	if m.Incident > 0 {
		b.Incident = &webhookIncident{ID: m.Incident, Title: m.Title, Severity: m.Severity, Team: m.Team, Opened: instant(m.Opened)}
	}
	return b
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// sign is the value of the header Watchbill-Signature. The time prevents a recorded request from
// being replayed later.
func sign(secret string, now time.Time, body []byte) string {
	t := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
