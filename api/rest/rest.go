package rest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

func init() { huma.DefaultArrayNullable = false } // an empty list is []

// Base is where the API is served.
const Base = "/api/v1"

// Config is what the handler needs.
type Config struct {
	Store   *store.Store
	Clock   func() time.Time
	Log     zerolog.Logger
	Address string          // base URL of Watchbill, for calendar programs and clients of PagerDuty
	Pages   string          // base URL of the web pages; empty: they are off
	Tokens  Tokens          // checks services' tokens; nil: only API keys
	Limit   int             // requests per minute and key; 0: unlimited
	Formats []oncall.Format // that an integration may have
	Pause   time.Duration   // between two looks whether something has happened; 0: a second
}

// Tokens checks the tokens of the configured issuer. What is wrong with one is a Refusal; any other error says nothing of
// the token.
type Tokens interface {
	Check(ctx context.Context, token string, now time.Time) (oncall.Service, error)
}

// server is the state that all requests share.
type server struct {
	Config
	outages zerolog.Logger // limited to a few lines a minute, however many requests fail
	api     huma.API
	limits  limits
	waiting waiters // for events
}

// New returns the handler of everything under Base, and of other vendors' APIs: under /pagerduty
// and /opsgenie, and at Opsgenie's own paths.
func New(c Config) http.Handler {
	mux, s := build(c)
	// Written when they are first asked for, because that takes nine tenths of the time to start.
	document := sync.OnceValue(func() []byte {
		text, err := json.MarshalIndent(s.api.OpenAPI(), "", "  ")
		if err != nil {
			panic(fmt.Sprintf("rest: write the OpenAPI document: %v", err)) // the types don't change
		}
		return text
	})
	mux.HandleFunc("GET "+Base+"/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(document())
	})
	page := sync.OnceValue(func() http.HandlerFunc { return operationsPage(s.api.OpenAPI()) })
	for _, path := range []string{Base + "/{$}", Base} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { page()(w, r) })
	}
	mux.HandleFunc(Base+"/", noOperation)
	s.pagerDutyRoutes(mux)
	s.opsgenieRoutes(mux)
	return secured(s.streams(mux))
}

// build returns the handler of the operations.
func build(c Config) (*http.ServeMux, *server) {
	s := &server{Config: c, outages: c.Log.Sample(&zerolog.BurstSampler{Burst: 3, Period: 10 * time.Second})}
	mux := http.NewServeMux()
	s.api = humago.New(mux, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Watchbill", Version: "1",
				Description: "Who is on call, what is wrong, and everything that people do about it in Slack. Fields are only ever added.",
			},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", schemaName),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"key": {Type: "http", Scheme: "bearer", Description: "An API key, as watchbill apikey create prints it."},
				},
			},
		},
		Formats:                      map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{sparse},
	})
	s.api.UseMiddleware(s.admit)
	for _, register := range []func(){
		s.teamRoutes, s.userRoutes, s.scheduleRoutes, s.onCallRoutes, s.incidentRoutes, s.eventRoutes, s.signalRoutes, s.auditRoutes,
		s.raiseRoutes, s.actRoutes, s.updateRoutes, s.reviewRoutes, s.dutyRoutes, s.setupRoutes, s.integrationRoutes, s.absenceRoutes, s.maintenanceRoutes,
		s.swapRoutes, s.contactRoutes, s.reportRoutes, s.planRoutes, s.hookRoutes, s.keyRoutes, s.calendarRoutes, s.payloadRoutes,
	} {
		register()
	}
	return mux, s
}

// schemaName names a type in the document; types of the set-up file are distinguished from ours of
// the same name.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name := huma.DefaultSchemaNamer(t, hint)
	switch {
	case strings.HasSuffix(t.PkgPath(), "/oncall/setup"):
		return "Setup" + name
	case strings.HasSuffix(t.PkgPath(), "/oncall/report"):
		return "Report" + strings.TrimPrefix(name, "Report")
	}
	return name
}

// secured sets the headers of every response, and refuses addresses that PostgreSQL can't look up.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		query, err := url.QueryUnescape(r.URL.RawQuery)
		if address := r.URL.Path + query; err == nil && oncall.Storable(address) != address {
			h.Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusBadRequest)
			_ = json.NewEncoder(w).Encode(huma.NewError(http.StatusBadRequest, "The address has a NUL in it, or bytes that are no UTF-8."))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// noOperation responds at addresses without an operation.
func noOperation(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(http.StatusNotFound)
	_ = json.NewEncoder(w).Encode(huma.NewError(http.StatusNotFound, "There is nothing at this address; "+Base+"/ lists what there is."))
}

// A caller is who makes a request, and when.
type caller struct {
	by  oncall.Actor
	key oncall.APIKey
	now time.Time
}

type callerKey struct{}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// An operation is the document's description of one.
type operation struct {
	method, path string
	id           string
	summary      string
	about        string // further description
	tag          string
	scope        oncall.Scope // anyScope: none in particular
	status       int
	makes        bool // creates what doesn't exist, with status 201
	errors       []int
}

// handle registers an operation.
func handle[I, O any](s *server, op operation, do func(context.Context, caller, *I) (*O, error)) {
	errors := append([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable}, op.errors...)
	huma.Register(s.api, huma.Operation{
		OperationID: op.id, Method: op.method, Path: Base + op.path, Summary: op.summary, Tags: []string{op.tag},
		Description:   describe(op),
		DefaultStatus: op.status, Errors: errors,
		Security:     []map[string][]string{{"key": scopesOf(op)}},
		MaxBodyBytes: 1 << 20,
	}, func(ctx context.Context, in *I) (*O, error) {
		out, err := idempotent(ctx, s, op.id, in, func() (*O, error) { return do(ctx, callerOf(ctx), in) })
		if err != nil {
			return nil, s.problem(err)
		}
		return out, nil
	})
	if op.makes {
		of := s.api.OpenAPI().Paths[Base+op.path]
		responses := cmp.Or(of.Put, of.Post).Responses
		made := *responses["200"]
		made.Description = "Created"
		responses["201"] = &made
	}
}

// anyScope is of what every key may do.
const anyScope oncall.Scope = ""

func scopesOf(op operation) []string {
	if op.scope == anyScope {
		return []string{}
	}
	return []string{string(op.scope)}
}

func describe(op operation) string {
	text := "Takes any API key."
	if op.scope != anyScope {
		text = fmt.Sprintf("Takes an API key with the scope `%s`.", op.scope)
	}
	if op.about != "" {
		text = op.about + " " + text
	}
	return text
}
