package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
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
	orgIntakeConns = 2
	orgConns       = 8
	orgSessions    = 3
)

const (
	followEvery  = 2 * time.Second // between two checks of the list of organisations
	startAtOnce  = 4               // organisations that start at the same time
	restartAfter = time.Second     // after an organisation has failed; doubles up to restartMax
	restartMax   = 30 * time.Second
)

// sharedResources is what an organisation shares with the others in its process.
type sharedResources struct {
	metrics *prometheus.Registry // of this organisation alone
	budget  *store.Budget
}

// An orgServer serves all organisations of a list in one process. Each runs as a separate Watchbill with its
// own database connections, queue and Slack. They share the listening sockets and a budget of
// connections.
type orgServer struct {
	process
	app      *app              // holds the process's own sockets; its store is the list
	values   map[string]string // settings that all organisations have
	spool    string
	budget   *store.Budget
	front    *api.Organisations
	starting chan struct{}

	mu      sync.Mutex
	serving map[string]*orgApp
	absent  []string // hosts of organisations that are moving
	known   bool     // the list has been read
}

// An orgApp is an organisation served by this process.
type orgApp struct {
	store.Organisation
	log     zerolog.Logger
	cancel  context.CancelFunc
	ended   chan struct{}
	metrics atomic.Pointer[prometheus.Registry]
	running atomic.Pointer[app] // nil while it starts
}

// serveOrganisations serves organisations until the process is told to stop.
func (c *serveCmd) serveOrganisations(p process, command *kong.Context, log zerolog.Logger) error {
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
	srv := &orgServer{
		process: p, app: &app{store: list, log: log, broken: make(chan error, 8)}, values: processValues(flags), spool: c.Spool,
		budget: store.NewBudget(c.Connections), starting: make(chan struct{}, startAtOnce), serving: map[string]*orgApp{},
	}
	defer srv.app.stop()
	if err := errors.Join(migrated(p.ctx, list), list.ResealOrganisations(p.ctx)); err != nil {
		return err
	}
	if err := srv.listen(c.build(p, log)); err != nil {
		return err
	}
	log.Info().Str("version", version()).Str("address", srv.app.addr).Msg("serves organisations")
	return srv.run()
}

// listen opens the sockets that all organisations share.
func (srv *orgServer) listen(s settings) error {
	ctx, a := srv.ctx, srv.app
	own := prometheus.NewRegistry()
	own.MustRegister(processCollectors()...)
	metrics := gathered{own: own, server: srv}
	srv.front = api.NewOrganisations(api.NewProcess(srv.ready), s.proxies, srv.clock, a.log)
	var err error
	if s.metrics != "" {
		if a.metricsAddr, err = a.listen(ctx, s.metrics, api.NewProcessWithNames(srv.ready, metrics), fewConnections, nil, nil); err != nil {
			return err
		}
	}
	secure, err := a.secure(ctx, s.tls, srv.clock)
	if err != nil {
		return err
	}
	if a.addr, err = a.listen(ctx, s.listen, srv.front, connectionsFor(openFiles()), s.proxies, secure); err != nil || s.mailIn.listen == "" {
		return err
	}
	return a.takeMail(ctx, s.mailIn, api.MailConfig{Find: srv.front.Find, Clock: srv.clock, Log: a.log, Domain: s.mailIn.domain, TLS: s.mailIn.tls})
}

// run follows the list of organisations until the process is told to stop.
func (srv *orgServer) run() error {
	defer srv.stopAll()
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for failing := false; ; {
		err := srv.follow()
		if err != nil && !failing && srv.ctx.Err() == nil {
			srv.app.log.Error().Err(err).Msg("could not read the list of organisations; those that are served go on")
		}
		failing = err != nil
		select {
		case <-srv.ctx.Done():
			return nil
		case err := <-srv.app.broken:
			return err
		case <-tick.C:
		}
	}
}

// follow starts and stops organisations according to the list.
func (srv *orgServer) follow() error {
	all, err := srv.app.store.Organisations(srv.ctx)
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
	srv.mu.Lock()
	var leaving []*orgApp
	for name, s := range srv.serving {
		if o, ok := wanted[name]; !ok || o.Version != s.Version {
			leaving = append(leaving, s)
			delete(srv.serving, name)
		}
	}
	srv.absent, srv.known = absent, true
	srv.mu.Unlock()
	srv.publish()
	stop(leaving)
	srv.mu.Lock()
	for name, o := range wanted {
		if srv.serving[name] == nil {
			srv.serving[name] = srv.begin(o)
		}
	}
	srv.mu.Unlock()
	srv.publish()
	return nil
}

