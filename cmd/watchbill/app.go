package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/api"
	"github.com/watchbill/watchbill/api/mcp"
	"github.com/watchbill/watchbill/api/rest"
	"github.com/watchbill/watchbill/bot"
	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/jobs"
	"github.com/watchbill/watchbill/migrations"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/spool"
	"github.com/watchbill/watchbill/store"
)

// stopWithin limits how long an orderly shutdown may take.
const stopWithin = 20 * time.Second

// An instance uses at most store.InstanceConns database connections: three permanent ones, and these.
// A burst of timers must not queue behind a burst of signals, and signals must not queue behind
// anything.
const (
	intakeConns = 2
	maxConns    = store.InstanceConns - intakeConns - 3
)

// settings is the validated configuration of a running Watchbill.
type settings struct {
	databaseURL string
	botToken    string
	appToken    string
	userToken   string  // for user groups; "" means the bot token
	slackAPI    string  // "" means Slack's own
	slackFaster float64 // factor on Slack's rate limits, for tests; 0 means 1
	listen      string
	tls         tlsFlags
	tracer      *tracer                      // nil: no tracing
	traceLink   func(oncall.Incident) string // nil: no links
	metrics     string                       // where /metrics is; "" means beside everything else
	proxies     api.Proxies
	apiLimit    int    // requests per minute and API key; 0: unlimited
	publicURL   string // "" means an address of this machine
	secrets     []oncall.Secret
	prepare     func(context.Context) error // prepares the database; nil: it is already prepared
	examine     func(context.Context, *store.System) []view.DoctorFinding
	spool       string // a directory; "" means that signals are refused while the database is away
	mailIn      mailIn

	channels  map[oncall.Method]notify.Sender // by contact method; Slack is added later
	outbound  http.RoundTripper               // for calls to addresses in messages
	silencer  *notify.Alertmanager            // nil: nothing is silenced
	calendars *notify.Calendars               // nil: people's calendars are not read
	hooks     *notify.Hooks                   // nil: no outgoing webhooks
	twilio    api.Twilio                      // for Twilio's webhooks
	phones    oncall.PhoneRules
	terms     store.RetentionTerms
	canary    time.Duration               // how often a canary is sent through everything; 0: never
	pulse     func(context.Context) error // tells an independent service that Watchbill works; nil: none
	admins    []string                    // of the installation; none: the workspace's owners
	web       webSettings
	jwt       jwtFlags
	shared    *sharedResources // set if this is one of several organisations in the process; nil: it has the process to itself
}

// mailIn holds the settings for incoming mail. Without an address it is off.
type mailIn struct {
	listen, domain string
	tls            *tls.Config // for STARTTLS; nil: no STARTTLS
}

// address returns the base address for people's calendar programs, and whether only this machine
// can reach it.
func (s settings) address() (publicURL string, local bool) {
	if s.publicURL != "" {
		return strings.TrimSuffix(s.publicURL, "/"), false
	}
	host, port, err := net.SplitHostPort(s.listen)
	if ip := net.ParseIP(host); err != nil || host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	scheme := "http://"
	if s.tls.on() {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, port), true
}

// app is a running Watchbill.
type app struct {
	store   *store.System
	bot     *bot.Bot
	jobs    *jobs.Jobs
	spool   *spool.Receiver // nil: no spool
	addr    string          // of the HTTP server
	handler http.Handler    // what it serves
	accepts api.Receiver    // takes signals in: the spool, or the store if there is none

	working atomic.Pointer[jobs.Jobs] // set once the jobs have started
	checkup atomic.Pointer[checkup]   // the doctor's findings

	mailAddr string // address of incoming mail, if it is on

	metricsAddr string // address of the metrics, if they have their own
	log         zerolog.Logger

	broken  chan error              // receives the error of the first part that fails
	stopRun []func(context.Context) // stop the background parts, in the order in which those were started
}

