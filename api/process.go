package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// ProcessConfig is what the addresses need that are about a process that serves several organisations.
type ProcessConfig struct {
	Ready    func(context.Context) ([]string, error) // a line for each organisation
	Gatherer prometheus.Gatherer
	Apart    bool // the metrics have an address of their own
}

// NewProcess returns the handler of /healthz, /readyz and /metrics for such a process.
func NewProcess(c ProcessConfig) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", healthz)
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		lines, err := c.Ready(ctx)
		if err != nil {
			unavailable("Not ready: " + err.Error() + ".").write(w)
			return
		}
		text := "ready\n"
		if r.URL.Query().Has("verbose") {
			text += strings.Join(append(lines, ""), "\n")
		}
		writeText(w, text)
	})
	if !c.Apart {
		mux.Handle("GET /metrics", metricsOf(c.Gatherer))
	}
	mux.HandleFunc("GET /{$}", root)
	mux.HandleFunc("/", notFound)
	return mux
}
