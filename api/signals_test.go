package api_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

func TestSignalIsDurableWhenAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want(w.post(genericKey, `{"title":"Queue is stuck","dedup_key":"q1"}`), http.StatusAccepted,
		`{"status":"accepted","signals":1}`+"\n")
	if n := w.storedSignals(`signal->>'title' = 'Queue is stuck' AND received_at = $1`, w.clock.Now()); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
	got := w.send(http.MethodPost, "/v1/signals", strings.NewReader(`{"title":"Disk is full"}`), "Authorization: bearer "+genericKey)
	w.want(got, http.StatusAccepted, `{"status":"accepted","signals":1}`+"\n")
	if kind := got.header.Get("Content-Type"); kind != "application/json" {
		t.Errorf("Content-Type is %q, want %q", kind, "application/json")
	}
	if n := w.storedSignals(`signal->>'title' = 'Disk is full'`); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func TestFormatPicksTheParser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const hook = `{"status":"firing","groupKey":"g","alerts":[{"labels":{"alertname":"A"},"fingerprint":"f1"}]}`
	w.want(w.post(alertmanagerKey, hook), http.StatusAccepted, `{"status":"accepted","signals":2}`+"\n")
	w.want(w.post(genericKey, hook), http.StatusAccepted, `{"status":"accepted","signals":2}`+"\n") // it is recognised
	w.want(w.post(genericKey, `{"speed":7}`), http.StatusAccepted,
		`{"status":"accepted","signals":1,"hints":["title is missing; a trigger needs one, as title, summary or message."]}`+"\n")
	if n := w.storedSignals(`true`); n != 5 {
		t.Errorf("%d rows, want 5", n)
	}
}

func TestResponseHintsAtUnknownFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want(w.post(genericKey, `{"title":"disk","dedup_key":"d","status":"Purple","severity":"sky"}`), http.StatusAccepted,
		`{"status":"accepted","signals":1,"hints":["status is \"Purple\", which is not a word for an end that is known here: `+
			`it counts as a trigger. Send \"trigger\", \"acknowledge\" or \"resolve\".",`+
			`"severity is \"sky\", which is not known here: it counts as high. Send critical, high, medium, low, or P0 to P5."]}`+"\n")
	if n := w.storedSignals(`signal->>'action' = 'trigger' AND signal->>'severity' = 'high'`); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

// A resolve that closes nothing is accepted, and the response tells why. An alert that waits to be
// folded counts as firing.
func TestResponseHintsAtUnmatchedResolves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const nothing = `Nothing fires under dedup_key \"%s\", so this ends or acknowledges nothing. Without a dedup_key, it is made from the title.`
	w.want(w.post(genericKey, `{"dedup_key":"d","status":"ok"}`), http.StatusAccepted,
		`{"status":"accepted","signals":1,"hints":["`+fmt.Sprintf(nothing, "d")+`"]}`+"\n")
	w.want(w.post(genericKey, `{"dedup_key":"e","status":"ack"}`), http.StatusAccepted,
		`{"status":"accepted","signals":1,"hints":["`+fmt.Sprintf(nothing, "e")+`"]}`+"\n")
	w.post(genericKey, `{"title":"disk","dedup_key":"d"}`)
	w.want(w.post(genericKey, `{"dedup_key":"d","status":"ok"}`), http.StatusAccepted, `{"status":"accepted","signals":1}`+"\n")
}

func TestGzippedBodyIsRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want(w.post(genericKey, gzipped(t, []byte(`{"title":"Small on the wire"}`)), "Content-Encoding: gzip"),
		http.StatusAccepted, `{"status":"accepted","signals":1}`+"\n")
	if n := w.storedSignals(`signal->>'title' = 'Small on the wire'`); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func gzipped(t *testing.T, text []byte) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// In a burst over many connections, every 202 stands for a stored row of its own.
