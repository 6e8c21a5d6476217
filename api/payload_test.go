package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// payloads returns the stored payloads, newest first, once there are that many.
func (w *world) payloads(n int) []store.KeptPayload {
	w.Helper()
	var found []store.KeptPayload
	w.until(fmt.Sprintf("%d payloads are kept", n), func() bool {
		var err error
		found, err = w.store.Payloads(w.Context(), oncall.ByTimer(), store.PayloadFilter{})
		w.must(err)
		return len(found) >= n
	})
	return found
}

// Everything sent with a valid key is stored unchanged, even if it is refused or not understood;
// the key is stored nowhere.
func TestPayloadsAreStoredWithoutTheKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	large := `{"title":"` + strings.Repeat("x", 2<<20) + `"}`
	for i, c := range []struct {
		method, path, body, header string
		code                       int
		want                       string // path?query, recognised format, signals, problem, beginning of the body
	}{
		{"POST", "/v1/signals/" + genericKey, `{"title":"disk","dedup_key":"d"}`, "", 202, `/v1/signals/KEY? generic 1 "" {"title":"disk"`},
		{"POST", "/v1/signals", `{"title":"disk","dedup_key":"d"}`, "Authorization: Bearer " + genericKey, 202, `/v1/signals? generic 1 "" {"title":"disk"`},
		{"POST", "/v2/enqueue", `{"routing_key":"` + genericKey + `","event_action":"trigger","payload":{"summary":"s","source":"x","severity":"error"}}`, "", 202, `/v2/enqueue? pagerduty 1 "" {"routing_key":"[hidden]"`},
		{"POST", "/v2/enqueue", `{"routing_key":"` + genericKey + `","event_action":"trigger"}`, "", 400, `/v2/enqueue?  0 "payload`},
		{"GET", "/v1/signals/" + genericKey + "?title=disk&password=p", "", "", 202, `/v1/signals/KEY?title=disk&password=[hidden] generic 1 "" `},
		{"POST", "/v1/signals?token=" + genericKey, "title=disk&token=" + genericKey, "Content-Type: application/x-www-form-urlencoded", 202, `/v1/signals?token=[hidden] generic 1 "" title=disk&token=[hidden]`},
		{"POST", "/v2/alerts", `{"message":"disk"}`, "Authorization: GenieKey " + genericKey, 202, `/v2/alerts? opsgenie 1 "" {"message":"disk"}`},
		{"POST", "/v2/alerts/d/close?identifierType=alias", `{}`, "Authorization: GenieKey " + genericKey, 202, `/v2/alerts/d/close?identifierType=alias opsgenie 1 "" {}`},
		{"POST", "/v1/signals/" + genericKey, `speed=7`, "", 202, `/v1/signals/KEY?  1 "The body does not begin`},
		{"POST", "/v1/signals/" + genericKey, large, "", 202, `/v1/signals/KEY?  1 "The body is larger than 1 MiB; send fewer or shorter alerts at once." {"title":"xxx`},
		{"POST", "/v1/signals/" + unknownKey, `{"title":"disk"}`, "", 401, ""},
		{"GET", "/v1/signals/" + genericKey, "", "", 200, ""}, // a followed link
	} {
		if c.header == "" {
			c.header = "Accept: */*"
		}
		before := len(w.payloads(0))
		got := w.send(c.method, c.path, strings.NewReader(c.body), c.header, "Cookie: secret=1")
		if got.code != c.code {
			t.Errorf("%s %s: got %d %s, want %v", c.method, c.path, got.code, got.body, c.code)
		}
		if c.want == "" {
			continue
		}
		p := w.payloads(before + 1)[0]
		w.clock.Advance(1e9)
		text := fmt.Sprintf("%s?%s %s %d %q %s", p.Path, p.Query, p.RecognisedAs, p.Signals, p.Trouble, p.Body)
		if !strings.HasPrefix(text, c.want) || p.Method != c.method || p.Integration != 1 {
			t.Errorf("%d: it is kept as %.300s, want %s", i, text, c.want)
		}
		if tooLong := len(c.body) > oncall.PayloadLimit; p.Cut != tooLong || len(p.Body) > oncall.PayloadLimit {
			t.Errorf("%d: %d bytes are kept, cut %t, want at most %d bytes, cut %t", i, len(p.Body), p.Cut, oncall.PayloadLimit, tooLong)
		}
		if p.Cut && p.Size != int64(len(large)) {
			t.Errorf("%d: its size is %d, want %d as before it was cut", i, p.Size, len(large))
		}
	}
	all, err := json.Marshal(w.payloads(10))
	w.must(err)
	var raw int
	w.must(w.pool.QueryRow(t.Context(), `SELECT count(*) FROM payloads p WHERE strpos(convert_from(body, 'SQL_ASCII') || p::text, $1) > 0`, genericKey).Scan(&raw))
	if strings.Contains(string(all), genericKey) || strings.Contains(string(all), "secret=1") || raw != 0 {
		t.Errorf("got payloads %s, want none with the key or a secret", all)
	}
	// An unreadable body pages with its beginning, which doesn't contain the key either.
	w.want(w.post(genericKey, "routing_key: "+genericKey+"\nhost: web-1"), http.StatusAccepted, w.post(genericKey, "routing_key: x\nhost: web-1").body)
	if n := w.storedSignals(`signal->>'body' LIKE '%host: web-1%' AND signal::text NOT LIKE '%' || $1 || '%'`, genericKey); n != 2 {
		t.Errorf("%d signals show how it begins without a key, want 2", n)
	}
}
