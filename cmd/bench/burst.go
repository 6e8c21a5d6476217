package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/slacksim"
)

// A burst: many teams get many alerts at the same moment, as when a data centre fails.
const (
	burstTeams  = 50
	burstAlerts = 1000 // over all teams; one per team is critical
	burstRight  = 2 * time.Minute
)

// burst measures how long it takes until everybody has been paged, until every team's channel shows
// its worst alert, and until all messages are current, and how many posts that takes.
func (b *bench) burst(ctx context.Context) error {
	t, err := b.prepareIn(ctx, slacksim.Options{Limits: true}, "bench_burst", burstTeams)
	if err != nil {
		return err
	}
	defer t.close()
	if _, err := t.serve(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*burstRight)
	defer cancel()
	begin := time.Now()
	sent := make(chan error, 1)
	var accepted time.Duration
	go func() {
		err := t.allAtOnce(ctx)
		accepted = time.Since(begin)
		sent <- err
	}()
	told, err := t.everyTeam(ctx, begin, func(s *slacksim.Sim, team int) bool { return len(s.Messages(fmt.Sprintf("@u%05d", team))) > 0 })
	if err != nil {
		return err
	}
	worst, err := t.everyTeam(ctx, begin, func(s *slacksim.Sim, team int) bool {
		return shows(s, fmt.Sprintf("#team%d", team), worstOf(team)) || shows(s, fmt.Sprintf("#team%d", team), "1 critical")
	})
	if err != nil {
		return err
	}
	if err := <-sent; err != nil {
		return err
	}
	right, err := t.allRight(ctx, begin)
	if err != nil {
		return err
	}
	b.figure("burst_accepted_s", accepted.Seconds(), "s")
	b.figure("burst_told_s", told.Seconds(), "s (bound 2)")
	b.figure("burst_worst_shown_s", worst.Seconds(), "s (bound 15)")
	b.figure("burst_right_s", right.Seconds(), "s (bound 120)")
	posts, limited := t.posts()
	b.figure("burst_posts", float64(posts), "(bound 350)")
	b.figure("burst_429", float64(limited), "")
	return nil
}

func worstOf(team int) string { return fmt.Sprintf("worst-%02d", team) }

// allAtOnce sends the alerts, each team's ending with the worst.
func (t *target) allAtOnce(ctx context.Context) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: floodConns}}
	defer client.CloseIdleConnections()
	var group sync.WaitGroup
	failed := make(chan error, burstAlerts)
	next := make(chan int)
	for range floodConns {
		group.Go(func() {
			for n := range next {
				team, severity := n%burstTeams, oncall.High
				name := fmt.Sprintf("host-%02d-%02d", team, n/burstTeams)
				if n/burstTeams == burstAlerts/burstTeams-1 {
					severity, name = oncall.Critical, worstOf(team)
				}
				if err := t.signalOf(ctx, client, key(team), name, severity); err != nil {
					failed <- err
				}
			}
		})
	}
	for n := range burstAlerts {
		next <- n
	}
	close(next)
	group.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// everyTeam waits until a condition holds for each team, and returns how long that took.
func (t *target) everyTeam(ctx context.Context, begin time.Time, holds func(*slacksim.Sim, int) bool) (time.Duration, error) {
	team := 0
	err := t.sim.WaitFor(ctx, func(s *slacksim.Sim) bool {
		for team < burstTeams && holds(s, team) {
			team++
		}
		return team == burstTeams
	})
	if err != nil {
		return 0, fmt.Errorf("team %d of %d: %w", team, burstTeams, err)
	}
	return time.Since(begin), nil
}

// allRight waits until every incident is posted and every message is current.
func (t *target) allRight(ctx context.Context, begin time.Time) (time.Duration, error) {
	const behind = `
		SELECT EXISTS (SELECT FROM inbox) OR EXISTS (
			SELECT
			FROM incidents i
			LEFT JOIN drawings d ON d.incident_id = i.id
			WHERE i.status <> 'resolved' AND (coalesce(d.ts, '') = '' OR d.drawn < i.version))`
	for ctx.Err() == nil {
		var wrong bool
		if err := t.pool.QueryRow(ctx, behind).Scan(&wrong); err != nil {
			return 0, err
		}
		if !wrong {
			return time.Since(begin), nil
		}
		pause(ctx, 50*time.Millisecond)
	}
	return 0, fmt.Errorf("not every channel is right: %w", ctx.Err())
}

// posts counts the messages that Slack accepted, by any method, and the calls that it rate-limited.
func (t *target) posts() (posts, limited int) {
	for _, c := range t.sim.Calls() {
		switch {
		case c.Status == http.StatusTooManyRequests:
			limited++
		case c.OK && (c.Method == "chat.postMessage" || strings.Contains(c.Method, "response")):
			posts++
		}
	}
	return posts, limited
}

// Pages that pile up: one team's monitor opens thousands of incidents that all page the same
// person.
const pileAlerts = 3000

