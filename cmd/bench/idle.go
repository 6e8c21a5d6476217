package main

import (
	"context"
	"fmt"
	"time"
)

const (
	idleTeams = 100
	idleFor   = time.Minute
)

// idle measures what an instance costs while nothing happens, but for its own canary: computing, transactions, what is
// written, connections. Then it measures how much an incident adds to the database.
func (b *bench) idle(ctx context.Context) error {
	t, err := b.prepare(ctx, "bench_idle", idleTeams)
	if err != nil {
		return err
	}
	defer t.close()
	if _, err := t.serve(ctx); err != nil {
		return err
	}
	pause(ctx, 20*time.Second) // until all that follows a start is done
	before, err := t.spent(ctx)
	if err != nil {
		return err
	}
	pause(ctx, idleFor)
	after, err := t.spent(ctx)
	if err != nil {
		return err
	}
	b.figure("idle_cpu", (after.cpu-before.cpu)*1000, "ms a minute")
	b.figure("idle_transactions", after.transactions-before.transactions, "a minute")
	b.figure("idle_wal", (after.wal-before.wal)/1e3, "kB a minute")
	b.figure("idle_connections", after.connections, "")
	return b.growth(ctx, t)
}

// growth opens an incident of each team, of one alert that pages one person, and prints what each has added.
func (b *bench) growth(ctx context.Context, t *target) error {
	before, err := t.spent(ctx)
	if err != nil {
		return err
	}
	for i := range idleTeams {
		if _, err := t.pageOnce(ctx, i); err != nil {
			return err
		}
		pause(ctx, pagePause)
	}
	if _, err := t.pool.Exec(ctx, "VACUUM ANALYZE"); err != nil {
		return err
	}
	after, err := t.spent(ctx)
	if err != nil {
		return err
	}
	n := after.incidents - before.incidents
	if n == 0 {
		return fmt.Errorf("no incident was opened")
	}
	b.figure("incidents_opened", n, "")
	b.figure("incident_bytes", (after.size-before.size)/n/1e3, "kB in tables and indexes")
	b.figure("incident_wal", (after.wal-before.wal)/n/1e3, "kB written to the log")
	b.figure("incident_cpu", (after.cpu-before.cpu)*1000/n, "ms of the program")
	return nil
}

// spent is what has been used since the beginning.
type spent struct{ cpu, transactions, wal, connections, size, incidents float64 }

func (t *target) spent(ctx context.Context) (s spent, err error) {
	if s.cpu, err = cpuSeconds(t.cmd.Process.Pid); err != nil {
		return s, err
	}
	err = t.pool.QueryRow(ctx, `
		SELECT xact_commit, pg_current_wal_lsn() - '0/0'::pg_lsn,
			(SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'watchbill%'),
			(SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace),
			(SELECT count(*) FROM incidents WHERE id > 0)
		FROM pg_stat_database
		WHERE datname = current_database()`).Scan(&s.transactions, &s.wal, &s.connections, &s.size, &s.incidents)
	return s, err
}
