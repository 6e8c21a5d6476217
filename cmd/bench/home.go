package main

import (
	"context"
	"fmt"
	"time"

	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/slacksim"
)

const (
	homesOpened = 60          // one after the other
	homeEvery   = time.Second // Slack allows about 100 a minute, and the product keeps below that
	homeBound   = 300         // ms
)

// home measures the time from opening the home tab until it is drawn, with as many teams and open
// incidents as for the REST API.
func (b *bench) home(ctx context.Context) error {
	t, err := b.prepareWith(ctx, slacksim.Options{}, "bench_home", restTeams, weeklySchedules)
	if err != nil {
		return err
	}
	defer t.close()
	if err := t.plant(ctx, restIncidents); err != nil {
		return err
	}
	if _, err := t.serve(ctx); err != nil {
		return err
	}
	if err := t.settle(ctx); err != nil {
		return err
	}
	var took []time.Duration
	tick := time.NewTicker(homeEvery)
	defer tick.Stop()
	for i := range homesOpened {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		user, begin := fmt.Sprintf("U%05d", i%restTeams), time.Now()
		if err := t.sim.OpenHome(user); err != nil {
			return err
		}
		if err := t.sim.WaitFor(ctx, func(s *slacksim.Sim) bool { _, drawn := s.Home(user); return drawn }); err != nil {
			return err
		}
		took = append(took, time.Since(begin))
	}
	b.percentiles("home", took, true)
	b.figure("home_p99_bound_ms", homeBound, "ms")
	return t.halt()
}

// weeklySchedules gives each team a schedule.
func weeklySchedules(doc *setup.Setup) {
	for i, team := range doc.Teams {
		doc.Teams[i].Members = []string{doc.Users[i].Name}
		doc.Schedules = append(doc.Schedules, setup.Schedule{
			Name: team.Name, Team: team.Name, TimeZone: "Europe/Berlin",
			Rotations: []setup.Rotation{{
				Name: "weekly", Start: "2026-01-05 09:00", Every: "week", Turns: []setup.Turn{{doc.Users[i].Name}, {doc.Users[(i+1)%len(doc.Users)].Name}},
			}},
		})
	}
}

// settle waits until no job has been due for two seconds: what an instance does after it started is done.
func (t *target) settle(ctx context.Context) error {
	for quiet := 0; quiet < 40 && ctx.Err() == nil; pause(ctx, 50*time.Millisecond) {
		var busy bool
		if err := t.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM river_job WHERE state IN ('available', 'running') AND scheduled_at <= $1)`, time.Now()).Scan(&busy); err != nil {
			return err
		}
		if quiet++; busy {
			quiet = 0
		}
	}
	return ctx.Err()
}

// plant opens incidents that wait for a day.
func (t *target) plant(ctx context.Context, incidents int) error {
	_, err := t.pool.Exec(ctx, `
		INSERT INTO incidents (id, team_id, policy_id, integration_id, group_key, title, body, link, severity, status, version,
			opened_at, signal_count, last_signal_at, flaps, acked_by, resolved_by, seq, round, step, run, next_at, exhausted)
		SELECT n, i.team_id, i.policy_id, i.id, 'g' || n, 'disk full on host-' || n, '98 % used', '', 'high', 'triggered', 1,
			$1::timestamptz, 1, $1::timestamptz, 0, '{}', '{}', 1, 0, 0, 0, $1::timestamptz + interval '1 day', false
		FROM generate_series(1, $2::int) AS n
		JOIN integrations AS i ON i.id = 1 + n % (SELECT count(*) FROM integrations WHERE id > 0)`, time.Now().UTC(), incidents)
	return err
}
