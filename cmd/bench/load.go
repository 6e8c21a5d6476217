package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/watchbill/watchbill/localpg"
	"github.com/watchbill/watchbill/oncall"
)

// plantTimers inserts triggered incidents with their timers, as if they had been opened earlier.
func (t *target) plantTimers(ctx context.Context) error {
	now := time.Now().UTC()
	_, err := t.pool.Exec(ctx, `
		INSERT INTO incidents (id, team_id, policy_id, integration_id, group_key, title, body, link, severity, status, version,
			opened_at, signal_count, last_signal_at, flaps, acked_by, resolved_by, seq, round, step, run, next_at, exhausted)
		SELECT n, i.team_id, i.policy_id, i.id, 'g' || n, 'disk full', '', '', 'high', 'triggered', 1,
			$1::timestamptz, 1, $1::timestamptz, 0, '{}', '{}', 1, 0, 0, 0,
			$1::timestamptz + CASE WHEN n <= $2 THEN ($3::float8 + n * $4::float8 / $2) * interval '1 second' ELSE interval '1 day' END, false
		FROM generate_series(1, $5::int) AS n
		JOIN integrations AS i ON i.id = 1 + n % (SELECT count(*) FROM integrations WHERE id > 0)`,
		now, dueTimers, timerLead.Seconds(), timerSpan.Seconds(), dueTimers+pendingTimers)
	if err != nil {
		return err
	}
	_, err = t.pool.Exec(ctx, `
		INSERT INTO river_job (state, kind, queue, args, max_attempts, priority, scheduled_at, created_at, metadata, tags)
		SELECT 'scheduled', $1, 'escalate', jsonb_build_object('incident', id, 'seq', 1), 25, 1, next_at, opened_at, '{}', '{}'
		FROM incidents WHERE id > 0`, oncall.IncidentTimer{}.Kind())
	return err
}

