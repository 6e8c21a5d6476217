package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/bot"
	"github.com/watchbill/watchbill/migrations"
	"github.com/watchbill/watchbill/store"
)

type doctorCmd struct {
	databaseFlags `embed:""`
	slackFlags    `embed:""`
	twilioFlags   `embed:""`
	channelFlags  `embed:""`
}

// report collects findings and prints each as it comes.
type report struct {
	process
	bad int
}

func (r *report) ok(what, found string) {
	fmt.Fprintf(r.out, "ok    %-9s %s\n", what, oneLine(found))
}

func (r *report) note(what, found, remedy string) {
	fmt.Fprintf(r.out, "note  %-9s %s\n%16s%s\n", what, oneLine(found), "", oneLine(remedy))
}

func (r *report) fail(what, found, remedy string) {
	r.bad++
	fmt.Fprintf(r.out, "FAIL  %-9s %s\n%16s%s\n", what, oneLine(found), "", oneLine(remedy))
}

// oneLine keeps what others wrote, as a server's error or a person's name, from looking
// like findings of ours and from steering the terminal.
func oneLine(text string) string {
	return strings.Join(strings.Fields(strings.Map(func(c rune) rune {
		switch {
		case unicode.IsSpace(c):
			return ' '
		case unicode.IsControl(c), c == unicode.ReplacementChar, unicode.Is(unicode.Bidi_Control, c):
			return -1
		}
		return c
	}, text)), " ")
}

func (c *doctorCmd) Run(p process) error {
	if wrong := slices.Concat(c.databaseFlags.problems(), c.slackFlags.problems(),
		c.twilioFlags.problems(), c.channelFlags.problems()); len(wrong) > 0 {
		return wrongUse(wrong)
	}
	r := &report{process: p}
	db := c.database(r)
	if db != nil {
		defer db.Close()
	}
	if db != nil && r.bad == 0 {
		c.people(r, db)
	}
	senders := c.twilioFlags.senders(r.clock, "")
	maps.Copy(senders, c.channelFlags.senders(r.clock))
	checkWays(r, senders, waysLimit)
	c.slack(r, db)
	if r.bad > 0 {
		return fmt.Errorf("%d to mend", r.bad)
	}
	return nil
}

func (c *doctorCmd) database(r *report) *store.Store {
	db, err := store.Open(r.ctx, c.DatabaseURL, store.Options{Log: zerolog.Nop()})
	if err == nil {
		if err = db.Ping(r.ctx); err != nil {
			db.Close()
		}
	}
	if err != nil {
		r.fail("database", err.Error(), "Check DATABASE_URL, and that PostgreSQL runs and lets this machine in.")
		return nil
	}
	r.ok("database", "reachable")

	current, latest, err := migrations.Status(r.ctx, db.Pool())
	switch {
	case errors.Is(err, migrations.ErrNewer):
		r.fail("schema", err.Error(), "Run the newer watchbill, or the one that this database belongs to.")
	case err != nil:
		r.fail("schema", err.Error(), "Let the database user of DATABASE_URL own its database: it must read and create tables.")
	case current < latest:
		r.fail("schema", fmt.Sprintf("at version %d, this program needs %d", current, latest), "Run `watchbill migrate`.")
	default:
		r.ok("schema", fmt.Sprintf("version %d", current))
	}

	switch skew, err := clockSkew(r.ctx, db, r.clock); {
	case err != nil:
		r.fail("clock", err.Error(), "Check the database's log.")
	case skew.Abs() > skewed:
		r.fail("clock", fmt.Sprintf("the database's clock differs by %s", skew), "Run NTP (chrony, systemd-timesyncd) on both machines: timers would be off by as much.")
	default:
		r.ok("clock", fmt.Sprintf("within %s of the database's", skew.Abs()))
	}
	return db
}

func (c *doctorCmd) slack(r *report, db *store.Store) {
	b, err := bot.New(bot.Config{
		BotToken: c.SlackBotToken, AppToken: c.SlackAppToken, APIURL: c.SlackAPIURL,
		Store: db, Clock: r.clock, Log: zerolog.Nop(),
	})
	if err != nil {
		r.fail("slack", err.Error(), "Check the SLACK_ settings.")
		return
	}
	findings, err := b.Check(r.ctx)
	if err != nil {
		r.fail("slack", err.Error(), "Check that this machine reaches slack.com over HTTPS.")
		return
	}
	for _, f := range findings {
		switch {
		case f.OK:
			r.ok("slack", f.Name)
		case f.Optional:
			r.note("slack", f.Name, f.Advice)
		default:
			r.fail("slack", f.Name, f.Advice)
		}
	}
}

// openPool opens the database for work that needs no store.
func openPool(ctx context.Context, databaseURL string) (*pgxpool.Pool, error) {
	pool, err := pgxpool.New(ctx, databaseURL)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("reach the database: %w", err)
	}
	return pool, nil
}
