package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
)

// A storm in progress: incidents of some teams are open and counting, and one of these teams has an
// archived channel. Other teams get an incident now and then.
const (
	stormTeams     = 10
	stormIncidents = 1000
	stormRate      = 50 // repeated signals per second
	quietTeams     = 20
	quietSignals   = 6 // per quiet team
	stormFor       = 2 * time.Minute
)

// drawings measures, with two instances and Slack's limits enforced, the time from a signal of a
// quiet team to the message in its channel, and from a click to the updated message.
func (b *bench) drawings(ctx context.Context) error {
	t, err := b.prepareIn(ctx, slacksim.Options{Limits: true}, "bench_storm", stormTeams+quietTeams)
	if err != nil {
		return err
	}
	defer t.close()
	if err := t.plantStorm(ctx); err != nil {
		return err
	}
	if _, err := t.serve(ctx); err != nil {
		return err
	}
	first := t.cmd
	defer first.Process.Kill() //nolint:errcheck // the measurement is over
	if _, err := t.serve(ctx); err != nil {
		return err
	}
	if err := t.sim.ArchiveChannel("#team0", true); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, stormFor+time.Minute)
	defer cancel()
	storm, calm := context.WithTimeout(ctx, stormFor)
	defer calm()
	var background sync.WaitGroup
	most := 0
	background.Go(func() { t.repeat(storm) })
	background.Go(func() { most = t.watchWaiting(storm) })
	roots, presses, err := t.quietSamples(ctx)
	background.Wait()
	if err != nil {
		return err
	}
	b.percentiles("quiet_team_root", roots, true)
	b.percentiles("pressed_redraw", presses, true)
	b.figure("waiting_draws_max", float64(most), "")
	b.figure("storm_incidents", stormIncidents+quietTeams*quietSignals, "")
	limited := 0
	for _, c := range t.sim.Calls() {
		if c.Status == http.StatusTooManyRequests {
			limited++
		}
	}
	b.figure("slack_429", float64(limited), "")
	return nil
}

// quietSamples takes all samples of the quiet teams, spread over the storm.
func (t *target) quietSamples(ctx context.Context) (roots, presses []time.Duration, failed error) {
	var mu sync.Mutex
	var samples sync.WaitGroup
	for n := range quietTeams * quietSignals {
		samples.Go(func() {
			root, press, err := t.quiet(ctx, n)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = err
				return
			}
			roots, presses = append(roots, root), append(presses, press)
		})
		select {
		case <-time.After(stormFor / (quietTeams * quietSignals)):
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
	samples.Wait()
	return roots, presses, failed
}

// plantStorm inserts open incidents of the first teams, each with its alert.
func (t *target) plantStorm(ctx context.Context) error {
	now := time.Now().UTC()
	_, err := t.pool.Exec(ctx, `
		INSERT INTO incidents (id, team_id, policy_id, integration_id, group_key, title, body, link, severity, status, version,
			opened_at, signal_count, last_signal_at, flaps, acked_by, resolved_by, seq, round, step, run, next_at, exhausted)
		SELECT n + 1, i.team_id, i.policy_id, i.id, 'storm-' || n, 'disk full', '', '', 'critical', 'triggered', 1,
			$1::timestamptz, 1, $1::timestamptz, 0, '{}', '{}', 1, 0, 0, 0, $1::timestamptz + interval '1 day', false
		FROM generate_series(0, $2::int - 1) AS n
		JOIN integrations AS i ON i.name = 'team' || n % $3::int`, now, stormIncidents, stormTeams)
	if err != nil {
		return err
	}
	_, err = t.pool.Exec(ctx, `
		INSERT INTO alerts (integration_id, dedup_key, group_key, incident_id, firing, title, body, link, severity, labels, count, first_at, last_at)
		SELECT integration_id, group_key, group_key, id, true, title, '', '', severity, '{}', 1, opened_at, opened_at FROM incidents WHERE id > 0`)
	return err
}

// repeat makes the storm's monitors repeat themselves.
func (t *target) repeat(ctx context.Context) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	defer client.CloseIdleConnections()
	tick := time.NewTicker(time.Second / stormRate)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-tick.C:
			go t.signal(ctx, client, key(n%stormTeams), fmt.Sprintf("storm-%d", n%stormIncidents)) //nolint:errcheck // one of thousands
		case <-ctx.Done():
			return
		}
	}
}

// watchWaiting returns the maximum number of waiting draw jobs.
func (t *target) watchWaiting(ctx context.Context) (most int) {
	for ctx.Err() == nil {
		var n int
		if err := t.pool.QueryRow(ctx, `SELECT count(*) FROM river_job WHERE kind = $1 AND state IN ('available', 'scheduled', 'retryable', 'running')`,
			oncall.Draw{}.Kind()).Scan(&n); err == nil {
			most = max(most, n)
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	return most
}

// quiet sends the nth signal of the quiet teams, waits for its message in the channel, presses
// Acknowledge there, and waits until that message shows it.
func (t *target) quiet(ctx context.Context, n int) (root, press time.Duration, err error) {
	team := stormTeams + n%quietTeams
	channel, title := fmt.Sprintf("#team%d", team), fmt.Sprintf("quiet-%03d", n)
	begin := time.Now()
	if err := t.signal(ctx, http.DefaultClient, key(team), title); err != nil {
		return 0, 0, err
	}
	var at slacksim.Message
	find := func(s *slacksim.Sim) bool {
		for _, m := range s.Messages(channel) {
			if m.ThreadTS == "" && strings.Contains(m.Text, title) {
				at = m
				return true
			}
		}
		return false
	}
	if err := t.sim.WaitFor(ctx, find); err != nil {
		return 0, 0, fmt.Errorf("no message of %s: %w", title, err)
	}
	root = time.Since(begin)
	begin = time.Now()
	if result, err := t.sim.Click(ctx, fmt.Sprintf("U%05d", team), channel, at.TS, "ack"); err != nil || !result.Acked {
		return 0, 0, fmt.Errorf("a press was not acknowledged: %s, %w", result.Error, err)
	}
	shows := func(s *slacksim.Sim) bool {
		return find(s) && !strings.Contains(string(at.Blocks), `"action_id":"ack"`)
	}
	if err := t.sim.WaitFor(ctx, shows); err != nil {
		return 0, 0, fmt.Errorf("the press of %s is not shown: %w", title, err)
	}
	return root, time.Since(begin), nil
}
