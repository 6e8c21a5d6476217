package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/report"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// Limits that keep a report from taking too much time and memory.
const (
	maxReported = 250_000 // incidents, in the period and the one before it
	maxRings    = 1_000_000
	maxMerges   = 5 // steps in a chain of merges
)

// errTooMuch refuses a report on more incidents.
var errTooMuch = oncall.Refuse("So much happened in that time that it can't be counted at once. Choose a shorter period.")

// A reportLoad loads the facts of one report, all from one snapshot.
type reportLoad struct {
	tx       pgx.Tx
	dir      *Directory
	team     oncall.TeamID // 0: a person's report
	user     oncall.UserID
	from, to time.Time
	known    map[oncall.IncidentID]bool
	facts    report.Facts
}

// reportFacts loads the facts for the report of a team or a person.
func reportFacts(ctx context.Context, tx pgx.Tx, dir *Directory, team oncall.TeamID, user oncall.UserID, p report.Period) (report.Facts, error) {
	if _, err := tx.Exec(ctx, `SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY`); err != nil {
		return report.Facts{}, err
	}
	l := reportLoad{
		tx: tx, dir: dir, team: team, user: user, known: map[oncall.IncidentID]bool{},
		facts: report.Facts{Period: p, People: dir.PersonalHours(), Only: user},
	}
	l.from, l.to = report.Range(p)
	for _, load := range []func(context.Context) error{l.pages, l.opened, l.connected, l.shifts, l.overrideOrigins} {
		if err := load(ctx); err != nil {
			return report.Facts{}, err
		}
	}
	return l.facts, nil
}

// PersonalHours returns everybody's working hours and nights.
func (d *Directory) PersonalHours() map[oncall.UserID]report.Person {
	out := make(map[oncall.UserID]report.Person, len(d.Users))
	for id, u := range d.Users {
		out[id] = report.Person{TimeZone: u.TimeZone, Hours: d.ContactSettings[id].Hours}
	}
	return out
}

// pages loads the pages that were sent to people.
func (l *reportLoad) pages(ctx context.Context) error {
	const ofTeam = `
		SELECT p.user_id AS "user", p.ended_at AS at, p.incident_id AS incident, p.call_seq AS seq, p.asked_version AS asked,
		       CASE WHEN p.bundle <> 0 THEN p.bundle ELSE p.id END AS message
		FROM pages p
		JOIN incidents i ON i.id = p.incident_id AND i.team_id = $1
		WHERE p.state = 'delivered' AND p.method = ANY ($2) AND p.ended_at >= $3 AND p.ended_at < $4 AND p.user_id <> ''
		LIMIT $5`
	const ofPerson = `
		SELECT p.user_id AS "user", p.ended_at AS at, p.incident_id AS incident, p.call_seq AS seq, p.asked_version AS asked,
		       CASE WHEN p.bundle <> 0 THEN p.bundle ELSE p.id END AS message
		FROM pages p
		WHERE p.user_id = $1 AND p.state = 'delivered' AND p.method = ANY ($2) AND p.ended_at >= $3 AND p.ended_at < $4
		LIMIT $5`
	var rows pgx.Rows
	if l.user != "" {
		rows, _ = l.tx.Query(ctx, ofPerson, l.user, report.Ringing(), l.from, l.to, maxRings)
	} else {
		rows, _ = l.tx.Query(ctx, ofTeam, l.team, report.Ringing(), l.from, l.to, maxRings)
	}
	var err error
	l.facts.Pages, err = pgx.CollectRows(rows, pgx.RowToStructByName[report.Page])
	if err == nil && len(l.facts.Pages) == maxRings {
		return errTooMuch
	}
	return err
}

// A reportedIncident is the row of an incident.
type reportedIncident struct {
	ID            oncall.IncidentID
	IntegrationID oncall.IntegrationID
	Severity      oncall.Severity
	OpenedAt      time.Time
	ResolvedAt    *time.Time
	ByPerson      bool
	MergedInto    oncall.IncidentID
	AckedAt       *time.Time
	Service       string
	Verdict       oncall.Verdict
}

// add adds incidents, each once.
func (l *reportLoad) add(rows pgx.Rows) (added int, err error) {
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[reportedIncident])
	for _, in := range found {
		if l.known[in.ID] {
			continue
		}
		l.known[in.ID] = true
		added++
		l.facts.Incidents = append(l.facts.Incidents, report.Incident{
			ID: in.ID, Integration: l.dir.IntegrationName(in.IntegrationID), Service: in.Service, Severity: in.Severity, OpenedAt: in.OpenedAt,
			AckedAt: in.AckedAt, ResolvedAt: in.ResolvedAt, ByPerson: in.ByPerson, MergedInto: in.MergedInto, Verdict: in.Verdict,
		})
	}
	if err == nil && len(l.facts.Incidents) > maxReported {
		return added, errTooMuch
	}
	return added, err
}

