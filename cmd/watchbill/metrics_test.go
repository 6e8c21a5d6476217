package main

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// Both servers listen, and both end with the app.
func TestMetricsListenAtTheirOwnAddress(t *testing.T) {
	t.Parallel()
	db, err := store.Open(t.Context(), storetest.NewURL(t), store.Options{MaxConns: 2, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	a := &app{store: db, log: zerolog.Nop(), broken: make(chan error, 8)}
	if err := a.serveHTTP(t.Context(), settings{listen: "127.0.0.1:0", metrics: "127.0.0.1:0"}, time.Now, prometheus.NewRegistry()); err != nil {
		t.Fatal(err)
	}
	get := func(address string) int {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+address+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			return 0
		}
		defer res.Body.Close()
		return res.StatusCode
	}
	if at, beside := get(a.metricsAddr), get(a.addr); at != http.StatusOK || beside != http.StatusNotFound {
		t.Errorf("%d, and beside everything else %d; want at %d and beside %d", at, beside, http.StatusOK, http.StatusNotFound)
	}
	a.stop()
	if at := get(a.metricsAddr); at != 0 {
		t.Errorf("afterwards: %d, want 0", at)
	}
}

// Refusals wait in memory, and are in the audit log once the instance has stopped.
func TestRefusalsAreSavedOnStop(t *testing.T) {
	t.Parallel()
	sim := slacksim.New(slacksim.Options{Manifest: slacksim.MustManifest(watchbill.Manifest)})
	if _, err := sim.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	address := storetest.NewURL(t)
	a, err := startApp(t.Context(), settings{
		databaseURL: address, botToken: "xoxb-sim", appToken: "xapp-sim", slackAPI: sim.APIURL(), listen: "127.0.0.1:0", secrets: storetest.Secrets(),
	}, time.Now, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.store.Pool().Exec(t.Context(), `INSERT INTO users (id, name, email, time_zone, standing) VALUES ('U0EVE', 'Eve', '', '', 'member')`); err != nil {
		t.Fatal(err)
	}
	refused := func(times int) {
		for range times {
			if _, err := a.store.Belongings(t.Context(), oncall.ByUser("U0EVE"), "U0EVE"); err == nil {
				t.Fatal("Eve, who may not, was not refused")
			}
		}
	}
	refused(1)
	if err := a.store.SaveRefusals(t.Context(), time.Now()); err != nil { // the first is written within a minute
		t.Fatal(err)
	}
	refused(3)
	a.stop()
	db, err := store.Open(t.Context(), address, store.Options{Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	entries, _, err := db.History(t.Context(), oncall.ByCommandLine("root@db-1"), store.AuditFilter{Person: "U0EVE", Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, e := range entries {
		for _, c := range e.Changes {
			said = append(said, c.After.String())
		}
	}
	if len(said) != 2 || !strings.HasPrefix(said[0], "3 times, ") || !strings.HasPrefix(said[1], "once, ") {
		t.Errorf("logged %q, want two lines with their counts", said)
	}
}
