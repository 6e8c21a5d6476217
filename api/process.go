package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// ready returns a line for each organisation, or an error if the process can't serve any.
type ready = func(context.Context) ([]string, error)

// NewProcess returns the handler for requests about a process that serves several organisations, at
// the address that they share: /healthz and /readyz. It names no organisation, because all of them can
// reach it.
func NewProcess(ready ready) http.Handler {
	mux := processRoutes(ready, false)
	mux.HandleFunc("GET /{$}", root)
	mux.HandleFunc("/", notFound)
	return mux
}

// NewProcessWithNames returns the handler for the metrics address, which only the operators of the
// process can reach. There /readyz?verbose gives the state of each organisation, and /metrics the
// metrics of all of them.
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