func TestBurstStoresEveryAcceptedSignal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const senders, each = 32, 50
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: senders}}
	defer client.CloseIdleConnections()
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range each {
				body := fmt.Sprintf(`{"title":"burst","dedup_key":"%d-%d"}`, s, i)
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
					"http://"+w.address+"/v1/signals/"+genericKey, strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				res, err := client.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				_ = res.Body.Close()
				if res.StatusCode != http.StatusAccepted {
					t.Errorf("%s: got %s, want 202", body, res.Status)
				}
			}
		})
	}
	wg.Wait()
	var n int
	w.must(w.pool.QueryRow(t.Context(), `SELECT count(DISTINCT signal->>'dedup_key') FROM inbox`).Scan(&n))
	if all := w.storedSignals(`true`); n != senders*each || all != n {
		t.Errorf("%d rows with %d keys, want %d of each", all, n, senders*each)
	}
}

// An Alertmanager group fires, changes and ends: one incident, which is one message in Slack,
// from the first payload to the last.
func TestAlertmanagerToIncident(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.startFolding()
	hook := func(status string, alerts ...string) {
		t.Helper()
		body := fmt.Sprintf(`{"receiver":"watchbill","version":"4","status":%q,"groupKey":"{}:{alertname=\"DiskFilling\"}","truncatedAlerts":0,"alerts":[%s]}`,
			status, strings.Join(alerts, ","))
		if got := w.post(alertmanagerKey, body, "Content-Type: application/json"); got.code != http.StatusAccepted {
			t.Fatalf("got %d %s, want 202", got.code, got.body)
		}
	}
	alert := func(n int, status, ends string) string {
		return fmt.Sprintf(`{"status":%q,"labels":{"alertname":"DiskFilling","instance":"db-%d","severity":"critical"},"annotations":{"summary":"Disk of db-%d is almost full"},"startsAt":"2026-03-02T08:59:0%d.123456789Z","endsAt":%q,"generatorURL":"","fingerprint":"a1b2c3d4e5f6000%d"}`,
			status, n, n, n, ends, n)
	}
	const never, ended = "0001-01-01T00:00:00Z", "2026-03-02T09:00:00Z"

	hook("firing", alert(1, "firing", never), alert(2, "firing", never))
	w.eventually("triggered critical, 2 firing")
	hook("firing", alert(1, "resolved", ended), alert(2, "firing", never), alert(3, "firing", never))
	w.eventually("triggered critical, 2 firing")
	// db-2's resolve got lost: the next payload no longer lists it.
	hook("firing", alert(3, "firing", never))
	w.eventually("triggered critical, 1 firing")
	hook("resolved", alert(3, "resolved", ended))
	w.eventually("resolved critical, 0 firing")
	// The first payload arrives again, late: its episode is over.
	hook("firing", alert(3, "firing", never))
	w.eventually("resolved critical, 0 firing")
}

// TestCapturedAlertmanagerToIncident replays the requests of an Alertmanager: three alerts fire, a fourth joins, one
// resolves, all resolve. The requests of a real one are not in the repository; WATCHBILL_TEST_CAPTURE may name them.
func TestCapturedAlertmanagerToIncident(t *testing.T) {
	t.Parallel()
	t.Run("example", func(t *testing.T) {
		t.Parallel()
		replay(t, "testdata/alertmanager-webhook.json")
	})
	t.Run("captured", func(t *testing.T) {
		t.Parallel()
		file := os.Getenv("WATCHBILL_TEST_CAPTURE")
		if file == "" {
			t.Skip("WATCHBILL_TEST_CAPTURE names no file of requests that a real Alertmanager has sent")
		}
		replay(t, file)
	})
}

func replay(t *testing.T, file string) {
	var capture struct {
		Requests []struct {
			Headers http.Header
			Body    string
		}
	}
	w := newWorld(t)
	b, err := os.ReadFile(file)
	w.must(err)
	w.must(json.Unmarshal(b, &capture))
	w.startFolding()
	for i, want := range []string{"3 firing", "4 firing", "3 firing", "0 firing"} {
		r := capture.Requests[i]
		got := w.post(alertmanagerKey, r.Body, "Content-Type: "+r.Headers.Get("Content-Type"), "User-Agent: "+r.Headers.Get("User-Agent"))
		if got.code != http.StatusAccepted {
			t.Fatalf("request %d: got %d %s, want 202", i, got.code, got.body)
		}
		status := "triggered"
		if i == 3 {
			status = "resolved"
		}
		w.eventually(status + " critical, " + want)
	}
}