// pile measures the number of queued jobs, how many backends wait for each other, and how long
// another team's page takes meanwhile.
func (b *bench) pile(ctx context.Context) error {
	t, err := b.prepareWith(ctx, slacksim.Options{Limits: true}, "bench_pile", 1+floodOthers, func(doc *setup.Setup) {
		doc.Integrations[0].Storm = "off"
	})
	if err != nil {
		return err
	}
	defer t.close()
	if _, err := t.serve(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, floodFor+settleWait)
	defer cancel()
	during, end := context.WithTimeout(ctx, pileFor)
	defer end()
	var background sync.WaitGroup
	var jobs, waits int
	begin := time.Now()
	background.Go(func() { t.pour(during, pileAlerts/int(pileFor.Seconds()), pileAlerts) })
	background.Go(func() { jobs, waits = t.watchPile(during) })
	pages, _, err := t.quietPages(during, ctx, 60, pileFor)
	background.Wait()
	if err != nil {
		return err
	}
	if err := t.idle(ctx, "page"); err != nil {
		return err
	}
	b.figure("pile_page_jobs_max", float64(jobs), "")
	b.figure("pile_waits_for_recipient_max", float64(waits), "")
	b.figure("pile_idle_s", time.Since(begin).Seconds(), "s")
	b.percentiles("pile_other_team", pages, true)
	return nil
}

// idle waits until the inbox is empty, and no job of a kind is due.
func (t *target) idle(ctx context.Context, kind string) error {
	for busy := true; busy && ctx.Err() == nil; pause(ctx, 50*time.Millisecond) {
		if err := t.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM inbox) OR EXISTS (SELECT FROM river_job
			WHERE kind = $1 AND state IN ('available', 'running') AND scheduled_at <= $2)`, kind, time.Now()).Scan(&busy); err != nil {
			return err
		}
	}
	return ctx.Err()
}

const pileFor = 15 * time.Second

// watchPile returns the maximum number of waiting page jobs, and of backends waiting for a lock.
func (t *target) watchPile(ctx context.Context) (jobs, waits int) {
	for ctx.Err() == nil {
		var n, w int
		if t.pool.QueryRow(ctx, `
			SELECT (SELECT count(*) FROM river_job WHERE kind = 'page' AND finalized_at IS NULL),
			       (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`).Scan(&n, &w) == nil {
			jobs, waits = max(jobs, n), max(waits, w)
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	return jobs, waits
}

// One incident with very many alerts, as when a monitor puts everything in one group.
const (
	groupAlerts  = 30_000
	groupSamples = 20
)

// group measures the time from a signal until it is folded into such an incident.
func (b *bench) group(ctx context.Context) error {
	t, err := b.prepare(ctx, "bench_group", 1)
	if err != nil {
		return err
	}
	defer t.close()
	now := time.Now().UTC()
	if _, err := t.pool.Exec(ctx, `
		INSERT INTO incidents (id, team_id, policy_id, integration_id, group_key, title, body, link, severity, status, version,
			opened_at, signal_count, last_signal_at, flaps, acked_by, resolved_by, seq, round, step, run, next_at, exhausted)
		SELECT 1, i.team_id, i.policy_id, i.id, 'all', 'disk full', '', '', 'critical', 'triggered', 1, $1::timestamptz, $2::int, $1::timestamptz,
			0, '{}', '{}', 1, 0, 0, 0, $1::timestamptz + interval '1 day', false
		FROM integrations i WHERE i.id > 0`, now, groupAlerts); err != nil {
		return err
	}
	if _, err := t.pool.Exec(ctx, `
		INSERT INTO alerts (integration_id, dedup_key, group_key, incident_id, firing, title, body, link, severity, labels, count, first_at, last_at)
		SELECT i.integration_id, 'host-' || n, 'all', 1, true, 'disk full on host-' || n, '98 % used', '', 'critical',
			jsonb_build_object('alertname', 'DiskFull', 'host', 'host-' || n), 1, i.opened_at, i.opened_at
		FROM incidents i, generate_series(1, $1::int) AS n WHERE i.id = 1`, groupAlerts); err != nil {
		return err
	}
	if _, err := t.pool.Exec(ctx, `ANALYZE alerts`); err != nil {
		return err
	}
	if _, err := t.serve(ctx); err != nil {
		return err
	}
	var took []time.Duration
	for n := range groupSamples {
		begin := time.Now()
		if err := t.signal(ctx, http.DefaultClient, key(0), fmt.Sprintf("host-%d", n+1)); err != nil {
			return err
		}
		for left := true; left && ctx.Err() == nil; pause(ctx, time.Millisecond) {
			if err := t.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM inbox)`).Scan(&left); err != nil {
				return err
			}
		}
		took = append(took, time.Since(begin))
	}
	b.percentiles("group_fold", took, false)
	return nil
}

// pause waits between two checks of the database, which doesn't notify us; no longer than ctx.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
