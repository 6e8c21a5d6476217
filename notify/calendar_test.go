package notify_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/watchbill/watchbill/notify"
)

func calendarRules(t *testing.T) notify.AddressRules {
	t.Helper()
	local, err := notify.ParseLoopback("localhost")
	if err != nil {
		t.Fatal(err)
	}
	return notify.AddressRules{Private: true, Loopback: local}
}

// A calendar is read where it has moved to, and not again while it is the same.
func TestCalendarReadFollowsRedirects(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/moved/secret":
			http.Redirect(w, r, "/here/secret", http.StatusFound)
		case r.URL.Path == "/round/secret":
			http.Redirect(w, r, "/round/secret", http.StatusFound)
		case r.URL.Path != "/here/secret":
			http.NotFound(w, r)
		case r.Header.Get("If-None-Match") == `"1"`:
			w.WriteHeader(http.StatusNotModified)
		default:
			w.Header().Set("ETag", `"1"`)
			_, _ = w.Write([]byte("BEGIN:VCALENDAR"))
		}
	}))
	t.Cleanup(s.Close)
	c := notify.NewCalendars(calendarRules(t))
	body, tag, err := c.Read(t.Context(), s.URL+"/moved/secret", "")
	if err != nil || string(body) != "BEGIN:VCALENDAR" || tag != `"1"` {
		t.Errorf("read %q, %q (%v), want the calendar and its tag", body, tag, err)
	}
	if body, tag, err = c.Read(t.Context(), s.URL+"/here/secret", tag); err != nil || body != nil || tag != `"1"` {
		t.Errorf("read %q, %q (%v) of what is the same, want nothing", body, tag, err)
	}
	for path, want := range map[string]string{"/gone/secret": "the calendar answers 404", "/round/secret": "the calendar has moved too often"} {
		_, _, err := c.Read(t.Context(), s.URL+path, "")
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
}

// What keeps a calendar from being read is told without its address, and never comes from a forbidden one.
func TestCalendarErrorsHideTheAddress(t *testing.T) {
	t.Parallel()
	c := notify.NewCalendars(notify.AddressRules{})
	for _, address := range []string{"http://127.0.0.1:1/secret", "http://169.254.169.254/secret", "https://calendar.invalid/secret", "nowhere/secret"} {
		_, _, err := c.Read(t.Context(), address, "")
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want an error without the address", address, err)
		}
	}
}
