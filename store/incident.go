package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
)

// RunIncidentTimer runs an incident's timer, if seq is still the timer that the incident waits for. Otherwise it
// changes nothing and reports false.
func (s *System) RunIncidentTimer(ctx context.Context, id oncall.IncidentID, seq int64, now time.Time) (bool, error) {
	dir, err := s.directory(ctx)
	if err != nil {
		return false, err
	}
	_, due, err := s.decide(ctx, id, func(_ pgx.Tx, in oncall.Incident) (oncall.Change, bool, error) {
		change, due := in.RunTimer(seq, dir.Facts(), now)
		return change, due, nil
	})
	return due, err
}

// CloseFlap closes a flapping incident if none of its alerts has fired for long enough.
func (s *System) CloseFlap(ctx context.Context, id oncall.IncidentID, now time.Time) (bool, error) {
	const fires = `SELECT EXISTS (SELECT FROM alerts WHERE incident_id = $1 AND firing)`
	_, due, err := s.decide(ctx, id, func(tx pgx.Tx, in oncall.Incident) (oncall.Change, bool, error) {
		var any bool
		if err := tx.QueryRow(ctx, fires, id).Scan(&any); err != nil {
			return oncall.Change{}, false, err
		}
		change, due := in.CloseIfQuiet(any, now)
		return change, due, nil
	})
	return due, err
}

// OverdueFlaps returns flapping incidents whose closing timer is overdue.
func (s *System) OverdueFlaps(ctx context.Context, now time.Time) (ids []oncall.IncidentID, err error) {
	const late = `
		SELECT id
		FROM incidents
		WHERE flap IS NOT NULL AND status <> 'resolved' AND (flap ->> 'look_at')::timestamptz < $1
		ORDER BY id
		LIMIT $2`
	rows, _ := s.pool.Query(ctx, late, now.Add(-timerLostAfter), upkeepBatch)
	if ids, err = pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID]); err != nil {
		return nil, fmt.Errorf("find flapping incidents to close: %w", translate(err))
	}
	return ids, nil
}

// decide locks an incident, calls the given function, and saves the Change that the function returns, all in one
// transaction. An error of the function, such as a Refusal, is returned unchanged and nothing is saved. Jobs
// without a time of their own get the time of the change's last event. All timers, commands and buttons of an
// incident use decide; ARCHITECTURE.md lists what else saves changes.
func (s *Store) decide(ctx context.Context, id oncall.IncidentID,
	decide func(pgx.Tx, oncall.Incident) (oncall.Change, bool, error),
) (out oncall.Incident, changed bool, err error) {
	var change oncall.Change
	err = s.transact(ctx, func(tx pgx.Tx) error {
		found, err := lockIncidents(ctx, tx, []oncall.IncidentID{id})
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return oncall.ErrNotFound
		}
		out = found[0]
		if change, changed, err = decide(tx, out); err != nil || !changed {
			return err
		}
		out = change.Incident
		return s.save(ctx, tx, decided(change), []oncall.Change{change})
	})
	if err != nil {
		return oncall.Incident{}, false, wrap(err, "update incident %d", id)
	}
	if changed {
		s.changed([]oncall.Change{change})
	}
	return out, changed, nil
}

// changed counts committed changes, tells who wants to know, and logs the ones that left nobody to page.
func (s *Store) changed(changes []oncall.Change) {
	if s.onChange != nil && len(changes) > 0 {
		s.onChange(changes)
	}
	for _, c := range changes {
		s.logNobodyNotified(c)
		s.metrics.changed(c)
	}
}

// decided returns the time of a decision, which its events carry.
func decided(c oncall.Change) time.Time {
	if n := len(c.Events); n > 0 {
		return c.Events[n-1].At
	}
	return c.Incident.LastSignalAt
}

