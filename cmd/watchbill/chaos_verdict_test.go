package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A chaosVerdict is what happened to the accepted signals.
type chaosVerdict struct {
	accepted int           // signals
	lost     int           // of these
	missed   int           // steps of escalation that reached nobody
	double   int           // pages of one person about one incident, beyond the first
	late     time.Duration // delay of the latest page
	latest   string        // the key of that page
}

// settled reports whether everything accepted has been dealt with: every signal is stored, and every alert has paged all
// three people.
func (l *chaosLoad) settled() bool {
	const undone = `
		SELECT (SELECT count(*) FROM inbox)
		     + (SELECT count(*) FROM incidents i WHERE (SELECT count(DISTINCT user_id) FROM pages p
		           WHERE p.incident_id = i.id AND p.method = 'slack' AND p.state = 'delivered') < 3)
		     + $1::bigint - (SELECT count(DISTINCT dedup_key) FROM alerts WHERE dedup_key = ANY ($2))`
	keys := l.keys()
	if l.place.count(undone, len(keys), keys) != 0 {
		return false
	}
	conn, err := pgx.Connect(context.Background(), asAdmin(l.place.url))
	if err != nil {
		return false
	}
	defer conn.Close(context.Background())
	return l.lost(conn) == 0
}

// verdict compares the responses to monitors with what is stored, and that with the pages that
// people got.
func (l *chaosLoad) verdict() chaosVerdict {
	p := l.place
	p.Helper()
	var v chaosVerdict
	v.accepted, _ = l.accepted()
	conn, err := pgx.Connect(context.Background(), asAdmin(p.url))
	if err != nil {
		p.Fatal(err)
	}
	defer conn.Close(context.Background())
	v.lost = l.lost(conn)

	delivered := p.deliveries()
	for _, n := range delivered {
		v.double += n - 1
	}
	const pages = `
		SELECT a.dedup_key, p.user_id, coalesce(lead.key, p.key), p.attempt, p.ended_at,
		       CASE WHEN p.held_until IS NULL AND p.bundle = 0 THEN coalesce((
		           SELECT max(e.at) FROM incident_events e WHERE e.incident_id = p.incident_id AND e.kind = 'paging' AND e.id < paging.id
		       ) + $1, a.first_at) END AS due
		FROM pages p
		JOIN alerts a ON a.incident_id = p.incident_id
		JOIN LATERAL (
			SELECT id FROM incident_events e WHERE e.incident_id = p.incident_id AND e.kind = 'paging' ORDER BY id
			OFFSET right(p.user_id, 1)::int LIMIT 1) paging ON true
		LEFT JOIN pages lead ON lead.id = p.bundle
		WHERE p.method = 'slack' AND p.state = 'delivered'`
	rows, _ := conn.Query(context.Background(), pages, stepWait)
	told := map[[2]string]int{}
	var key, user, delivery string
	var ended time.Time
	var due *time.Time
	var attempt int
	_, err = pgx.ForEachRow(rows, []any{&key, &user, &delivery, &attempt, &ended, &due}, func() error {
		if delivered[delivery] == 0 {
			p.Errorf("%s is noted as paged about %s, and Slack has no message %s", user, key, delivery)
			return nil
		}
		if told[[2]string{key, user}]++; told[[2]string{key, user}] > 1 {
			v.double++
		}
		if due != nil && ended.Sub(*due) > v.late {
			v.late = ended.Sub(*due)
			v.latest = fmt.Sprintf("%s (attempts %d) of %s about %s, due %s, sent %s", delivery, attempt, user, key, due.Format(time.TimeOnly), ended.Format(time.TimeOnly))
		}
		return nil
	})
	if err != nil {
		p.Fatal(err)
	}
	for _, key := range l.keys() {
		for step := range 3 {
			if told[[2]string{key, chaosPerson(l.alerts[key].team, step)}] == 0 {
				v.missed++
			}
		}
	}
	return v
}

// lost counts signals that were accepted but are not counted in their alert. A count above the
// number sent is no loss.
func (l *chaosLoad) lost(conn *pgx.Conn) (lost int) {
	rows, _ := conn.Query(context.Background(), `SELECT dedup_key, sum(count)::bigint FROM alerts GROUP BY 1`)
	stored := map[string]int{}
	var key string
	var n int
	_, err := pgx.ForEachRow(rows, []any{&key, &n}, func() error {
		stored[key] = n
		return nil
	})
	if err != nil {
		l.place.Fatal(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, a := range l.alerts {
		lost += max(0, a.accepted-stored[key])
		if stored[key] > a.sent {
			l.place.Errorf("%s is counted %d times, want at most %d, as it was sent", key, stored[key], a.sent)
		}
	}
	return lost
}

// check fails the test if anything was lost, and returns the verdict.
func (l *chaosLoad) check() chaosVerdict {
	p := l.place
	p.Helper()
	v := l.verdict()
	p.Logf("the latest page: %s", v.latest)
	if v.lost > 0 || v.missed > 0 {
		p.Errorf("of %d signals %d are lost, and %d steps were missed; the instances say:\n%s; want 0 and 0", v.accepted, v.lost, v.missed, p.logs())
	}
	if n := p.count(`SELECT count(*) FROM inbox_rejected`); n != 0 {
		p.Errorf("%d signals were put aside, want 0", n)
	}
	const nobody = `SELECT count(*) FROM incident_events WHERE kind IN ('skipped', 'unassigned')`
	if n := p.count(nobody); n != 0 {
		p.Errorf("%d times an incident is said to have nobody: a read that failed must not count as that, want 0", n)
	}
	return v
}
