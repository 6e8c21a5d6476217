package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/migrations"
)

type migrateCmd struct {
	databaseFlags `embed:""`
	DryRun        bool `help:"Print what would be done, what that locks and for how long, and do nothing."`
}

func (c *migrateCmd) Run(p process) error {
	if wrong := c.problems(); len(wrong) > 0 {
		return wrongUse(wrong)
	}
	if c.DryRun {
		return c.plan(p)
	}
	return migrate(p, c.DatabaseURL)
}

// plan prints what migrate would do.
func (c *migrateCmd) plan(p process) error {
	pool, err := openPool(p.ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	defer pool.Close()
	current, latest, err := migrations.Status(p.ctx, pool)
	if err != nil {
		return err
	}
	steps, err := migrations.Plan(p.ctx, pool)
	if err != nil {
		return err
	}
	if len(steps) == 0 {
		fmt.Fprintf(p.out, "Nothing to do: the database is at version %d, as this program needs.\n", latest)
		return nil
	}
	fmt.Fprintf(p.out, "The database is at version %d, this program needs %d. Nothing has been changed.\n", current, latest)
	for _, s := range steps {
		printStep(p.out, s)
	}
	fmt.Fprintf(p.out, "\n%s\n", waits(migrations.Longest(steps)))
	return nil
}

const statementWidth = 100

func printStep(out io.Writer, s migrations.PlannedStep) {
	fmt.Fprintf(out, "\n%s: %s\n", s.Name, about(s.Takes))
	for _, text := range s.Statements {
		fmt.Fprintf(out, "  %s\n", view.CutPlain(text, statementWidth))
	}
	for _, l := range s.Locks {
		table := fmt.Sprintf("%s (about %d rows)", l.Table, l.Rows)
		if l.Table == "" {
			table = "a table that can't be told beforehand"
		}
		fmt.Fprintf(out, "  locks %s for %s: holds up %s (%s)\n", table, about(l.Held), l.HoldsUp(), l.Mode)
	}
}

// about rounds an estimate, which is only an order of magnitude.
func about(d time.Duration) string {
	switch {
	case d < time.Second:
		return "an instant"
	case d < time.Minute:
		return fmt.Sprintf("about %d s", int(d.Round(time.Second).Seconds()))
	}
	return fmt.Sprintf("about %d minutes", int(d.Round(time.Minute).Minutes()))
}

// waits explains what the longest lock means.
func waits(longest time.Duration) string {
	switch {
	case longest < time.Second:
		return "No step holds anybody up for more than an instant: instances may go on working meanwhile. A step waits for transactions that use its tables."
	case longest < 30*time.Second:
		return "Pages wait for as long as the longest lock, signals are kept in the spool or waited for: choose a quiet moment."
	}
	return "Pages wait for as long as the longest lock: announce it, and have somebody watch the monitors themselves meanwhile."
}

// migrate brings the database up to this version and prints what it did.
func migrate(p process, databaseURL string) error {
	return migrateSaying(p, databaseURL, func(line string) { fmt.Fprintln(p.errOut, line) })
}

// migrateNew is migrate for a new database, where the steps tell nobody anything.
func migrateNew(p process, databaseURL string) error {
	steps := 0
	err := migrateSaying(p, databaseURL, func(string) { steps++ })
	if err == nil && steps > 0 {
		fmt.Fprintln(p.errOut, "its tables are made")
	}
	return err
}

func migrateSaying(p process, databaseURL string, say func(line string)) error {
	pool, err := openPool(p.ctx, databaseURL)
	if err != nil {
		return err
	}
	defer pool.Close()
	_, err = migrations.Up(p.ctx, pool, say)
	if denied, ok := errors.AsType[*pgconn.PgError](err); ok && denied.Code == "42501" {
		to := pool.Config().ConnConfig
		return fmt.Errorf("%w; the account must own the database: ALTER DATABASE %s OWNER TO %s", err, pgx.Identifier{to.Database}.Sanitize(), pgx.Identifier{to.User}.Sanitize())
	}
	return err
}
