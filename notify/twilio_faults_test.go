package notify_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/watchbill/watchbill/notify"
)

// rawTwilio returns a Twilio that answers what the test says, and counts connections.
func rawTwilio(t *testing.T, answer http.HandlerFunc) (notify.SMS, *atomic.Int64) {
	t.Helper()
	var connections atomic.Int64
	server := httptest.NewUnstartedServer(answer)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return notify.SMS{Twilio: notify.NewTwilio(twilioConfig(server.URL, time.Now))}, &connections
}

func TestTwilioErrorsLeaveNoConnectionsOpen(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"HTML": "<html>" + strings.Repeat("Bad Gateway ", 2000), "JSON": `{"code":20500,"message":"no"}` + strings.Repeat(" ", 20_000),
	} {
		s, connections := rawTwilio(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, body)
		})
		for range 20 {
			r := s.Send(context.Background(), page(annPhone, "x"))
			want(t, r, notify.Unknown)
			if name == "HTML" && !strings.Contains(r.Err.Error(), "status 502: <html>") {
				t.Errorf("the error is %v, want it to quote \"status 502: <html>\"", r.Err)
			}
		}
		if n := connections.Load(); n != 1 {
			t.Errorf("%s: got %d connections, want 1", name, n)
		}
	}
}

func TestTwilioHonoursTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s, _ := rawTwilio(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	})
	r := s.Send(ctx, page(annPhone, "x"))
	want(t, r, notify.Unknown)
	if !errors.Is(r.Err, context.Canceled) { // otherwise our own limit ended it
		t.Errorf("got %v, want %v", r.Err, context.Canceled)
	}
}

// A body that never ends is limited by the same context as the rest. From outside one can't see when
// the client has reached the body, so it gets some time, and more if that was not enough.
func TestTwilioCutsOffATricklingAnswer(t *testing.T) {
	t.Parallel()
	for wait := 50 * time.Millisecond; wait < notify.TwilioLimit; wait *= 2 {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s, _ := rawTwilio(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"sid":`)
			w.(http.Flusher).Flush()
			time.AfterFunc(wait, cancel)
			<-r.Context().Done()
		})
		r := s.Send(ctx, page(annPhone, "x"))
		want(t, r, notify.Unknown)
		if !errors.Is(r.Err, context.Canceled) { // otherwise our own limit ended it
			t.Fatalf("got %v, want %v", r.Err, context.Canceled)
		}
		if strings.Contains(r.Err.Error(), "read Twilio's answer") {
			return
		}
	}
	t.Error("it never came to the body")
}

func TestTwilioStrangeAnswersMapToOutcomes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer  http.HandlerFunc
		outcome notify.Outcome
		wait    time.Duration
	}{
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/other", http.StatusTemporaryRedirect)
		}, notify.Unknown, 0},
		"no SID": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, "{}")
		}, notify.Unknown, 0},
		"half a 201": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"sid":"SM`)
		}, notify.Unknown, 0},
		"401 of HTML": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, "<html>")
		}, notify.Misconfigured, 0},
		"400 of HTML": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, "<html>")
		}, notify.Unknown, 0},
		"429 of HTML": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "9")
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, "<html>")
		}, notify.Throttled, 9 * time.Second},
		"429 with a date": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", time.Now().Add(time.Minute).UTC().Format(http.TimeFormat))
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, `{"code":20429,"status":429}`)
		}, notify.Throttled, 50 * time.Second},
		"429 alone": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }, notify.Throttled, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := rawTwilio(t, tt.answer)
			r := s.Send(context.Background(), page(annPhone, "x"))
			want(t, r, tt.outcome)
			if r.RetryAfter < tt.wait || r.RetryAfter > tt.wait+time.Minute {
				t.Errorf("wait %s, want %s", r.RetryAfter, tt.wait)
			}
		})
	}
}

func TestTwilioFailingListsAreErrors(t *testing.T) {
	t.Parallel()
	s, _ := rawTwilio(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	ctx := context.Background()
	if _, found, err := s.Find(ctx, page(annPhone, "x"), time.Now()); err == nil || found {
		t.Errorf("found %v, %v, want an error and nothing found", found, err)
	}
	if _, cursor, err := s.Listen(ctx, ""); err == nil || cursor != "" {
		t.Errorf("cursor %q, %v, want an error and \"\"", cursor, err)
	}
	if _, err := s.Track(ctx, "SM1"); err == nil {
		t.Error("no error")
	}
}

// Twilio's client reads TWILIO_EDGE and TWILIO_REGION behind our back, which breaks addresses on this
// machine. Only our configuration must count.
func TestTwilioEdgeAndRegion(t *testing.T) {
	t.Setenv("TWILIO_EDGE", "sydney")
	t.Setenv("TWILIO_REGION", "au1")
	hosts := make(chan string, 1)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hosts <- r.URL.Path
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer proxy.Close()
	conf := twilioConfig(proxy.URL, time.Now)
	conf.API, conf.Edge, conf.Region = proxy.URL+"/behind/a/proxy/", "dublin", "ie1"
	want(t, notify.SMS{Twilio: notify.NewTwilio(conf)}.Send(context.Background(), page(annPhone, "x")), notify.Unknown)
	if path := receive(t, hosts, "the request"); path != "/behind/a/proxy/2010-04-01/Accounts/"+conf.Account+"/Messages.json" {
		t.Errorf("asked for %s, want %q", path, "/behind/a/proxy/2010-04-01/Accounts/"+conf.Account+"/Messages.json")
	}
}

func TestTwilioConfigRefusesInvalidCredentials(t *testing.T) {
	t.Parallel()
	conf := twilioConfig("http://127.0.0.1:1", time.Now)
	conf.Secret = "with spaces and €"
	want(t, notify.SMS{Twilio: notify.NewTwilio(conf)}.Send(context.Background(), page(annPhone, "x")), notify.Misconfigured)
}
