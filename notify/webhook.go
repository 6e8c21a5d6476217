package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// WebhookConfig says how outgoing webhooks are called.
type WebhookConfig struct {
	Secret string // for signing; empty: not signed
	Rules  AddressRules
	Clock  func() time.Time
}

const minWebhookSecret = 16 // characters

// Problems says what is wrong with the settings, by their names and without secrets.
func (c WebhookConfig) Problems() []string {
	if n := len(c.Secret); n > 0 && n < minWebhookSecret {
		return []string{fmt.Sprintf("WATCHBILL_WEBHOOK_SECRET is shorter than %d characters; `openssl rand -hex 32` makes a good one", minWebhookSecret)}
	}
	return nil
}

// Webhook posts messages as JSON to the address of a person or an escalation step.
type Webhook struct {
	config WebhookConfig
	web    *httpClient
}

// NewWebhook returns a sender for addresses that users choose.
func NewWebhook(c WebhookConfig) *Webhook {
	return &Webhook{config: c, web: newUntrustedClient("the webhook", c.Rules)}
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
func (w *Webhook) Send(ctx context.Context, message Message) Receipt {
	u, err := url.Parse(message.To)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return Receipt{Outcome: Rejected, Dead: true, Err: fmt.Errorf("the webhook's address is not an http or https URL")}
	}
	body, err := json.Marshal(message.webhookBody())
	if err != nil {
		return Receipt{Outcome: Rejected, Err: fmt.Errorf("encode the webhook's body: %w", err)}
	}
	header := http.Header{"Idempotency-Key": {message.Key}, "User-Agent": {"Watchbill"}}
	if w.config.Secret != "" {
		header.Set("Watchbill-Signature", sign(w.config.Secret, w.config.Clock(), body))
	}
	a, failed := w.web.post(ctx, message.To, "application/json", body, header)
	switch {
	case failed != nil:
		return *failed
	case a.status >= 200 && a.status < 300:
		return Receipt{Outcome: Accepted, Reference: message.Key}
	}
	return w.web.refusedReceipt(a, "")
}

// Server names the host that an address is on.
func (w *Webhook) Server(to string) string { return hostOf(to) }

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

// sign returns the value of the header Watchbill-Signature. The time prevents a recorded request from
// being replayed later.
func sign(secret string, now time.Time, body []byte) string {
	t := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