// Incident returns one incident.
func (s *Store) Incident(ctx context.Context, by oncall.Actor, id oncall.IncidentID) (oncall.Incident, error) {
	g, err := s.gate(ctx, by)
	if err != nil {
		return oncall.Incident{}, err
	}
	var in oncall.Incident
	err = s.transact(ctx, func(tx pgx.Tx) (err error) {
		in, err = g.seen(ctx, tx, id)
		return err
	})
	if err != nil {
		return oncall.Incident{}, wrap(err, "load incident %d", id)
	}
	return in, nil
}

// OpenIncidents returns at most limit open incidents: unacknowledged ones first, then by severity, then the oldest
// first.
func (s *Store) OpenIncidents(ctx context.Context, by oncall.Actor, limit int) ([]oncall.Incident, error) {
	const open = `
		SELECT id
		FROM incidents i
		WHERE status <> 'resolved' AND id > 0 AND (NOT team_id = ANY ($3) OR EXISTS (SELECT FROM pages p WHERE p.incident_id = i.id AND p.user_id = $4))
		ORDER BY status <> 'triggered', array_position($2::text[], severity), id
		LIMIT $1`
	dir, err := s.directory(ctx)
	if err != nil {
		return nil, err
	}
	hidden, paged := dir.hidden(by), by.User
	if by.Via == oncall.ViaChannel {
		paged = "" // members of other teams read it
	}
	var ids []oncall.IncidentID
	var found []oncall.Incident
	err = s.transact(ctx, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, open, limit, oncall.Severities(), nonNil(hidden), paged)
		if ids, err = pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID]); err != nil {
			return err
		}
		found, err = incidents(ctx, tx, ids)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load open incidents: %w", err)
	}
	slices.SortFunc(found, func(a, b oncall.Incident) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	return found, nil
}

// Events returns an incident's timeline, oldest first.
func (s *Store) Events(ctx context.Context, by oncall.Actor, id oncall.IncidentID) ([]oncall.Event, error) {
	g, err := s.gate(ctx, by)
	if err != nil {
		return nil, err
	}
	var out []oncall.Event
	err = s.transact(ctx, func(tx pgx.Tx) error {
		in, err := g.seen(ctx, tx, id)
		if err != nil {
			return err
		}
		out, err = events(ctx, tx, id)
		veilEvents(out, g.dir.secretPolicies(in))
		return err
	})
	if err != nil {
		return nil, wrap(err, "load the events of incident %d", id)
	}
	return out, nil
}

// Picture returns everything that an incident's Slack messages show.
func (s *Store) Picture(ctx context.Context, by oncall.Actor, id oncall.IncidentID, now time.Time) (oncall.Picture, error) {
	g, err := s.gate(ctx, by)
	if err != nil {
		return oncall.Picture{}, err
	}
	var p oncall.Picture
	err = s.transact(ctx, func(tx pgx.Tx) (err error) {
		if p, err = picture(ctx, tx, g.dir, id); err != nil {
			return err
		}
		return g.onIncident(ctx, tx, access.See, p.Incident)
	})
	if err != nil {
		return oncall.Picture{}, fmt.Errorf("picture incident %d: %w", id, err)
	}
	return p, nil
}

// Plan returns the future steps of an incident's escalation. If the policy of a private team takes over, an actor
// who may not see that team learns only that it does.
func (s *Store) Plan(ctx context.Context, by oncall.Actor, id oncall.IncidentID, now time.Time) ([]oncall.PlanEntry, error) {
	g, err := s.gate(ctx, by)
	if err != nil {
		return nil, err
	}
	var in oncall.Incident
	err = s.transact(ctx, func(tx pgx.Tx) (err error) {
		in, err = g.seen(ctx, tx, id)
		return err
	})
	if err != nil {
		return nil, wrap(err, "plan incident %d", id)
	}
	hidden := g.dir.hidden(by)
	return g.dir.veilPlan(in.Plan(g.dir.Facts(), now), func(p oncall.PolicyID) bool {
		team := g.dir.Policies[p].TeamID
		return team != in.TeamID && slices.Contains(hidden, team)
	}), nil
}

