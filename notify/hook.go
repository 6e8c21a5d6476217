package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// HookSecretPrefix begins a secret for signing calls, as in Standard Webhooks. The rest of the secret
// is base64.
const HookSecretPrefix = "whsec_"

// Hooks calls webhooks outside Watchbill. The calls are signed as described at standardwebhooks.com.
type Hooks struct{ web *httpClient }

// NewHooks returns a Hooks that calls addresses chosen by users.
func NewHooks(rules AddressRules) *Hooks { return &Hooks{newUntrustedClient("the webhook", rules)} }

// A HookCall is one call.
type HookCall struct {
	URL     string
	ID      string   // the same in each attempt
	Headers []string // "Name: value"
	Secrets []string // each of them signs the call
	Body    []byte
	At      time.Time
}

// Call posts the call once. The result gone means that the receiver wants no more calls.
func (h *Hooks) Call(ctx context.Context, c HookCall) (r Receipt, gone bool) {
	header := http.Header{"User-Agent": {"Watchbill"}}
	for _, line := range c.Headers {
		name, value, _ := strings.Cut(line, ":")
		header.Set(name, strings.TrimSpace(value))
	}
	at := strconv.FormatInt(c.At.Unix(), 10)
	var signatures []string
	for _, secret := range c.Secrets {
		signatures = append(signatures, hookSignature(secret, c.ID, at, c.Body))
	}
	header.Set("Webhook-Id", c.ID)
	header.Set("Webhook-Timestamp", at)
	header.Set("Webhook-Signature", strings.Join(signatures, " "))
	a, failed := h.web.post(ctx, c.URL, "application/json", c.Body, header)
	switch {
	case failed != nil:
		return *failed, false
	case a.status >= 200 && a.status < 300:
		return Receipt{Outcome: Accepted, Reference: c.ID}, false
	}
	return Receipt{Outcome: Rejected, Err: fmt.Errorf("the webhook answers %d", a.status)}, a.status == http.StatusGone
}

func hookSignature(secret, id, at string, body []byte) string {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, HookSecretPrefix))
	if err != nil {
		key = []byte(secret)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.", id, at)
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