// startApp wires the parts together and starts them. Slack need not be reachable: pages wait for it,
// and signals are accepted meanwhile.
func startApp(ctx context.Context, s settings, clock func() time.Time, log zerolog.Logger) (*app, error) {
	metrics := prometheus.NewRegistry()
	options := store.Options{
		MaxConns: maxConns, IntakeConns: intakeConns, Log: log, Metrics: metrics, Phones: s.phones, Secrets: s.secrets, Admins: s.admins,
	}
	if s.shared == nil {
		metrics.MustRegister(processCollectors()...)
	} else {
		metrics = s.shared.metrics
		options.Metrics, options.MaxConns, options.IntakeConns, options.Budget = metrics, orgConns, orgIntakeConns, s.shared.budget
	}
	if s.tracer != nil {
		options.Changed = s.tracer.changed
	}
	db, err := store.Open(ctx, s.databaseURL, options)
	if err != nil {
		return nil, err
	}
	a := &app{store: db, log: log, broken: make(chan error, 8)}
	a.stopRun = append(a.stopRun, a.saveRefusals(clock)) // runs last, after the last possible refusal
	if err := a.start(ctx, s, clock, metrics); err != nil {
		a.stop()
		return nil, err
	}
	return a, nil
}

func (a *app) start(ctx context.Context, s settings, clock func() time.Time, metrics *prometheus.Registry) error {
	if s.spool == "" {
		if err := a.prepare(ctx, s, clock); err != nil {
			return err
		}
	}
	var err error
	publicURL, local := s.address()
	pages := ""
	if s.web.on {
		pages = publicURL
	}
	a.bot, err = bot.New(bot.Config{
		BotToken: s.botToken, AppToken: s.appToken, UserToken: s.userToken, APIURL: s.slackAPI, Faster: s.slackFaster,
		PublicURL: publicURL, LocalURL: local, Pages: pages, Findings: a.findings, Trace: s.traceLink,
		Methods: slices.Sorted(maps.Keys(s.channels)), Numbers: numbers(s.channels), Keeps: s.terms.Incidents,
		Store: a.store.Store, Clock: clock, Log: a.log, Metrics: metrics,
	})
	if err != nil {
		return fmt.Errorf("set up Slack: %w", err)
	}
	senders := map[oncall.Method]notify.Sender{oncall.MethodSlack: a.bot, oncall.MethodChannel: bot.Channels{Bot: a.bot}}
	maps.Copy(senders, s.channels)
	if s.spool == "" {
		if err := a.startWithDatabase(ctx, s, senders, clock, metrics); err != nil {
			return err
		}
		return a.serveHTTP(ctx, s, clock, metrics)
	}
	// Signals are accepted before the database is available.
	if err := a.openSpool(ctx, s, senders, clock, metrics); err != nil {
		return err
	}
	before := len(a.stopRun)
	if err := a.serveHTTP(ctx, s, clock, metrics); err != nil {
		return err
	}
	servers := slices.Clone(a.stopRun[before:])
	if err := a.prepare(ctx, s, clock); err != nil {
		return err
	}
	if err := a.startWithDatabase(ctx, s, senders, clock, metrics); err != nil {
		return err
	}
	a.stopRun = append(slices.Delete(a.stopRun, before, before+len(servers)), servers...) // first, so that no new requests arrive
	return nil
}

// prepare prepares the database and checks it.
func (a *app) prepare(ctx context.Context, s settings, clock func() time.Time) error {
	return a.insist(ctx, func() error {
		if s.prepare != nil {
			if err := s.prepare(ctx); err != nil {
				return err
			}
		}
		if err := migrated(ctx, a.store); err != nil {
			return err
		}
		return useSecrets(ctx, a.store, a.log, clock())
	})
}

// insist retries something while the database is unavailable. A process that starts during an outage
// already accepts signals.
func (a *app) insist(ctx context.Context, do func() error) error {
	for {
		err := do()
		if err == nil || !store.IsUnavailable(err) {
			return err
		}
		a.log.Error().Err(err).Msg("the database went away; starting goes on when it is back")
		pause := time.NewTimer(databaseRetryMax)
		select {
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		case <-pause.C:
		}
	}
}

// startWithDatabase starts the parts that need the database.
func (a *app) startWithDatabase(ctx context.Context, s settings, senders map[oncall.Method]notify.Sender, clock func() time.Time, metrics *prometheus.Registry) error {
	var traced func(jobs.PageAttempt)
	if s.tracer != nil {
		traced = s.tracer.page
		a.background(ctx, "traces", s.tracer.out.Run)
	}
	var err error
	a.jobs, err = jobs.New(jobs.Config{
		System: a.store, Messenger: a.bot, Workspace: a.bot, Senders: senders, PublicURL: s.publicURL, Silencer: s.silencer, Hooks: s.hooks, Calendars: s.calendars,
		Clock: clock, Log: a.log, Slog: slog.New(zerolog.NewSlogHandler(a.log.Level(zerolog.WarnLevel))),
		Metrics: metrics, Name: instanceName(), Terms: s.terms, Canary: s.canary, Pulse: s.pulse, Traced: traced,
	})
	if err != nil {
		return fmt.Errorf("set up the job queue: %w", err)
	}
	a.background(ctx, "store", func(ctx context.Context) error { return a.store.Run(ctx, clock) })
	if err := a.insist(ctx, func() error { return a.jobs.Start(context.WithoutCancel(ctx)) }); err != nil {
		return fmt.Errorf("start the job queue: %w", err)
	}
	a.working.Store(a.jobs)
	a.stopRun = append(a.stopRun, a.stopJobs)
	a.background(ctx, "slack", a.bot.Run)
	if s.examine != nil {
		a.background(ctx, "doctor", func(ctx context.Context) error { return a.examineSelf(ctx, s, clock) })
	}
	a.background(ctx, "clock", func(ctx context.Context) error { return a.watchClock(ctx, clock, metrics) })
	return nil
}

