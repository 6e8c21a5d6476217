package main

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

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
		t.Errorf("%d, and beside everything else %d", at, beside)
	}
	a.stop()
	if at := get(a.metricsAddr); at != 0 {
		t.Errorf("afterwards: %d, want 0", at)
	}
}