// lateness waits until everything due has run and returns how late each was: from the due time to
// the time of the decision in the incident's timeline.
func (t *target) lateness(ctx context.Context, decided oncall.EventKind) ([]time.Duration, error) {
	last := time.Now().Add(timerLead + timerSpan + 30*time.Second)
	for time.Now().Before(last) {
		rows, err := t.pool.Query(ctx, `
			SELECT extract(epoch FROM e.at - j.scheduled_at) FROM incident_events AS e
			JOIN river_job AS j ON j.kind = $1 AND (j.args->>'incident')::bigint = e.incident_id AND (j.args->>'seq')::bigint = 1
			WHERE e.kind = $2`, oncall.IncidentTimer{}.Kind(), decided)
		if err != nil {
			return nil, err
		}
		var late []time.Duration
		for rows.Next() {
			var seconds float64
			if err := rows.Scan(&seconds); err != nil {
				return nil, err
			}
			late = append(late, time.Duration(seconds*float64(time.Second)))
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
		if len(late) >= dueTimers {
			return late, nil
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, errors.New("not every timer fired within 30 s of the last")
}

// The load for the figures on signals.
const (
	connections = 32
	loadFor     = 10 * time.Second
)

// signals measures how many distinct signals per second are stored over one key while they are
// folded and paged for. For comparison it measures pgbench's transactions per second on the same
// server: with all the rows that a signal leads to, and with only its row in the inbox.
func (b *bench) signals(ctx context.Context) error {
	t, err := b.prepare(ctx, "bench_signals", 1)
	if err != nil {
		return err
	}
	defer t.close()
	if _, err := t.serve(ctx); err != nil {
		return err
	}
	rate, err := t.load(ctx)
	if err != nil {
		return err
	}
	b.figure("signals_per_s_32", rate, "1/s")
	if err := t.halt(); err != nil {
		return err
	}
	for _, p := range []struct{ figure, script string }{
		{"pgbench_tps_32", allRows},
		{"pgbench_one_row_tps_32", inboxRow},
	} {
		tps, err := b.pgbench(ctx, t, p.script)
		if err != nil {
			return err
		}
		b.figure(p.figure, tps, "1/s")
	}
	return nil
}

// The rows that a distinct signal leads to, as the store and the queue write them.
const (
	inboxRow = `INSERT INTO inbox (integration_id, received_at, signal) VALUES (1, '2026-03-02 12:00Z',
	('{"action": "trigger", "dedup_key": "host-' || :n || '", "group_key": "host-' || :n || '", "title": "disk full on host-' || :n ||
	'", "body": "98 % used", "severity": "critical", "labels": {"host": "host-' || :n || '"}}')::json);
`
	allRows = `BEGIN;
` + inboxRow + `INSERT INTO incidents (id, team_id, policy_id, integration_id, group_key, title, body, link, severity, status, version,
	opened_at, signal_count, last_signal_at, flaps, acked_by, resolved_by, seq, round, step, run, next_at, exhausted)
	VALUES (:n, 1, 1, 1, 'host-' || :n, 'disk full on host-' || :n, '98 % used', '', 'critical', 'triggered', 2,
	'2026-03-02 12:00Z', 1, '2026-03-02 12:00Z', 0, '{}', '{}', 1, 0, 1, 0, '2026-03-03 12:00Z', false);
INSERT INTO alerts (integration_id, dedup_key, group_key, incident_id, firing, title, body, link, severity, labels, count, first_at, last_at)
	VALUES (1, 'host-' || :n, 'host-' || :n, :n, true, 'disk full on host-' || :n, '98 % used', '', 'critical', '{}', 1, '2026-03-02 12:00Z', '2026-03-02 12:00Z');
INSERT INTO incident_events (incident_id, at, kind, actor, detail) VALUES (:n, '2026-03-02 12:00Z', 'opened', '{}', '{}'), (:n, '2026-03-02 12:00Z', 'paging', '{}', '{}');
INSERT INTO pages (incident_id, user_id, method, reason, key, call_seq, state, attempt, detail)
	VALUES (:n, 'U00000', 'slack', '["the escalation policy names you"]', :n || '/1/U00000/slack', 1, 'waiting', 0, '');
INSERT INTO river_job (state, kind, queue, args, max_attempts, priority, scheduled_at, created_at, metadata, tags) VALUES
	('available', 'draw', 'bench', '{}', 25, 1, '2026-03-02 12:00Z', '2026-03-02 12:00Z', '{}', '{}'),
	('available', 'page', 'bench', '{}', 25, 1, '2026-03-02 12:00Z', '2026-03-02 12:00Z', '{}', '{}'),
	('scheduled', 'escalate', 'bench', '{}', 25, 1, '2026-03-03 12:00Z', '2026-03-02 12:00Z', '{}', '{}');
COMMIT;
`
)

// load sends distinct signals over 32 connections and returns how many per second were accepted. An
// accepted signal is stored.
func (t *target) load(ctx context.Context) (float64, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	defer client.CloseIdleConnections()
	var accepted atomic.Int64
	var group sync.WaitGroup
	failed := make(chan error, connections)
	begin := time.Now()
	for c := range connections {
		group.Go(func() {
			for n := 0; time.Since(begin) < loadFor; n++ {
				if err := t.signal(ctx, client, key(0), fmt.Sprintf("host-%d-%d", c, n)); err != nil {
					failed <- err
					return
				}
				accepted.Add(1)
			}
		})
	}
	group.Wait()
	select {
	case err := <-failed:
		return 0, err
	default:
		return float64(accepted.Load()) / time.Since(begin).Seconds(), nil
	}
}

var tpsLine = regexp.MustCompile(`(?m)^tps = ([0-9.]+)`)

// pgbench runs a script repeatedly on as many connections as the load uses. :n is a different
// number each time.
func (b *bench) pgbench(ctx context.Context, t *target, script string) (float64, error) {
	installs, err := localpg.Find(ctx, localpg.Options{Getenv: os.Getenv})
	if err != nil {
		return 0, err
	}
	for _, install := range installs {
		path := filepath.Join(install.Dir, "pgbench")
		if _, err := os.Stat(path); err != nil {
			continue
		}
		file := filepath.Join(b.dir, "script.sql")
		const number = "\\set n random(1000000, 1000000000000000)\n" // a collision is practically impossible
		if err := os.WriteFile(file, []byte(number+strings.ReplaceAll(script, "\n\t", " ")), 0o600); err != nil {
			return 0, err
		}
		return runPgbench(ctx, path, file, t.url)
	}
	return 0, errors.New("no pgbench beside PostgreSQL's programs (Debian has it in the package postgresql)")
}

func runPgbench(ctx context.Context, path, script, address string) (float64, error) {
	u, err := url.Parse(address)
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, path, "-n", "-M", "prepared", "-c", strconv.Itoa(connections), "-j", "2",
		"-T", strconv.Itoa(int(loadFor.Seconds())), "-f", script, "-h", u.Query().Get("host"), "-U", u.User.Username(), strings.TrimPrefix(u.Path, "/"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("pgbench: %w: %s", err, out)
	}
	m := tpsLine.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("pgbench printed no tps: %s", out)
	}
	return strconv.ParseFloat(string(m[1]), 64)
}
