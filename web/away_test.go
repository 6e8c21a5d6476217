package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// While the database is away every page says so, with 503 and when to come back; whoever was signed in is when it is back.
func TestPagesExplainADatabaseOutage(t *testing.T) {
	t.Parallel()
	var proxy *storetest.Proxy
	w := newWorld(t, func(w *world) {
		var address string
		proxy, address = storetest.NewProxy(t, w.pool.Config().ConnString())
		behind, err := store.Open(t.Context(), address, store.Options{MaxConns: 4, Secrets: storetest.Secrets(), Log: zerolog.Nop()})
		w.must(err)
		t.Cleanup(behind.Close)
		w.config.Store = behind.Store
		w.config.Log = zerolog.Nop()
	})
	b := w.as(ann)
	if r := b.do(http.MethodGet, "/incidents", nil); r.code != http.StatusOK {
		t.Fatalf("before: got %d, want 200", r.code)
	}
	proxy.Set(storetest.ProxyDown)
	for _, path := range []string{"/", "/incidents", "/incidents/1", "/teams/payments", "/reports", "/integrations", "/audit", "/page"} {
		r := b.do(http.MethodGet, path, nil)
		if r.code != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" || !strings.Contains(r.text, "The database does not answer") {
			t.Errorf("%s: got %d, Retry-After %q, want 503 with one, which says that the database does not answer: %.300s", path, r.code, r.header.Get("Retry-After"), r.text)
		}
	}
	proxy.Set(storetest.ProxyUp)
	storetest.Until(t, 30*time.Second, "the pages are back", func() bool { return b.do(http.MethodGet, "/incidents", nil).code == http.StatusOK })
}