// RestingPhones returns which of some contact methods are phones that aren't called for an incident now, because they have rung
// too often, and until when.
func (s *Store) RestingPhones(ctx context.Context, by oncall.Actor, id oncall.IncidentID, contacts []oncall.ContactID, now time.Time) (map[oncall.ContactID]time.Time, error) {
	g, err := s.gate(ctx, by)
	if err != nil {
		return nil, err
	}
	rests := map[oncall.ContactID]time.Time{}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		in, err := g.seen(ctx, tx, id)
		if err != nil {
			return err
		}
		facts, b := make([]oncall.PageFacts, len(contacts)), &pgx.Batch{}
		for i, c := range contacts {
			queuePhoneCalls(b, c, now, &facts[i])
		}
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
		for i, c := range contacts {
			if until := oncall.PhoneRests(facts[i].PhoneCalls, in.Severity); until.After(now) {
				rests[c] = until
			}
		}
		return nil
	})
	if err != nil {
		return nil, wrap(err, "count calls for incident %d", id)
	}
	return rests, nil
}

// picture reads the incident first. A change after that read increases the version, which causes another drawing.
func picture(ctx context.Context, q querier, dir *Directory, id oncall.IncidentID) (oncall.Picture, error) {
	if id.Canary() {
		return oncall.Picture{}, oncall.ErrNotFound
	}
	found, err := incidents(ctx, q, []oncall.IncidentID{id})
	if err != nil {
		return oncall.Picture{}, err
	}
	if len(found) == 0 {
		return oncall.Picture{}, oncall.ErrNotFound
	}
	in := found[0]
	p := oncall.Picture{
		Incident: in, Team: dir.teams[in.TeamID], Integration: dir.integrations[in.IntegrationID].Name,
		Policy: dir.Policies[in.PolicyID].Name,
	}
	if p.Events, err = events(ctx, q, id); err != nil {
		return oncall.Picture{}, err
	}
	p.Paged = paged(p.Events)
	dir.veilPolicies(&p)
	if in.Exhausted {
		rows, _ := q.Query(ctx, stepsByIncident, []oncall.IncidentID{id}, oncall.EventPageBlocked)
		pages, err := pgx.CollectRows(rows, pgx.RowToStructByName[oncall.StepPage])
		if err != nil {
			return oncall.Picture{}, err
		}
		p.NobodyNotified = !slices.ContainsFunc(pages, oncall.StepPage.Reaches)
	}
	if next, ok := in.Next(dir.Facts()); ok {
		if dir.foreignSecret(in, in.NextPolicy(dir.Facts())) && !next.Exhausts {
			next.Users, next.Private, next.Then = nil, true, nil
		}
		p.Next = &next
	}
	if in.Storm != nil {
		if p.Tally, err = stormTally(ctx, q, id, dir.integrations[in.IntegrationID]); err != nil {
			return oncall.Picture{}, err
		}
	}
	if err := q.QueryRow(ctx,
		`SELECT count(*), count(*) FILTER (WHERE firing) FROM alerts WHERE incident_id = $1`, id,
	).Scan(&p.AlertCount, &p.Firing); err != nil {
		return oncall.Picture{}, err
	}
	if in.Open() {
		last, err := pastOf(ctx, q, in, true, 1)
		if err != nil {
			return oncall.Picture{}, err
		}
		for _, was := range last {
			p.Last = &was
		}
	}
	p.Alerts, err = alertsOf(ctx, q, id, 0, oncall.MaxPictured)
	return p, err
}

