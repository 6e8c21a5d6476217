package main

import (
	"fmt"
	"slices"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/migrations"
)

type serveCmd struct {
	databaseFlags `embed:""`
	slackFlags    `embed:""`
	logFlags      `embed:""`
	Listen        string `env:"WATCHBILL_LISTEN" default:":8080" help:"Address and port for monitors, health and metrics."`
	PublicURL     string `name:"public-url" env:"WATCHBILL_PUBLIC_URL" placeholder:"URL" help:"Where calendars find Watchbill, such as https://watchbill.example.com."`
	Migrate       bool   `env:"WATCHBILL_MIGRATE" help:"Bring the database up to this version first."`
}

func (c *serveCmd) Run(p process) error {
	wrong := slices.Concat(c.databaseFlags.problems(), c.slackFlags.problems(), c.logFlags.problems(),
		listenProblems("WATCHBILL_LISTEN", c.Listen), publicURLProblems(c.PublicURL))
	if len(wrong) > 0 {
		return wrongUse(wrong)
	}
	if c.Migrate {
		if err := migrate(p, c.DatabaseURL); err != nil {
			return err
		}
	}
	return serve(p, settings{
		databaseURL: c.DatabaseURL, botToken: c.SlackBotToken, appToken: c.SlackAppToken,
		userToken: c.SlackUserToken,
		slackAPI:  c.SlackAPIURL, listen: c.Listen, publicURL: c.PublicURL,
	}, p.logger(c.LogLevel), func(a *app) {
		a.log.Info().Str("version", version()).Str("address", a.addr).Msg("ready")
	})
}

// serve runs Watchbill until the process is told to stop.
func serve(p process, s settings, log zerolog.Logger, ready func(*app)) error {
	a, err := startApp(p.ctx, s, p.clock, log)
	if err != nil {
		return err
	}
	ready(a)
	err = a.wait(p.ctx)
	a.stop()
	log.Info().Msg("stopped")
	return err
}

type migrateCmd struct {
	databaseFlags `embed:""`
}

func (c *migrateCmd) Run(p process) error {
	if wrong := c.problems(); len(wrong) > 0 {
		return wrongUse(wrong)
	}
	return migrate(p, c.DatabaseURL)
}

// migrate brings the database up to this version and says what it did.
func migrate(p process, databaseURL string) error {
	pool, err := openPool(p.ctx, databaseURL)
	if err != nil {
		return err
	}
	defer pool.Close()
	_, err = migrations.Up(p.ctx, pool, func(line string) { fmt.Fprintln(p.errOut, line) })
	return err
}
