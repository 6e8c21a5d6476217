package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

const (
	oldIncidents = 5_000_000 // unless WATCHBILL_BENCH_OLD is set
	oldPlanted   = 250_000   // in one statement
	oldTeams     = 20
	oldLooks     = 40
	oldBound     = 1.2 // how much longer something may take with old incidents than without
)

// old measures, without and with millions of resolved incidents, the time to the first page, how
// many signals are accepted, and how long loading the usual views takes.
func (b *bench) old(ctx context.Context) error {
	n := oldIncidents
	if text := os.Getenv("WATCHBILL_BENCH_OLD"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			return fmt.Errorf("WATCHBILL_BENCH_OLD: %w", err)
		}
	}
	with, err := b.oldIn(ctx, "old", n)
	if err != nil {
		return err
	}
	without, err := b.oldIn(ctx, "old_none", 0)
	if err != nil {
		return err
	}
	for _, what := range slices.Sorted(maps.Keys(with)) {
		fmt.Fprintf(b.out, "old_ratio_%s %.2f (bound %g)\n", what, with[what]/without[what], oldBound)
	}
	return nil
}

// oldIn measures with n old incidents, and returns how long each thing took.
func (b *bench) oldIn(ctx context.Context, name string, n int) (took map[string]float64, err error) {
	t, err := b.prepare(ctx, "bench_"+name, oldTeams)
	if err != nil {
		return nil, err
	}
	defer t.close()
	if n > 0 {
		if err := b.plantAllOld(ctx, t, name, n); err != nil {
			return nil, fmt.Errorf("plant old incidents: %w", err)
		}
	}
	if _, err := t.serve(ctx); err != nil {
		return nil, err
	}
	var paged []time.Duration
	for i := range oldTeams {
		took, err := t.pageOnce(ctx, i)
		if err != nil {
			return nil, err
		}
		paged = append(paged, took)
	}
	b.percentiles(name+"_first_page", paged, false)
	if took, err = b.looks(ctx, t, name); err != nil {
		return nil, err
	}
	slices.Sort(paged)
	took["first_page"] = float64(paged[len(paged)/2])
	rate, err := t.load(ctx)
	if err != nil {
		return nil, err
	}
	b.figure(name+"_signals_per_s_32", rate, "1/s")
	took["signal"] = 1 / rate
	return took, t.halt()
}

// plantAllOld plants n old incidents, and says how long that took and how large the database is.
func (b *bench) plantAllOld(ctx context.Context, t *target, name string, n int) error {
	begin := time.Now()
	if err := t.plantAllOld(ctx, n); err != nil {
		return err
	}
	if _, err := t.pool.Exec(ctx, "VACUUM ANALYZE"); err != nil {
		return err
	}
	var size float64
	if err := t.pool.QueryRow(ctx, "SELECT pg_database_size(current_database())").Scan(&size); err != nil {
		return err
	}
	b.figure(name+"_incidents", float64(n), "")
	b.figure(name+"_plant_s", time.Since(begin).Seconds(), "s")
	b.figure(name+"_size_gb", size/1e9, "GB")
	return nil
}

