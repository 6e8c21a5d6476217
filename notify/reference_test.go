package notify_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/notify"
)

// What a service calls a message is stored and logged: it is one short line, whatever stands in it.
func TestReferencesAreCut(t *testing.T) {
	t.Parallel()
	odd := `r\u202e1\r\n\u0000` + strings.Repeat("x", 5_000)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"status":1,"receipt":"` + odd + `","id":"` + odd + `","event":"message","tags":["wb-6e2c1e96ee3e"]}`))
	}))
	t.Cleanup(s.Close)
	ntfy := notify.NewNtfy(notify.NtfyConfig{URL: s.URL})
	pushover := notify.NewPushover(notify.PushoverConfig{Token: strings.Repeat("a", 30), URL: s.URL, Clock: time.Now})
	m := page("topic", "page 7")
	receipts := map[string]notify.Receipt{"ntfy": ntfy.Send(t.Context(), m), "Pushover": pushover.Send(t.Context(), m)}
	found, ok, err := ntfy.Find(t.Context(), m, time.Now())
	if err != nil || !ok {
		t.Errorf("found %t, %v, want it known, without an error", ok, err)
	}
	receipts["ntfy, later"] = found
	for name, r := range receipts {
		if r.Outcome != notify.Accepted || !strings.HasPrefix(r.Reference, "r1 xxx") || len(r.Reference) > 210 {
			t.Errorf("%s: got %+v, want it accepted with a short reference", name, r)
		}
	}
}
