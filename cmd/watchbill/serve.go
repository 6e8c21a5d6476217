package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/alecthomas/kong"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/api"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/store"
)

const (
	databaseRetryMax = time.Second      // between two attempts to reach the database
	pingLimit        = 10 * time.Second // for one attempt
)

type serveCmd struct {
	databaseFlags  `embed:""`
	slackFlags     `embed:""`
	channelFlags   `embed:""`
	logFlags       `embed:""`
	secretFlags    `embed:""`
	spoolFlags     `embed:""`
	mailInFlags    `embed:""`
	retentionFlags `embed:""`
	watchingFlags  `embed:""`
	webFlags       `embed:""`
	tlsFlags       `embed:""`
	traceFlags     `embed:""`
	jwtFlags       `embed:""`
	Listen         string `env:"WATCHBILL_LISTEN" default:":8080" help:"Address and port for monitors, health and metrics."`
	MetricsListen  string `env:"WATCHBILL_METRICS_LISTEN" placeholder:"ADDRESS" help:"Address and port for metrics alone, such as 127.0.0.1:9464; without it they are at the address for monitors."`
	PublicURL      string `name:"public-url" env:"WATCHBILL_PUBLIC_URL" placeholder:"URL" help:"Where calendars, the links in mails and Twilio's callbacks find Watchbill, such as https://watchbill.example.com."`
	Admins         string `env:"WATCHBILL_ADMINS" placeholder:"LIST" help:"Admins of Watchbill, by Slack id or e-mail address, divided by commas; without it the workspace's owners."`
	TrustedProxies string `env:"WATCHBILL_TRUSTED_PROXIES" placeholder:"LIST" help:"Addresses and networks of the proxies in front of Watchbill, such as 10.0.0.0/8: only they are believed when they say for whom a request is."`
	APILimit       int    `name:"api-limit" env:"WATCHBILL_API_LIMIT" default:"600" help:"Requests of the REST API a minute that one key may make, of each instance; 0: any number."`
	Organisations  bool   `env:"WATCHBILL_ORGANISATIONS" help:"Serve the organisations that watchbill org lists, each with a database and a Slack app of its own; DATABASE_URL is where that list is."`
	Connections    int    `env:"WATCHBILL_CONNECTIONS" default:"80" help:"Connections to databases that all organisations of this process may have open together."`
	Migrate        bool   `env:"WATCHBILL_MIGRATE" help:"Bring the database up to this version first."`
}

// problems returns what is wrong with the settings.
func (c *serveCmd) problems() []string {
	slack := c.slackFlags.problems()
	if c.Organisations {
		slack = c.hostProblems()
	}
	wrong := slices.Concat(c.databaseFlags.problems(), slack, c.channelFlags.problems(),
		c.logFlags.problems(), c.secretFlags.problems(), c.spoolFlags.problems(), c.mailInFlags.problems(), c.retentionFlags.problems(), c.watchingFlags.problems(),
		listenProblems("WATCHBILL_LISTEN", c.Listen), publicURLProblems(c.PublicURL), c.webFlags.problems(c.PublicURL), c.jwtFlags.problems(), c.tlsFlags.problems(c.Secret), c.traceFlags.problems(), adminProblems(c.Admins))
	if c.MetricsListen != "" {
		wrong = append(wrong, listenProblems("WATCHBILL_METRICS_LISTEN", c.MetricsListen)...)
	}
	if _, err := api.ParseProxies(c.TrustedProxies); err != nil {
		wrong = append(wrong, "WATCHBILL_TRUSTED_PROXIES: "+err.Error())
	}
	if c.APILimit < 0 {
		wrong = append(wrong, "WATCHBILL_API_LIMIT is a number of requests a minute, or 0")
	}
	return wrong
}

// Run serves until the process is told to stop.
func (c *serveCmd) Run(p process, command *kong.Context) error {
	if wrong := c.problems(); len(wrong) > 0 {
		return wrongUse(wrong)
	}
	log := p.logger(c.LogLevel)
	if c.Organisations {
		return c.serveOrganisations(p, command, log)
	}
	return serve(p, c.build(p, log), log, func(a *app) {
		a.log.Info().Str("version", version()).Str("address", a.addr).Msg("ready")
	})
}

// build returns the settings of a running Watchbill, if there are no problems.
func (c *serveCmd) build(p process, log zerolog.Logger) settings {
	proxies, _ := api.ParseProxies(c.TrustedProxies)
	rules, _ := c.addressRules() // errors are reported with the webhooks
	every, _ := parseCanary(c.Canary)
	return settings{
		prepare:     func(ctx context.Context) error { return c.prepare(ctx, p, log) },
		channels:    c.senders(p.clock, c.PublicURL),
		twilio:      c.hooks(c.PublicURL),
		outbound:    c.outbound(),
		hooks:       c.webhooks(),
		calendars:   c.calendars(),
		silencer:    notify.NewAlertmanager(c.alertmanager()),
		phones:      c.phones(),
		admins:      adminList(c.Admins),
		databaseURL: c.DatabaseURL, botToken: c.SlackBotToken, appToken: c.SlackAppToken,
		userToken: c.SlackUserToken, secrets: c.secrets(), spool: c.Spool, mailIn: c.config(), terms: c.terms(),
		canary: every, pulse: c.pulse(rules), web: c.settings(), jwt: c.jwtFlags,
		slackAPI: c.SlackAPIURL, listen: c.Listen, tls: c.tlsFlags, examine: c.examine(p), tracer: c.tracer(p.clock, log), traceLink: c.link, proxies: proxies, metrics: c.MetricsListen, publicURL: c.PublicURL, apiLimit: c.APILimit,
	}
}

// prepare waits for the database, and migrates it if configured to.
func (c *serveCmd) prepare(ctx context.Context, p process, log zerolog.Logger) error {
	if err := awaitDatabase(ctx, c.DatabaseURL, log); err != nil || ctx.Err() != nil {
		return errors.Join(err, ctx.Err())
	}
	if !c.Migrate {
		return nil
	}
	return migrate(p, c.DatabaseURL)
}

// awaitDatabase waits until the database can be reached or ctx ends. If the database refuses us, for
// example because of the password, waiting doesn't help, so that is an error.
func awaitDatabase(ctx context.Context, databaseURL string, log zerolog.Logger) error {
	db, err := store.Open(ctx, databaseURL, store.Options{MaxConns: 2, Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	defer db.Close()
	wait := databaseRetryMax / 16
	for waiting := false; ; wait = min(2*wait, databaseRetryMax) {
		err := pingWithin(ctx, db)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil && waiting:
			log.Info().Msg("the database is there")
			return nil
		case err == nil:
			return nil
		case !errors.Is(err, store.ErrUnavailable):
			return err
		case !waiting:
			log.Warn().Err(err).Msg("waiting for the database")
			waiting = true
		}
		pause := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
}

// pingWithin makes one attempt, with a timeout.
func pingWithin(ctx context.Context, db *store.System) error {
	ctx, cancel := context.WithTimeout(ctx, pingLimit)
	defer cancel()
	if err := db.Ping(ctx); err != nil {
		return err
	}
	return db.CheckSessions(ctx)
}

// serve runs Watchbill until the process is told to stop.
func serve(p process, s settings, log zerolog.Logger, ready func(*app)) error {
	a, err := startApp(p.ctx, s, p.clock, log)
	if p.ctx.Err() != nil && errors.Is(err, p.ctx.Err()) {
		return nil
	}
	if err != nil {
		return err
	}
	ready(a)
	err = a.wait(p.ctx)
	a.stop()
	log.Info().Msg("stopped")
	return err
}
