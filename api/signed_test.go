package api_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/api"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/spool"
	"github.com/watchbill/watchbill/store/storetest"
)

const signingSecret = "a secret of the monitor's"

// signed returns the header with which GitHub would sign a body.
func signed(secret, body string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(body))
	return "X-Hub-Signature-256: sha256=" + hex.EncodeToString(h.Sum(nil))
}

// sign makes an integration accept "anything" only if it is signed.
func (w *world) sign(key string) {
	w.Helper()
	w.addAutoIntegration(key)
	_, err := w.store.SignIntegration(w.Context(), oncall.ByTimer(), "anything", signingSecret, w.clock.Now())
	w.must(err)
	_, err = w.pool.Exec(w.Context(), `UPDATE integrations SET signed = true WHERE name = 'anything'`)
	w.must(err)
	var kept string
	w.must(w.pool.QueryRow(w.Context(), `SELECT sign_secret FROM integrations WHERE name = 'anything'`).Scan(&kept))
	if !strings.HasPrefix(kept, "sealed:") || strings.Contains(kept, signingSecret) {
		w.Errorf("the secret is kept as %q, want it sealed", kept)
	}
}

func TestUnsignedSignalsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sign(replayKey)
	const body = `{"title":"disk full","dedup_key":"disk"}`
	for name, c := range map[string]struct {
		path, body, header string
		code               int
	}{
		"signed":           {"/v1/signals/" + replayKey, body, signed(signingSecret, body), 202},
		"not signed":       {"/v1/signals/" + replayKey, body, "X-Nothing: 1", 401},
		"with another":     {"/v1/signals/" + replayKey, body, signed("another secret", body), 401},
		"another body":     {"/v1/signals/" + replayKey, body + " ", signed(signingSecret, body), 401},
		"its sealed form":  {"/v1/signals/" + replayKey, body, "X-Gitlab-Token: sealed:", 401},
		"as PagerDuty":     {"/v2/enqueue", `{"routing_key":"` + replayKey + `","event_action":"trigger","payload":{"summary":"x","source":"y","severity":"info"}}`, "X-Nothing: 1", 401},
		"signed elsewhere": {"/v1/signals/" + genericKey, body, "X-Nothing: 1", 202},
	} {
		if got := w.send(http.MethodPost, c.path, strings.NewReader(c.body), c.header); got.code != c.code {
			t.Errorf("%s: got %d %s, want %v", name, got.code, got.body, c.code)
		}
	}
	if got := w.send(http.MethodGet, "/v1/signals/"+replayKey+"?title=x", nil); got.code != 401 {
		t.Errorf("by GET: got %d %s, want 401", got.code, got.body)
	}
	if n := w.storedSignals(`true`); n != 2 {
		t.Errorf("%d signals are stored, want 2", n)
	}

	// The previous secret is valid for a day.
	_, err := w.store.SignIntegration(t.Context(), oncall.ByTimer(), "anything", "the next one of theirs", w.clock.Now())
	w.must(err)
	for _, step := range []struct {
		after     time.Duration
		old, next int
	}{{0, 202, 202}, {23*time.Hour + 59*time.Minute, 202, 202}, {2 * time.Minute, 401, 202}} {
		w.clock.Advance(step.after)
		if got := w.post(replayKey, body, signed(signingSecret, body)); got.code != step.old {
			t.Errorf("the one before, %s later: got %d, want %v", step.after, got.code, step.old)
		}
		if got := w.post(replayKey, body, signed("the next one of theirs", body)); got.code != step.next {
			t.Errorf("the new one, %s later: got %d, want %v", step.after, got.code, step.next)
		}
	}
}

// Without the secret that encrypted it, signatures can't be checked: a signal is shown raw, and
// resolves nothing.
func TestSignaturesWithoutOurSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sign(replayKey)
	registry := prometheus.NewRegistry()
	w.listen(t, api.Config{System: w.store, Clock: w.clock.Now, Log: zerolog.Nop(), Gatherer: registry, Metrics: registry, Ready: w.store.Ready})
	const body = `{"dedup_key":"disk","status":"resolved"}`
	if got := w.post(replayKey, body, signed(signingSecret, body)); got.code != 202 || w.storedSignals(`signal->>'unread' = 'true' AND signal->>'action' = 'trigger'`) != 1 {
		t.Errorf("got %d %s, want 202 and 1 stored", got.code, got.body)
	}
}

// During a database outage the spool accepts mail as it accepts signals, and can check signatures.
func TestSpoolAcceptsMailAndSignedSignals(t *testing.T) {
	t.Parallel()
	direct := storetest.NewURL(t)
	cable, address := newBreakableProxy(t, direct)
	w := newWorldOn(t, address, direct)
	w.sign(replayKey)
	registry := prometheus.NewRegistry()
	dir := t.TempDir()
	receiver, err := spool.New(spool.Config{
		System: w.store, Spool: spool.Options{Dir: dir, MaxSignals: 3, Log: zerolog.Nop()}, Clock: w.clock.Now, Log: zerolog.Nop(), Metrics: registry,
	})
	w.must(err)
	t.Cleanup(receiver.Close)
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	running.Go(func() { _ = receiver.Run(ctx) })
	t.Cleanup(running.Wait)
	t.Cleanup(cancel)
	w.listen(t, api.Config{
		System: w.store, Receiver: receiver, Clock: w.clock.Now, Log: zerolog.Nop(), Gatherer: registry, Metrics: registry, Ready: receiver.Ready, Secrets: storetest.Secrets(),
	})
	post := openMail(t, api.MailConfig{Find: api.FindBy(receiver)})
	w.until("the set-up is on the disk", func() bool {
		text, err := os.ReadFile(filepath.Join(dir, "known.json"))
		if strings.Contains(string(text), signingSecret) {
			t.Error("the secret is on the disk")
		}
		return err == nil
	})
	mail := func(key, subject string) error {
		return smtp.SendMail(post, nil, "monitor@example.com", []string{key + "@example.com"}, []byte("Subject: "+subject+"\r\n\r\nx\r\n"))
	}
	says := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("answered %v, want %s", err, want)
		}
	}

	cable.setCut(true)
	w.must(mail(genericKey, "first"))
	const body = `{"title":"signed","dedup_key":"s"}`
	if got := w.post(replayKey, body, signed(signingSecret, body)); got.code != http.StatusAccepted {
		t.Errorf("signed: got %d %s, want 202", got.code, got.body)
	}
	if got := w.post(replayKey, body); got.code != http.StatusUnauthorized {
		t.Errorf("not signed: got %d %s, want 401", got.code, got.body)
	}
	says(mail(replayKey, "not signed"), "550 ")
	says(mail(unknownKey, "of nobody, as far as is known"), "451 ")
	w.must(mail(genericKey, "third"))
	says(mail(genericKey, "too much"), "451 ")

	cable.setCut(false)
	w.until("everything is stored", func() bool { return w.storedSignals(`replayed`) == 3 && !w.store.Suspended() })
	says(mail(unknownKey, "of nobody"), "550 ")
	w.must(mail(genericKey, "afterwards"))
	for _, title := range []string{"first", "signed", "third", "afterwards"} {
		if w.storedSignals(`signal->>'title' = $1`, title) != 1 {
			t.Errorf("%d signals have the title %q, want 1", w.storedSignals(`signal->>'title' = $1`, title), title)
		}
	}
	if n := w.storedSignals(`true`); n != 4 {
		t.Errorf("got %d signals, want 4", n)
	}
}
