package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alecthomas/kong"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/api"
	"github.com/watchbill/watchbill/store"
)

// An organisation may use this many connections of its own. The budget limits all organisations
// together.
const (
	hostedIntakeConns = 2
	hostedConns       = 8
	hostedSessions    = 3
)

// hostGC is how many percent the heap may grow before it is collected. Many idle organisations leave
// little garbage, and with a higher value their live memory would count twice.
const hostGC = 40

const (
	followEvery  = 2 * time.Second // between two checks of the list of organisations
	startAtOnce  = 4               // organisations that start at the same time
	restartAfter = time.Second     // after an organisation has failed; doubles up to restartMax
	restartMax   = 30 * time.Second
)

// hosting is what an organisation shares with the others in its process.
type hosting struct {
	metrics *prometheus.Registry // of this organisation alone
	budget  *store.Budget
}

// A host serves all organisations of a list in one process. Each runs as a separate Watchbill with its
// own database connections, queue and Slack. They share the listening sockets and a budget of
// connections.
type host struct {
	process
	app      *app              // holds the process's own sockets; its store is the list
	values   map[string]string // settings that all organisations have
	spool    string
	budget   *store.Budget
	front    *api.Organisations
	starting chan struct{}

	mu      sync.Mutex
	serving map[string]*hosted
	absent  []string // hosts of organisations that are moving
	known   bool     // the list has been read
}

// A hosted organisation is served by this process.
type hosted struct {
	store.Organisation
	log     zerolog.Logger
	cancel  context.CancelFunc
	ended   chan struct{}
	metrics atomic.Pointer[prometheus.Registry]
	running atomic.Pointer[app] // nil while it starts
}

// host serves organisations until the process is told to stop.
func (c *serveCmd) host(p process, command *kong.Context, log zerolog.Logger) error {
	flags := command.Selected().Flags
	if wrong := misplaced(flags); len(wrong) > 0 {
		return wrongUse(wrong)
	}
	if err := c.prepare(p.ctx, p, log); err != nil {
		if p.ctx.Err() != nil {
			return nil
		}
		return err
	}
	list, err := store.Open(p.ctx, c.DatabaseURL, store.Options{MaxConns: 2, Log: log, Secrets: c.secrets()})
	if err != nil {
		return err
	}
	h := &host{
		process: p, app: &app{store: list, log: log, broken: make(chan error, 8)}, values: processValues(flags), spool: c.Spool,
		budget: store.NewBudget(c.Connections), starting: make(chan struct{}, startAtOnce), serving: map[string]*hosted{},
	}
	defer h.app.stop()
	if err := errors.Join(migrated(p.ctx, list), list.ResealOrganisations(p.ctx)); err != nil {
		return err
	}
	if err := h.listen(c.build(p, log)); err != nil {
		return err
	}
	debug.SetGCPercent(hostGC)
	log.Info().Str("version", version()).Str("address", h.app.addr).Msg("serves organisations")
	return h.run()
}

// listen opens the sockets that all organisations share.
func (h *host) listen(s settings) error {
	ctx, a := h.ctx, h.app
	own := prometheus.NewRegistry()
	own.MustRegister(processCollectors()...)
	metrics := gathered{own: own, host: h}
	h.front = api.NewOrganisations(api.NewProcess(h.ready), s.proxies, h.clock, a.log)
	var err error
	if s.metrics != "" {
		if a.metricsAddr, err = a.listen(ctx, s.metrics, api.NewProcessWithNames(h.ready, metrics), fewConnections, nil, nil); err != nil {
			return err
		}
	}
	secure, err := a.secure(ctx, s.tls, h.clock)
	if err != nil {
		return err
	}
	if a.addr, err = a.listen(ctx, s.listen, h.front, connectionsFor(openFiles()), s.proxies, secure); err != nil || s.mailIn.listen == "" {
		return err
	}
	return a.takeMail(ctx, s.mailIn, api.MailConfig{Find: h.front.Find, Clock: h.clock, Log: a.log, Domain: s.mailIn.domain, TLS: s.mailIn.tls})
}

// run follows the list of organisations until the process is told to stop.
func (h *host) run() error {
	defer h.stopAll()
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for failing := false; ; {
		err := h.follow()
		if err != nil && !failing && h.ctx.Err() == nil {
			h.app.log.Error().Err(err).Msg("could not read the list of organisations; those that are served go on")
		}
		failing = err != nil
		select {
		case <-h.ctx.Done():
			return nil
		case err := <-h.app.broken:
			return err
		case <-tick.C:
		}
	}
}