// Alerts returns a page of an incident's alerts, in the order of its messages: at most limit of them, beginning
// with number from. It also returns how many alerts there are.
func (s *Store) Alerts(ctx context.Context, by oncall.Actor, id oncall.IncidentID, from, limit int) (some []oncall.Alert, all int, err error) {
	g, err := s.gate(ctx, by)
	if err != nil {
		return nil, 0, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) (err error) {
		if _, err := g.seen(ctx, tx, id); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM alerts WHERE incident_id = $1`, id).Scan(&all); err != nil {
			return err
		}
		some, err = alertsOf(ctx, tx, id, from, limit)
		return err
	})
	if err != nil {
		return nil, 0, wrap(err, "load the alerts of incident %d", id)
	}
	return some, all, nil
}

// paged returns the people paged since escalation last began, in order.
func paged(events []oncall.Event) []oncall.UserID {
	var out []oncall.UserID
	for _, e := range events {
		switch e.Kind {
		case oncall.EventReopened, oncall.EventUnacknowledged, oncall.EventSnoozed, oncall.EventUnsnoozed, oncall.EventReassigned:
			out = nil
		default:
		}
		switch e.Kind {
		case oncall.EventPaging, oncall.EventExhausted, oncall.EventAdopted, oncall.EventUnassigned, oncall.EventReassigned:
			for _, u := range e.Detail.Users {
				if !slices.Contains(out, u) {
					out = append(out, u)
				}
			}
		default:
		}
	}
	return out
}

// A querier is a pool, a connection or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// lockByID keeps other transactions from changing incidents until this one ends.
const lockByID = `SELECT id FROM incidents WHERE id = ANY ($1) ORDER BY id FOR UPDATE`

const incidentsByID = `
	SELECT id, team_id, policy_id, integration_id, group_key, title, body, link, severity, status,
	       version, opened_at, signal_count, last_signal_at, flaps, acked_by, acked_at,
	       resolved_by, resolved_at, seq, round, step, run, next_at, exhausted, redraw_at,
	       snoozed_until, snoozed_by, acks, ack_asked, responders, merged_into, links, turn AS round_robin_count, hops, unassigned,
	       home_policy, called, pages_from, retitled_at, storm, stated, ack_again, flap, woken_at, raised_by, verdict, helped, channel, updates
	FROM incidents
	WHERE id = ANY ($1)
	ORDER BY id`

// lockIncidents locks and returns the incidents that exist, oldest first.
func lockIncidents(ctx context.Context, tx pgx.Tx, ids []oncall.IncidentID) ([]oncall.Incident, error) {
	if _, err := tx.Exec(ctx, lockByID, ids); err != nil {
		return nil, err
	}
	return incidents(ctx, tx, ids)
}

// incidents returns the incidents that exist, oldest first.
func incidents(ctx context.Context, q querier, ids []oncall.IncidentID) ([]oncall.Incident, error) {
	rows, _ := q.Query(ctx, incidentsByID, ids)
	return pgx.CollectRows(rows, pgx.RowToStructByName[oncall.Incident])
}

// queueIncidents loads incidents into a map.
func queueIncidents(b *pgx.Batch, ids []oncall.IncidentID, into map[oncall.IncidentID]oncall.Incident) {
	queueRows(b, incidentsByID, func(in oncall.Incident) { into[in.ID] = in }, ids)
}

func events(ctx context.Context, q querier, id oncall.IncidentID) ([]oncall.Event, error) {
	const load = `
		SELECT id, incident_id, at, kind, actor, detail
		FROM incident_events
		WHERE incident_id = $1
		ORDER BY id`
	rows, _ := q.Query(ctx, load, id)
	return pgx.CollectRows(rows, pgx.RowToStructByName[oncall.Event])
}

// alertsOf returns a page of an incident's alerts: firing ones first, then the latest cleared ones.
func alertsOf(ctx context.Context, q querier, id oncall.IncidentID, from, limit int) ([]oncall.Alert, error) {
	const load = `
		SELECT id, integration_id, dedup_key, group_key, coalesce(incident_id, 0) AS incident_id, firing,
		       title, body, link, severity, labels, links, details, count, first_at, last_at,
		       coalesce(starts_at, '0001-01-01T00:00:00Z') AS starts_at, cleared_at, late_until, misread, keyless,
		       kept, maintenance_id AS maintenance,
		       coalesce(expires_at, '0001-01-01T00:00:00Z') AS expires_at, route, held_until, dropped, silenced_until
		FROM alerts
		WHERE incident_id = $1
		ORDER BY firing DESC, cleared_at DESC, id
		LIMIT $2 OFFSET $3`
	rows, _ := q.Query(ctx, load, id, limit, from)
	return pgx.CollectRows(rows, pgx.RowToStructByName[oncall.Alert])
}