// watching describes how Watchbill watches itself, for status pages.
func (a *app) watching(now time.Time) []string {
	if j := a.working.Load(); j != nil {
		return append(j.SelfMonitoring(now), a.doctorLines(now)...)
	}
	return nil
}

// openSpool opens the receiver that keeps signals on disk while the database is down.
func (a *app) openSpool(ctx context.Context, s settings, senders map[oncall.Method]notify.Sender, clock func() time.Time, metrics *prometheus.Registry) error {
	receiver, err := spool.New(spool.Config{
		System: a.store, Spool: spool.Options{Dir: s.spool, Log: a.log}, Secrets: s.secrets, Senders: senders,
		Clock: clock, Log: a.log, Metrics: metrics,
	})
	if err != nil {
		return err
	}
	a.spool = receiver
	if s.prepare != nil {
		a.store.Suspend() // until the database is known to be available
	}
	a.background(ctx, "spool", receiver.Run)
	return nil
}

// numbers returns the numbers that SMS and calls come from, for people to save in their phones.
func numbers(channels map[oncall.Method]notify.Sender) []string {
	var from []string
	for _, method := range slices.Sorted(maps.Keys(channels)) {
		phone := notify.AbilitiesOf(channels[method]).Phone
		if phone != nil && phone.Number() != "" && !slices.Contains(from, phone.Number()) {
			from = append(from, phone.Number())
		}
	}
	return from
}

// serveHTTP starts the HTTP server. It comes last, when everything it needs is running.
func (a *app) serveHTTP(ctx context.Context, s settings, clock func() time.Time, metrics *prometheus.Registry) error {
	address, _ := s.address()
	forPrograms := rest.Config{
		Store: a.store.Store, Clock: clock, Log: a.log, Limit: s.apiLimit, Formats: intake.Names(), Tokens: s.jwt.tokens(a.log), Address: address,
	}
	if s.web.on {
		forPrograms.Pages = address
	}
	var programs http.Handler
	if s.shared == nil {
		programs = rest.New(forPrograms)
	} else { // most organisations don't use it, and its schemas would be the largest part of an idle organisation
		programs = onDemand(func() http.Handler { return rest.New(forPrograms) })
	}
	config := api.Config{
		System: a.store, Clock: clock, Log: a.log, Gatherer: metrics, Metrics: metrics, Ready: a.store.Ready,
		Twilio: s.twilio, Outbound: s.outbound, Proxies: s.proxies, Secrets: s.secrets,
		REST: programs, MCP: mcp.New(mcp.Config{REST: programs, Version: version()}),
		Web:            a.pages(s, clock),
		SelfMonitoring: func() []string { return a.watching(clock()) },
	}
	a.accepts = a.store
	if a.spool != nil {
		a.accepts, config.Ready, config.Status = a.spool, a.spool.Ready, a.spool.Status
	}
	config.Receiver = a.accepts
	if s.shared != nil { // the process listens
		config.MaxPerClient, config.Gatherer = api.MaxPerPeer(connectionsFor(openFiles())), nil
		a.handler = api.New(config)
		return nil
	}
	if s.metrics != "" {
		config.Gatherer = nil
		var err error
		if a.metricsAddr, err = a.listen(ctx, s.metrics, api.Metrics(metrics), fewConnections, nil, nil); err != nil {
			return err
		}
	}
	secure, err := a.secure(ctx, s.tls, clock)
	if err != nil {
		return err
	}
	most := connectionsFor(openFiles())
	config.MaxPerClient = api.MaxPerPeer(most)
	if a.addr, err = a.listen(ctx, s.listen, api.New(config), most, s.proxies, secure); err != nil || s.mailIn.listen == "" {
		return err
	}
	return a.takeMail(ctx, s.mailIn, api.MailConfig{Find: api.FindBy(a.accepts), Clock: clock, Log: a.log, Domain: s.mailIn.domain, TLS: s.mailIn.tls})
}