// follow starts and stops organisations according to the list.
func (h *host) follow() error {
	all, err := h.app.store.Organisations(h.ctx)
	if err != nil {
		return err
	}
	wanted := map[string]store.Organisation{}
	var absent []string
	for _, o := range all {
		switch {
		case o.State == store.OrganisationActive && o.Settings != nil:
			wanted[o.Name] = o
		case o.State != store.OrganisationSuspended:
			absent = append(absent, o.Host)
		}
	}
	h.mu.Lock()
	var leaving []*hosted
	for name, s := range h.serving {
		if o, ok := wanted[name]; !ok || o.Version != s.Version {
			leaving = append(leaving, s)
			delete(h.serving, name)
		}
	}
	h.absent, h.known = absent, true
	h.mu.Unlock()
	h.publish()
	stop(leaving)
	h.mu.Lock()
	for name, o := range wanted {
		if h.serving[name] == nil {
			h.serving[name] = h.begin(o)
		}
	}
	h.mu.Unlock()
	h.publish()
	return nil
}

// stop stops organisations and returns when they have ended.
func stop(all []*hosted) {
	for _, s := range all {
		s.cancel()
	}
	for _, s := range all {
		<-s.ended
	}
}

func (h *host) stopAll() {
	h.mu.Lock()
	all := slices.Collect(maps.Values(h.serving))
	h.mu.Unlock()
	stop(all)
}

// begin serves an organisation until it is stopped.
func (h *host) begin(o store.Organisation) *hosted {
	ctx, cancel := context.WithCancel(h.ctx)
	s := &hosted{Organisation: o, log: h.app.log.With().Str("organisation", o.Name).Logger(), cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		for wait := restartAfter; ; wait = min(2*wait, restartMax) {
			began := h.clock()
			err := h.serve(ctx, s)
			if ctx.Err() != nil {
				return
			}
			if h.clock().Sub(began) > restartMax {
				wait = restartAfter
			}
			s.log.Error().Err(err).Dur("again_in", wait).Msg("the organisation is not served")
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
		}
	}()
	return s
}

// serve runs an organisation until ctx ends or one of its parts fails.
func (h *host) serve(ctx context.Context, s *hosted) error {
	a, err := h.start(ctx, s)
	if err != nil {
		return err
	}
	s.running.Store(a)
	h.publish()
	s.log.Info().Msg("the organisation is served")
	err = a.wait(ctx)
	s.running.Store(nil)
	h.publish()
	a.stop()
	s.log.Info().Msg("the organisation has stopped")
	return err
}

// start starts an organisation, a few at a time.
func (h *host) start(ctx context.Context, s *hosted) (*app, error) {
	select {
	case h.starting <- struct{}{}:
		defer func() { <-h.starting }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	values := maps.Clone(h.values)
	maps.Copy(values, s.Settings)
	c, err := parseServe(values)
	if err != nil {
		return nil, err
	}
	if wrong := c.problems(); len(wrong) > 0 {
		return nil, wrongUse(wrong)
	}
	p := h.process
	p.ctx = ctx
	settings := c.build(p, s.log)
	settings.hosted = &hosting{metrics: prometheus.NewRegistry(), budget: h.budget}
	if h.spool != "" {
		settings.spool = filepath.Join(h.spool, s.Name)
	}
	s.metrics.Store(settings.hosted.metrics)
	return startApp(ctx, settings, h.clock, s.log)
}

// onDemand returns a handler that is created on its first request.
func onDemand(make func() http.Handler) http.Handler {
	handler := sync.OnceValue(make)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler().ServeHTTP(w, r) })
}

// publish tells the front which organisations it can route requests to.
func (h *host) publish() {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []api.Organisation
	absent := slices.Clone(h.absent)
	for _, s := range h.serving {
		a := s.running.Load()
		if a == nil {
			absent = append(absent, s.Host)
			continue
		}
		all = append(all, api.Organisation{
			Name: s.Name, Host: s.Host, Handler: a.handler, Receiver: a.receives,
			HasKey: func(ctx context.Context, key string, fresh bool) (bool, error) {
				return a.store.HasKey(ctx, key, fresh, h.clock())
			},
		})
	}
	h.front.Set(all, absent)
}

// ready describes the organisations for /readyz. The process is ready once it knows them: if one can't
// be served, that is no reason to send the others' signals elsewhere.
func (h *host) ready(ctx context.Context) (lines []string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.known {
		return nil, errors.New("the list of organisations was not read yet")
	}
	for _, name := range slices.Sorted(maps.Keys(h.serving)) {
		state := "served"
		if a := h.serving[name].running.Load(); a == nil {
			state = "not served; the log says why"
		} else if err := a.store.Ready(ctx); err != nil {
			state = "its database does not answer"
		}
		lines = append(lines, fmt.Sprintf("%s: %s", name, state))
	}
	return lines, nil
}