// stop stops organisations and returns when they have ended.
func stop(all []*orgApp) {
	for _, s := range all {
		s.cancel()
	}
	for _, s := range all {
		<-s.ended
	}
}

func (srv *orgServer) stopAll() {
	srv.mu.Lock()
	all := slices.Collect(maps.Values(srv.serving))
	srv.mu.Unlock()
	stop(all)
}

// begin serves an organisation until it is stopped.
func (srv *orgServer) begin(o store.Organisation) *orgApp {
	ctx, cancel := context.WithCancel(srv.ctx)
	org := &orgApp{Organisation: o, log: srv.app.log.With().Str("organisation", o.Name).Logger(), cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(org.ended)
		for wait := restartAfter; ; wait = min(2*wait, restartMax) {
			began := srv.clock()
			err := srv.serve(ctx, org)
			if ctx.Err() != nil {
				return
			}
			if srv.clock().Sub(began) > restartMax {
				wait = restartAfter
			}
			org.log.Error().Err(err).Dur("again_in", wait).Msg("the organisation is not served")
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
		}
	}()
	return org
}

// serve runs an organisation until ctx ends or one of its parts fails.
func (srv *orgServer) serve(ctx context.Context, org *orgApp) error {
	a, err := srv.start(ctx, org)
	if err != nil {
		return err
	}
	org.running.Store(a)
	srv.publish()
	org.log.Info().Msg("the organisation is served")
	err = a.wait(ctx)
	org.running.Store(nil)
	srv.publish()
	a.stop()
	org.log.Info().Msg("the organisation has stopped")
	return err
}

// start starts an organisation, a few at a time.
func (srv *orgServer) start(ctx context.Context, org *orgApp) (*app, error) {
	select {
	case srv.starting <- struct{}{}:
		defer func() { <-srv.starting }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	values := maps.Clone(srv.values)
	maps.Copy(values, org.Settings)
	c, err := parseServe(values)
	if err != nil {
		return nil, err
	}
	if wrong := c.problems(); len(wrong) > 0 {
		return nil, wrongUse(wrong)
	}
	p := srv.process
	p.ctx = ctx
	settings := c.build(p, org.log)
	settings.shared = &sharedResources{metrics: prometheus.NewRegistry(), budget: srv.budget}
	if srv.spool != "" {
		settings.spool = filepath.Join(srv.spool, org.Name)
		// Only below a directory that exists: a volume that isn't mounted must be noticed.
		if err := os.Mkdir(settings.spool, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			org.log.Error().Err(err).Msg("could not make the organisation's directory in the spool")
		}
	}
	org.metrics.Store(settings.shared.metrics)
	return startApp(ctx, settings, srv.clock, org.log)
}

// onDemand returns a handler that is created on its first request.
func onDemand(make func() http.Handler) http.Handler {
	handler := sync.OnceValue(make)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler().ServeHTTP(w, r) })
}

// publish tells the front which organisations it can route requests to.
func (srv *orgServer) publish() {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	var all []api.Organisation
	absent := slices.Clone(srv.absent)
	for _, s := range srv.serving {
		a := s.running.Load()
		if a == nil {
			absent = append(absent, s.Host)
			continue
		}
		all = append(all, api.Organisation{
			Name: s.Name, Host: s.Host, Handler: a.handler, Receiver: a.accepts,
			HasKey: func(ctx context.Context, key string, fresh bool) (bool, error) {
				return a.store.HasKey(ctx, key, fresh, srv.clock())
			},
		})
	}
	srv.front.Set(all, absent)
}

// ready describes the organisations for /readyz. The process is ready once it knows them: if one can't
// be served, that is no reason to send the others' signals elsewhere.
func (srv *orgServer) ready(ctx context.Context) (lines []string, err error) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if !srv.known {
		return nil, errors.New("the list of organisations was not read yet")
	}
	for _, name := range slices.Sorted(maps.Keys(srv.serving)) {
		state := "served"
		if a := srv.serving[name].running.Load(); a == nil {
			state = "not served; the log says why"
		} else if err := a.store.Ready(ctx); err != nil {
			state = "its database does not answer"
		}
		lines = append(lines, fmt.Sprintf("%s: %s", name, state))
	}
	return lines, nil
}
