package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/api"
	"github.com/watchbill/watchbill/api/rest"
	"github.com/watchbill/watchbill/store/storetest"
)

// Behind a proxy, whoever tries keys is counted by the address that the proxy gives, wherever keys are taken, and named so
// in the log. Others behind the same proxy are answered as ever.
func TestClientsOfAProxyAreCountedApartEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	proxies, err := api.ParseProxies("127.0.0.0/8")
	w.must(err)
	log, registry := zerolog.New(w.log).Level(zerolog.DebugLevel), prometheus.NewRegistry()
	w.listen(t, api.Config{
		System: w.store, Clock: w.clock.Now, Log: log, Gatherer: registry, Metrics: registry, Ready: w.store.Ready, Secrets: storetest.Secrets(), Proxies: proxies,
		REST: rest.New(rest.Config{Store: w.store.Store, Clock: w.clock.Now, Log: log}),
	})
	for n, try := range []struct{ method, path string }{
		{http.MethodPost, "/v1/signals/unknown-key-0123456789abcdef"},
		{http.MethodGet, "/v1/calendar/unknown.ics"},
		{http.MethodGet, "/v1/act/unknown"},
		{http.MethodGet, "/api/v1/incidents"},
		{http.MethodGet, "/opsgenie/v2/schedules"},
		{http.MethodGet, "/pagerduty/incidents"},
	} {
		guesser, other := fmt.Sprintf("198.51.100.%d", n+1), fmt.Sprintf("203.0.113.%d", n+1)
		ask := func(client string) int {
			body := `{"routing_key": "0123456789abcdef0123456789abcdef", "event_action": "trigger", "payload": {"summary": "x", "source": "x", "severity": "error"}}`
			return w.send(try.method, try.path, strings.NewReader(body), "X-Forwarded-For: 192.0.2.66, "+client, "Authorization: Bearer nothing").code
		}
		last := 0
		for range 31 {
			last = ask(guesser)
		}
		if last != http.StatusTooManyRequests {
			t.Errorf("%s: the 31st guess of one client is answered %d, want 429", try.path, last)
		}
		if code := ask(other); code == http.StatusTooManyRequests || code < 400 {
			t.Errorf("%s: the first guess of another client is answered %d, want an error other than 429", try.path, code)
		}
		if !strings.Contains(w.log.String(), `"from":"`+guesser+`:0"`) {
			t.Errorf("%s: the log doesn't name the client", try.path)
		}
	}
	if strings.Contains(w.log.String(), "192.0.2.66") {
		t.Error("what a client says of itself is in the log")
	}
}
