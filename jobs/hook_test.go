package jobs_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// A hookCall is a call of a webhook.
type hookCall struct {
	header http.Header
	body   string
}

// signed reports whether one of the call's signatures was made with a secret, as
// standardwebhooks.com defines it.
func (c hookCall) signed(secret string) bool {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(c.header.Get("webhook-id") + "." + c.header.Get("webhook-timestamp") + "." + c.body))
	return slices.Contains(strings.Fields(c.header.Get("webhook-signature")), "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// A webhook receives all events in order, signed; failed calls are repeated, and a receiver that
// answers 410 is no longer called.
func TestWebhooksReceiveEvents(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	w := newWorld(t, "5m", func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	calls, answers := make(chan hookCall, 100), make(chan int, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		calls <- hookCall{r.Header, string(body)}
		select {
		case code := <-answers:
			rw.WriteHeader(code)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(receiver.Close)
	listed, err := notify.ParseLoopback(receiver.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	w.hooks = notify.NewHooks(notify.AddressRules{Loopback: listed})
	by := oncall.ByCommandLine("root")
	secret, made, err := w.store.MakeHook(t.Context(), by, oncall.Hook{
		Name: "tickets", URL: receiver.URL + "/x", Headers: []string{"Authorization: Bearer s3cret"}, Template: oncall.HookEvents,
		Kinds: []oncall.EventKind{oncall.EventOpened, oncall.EventAcknowledged, oncall.EventResolved},
	}, w.clock())
	if err != nil {
		t.Fatal(err)
	}
	w.start(w.sender)
	id := w.signal("db-1")[0]
	answers <- http.StatusInternalServerError
	first := await(t, "the first call", calls)
	if !first.signed(secret) || first.header.Get("Authorization") != "Bearer s3cret" || !strings.Contains(first.body, `"type":"incident.opened"`) {
		t.Errorf("got %v %s, want a signed incident.opened", first.header, first.body)
	}
	state := func() store.HookState {
		t.Helper()
		all, err := w.store.Hooks(t.Context(), by)
		if err != nil || len(all) != 1 {
			t.Fatalf("%v, %v, want no error and 1", all, err)
		}
		return all[0]
	}
	w.until("the failure is noted", func() bool { return state().Tries == 1 })
	if got := state(); !strings.Contains(got.Trouble, "500") || got.NextAt == nil {
		t.Errorf("got %+v, want some NextAt with \"500\"", got)
	}
	// Meanwhile the secret is rotated: both sign for a day. New events wait for their turn.
	other, _, err := w.store.RotateHook(t.Context(), by, "tickets", w.clock())
	if err != nil {
		t.Fatal(err)
	}
	w.ack(id, ann)
	ahead.Store(int64(time.Minute))
	answers <- http.StatusNoContent
	again := await(t, "the call again", calls)
	if got, want := again.header.Get("webhook-id"), first.header.Get("webhook-id"); got != want {
		t.Errorf("got the id %s, want the same, %s", got, want)
	}
	if want := strings.Replace(first.body, `"triggered"`, `"acknowledged"`, 1); again.body != want {
		t.Errorf("got %s, want the new state, %s", again.body, want)
	}
	if one, two := again.signed(secret), again.signed(other); !one || !two {
		t.Errorf("got it signed with the secrets %t and %t, want both", one, two)
	}
	answers <- http.StatusGone
	if next := await(t, "the next event", calls); !strings.Contains(next.body, `"incident.acknowledged"`) || !strings.Contains(next.body, `"user":"U0ANN"`) {
		t.Errorf("got %s, want it with %q and with %q", next.body, `"incident.acknowledged"`, `"user":"U0ANN"`)
	}
	w.until("it stops", func() bool { return state().StoppedAt != nil })
	if _, err := w.store.Act(t.Context(), id, oncall.ByUser(ann), oncall.Act{Do: oncall.ActResolve}, w.clock()); err != nil {
		t.Fatal(err)
	}
	if err := w.store.ResumeHook(t.Context(), by, "tickets", w.clock()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"incident.acknowledged", "incident.resolved"} {
		answers <- http.StatusOK
		if next := await(t, want, calls); !strings.Contains(next.body, want) {
			t.Errorf("%s, want %s", next.body, want)
		}
	}
	w.until("all is told", func() bool { h := state(); return h.Trouble == "" && h.ToldAt != nil && h.Position > made.Position })
	if err := w.store.RemoveHook(t.Context(), by, "tickets", w.clock()); err != nil {
		t.Fatal(err)
	}
}