// BenchmarkSignals sends signals as fast as it can, each with its own dedup key, while they
// are folded.
func BenchmarkSignals(b *testing.B) {
	w := newWorld(b)
	w.startFolding()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	var n atomic.Int64
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			body := fmt.Sprintf(`{"title":"burst","dedup_key":"%d","group_key":"burst"}`, n.Add(1))
			req, err := http.NewRequestWithContext(context.Background(), http.MethodPost,
				"http://"+w.address+"/v1/signals/"+genericKey, strings.NewReader(body))
			if err != nil {
				b.Error(err)
				return
			}
			res, err := client.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			if res.StatusCode != http.StatusAccepted {
				b.Errorf("%s: got %s, want 202", body, res.Status)
			}
		}
	})
}

// eventually waits until the inbox is empty and the only incident looks as wanted.
func (w *world) eventually(want string) {
	w.Helper()
	got := ""
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		err := w.pool.QueryRow(context.Background(), `
			SELECT string_agg(i.status || ' ' || i.severity || ', ' ||
				(SELECT count(*) FROM alerts a WHERE a.incident_id = i.id AND a.firing) || ' firing', '; ' ORDER BY i.id)
			FROM incidents i WHERE NOT EXISTS (SELECT FROM inbox)`).Scan(&got)
		if err == nil && got == want {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	w.Fatalf("the incidents are %q, want %q", got, want)
}

// Some senders begin with a byte order mark.
func TestByteOrderMarkIsAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, body := range []string{"\ufeff{\"title\":\"x\"}", "\ufeff \n{\"title\":\"x\"}"} {
		if got := w.post(genericKey, body); got.code != http.StatusAccepted {
			t.Errorf("%q: got %d %s, want 202", body, got.code, got.body)
		}
	}
	body := "\ufeff" + `{"groupKey":"g","status":"firing","alerts":[{"status":"firing","fingerprint":"a1","labels":{"alertname":"X"},"startsAt":"2026-03-02T11:50:00Z"}]}`
	if got := w.post(alertmanagerKey, body); got.code != http.StatusAccepted {
		t.Errorf("got %d %s, want 202", got.code, got.body)
	}
	if n := w.storedSignals(`signal->>'title' = 'x'`); n != 2 {
		t.Errorf("%d signals are stored, want 2", n)
	}
}

// The response tells a sender that nobody is paged, or that its key is outdated.
func TestResponseHintsAtMuteAndOldKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.store.MuteIntegration(t.Context(), oncall.ByTimer(), "scripts", nil, w.clock.Now()))
	post := func() reply {
		return w.send(http.MethodPost, "/v1/signals/"+genericKey, strings.NewReader(`{"title": "disk full"}`))
	}
	if got := post(); got.code != http.StatusAccepted || !strings.Contains(got.body, "The integration is muted") {
		t.Errorf("muted: got %d %s, want 202 with \"The integration is muted\"", got.code, got.body)
	}
	_, err := w.store.UnmuteIntegration(t.Context(), oncall.ByTimer(), "scripts", w.clock.Now())
	w.must(err)
	_, _, err = w.store.RotateKey(t.Context(), oncall.ByTimer(), "scripts", store.Rotation{}, w.clock.Now())
	w.must(err)
	if got := post(); got.code != http.StatusAccepted || strings.Contains(got.body, "muted") {
		t.Errorf("the old key: got %d %s, want 202 without \"muted\"", got.code, got.body)
	}
	w.clock.Advance(24 * time.Hour)
	if got := post(); got.code != http.StatusUnauthorized {
		t.Errorf("the old key a day later: got %d %s, want 401", got.code, got.body)
	}
}