// plantAllOld plants n old incidents, without foreign keys, and without indexes, which are built
// afterwards.
func (t *target) plantAllOld(ctx context.Context, n int) error {
	const indexes = `
		SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
		FROM pg_index i
		WHERE i.indrelid = ANY ('{incidents,alerts,incident_events,pages,drawings}'::regclass[])
		  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
		ORDER BY 1`
	conn, err := pgx.Connect(ctx, t.url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, set := range []string{"SET session_replication_role = replica", "SET synchronous_commit = off", "SET maintenance_work_mem = '256MB'"} {
		if _, err := conn.Exec(ctx, set); err != nil {
			return err
		}
	}
	var name, definition string
	var drops, makes []string
	rows, _ := conn.Query(ctx, indexes)
	if _, err := pgx.ForEachRow(rows, []any{&name, &definition}, func() error {
		drops, makes = append(drops, "DROP INDEX "+name), append(makes, definition)
		return nil
	}); err != nil {
		return err
	}
	for _, drop := range drops {
		if _, err := conn.Exec(ctx, drop); err != nil {
			return err
		}
	}
	for from := 1; from <= n; from += oldPlanted {
		if err := plantOld(ctx, conn, from, min(n, from+oldPlanted-1)); err != nil {
			return err
		}
	}
	for _, definition := range makes {
		if _, err := conn.Exec(ctx, definition); err != nil {
			return err
		}
	}
	return nil
}

// plantOld adds incidents resolved long ago, each with an alert, four events, two pages and a
// drawing.
func plantOld(ctx context.Context, conn *pgx.Conn, from, to int) error {
	for _, sql := range []string{
		`
		INSERT INTO incidents (id, team_id, policy_id, integration_id, group_key, title, body, link, severity, status, version, opened_at,
		                       signal_count, last_signal_at, flaps, acked_by, resolved_by, resolved_at, seq, round, step, run, exhausted)
		SELECT n, i.team_id, i.policy_id, i.id, 'old-' || n, 'disk full on host-' || n, '98 % used', '', 'high', 'resolved', 4, at, 2, at, 0, '{}', '{}', at, 1, 0, 1, 0, false
		FROM generate_series($1::bigint, $2) n, LATERAL (SELECT timestamptz '2026-01-01' - interval '1 minute' * (6000000 - n)) a (at)
		JOIN integrations i ON true WHERE i.id = 1 + n % (SELECT count(*) FROM integrations WHERE id > 0)`, `
		INSERT INTO alerts (integration_id, dedup_key, group_key, incident_id, firing, title, body, link, severity, labels, count, first_at, last_at, cleared_at)
		SELECT integration_id, group_key, group_key, id, false, title, body, '', 'high', '{"host": "db"}', 2, opened_at, opened_at, opened_at
		FROM incidents WHERE id BETWEEN $1 AND $2`, `
		INSERT INTO incident_events (incident_id, at, kind, actor, detail)
		SELECT id, opened_at, kind, '{}', '{}' FROM incidents, unnest('{opened,paging,acknowledged,resolved}'::text[]) kind WHERE id BETWEEN $1 AND $2`, `
		INSERT INTO pages (incident_id, user_id, method, why, key, call_seq, state, attempt, ended_at, detail)
		SELECT id, 'U00000', method, 'the escalation policy names you', id || '/1/U00000/' || method, 1, 'delivered', 1, opened_at, ''
		FROM incidents, unnest('{slack,sms}'::text[]) method WHERE id BETWEEN $1 AND $2`, `
		INSERT INTO drawings (incident_id, channel, ts, drawn, thread_to)
		SELECT id, 'C1', id::text, 4, 0 FROM incidents WHERE id BETWEEN $1 AND $2`,
	} {
		if _, err := conn.Exec(ctx, sql, from, to); err != nil {
			return err
		}
	}
	return nil
}

// looks measures loading the usual views: the list of open incidents, a person's Home, one incident, and the data of
// the chores of every minute. It returns the median of each.
func (b *bench) looks(ctx context.Context, t *target, name string) (map[string]float64, error) {
	db, err := store.Open(ctx, t.url, store.Options{MaxConns: 2, Log: zerolog.Nop()})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	medians := map[string]float64{}
	by, now := oncall.ByUser("U00001"), time.Now()
	open, err := db.OpenIncidents(ctx, oncall.ByTimer(), 1)
	if err != nil || len(open) == 0 {
		return nil, fmt.Errorf("no incident is open: %w", err)
	}
	for _, look := range []struct {
		what string
		do   func() error
	}{
		{"list", func() error { _, err := db.OpenIncidents(ctx, by, 50); return err }},
		{"home", func() error { return home(ctx, db, by) }},
		{"incident", func() error { _, err := db.Picture(ctx, by, open[0].ID, now); return err }},
		{"unacked", func() error { return db.RemindUnacked(ctx, now) }},
		{"housekeeping", func() error { return db.Housekeeping(ctx, now) }},
		{"overdue", func() error { _, err := db.RequeueOverdue(ctx, now); return err }},
		{"pages", func() error { _, err := db.RequeuePages(ctx, now); return err }},
		{"nothing_to_remove", func() error { _, err := db.RemoveIncidents(ctx, now.AddDate(-50, 0, 0), 0); return err }},
	} {
		var took []time.Duration
		for range oldLooks {
			begin := time.Now()
			if err := look.do(); err != nil {
				return nil, fmt.Errorf("%s: %w", look.what, err)
			}
			took = append(took, time.Since(begin))
		}
		slices.Sort(took)
		medians[look.what] = float64(took[len(took)/2])
		b.figure(name+"_"+look.what+"_p50_ms", medians[look.what]/float64(time.Millisecond), "ms")
	}
	return medians, nil
}

// home loads what Home shows, as the bot does.
func home(ctx context.Context, db *store.System, by oncall.Actor) error {
	open, err := db.OpenIncidents(ctx, by, 100)
	if err != nil {
		return err
	}
	if _, err := db.ContactSettings(ctx, by, by.User); err != nil {
		return err
	}
	if _, err := db.MayRespond(ctx, by, open); err != nil {
		return err
	}
	ids := make([]oncall.IncidentID, len(open))
	for i, in := range open {
		ids[i] = in.ID
	}
	_, err = db.Roots(ctx, ids)
	return err
}