// takeMail accepts monitors' mail until the app stops.
func (a *app) takeMail(ctx context.Context, in mailIn, config api.MailConfig) error {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", in.listen)
	if err != nil {
		return fmt.Errorf("listen for mail on %s: %w", in.listen, err)
	}
	a.mailAddr = listener.Addr().String()
	server := api.Mail(context.WithoutCancel(ctx), config)
	go func() {
		if err := server.Serve(listener); !errors.Is(err, smtp.ErrServerClosed) {
			a.broken <- fmt.Errorf("take mail: %w", err)
		}
	}()
	a.stopRun = append(a.stopRun, func(ctx context.Context) {
		if err := server.Shutdown(ctx); err != nil {
			a.log.Warn().Err(err).Msg("mails were cut off; their servers send them again")
		}
	})
	return nil
}

// listen serves at an address until the app stops, with TLS if configured, and returns the address
// with its port.
func (a *app) listen(ctx context.Context, address string, h http.Handler, limit int, proxies api.Proxies, secure *tls.Config) (string, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return "", fmt.Errorf("listen on %s: %w", address, err)
	}
	server := api.Server(h, listener.Addr().String())
	limited := api.LimitConnections(server, listener, limit, proxies)
	serve := server.Serve
	if secure != nil {
		serve = encrypt(server, secure, a.log)
	}
	go func() {
		if err := serve(limited); !errors.Is(err, http.ErrServerClosed) {
			a.broken <- fmt.Errorf("serve HTTP: %w", err)
		}
	}()
	a.stopRun = append(a.stopRun, func(ctx context.Context) {
		if err := server.Shutdown(ctx); err != nil {
			a.log.Warn().Err(err).Msg("requests were cut off")
		}
	})
	return server.Addr, nil
}

// background runs a part until the app stops it. If a part ends on its own, the app fails.
func (a *app) background(ctx context.Context, name string, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := run(ctx); err != nil && ctx.Err() == nil {
			a.broken <- fmt.Errorf("%s: %w", name, err)
		}
	}()
	a.stopRun = append(a.stopRun, func(context.Context) {
		cancel()
		<-done
	})
}

func (a *app) stopJobs(ctx context.Context) {
	if err := a.jobs.Stop(ctx); err != nil {
		a.log.Warn().Err(err).Msg("jobs were cut off; they run again at the next start")
	}
}

// wait returns when ctx ends, or with the error of the first part that failed.
func (a *app) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-a.broken:
		return err
	}
}

// saveRefusals saves the refusals of the last minute, because otherwise they would end with the
// process.
func (a *app) saveRefusals(clock func() time.Time) func(context.Context) {
	return func(ctx context.Context) {
		if err := a.store.SaveLastRefusals(ctx, clock()); err != nil {
			a.log.Warn().Err(err).Msg("what was refused of late is not in the audit log")
		}
	}
}

// stop ends the parts in reverse order: no new requests, no new clicks, then running jobs finish and
// the last signals are folded. Whatever takes longer than stopWithin is aborted.
func (a *app) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	for _, stop := range slices.Backward(a.stopRun) {
		stop(ctx)
	}
	if a.spool != nil {
		a.spool.Close()
	}
	a.store.Close()
}

// migrated refuses a database whose schema does not match this program.
func migrated(ctx context.Context, db *store.System) error {
	current, latest, err := migrations.Status(ctx, db.Pool())
	switch {
	case err != nil:
		return fmt.Errorf("look at the database's version: %w", err)
	case current < latest:
		return fmt.Errorf("the database is at version %d and this program needs %d: run `watchbill migrate`, or serve with --migrate", current, latest)
	}
	return nil
}

// instanceName returns a name unique to this process, so that other instances can tell which jobs are
// orphans.
func instanceName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	var b [4]byte
	rand.Read(b[:])
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), hex.EncodeToString(b[:]))
}

// logger returns the log of the process, in JSON lines.
func (p process) logger(level string) zerolog.Logger {
	l, err := zerolog.ParseLevel(level)
	if err != nil {
		l = zerolog.InfoLevel
	}
	return zerolog.New(p.errOut).Level(l).With().Timestamp().Logger()
}
