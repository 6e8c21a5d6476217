package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// ready returns a line for each organisation, or why the process can't serve any.
type ready = func(context.Context) ([]string, error)

// NewProcess returns the handler for what is about a process that serves several organisations, at the address that they share:
// /healthz and /readyz. It names no organisation, because each may come there.
func NewProcess(ready ready) http.Handler {
	mux := processRoutes(ready, false)
	mux.HandleFunc("GET /{$}", root)
	mux.HandleFunc("/", notFound)
	return mux
}

// NewProcessWithNames returns the handler for the address of the metrics, which only whoever runs the process can reach:
// /readyz?verbose says how each organisation is, and /metrics has the metrics of all of them.
func NewProcessWithNames(ready ready, g prometheus.Gatherer) http.Handler {
	mux := processRoutes(ready, true)
	mux.Handle("GET /metrics", metricsOf(g))
	return mux
}

func processRoutes(ready ready, named bool) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", healthz)
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		lines, err := ready(ctx)
		switch {
		case err != nil:
			unavailable("Not ready: " + err.Error() + ".").write(w)
		case named && r.URL.Query().Has("verbose"):
			writeText(w, strings.Join(append([]string{"ready"}, lines...), "\n")+"\n")
		default:
			writeText(w, "ready\n")
		}
	})
	return mux
}
