// Package api is Watchbill's HTTP server. It takes signals from monitors, and serves calendars, health
// and metrics. A signal is answered with 202 once it is stored and with 503 while it cannot be,
// because most senders retry after a 503.
package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"
	"golang.org/x/sync/semaphore"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// Config is what the handler needs.
type Config struct {
	System         *store.System
	Receiver       Receiver // nil: the System
	Clock          func() time.Time
	Log            zerolog.Logger
	Gatherer       prometheus.Gatherer            // what /metrics serves; nil: it is served elsewhere, by Metrics
	Metrics        prometheus.Registerer          // where our own metrics go
	Status         func(context.Context) []string // more lines for /readyz; nil: none
	SelfMonitoring func() []string                // more lines for /readyz?verbose; nil: none
	Ready          func(context.Context) error    // nil once the database is reachable and migrated; never asks Slack
	Twilio         Twilio
	Secrets        []oncall.Secret   // to decrypt the integrations' own secrets
	Outbound       http.RoundTripper // for calls to addresses in a message, such as Amazon's certificate; nil: none are made
	Proxies        Proxies           // the proxies in front of us
	MaxPerClient   int               // concurrent requests of one client behind a proxy; 0: any number
	REST           http.Handler      // serves /api/v1 and other vendors' APIs with API keys; nil: off
	MCP            http.Handler      // serves agents at /mcp; nil: off
	Web            http.Handler      // serves browsers at every other address; nil: off
}

// A Receiver takes in signals.
type Receiver interface {
	// IntegrationByKey returns the integration that a key belongs to, or oncall.ErrNotFound. Any other error says
	// nothing about the key.
	IntegrationByKey(ctx context.Context, key string, now time.Time) (oncall.Integration, error)
	// Accept returns once signals are durable, or with an error. It also stores the payload.
	Accept(ctx context.Context, id oncall.IntegrationID, signals []oncall.Signal, now time.Time, came ...oncall.Payload) error
}

// server is the state that all requests share.
type server struct {
	Config
	outages  zerolog.Logger // limited to a few lines a minute, however many requests fail
	requests *prometheus.CounterVec
	accepted prometheus.Histogram
	load     load
	strikes  strikes

	calendars *calendars
	sns       snsKeys
}

// New returns the handler of all routes.
func New(c Config) http.Handler {
	metrics := promauto.With(c.Metrics)
	if c.Receiver == nil {
		c.Receiver = c.System
	}
	s := &server{
		Config:    c,
		calendars: newCalendars(),
		load:      load{parsing: semaphore.NewWeighted(maxParsed)},
		outages:   c.Log.Sample(&zerolog.BurstSampler{Burst: 3, Period: 10 * time.Second}),
		requests: metrics.NewCounterVec(prometheus.CounterOpts{
			Name: "watchbill_http_requests_total",
			Help: "Requests answered, by route and status code.",
		}, []string{"route", "code"}),
		accepted: metrics.NewHistogram(prometheus.HistogramOpts{
			Name:    "watchbill_accept_seconds",
			Help:    "From the arrival of a request with signals until they were durable.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
	}
	return behindProxies(c.Proxies, c.MaxPerClient, s.logRequests(s.withoutPathCleaning(s.routes())))
}

func (s *server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, path := range []string{"/v1/signals", "/v1/signals/{key}", "/v1/signals/{key}/{$}"} {
		mux.HandleFunc("POST "+path, s.receive(watchbillEndpoint))
		mux.HandleFunc("PUT "+path, s.receive(watchbillEndpoint))
		mux.HandleFunc("GET "+path, s.handleGET) // HEAD too
		mux.HandleFunc(path, methodNotAllowed)
	}
	s.endpointRoutes(mux)
	s.opsgenieRoutes(mux)
	s.pingRoutes(mux)
	mux.HandleFunc("GET /v1/calendar/{file}", s.calendar)
	mux.HandleFunc("GET /v1/act/{token}", s.showActPage)
	mux.HandleFunc("POST /v1/act/{token}", s.doAct)
	s.twilioRoutes(mux)
	mux.HandleFunc("GET /healthz", healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	if s.Gatherer != nil {
		mux.Handle("GET /metrics", metricsOf(s.Gatherer))
	}
	if s.REST != nil {
		for _, path := range []string{
			"/api/v1", "/api/v1/", "/pagerduty/", "/opsgenie/", "/v2/schedules", "/v2/schedules/", "/v2/teams", "GET /v1/incidents",
		} {
			mux.Handle(path, s.REST)
		}
	}
	if s.MCP != nil {
		mux.Handle("/mcp", s.MCP)
	}
	if s.Web == nil {
		mux.HandleFunc("GET /{$}", root)
		mux.HandleFunc("/", notFound)
		return mux
	}
	mux.HandleFunc("/", s.preferWebPages)
	return mux
}

func metricsOf(g prometheus.Gatherer) http.Handler {
	return promhttp.HandlerFor(g, promhttp.HandlerOpts{})
}

// Metrics returns a handler that serves only /metrics, for an address that monitors can't reach:
// the metrics name all integrations and count their incidents.
func Metrics(g prometheus.Gatherer) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metricsOf(g))
	mux.HandleFunc("GET /healthz", healthz)
	return mux
}

// Server returns a server for the handler that limits how long a peer may take and how much it may
// send. Bodies have shorter limits of their own; ReadTimeout covers requests that are refused before
// their body is read.
func Server(h http.Handler, addr string) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       35 * time.Second,
		WriteTimeout:      50 * time.Second, // from the end of the headers
		IdleTimeout:       30 * time.Second,
		MaxHeaderBytes:    32 << 10,
	}
}

