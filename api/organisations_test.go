package api_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/api"
)

// fakeOrganisation answers with its name and the body that it gets.
func fakeOrganisation(name string, asked *int, err error, keys ...string) api.Organisation {
	return api.Organisation{
		Name: name, Host: name + ".example.com",
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			_, _ = io.WriteString(w, name+" "+string(body))
		}),
		HasKey: func(_ context.Context, key string, fresh bool) (bool, error) {
			if fresh {
				*asked++
			}
			for _, known := range keys {
				// A new key is only in the database.
				if key == known && (fresh || !strings.HasPrefix(key, "new-")) {
					return true, nil
				}
			}
			if fresh {
				return false, err
			}
			return false, nil
		},
	}
}

// A request is led to its organisation by the host or, at any other host, by the key, wherever that is; a key of nobody is refused.
func TestRequestsFindTheirOrganisation(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	asked := 0
	self := api.NewProcess(func(context.Context) ([]string, error) { return []string{"acme: served"}, nil })
	o := api.NewOrganisations(self, nil, func() time.Time { return now }, zerolog.Nop())
	o.Set([]api.Organisation{fakeOrganisation("acme", &asked, nil, "acme-key-1", "new-acme-key"), fakeOrganisation("globex", &asked, nil, "globex-key-1", "wb_globex")}, nil)
	const pagerDuty = `{"routing_key": "globex-key-1", "event_action": "trigger"}`
	for _, test := range []struct {
		method, address, authorization, body string
		code                                 int
		want                                 string
	}{
		{"GET", "http://acme.example.com/v1/calendar/x.ics", "", "", 200, "acme "},
		{"GET", "http://ACME.example.com:8080/", "", "", 200, "acme "},
		{"POST", "http://on.example.com/v1/signals/acme-key-1", "", `{"title": "disk"}`, 200, `acme {"title": "disk"}`},
		{"POST", "http://on.example.com/v1/signals/acme-key-1/api/v2/alerts", "", "[]", 200, "acme []"},
		{"POST", "http://on.example.com/v1/signals", "Bearer globex-key-1", "{}", 200, "globex {}"},
		{"POST", "http://on.example.com/v2/alerts", "GenieKey wb_globex", "{}", 200, "globex {}"},
		{"GET", "http://on.example.com/api/v2/grafana/incoming?token=acme-key-1", "", "", 200, "acme "},
		{"POST", "http://on.example.com/v2/enqueue", "", pagerDuty, 200, "globex " + pagerDuty},
		{"POST", "http://on.example.com/v2/enqueue", "Bearer of-something-else", pagerDuty, 200, "globex " + pagerDuty},
		{"GET", "http://on.example.com/ping/new-acme-key", "", "", 200, "acme "},
		{"POST", "http://on.example.com/v1/signals/key-of-nobody", "", "{}", 401, "No integration has this key"},
		{"GET", "http://on.example.com/", "", "", 200, "Watchbill"},
		{"GET", "http://on.example.com/readyz?verbose", "", "", 200, "ready\n"},
		{"GET", "http://on.example.com/metrics", "", "", 404, ""},                               // they name the organisations
		{"POST", "http://globex.example.com/v1/signals/acme-key-1", "", "{}", 200, "globex {}"}, // the host decides
	} {
		r := httptest.NewRequest(test.method, test.address, strings.NewReader(test.body))
		if test.authorization != "" {
			r.Header.Set("Authorization", test.authorization)
		}
		w := httptest.NewRecorder()
		o.ServeHTTP(w, r)
		if strings.Contains(w.Body.String(), "served") {
			t.Errorf("%s names an organisation: %q, want none named", test.address, w.Body)
		}
		if w.Code != test.code || !strings.Contains(w.Body.String(), test.want) {
			t.Errorf("%s %s %s: %d %q, want %d and %q", test.method, test.address, test.authorization, w.Code, w.Body, test.code, test.want)
		}
	}
}

// Whoever tries keys doesn't keep the databases of all organisations busy, and is refused after a while; a good key works on.
func TestTriedKeysCostLittle(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	asked := 0
	o := api.NewOrganisations(http.NotFoundHandler(), nil, func() time.Time { return now }, zerolog.Nop())
	o.Set([]api.Organisation{fakeOrganisation("acme", &asked, nil, "acme-key-1")}, nil)
	send := func(key string) int {
		w := httptest.NewRecorder()
		o.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://on.example.com/ping/"+key, nil))
		return w.Code
	}
	for range 30 {
		if code := send("key-of-nobody"); code != http.StatusUnauthorized {
			t.Fatalf("a key of nobody was answered %d, want %d", code, http.StatusUnauthorized)
		}
	}
	if asked != 1 {
		t.Errorf("the database was asked %d times for the same key, want once", asked)
	}
	if code := send("key-of-nobody"); code != http.StatusTooManyRequests {
		t.Errorf("the 31st try was answered %d, want %d", code, http.StatusTooManyRequests)
	}
	if code := send("acme-key-1"); code != http.StatusOK {
		t.Errorf("a good key from the same address was answered %d, want %d", code, http.StatusOK)
	}
	now = now.Add(time.Minute)
	if send("key-of-nobody"); asked != 2 {
		t.Errorf("a minute later the database was asked %d times in all, want twice: the key may be new", asked)
	}
}

// A key that nobody knows may be of an organisation that moves, or whose database is away: its sender is asked to come again.
func TestUnknownKeyWhileOneIsAway(t *testing.T) {
	t.Parallel()
	asked := 0
	for _, test := range []struct {
		name   string
		all    []api.Organisation
		absent []string
	}{
		{"one moves", []api.Organisation{fakeOrganisation("acme", &asked, nil)}, []string{"globex.example.com"}},
		{"one without an address moves", []api.Organisation{fakeOrganisation("acme", &asked, nil)}, []string{""}},
		{"a database is away", []api.Organisation{fakeOrganisation("acme", &asked, errors.New("away"))}, nil},
	} {
		o := api.NewOrganisations(http.NotFoundHandler(), nil, time.Now, zerolog.Nop())
		o.Set(test.all, test.absent)
		w := httptest.NewRecorder()
		o.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "http://on.example.com/v1/signals/some-key-1", strings.NewReader("{}")))
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d, Retry-After %q, want %d and when to come again", test.name, w.Code, w.Header().Get("Retry-After"), http.StatusServiceUnavailable)
		}
	}
}