// opened loads the incidents that were opened for the team. A person's incidents are instead found through their pages.
func (l *reportLoad) opened(ctx context.Context) error {
	const load = `
		SELECT i.id, i.integration_id, i.severity, i.opened_at, CASE WHEN i.status = 'resolved' THEN i.resolved_at END AS resolved_at,
		       coalesce(i.resolved_by ->> 'user', '') <> '' AS by_person, i.merged_into,
		       (SELECT min(e.at) FROM incident_events e
		        WHERE e.incident_id = i.id AND e.kind IN ('acknowledged', 'ack_counted') AND e.actor ? 'user') AS acked_at,
		       coalesce((SELECT a.labels ->> 'service' FROM alerts a WHERE a.incident_id = i.id ORDER BY a.id LIMIT 1), '') AS service, i.verdict
		FROM incidents i
		WHERE i.team_id = $1 AND i.opened_at >= $2 AND i.opened_at < $3
		LIMIT $4`
	if l.user != "" {
		return nil
	}
	rows, _ := l.tx.Query(ctx, load, l.team, l.from, l.to, maxReported+1)
	_, err := l.add(rows)
	return err
}

// connected loads the incidents that are connected to the loaded ones by a merge, and the other incidents of the pages.
func (l *reportLoad) connected(ctx context.Context) error {
	const load = `
		SELECT i.id, i.integration_id, i.severity, i.opened_at, CASE WHEN i.status = 'resolved' THEN i.resolved_at END AS resolved_at,
		       coalesce(i.resolved_by ->> 'user', '') <> '' AS by_person, i.merged_into,
		       (SELECT min(e.at) FROM incident_events e
		        WHERE e.incident_id = i.id AND e.kind IN ('acknowledged', 'ack_counted') AND e.actor ? 'user') AS acked_at,
		       coalesce((SELECT a.labels ->> 'service' FROM alerts a WHERE a.incident_id = i.id ORDER BY a.id LIMIT 1), '') AS service, i.verdict
		FROM incidents i
		WHERE i.id = ANY ($1)`
	const parts = `SELECT id FROM incidents WHERE merged_into = ANY ($1) AND merged_into <> 0`
	var looked int // incidents whose merges are known
	for range maxMerges {
		missing := map[oncall.IncidentID]bool{}
		miss := func(id oncall.IncidentID) {
			if id != 0 && !l.known[id] {
				missing[id] = true
			}
		}
		for _, p := range l.facts.Pages {
			miss(p.Incident)
		}
		for _, in := range l.facts.Incidents {
			miss(in.MergedInto)
		}
		ids := column(l.facts.Incidents[looked:], func(in report.Incident) oncall.IncidentID { return in.ID })
		looked = len(l.facts.Incidents)
		rows, _ := l.tx.Query(ctx, parts, ids)
		found, err := pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID])
		if err != nil {
			return err
		}
		for _, id := range found {
			miss(id)
		}
		if len(missing) == 0 {
			return nil
		}
		ids = ids[:0]
		for id := range missing {
			ids = append(ids, id)
		}
		rows, _ = l.tx.Query(ctx, load, ids)
		if added, err := l.add(rows); err != nil || added == 0 { // the rest has been removed
			return err
		}
	}
	return nil
}

// shifts loads the schedules from which the hours on call are computed.
func (l *reportLoad) shifts(ctx context.Context) error {
	const ofTeam = `SELECT id FROM schedules WHERE team_id = $1 AND removed_at IS NULL`
	of := scope{since: l.from}
	if l.user == "" {
		rows, _ := l.tx.Query(ctx, ofTeam, l.team)
		ids, err := pgx.CollectRows(rows, pgx.RowTo[oncall.ScheduleID])
		if err != nil || len(ids) == 0 {
			return err
		}
		of.ids = ids
	}
	found, err := schedules(ctx, l.tx, of)
	for _, d := range found {
		if l.user == "" || slices.Contains(d.People(), l.user) {
			l.facts.Schedules = append(l.facts.Schedules, d)
		}
	}
	if err != nil {
		return err
	}
	return l.made(ctx)
}

// made loads since when the schedules have existed: their rotations may begin long before.
func (l *reportLoad) made(ctx context.Context) error {
	const load = `SELECT id, created_at FROM schedules WHERE id = ANY ($1)`
	l.facts.Since = map[oncall.ScheduleID]time.Time{}
	rows, _ := l.tx.Query(ctx, load, column(l.facts.Schedules, func(d schedule.Definition) oncall.ScheduleID { return d.ID }))
	var id oncall.ScheduleID
	var at time.Time
	_, err := pgx.ForEachRow(rows, []any{&id, &at}, func() error {
		l.facts.Since[id] = at
		return nil
	})
	return err
}

// overrideOrigins loads which overrides result from swaps and cover requests.
func (l *reportLoad) overrideOrigins(ctx context.Context) error {
	const swaps = `SELECT o.id FROM swaps s CROSS JOIN unnest(s.overrides) AS o (id) WHERE s.overrides && $1`
	const covers = `
		SELECT (t.take ->> 'override')::bigint
		FROM covers c
		CROSS JOIN jsonb_array_elements(c.takes) AS t (take)
		WHERE (t.take ->> 'override')::bigint = ANY ($1)`
	ids := []oncall.OverrideID{}
	for _, d := range l.facts.Schedules {
		ids = append(ids, column(d.Overrides, func(o schedule.Override) oncall.OverrideID { return o.ID })...)
	}
	l.facts.Ways = map[oncall.OverrideID]report.Way{}
	if len(ids) == 0 {
		return nil
	}
	for way, sql := range map[report.Way]string{report.BySwap: swaps, report.ByCover: covers} {
		rows, _ := l.tx.Query(ctx, sql, ids)
		found, err := pgx.CollectRows(rows, pgx.RowTo[oncall.OverrideID])
		if err != nil {
			return err
		}
		for _, id := range found {
			l.facts.Ways[id] = way
		}
	}
	return nil
}
