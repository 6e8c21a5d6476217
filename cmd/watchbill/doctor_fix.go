package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/migrations"
	"github.com/watchbill/watchbill/store"
)

// fixLimit bounds doctor --fix.
const fixLimit = 3 * time.Minute

func (r *report) fixed(what, done string) { fmt.Fprintf(r.out, "fixed %-9s %s\n", what, done) }

func (r *report) left(what, why, remedy string) {
	fmt.Fprintf(r.out, "left  %-9s %s\n%16s%s\n", what, why, "", remedy)
}

// fix repairs what needs no decision: what running instances do by themselves, and an upgrade that holds nobody up.
// Afterwards look reports what is left.
func (c *doctorCmd) fix(r *report) {
	ctx, cancel := context.WithTimeout(r.ctx, fixLimit)
	defer cancel()
	pool, err := openPool(ctx, c.DatabaseURL)
	if err != nil {
		return // look reports why
	}
	defer pool.Close()
	if !c.fixSchema(ctx, r, pool) {
		return
	}
	db, err := store.Open(ctx, c.DatabaseURL, store.Options{MaxConns: 2, Secrets: c.secrets(), Log: zerolog.Nop()})
	if err != nil {
		return
	}
	defer db.Close()
	now := r.clock()
	for _, one := range []struct {
		what, done string
		do         func(context.Context, time.Time) (int, error)
	}{
		{"timers", "%d open incidents had lost their timer: it is queued again", db.RequeueOverdue},
		{"pages", "%d waiting pages had lost their job: they are queued again", db.RequeuePages},
		{"jobs", "%d jobs of instances that are gone are free again", db.RescueJobs},
		{"jobs", "%d jobs that had ended long ago, and could not say so, are free again", db.ReleaseStuck},
	} {
		n, err := one.do(ctx, now)
		switch {
		case err != nil:
			r.left(one.what, briefly(err), "Check the database's log.")
		case n > 0:
			r.fixed(one.what, fmt.Sprintf(one.done, n))
		}
	}
	if err := errors.Join(db.Housekeeping(ctx, now), db.EndMutes(ctx, now)); err != nil {
		r.left("rows", briefly(err), "Check the database's log.")
	}
	r.left("elsewhere", "what is set in Slack, at providers and in the environment is not touched", "What follows says what is to be done there.")
}

// fixSchema applies missing migrations if they hold nobody up, and reports whether the schema fits this program.
func (c *doctorCmd) fixSchema(ctx context.Context, r *report, pool *pgxpool.Pool) bool {
	current, latest, err := migrations.Status(ctx, pool)
	if err != nil || current == latest {
		return err == nil
	}
	steps, err := migrations.Plan(ctx, pool)
	if err != nil {
		return false
	}
	if longest := migrations.Longest(steps); longest >= time.Second {
		r.left("schema", fmt.Sprintf("a migration would hold others up for %s", about(longest)), "Choose a quiet moment for `watchbill migrate`; `watchbill migrate --dry-run` says what it does.")
		return false
	}
	applied, err := migrations.Up(ctx, pool, nil)
	if err != nil {
		r.left("schema", briefly(err), "Run `watchbill migrate`.")
		return false
	}
	r.fixed("schema", fmt.Sprintf("%d migrations were applied: it is at version %d", len(applied), latest))
	return true
}