func healthz(w http.ResponseWriter, _ *http.Request) { writeText(w, "ok\n") }

// readyTimeout is how long the database may take before we report that we are not ready; the check
// is repeated soon.
const readyTimeout = 2 * time.Second

func (s *server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		s.outages.Warn().Err(err).Msg("not ready")
		unavailable("Not ready: the database can't be reached or is not migrated; the log says why.").write(w)
		return
	}
	lines := append([]string{"ready"}, s.status(ctx)...)
	if r.URL.Query().Has("verbose") {
		lines = append(lines, s.backlog(ctx)...)
		if s.SelfMonitoring != nil {
			lines = append(lines, s.SelfMonitoring()...)
		}
	}
	writeText(w, strings.Join(lines, "\n")+"\n")
}

// backlog reports how far folding and paging are behind. It doesn't affect readiness, because signals
// are accepted anyway.
func (s *server) backlog(ctx context.Context) []string {
	lag, err := s.System.Lag(ctx)
	if err != nil {
		return []string{"inbox: unknown, as the database doesn't answer"}
	}
	say := func(what string, since *time.Time) string {
		if since == nil {
			return what + ": nothing waits"
		}
		return what + ": the oldest has waited for " + max(0, s.Clock().Sub(*since)).Round(time.Second).String()
	}
	return []string{say("inbox", lag.Inbox), say("pages", lag.Pages)}
}

// status describes the state of signal intake, for status pages.
func (s *server) status(ctx context.Context) []string {
	if s.Status == nil {
		return nil
	}
	return s.Status(ctx)
}

func root(w http.ResponseWriter, _ *http.Request) {
	writeText(w, "Watchbill\n\nMonitors send their signals to /v1/signals/KEY, or to /v1/signals with the header Authorization: Bearer KEY.\n")
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	newProblem(http.StatusNotFound, "There is nothing at this address; signals go to /v1/signals/KEY.").write(w)
}

// preferWebPages passes requests to the web pages if no monitor could have sent them.
func (s *server) preferWebPages(w http.ResponseWriter, r *http.Request) {
	for _, prefix := range []string{"/v1/", "/v2/", "/api/", "/opsgenie/", "/pagerduty/", "/integrations/v1/"} {
		if strings.HasPrefix(r.URL.Path, prefix) {
			notFound(w, r)
			return
		}
	}
	s.Web.ServeHTTP(w, r)
}

func methodNotAllowed(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Allow", "GET, HEAD, POST, PUT")
	newProblem(http.StatusMethodNotAllowed, "Signals are sent with POST, PUT or GET.").write(w)
}

func writeText(w http.ResponseWriter, s string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(s)) // an error means that the peer is gone
}

// withoutPathCleaning routes alert addresses past the mux, which would remove "//" and ".." from them.
func (s *server) withoutPathCleaning(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, prefix := range []string{"/v2/alerts/", "/opsgenie/v2/alerts/"} {
			if rest, ok := strings.CutPrefix(r.URL.Path, prefix); ok && (strings.Contains(rest, "//") || strings.Contains(rest, "./")) {
				r.Pattern = prefix + "{rest...}"
				r.SetPathValue("rest", rest)
				s.opsgenie(w, r)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}
