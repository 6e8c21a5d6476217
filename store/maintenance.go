package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/audit"
)

// openMaintenance loads the windows that are not finished, with their matchers compiled.
func openMaintenance(ctx context.Context, q querier) ([]oncall.Maintenance, error) {
	const load = `
		SELECT id, team_id, integration_id, match, starts_at, ends_at, reason, by, pages_critical, name, begun_at
		FROM maintenance_windows
		WHERE over_at IS NULL
		ORDER BY team_id, starts_at, id`
	rows, _ := q.Query(ctx, load)
	return collectMaintenance(rows)
}

func collectMaintenance(rows pgx.Rows) ([]oncall.Maintenance, error) {
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[oncall.Maintenance])
	if err != nil {
		return nil, fmt.Errorf("load maintenance windows: %w", err)
	}
	for _, m := range all {
		for i := range m.Match {
			if m.Match[i], err = m.Match[i].Compiled(); err != nil { // can't fail: it was compiled before it was stored
				return nil, fmt.Errorf("maintenance window %s: %w", m.ID, err)
			}
		}
	}
	return all, nil
}

func (d *Directory) loadMaintenance(ctx context.Context, tx pgx.Tx) (err error) {
	d.Maintenance, err = openMaintenance(ctx, tx)
	return err
}

// A MaintenanceState is a window with a summary of the alerts that it has kept.
type MaintenanceState struct {
	oncall.Maintenance
	Team        string
	Integration string // empty: all integrations of the team
	Kept        int    // alerts kept so far
	Firing      int    // kept alerts that still fire
	Titles      []string
	Manages     bool // the actor may end it
}

// maintenanceTitles is how many firing alerts are named.
const maintenanceTitles = 3

// MaintenanceWindows returns the unfinished windows that the actor may see, sorted by team and start.
func (s *Store) MaintenanceWindows(ctx context.Context, by oncall.Actor, now time.Time) ([]MaintenanceState, error) {
	const count = `
		SELECT w.id, count(a.id), count(a.id) FILTER (WHERE a.kept AND a.firing),
		       coalesce((array_agg(a.title ORDER BY a.id) FILTER (WHERE a.kept AND a.firing))[1:$2], '{}')
		FROM unnest($1::bigint[]) AS w (id)
		LEFT JOIN alerts a ON a.maintenance_id = w.id AND a.maintenance_id <> 0
		GROUP BY w.id`
	dir, err := s.directory(ctx)
	if err != nil {
		return nil, err
	}
	seen := dir.For(by)
	out, ids := []MaintenanceState{}, []oncall.MaintenanceID{}
	for _, m := range seen.Maintenance {
		if !m.EndsAt.After(now) {
			continue
		}
		ids = append(ids, m.ID)
		out = append(out, MaintenanceState{
			Maintenance: m, Team: dir.teams[m.TeamID].Name, Integration: dir.integrations[m.IntegrationID].Name,
			Manages: dir.access.May(by, access.Maintain, access.Object{Team: m.TeamID}) == nil,
		})
	}
	if len(out) == 0 {
		return nil, nil
	}
	rows, _ := s.pool.Query(ctx, count, ids, maintenanceTitles)
	var id oncall.MaintenanceID
	var kept, firing int
	var titles []string
	_, err = pgx.ForEachRow(rows, []any{&id, &kept, &firing, &titles}, func() error {
		i := slices.Index(ids, id)
		out[i].Kept, out[i].Firing, out[i].Titles = kept, firing, slices.Clone(titles)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count what maintenance keeps: %w", translate(err))
	}
	return out, nil
}

// AddMaintenance begins or plans a window, and returns it with its id. The error is oncall.ErrNotFound if the actor
// may not see the team or integration.
func (s *Store) AddMaintenance(ctx context.Context, by oncall.Actor, window oncall.Maintenance, now time.Time) (oncall.Maintenance, error) {
	const count = `SELECT count(*) FROM maintenance_windows WHERE team_id = $1 AND over_at IS NULL AND ends_at > $2`
	const lock = `SELECT id FROM teams WHERE id = $1 AND removed_at IS NULL FOR UPDATE`
	g, err := s.gate(ctx, by)
	if err != nil {
		return window, err
	}
	in, known := g.dir.integrations[window.IntegrationID]
	if window.IntegrationID != 0 && (!known || in.TeamID != window.TeamID) {
		return window, oncall.ErrNotFound
	}
	window.By = by
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, lock, window.TeamID).Scan(&window.TeamID); err != nil {
			return err
		}
		if err := g.maintain(window.TeamID); err != nil {
			return err
		}
		var open int
		if err := tx.QueryRow(ctx, count, window.TeamID, now).Scan(&open); err != nil {
			return err
		}
		if err := window.Check(open, now); err != nil {
			return err
		}
		if err := insertMaintenance(ctx, tx, &window, now); err != nil {
			return err
		}
		if err := s.enqueue(ctx, tx, now, window.Timers(now)); err != nil {
			return err
		}
		if err := record(ctx, tx, by, now, audit.AddedMaintenance(g.dir.teams[window.TeamID], window, in.Name)); err != nil {
			return err
		}
		return announce(ctx, tx)
	})
	if err != nil {
		return window, wrap(err, "add a maintenance window")
	}
	s.cache.drop()
	s.managed(by, "maintenance").Stringer("window", window.ID).Time("until", window.EndsAt).Msg("maintenance planned")
	return window, nil
}

// maintain checks whether the actor may begin and end a team's maintenance. The error is oncall.ErrNotFound if the
// actor may not see the team.
func (g gate) maintain(team oncall.TeamID) error {
	on := access.Object{Team: team}
	if g.may(access.See, on) != nil {
		return oncall.ErrNotFound
	}
	return g.may(access.Maintain, on)
}

// insertMaintenance stores a window and sets its id. The caller must queue its timers.
func insertMaintenance(ctx context.Context, tx pgx.Tx, m *oncall.Maintenance, now time.Time) error {
	const insert = `
		INSERT INTO maintenance_windows (team_id, integration_id, match, starts_at, ends_at, reason, by, pages_critical, name, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		RETURNING id`
	m.Reason = oncall.Storable(m.Reason)
	err := tx.QueryRow(ctx, insert, m.TeamID, m.IntegrationID, nonNil(m.Match), m.StartsAt, m.EndsAt, m.Reason, m.By, m.PagesCritical, m.Name, now).Scan(&m.ID)
	if err != nil {
		return fmt.Errorf("save a maintenance window: %w", err)
	}
	return nil
}

// EndMaintenance ends a window now, or cancels one that has not begun. Kept alerts that still fire then page. The
// error is oncall.ErrNotFound if the window is over or the actor may not see it.
func (s *Store) EndMaintenance(ctx context.Context, by oncall.Actor, id oncall.MaintenanceID, now time.Time) (window oncall.Maintenance, err error) {
	const lock = `
		SELECT id, team_id, integration_id, match, starts_at, ends_at, reason, by, pages_critical, name, begun_at
		FROM maintenance_windows
		WHERE id = $1 AND over_at IS NULL AND ends_at > $2
		FOR UPDATE`
	g, err := s.gate(ctx, by)
	if err != nil {
		return window, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, lock, id, now)
		all, err := collectMaintenance(rows)
		switch {
		case err != nil:
			return err
		case len(all) == 0:
			return oncall.ErrNotFound
		}
		window = all[0]
		if err := g.maintain(window.TeamID); err != nil {
			return err
		}
		if err := finishMaintenance(ctx, tx, window, now); err != nil {
			return err
		}
		if err := s.enqueue(ctx, tx, now, []oncall.Task{{Args: oncall.MaintenanceTimer{Maintenance: window.ID}}}); err != nil {
			return err
		}
		if err := record(ctx, tx, by, now, audit.EndedMaintenance(g.dir.teams[window.TeamID], window, g.dir.integrations[window.IntegrationID].Name)); err != nil {
			return err
		}
		return announce(ctx, tx)
	})
	if err != nil {
		return window, wrap(err, "end maintenance window %s", id)
	}
	s.cache.drop()
	s.managed(by, "end_maintenance").Stringer("window", id).Msg("maintenance ended")
	return window, nil
}

// finishMaintenance ends an unfinished window. A window that has not begun is cancelled without a notice. The caller
// must queue CheckMaintenance.
func finishMaintenance(ctx context.Context, tx pgx.Tx, m oncall.Maintenance, now time.Time) error {
	const end = `UPDATE maintenance_windows SET ends_at = $2 WHERE id = $1`
	const cancel = `UPDATE maintenance_windows SET ends_at = starts_at, over_at = $2 WHERE id = $1`
	sql := end
	if m.StartsAt.After(now) {
		sql = cancel
	}
	if _, err := tx.Exec(ctx, sql, m.ID, now); err != nil {
		return fmt.Errorf("end maintenance window %s: %w", m.ID, err)
	}
	return nil
}

// CheckMaintenance announces windows that have begun or ended, and releases kept alerts that no window covers any
// more. It processes all windows, so it doesn't matter which timer calls it, or how late.
func (s *System) CheckMaintenance(ctx context.Context, now time.Time) error {
	dir, err := s.directory(ctx)
	if err != nil {
		return err
	}
	changed := false
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, maintenanceLock); err != nil {
			return err
		}
		all, err := openMaintenance(ctx, tx)
		if err != nil {
			return err
		}
		tallies, err := releaseKept(ctx, tx, dir, all, now)
		if err != nil {
			return err
		}
		changed, err = s.notifyMaintenance(ctx, tx, dir, all, tallies, now)
		if err != nil || !changed {
			return err
		}
		return announce(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("check maintenance: %w", err)
	}
	if changed {
		s.cache.drop()
	}
	return nil
}

// notifyMaintenance announces the windows that have begun or ended, and reports whether there were any.
func (s *Store) notifyMaintenance(ctx context.Context, tx pgx.Tx, dir *Directory, all []oncall.Maintenance,
	tallies map[oncall.MaintenanceID]oncall.MaintenanceTally, now time.Time,
) (changed bool, err error) {
	const begun = `UPDATE maintenance_windows SET begun_at = $2 WHERE id = $1`
	const over = `
		UPDATE maintenance_windows
		SET over_at = $2, kept = (SELECT count(*) FROM alerts WHERE maintenance_id = $1 AND maintenance_id <> 0)
		WHERE id = $1
		RETURNING kept`
	var notices []oncall.Notice
	var closes []oncall.NoticeClose
	for _, window := range all {
		team, integration := dir.teams[window.TeamID], dir.integrations[window.IntegrationID].Name
		switch {
		case !window.EndsAt.After(now):
			tally := tallies[window.ID]
			if err := tx.QueryRow(ctx, over, window.ID, now).Scan(&tally.Kept); err != nil {
				return false, err
			}
			notices = append(notices, window.EndNotice(team, integration, tally))
			closes = append(closes, oncall.NoticeClose{Kinds: []oncall.NoticeKind{oncall.NoticeMaintenance}, About: int64(window.ID), State: "over", At: window.EndsAt, By: window.By.User})
		case window.BegunAt == nil && window.Active(now):
			if _, err := tx.Exec(ctx, begun, window.ID, now); err != nil {
				return false, err
			}
			notices = append(notices, window.BeginNotice(team, integration))
		default:
			continue
		}
		changed = true
	}
	notices = slices.DeleteFunc(notices, func(n oncall.Notice) bool { return n.To == "" })
	if err := s.saveNotices(ctx, tx, now, notices); err != nil {
		return false, err
	}
	return changed, s.closeNotices(ctx, tx, now, closes)
}

// keptBatch is how many kept alerts are processed at once.
const keptBatch = 1000

// releaseKept puts the kept alerts that no window covers any more into the inbox, behind the waiting signals. It
// returns how many there are for each window that kept them.
func releaseKept(ctx context.Context, tx pgx.Tx, dir *Directory, all []oncall.Maintenance, now time.Time) (map[oncall.MaintenanceID]oncall.MaintenanceTally, error) {
	const load = `
		SELECT id, integration_id, dedup_key, group_key, title, body, link, severity, labels, links, details,
		       coalesce(starts_at, '0001-01-01T00:00:00Z') AS starts_at, maintenance_id AS maintenance
		FROM alerts
		WHERE kept AND firing AND id > $1
		ORDER BY id
		LIMIT $2`
	const insert = `
		INSERT INTO inbox (integration_id, received_at, signal)
		SELECT integration_id, $2, signal::json
		FROM unnest($1::bigint[], $3::text[]) WITH ORDINALITY AS a (integration_id, signal, position)
		ORDER BY position`
	tallies := map[oncall.MaintenanceID]oncall.MaintenanceTally{}
	for after, found := oncall.AlertID(0), keptBatch; found == keptBatch; {
		rows, _ := tx.Query(ctx, load, after, keptBatch)
		alerts, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[oncall.Alert])
		if err != nil {
			return nil, fmt.Errorf("load alerts that are kept: %w", err)
		}
		found = len(alerts)
		var integrations []oncall.IntegrationID
		var signals []string
		for _, alert := range alerts {
			after = alert.ID
			in, t := dir.integrations[alert.IntegrationID], tallies[alert.Maintenance]
			_, covered := oncall.CoveringWindow(all, in, alert, now)
			switch {
			case covered:
				t.Longer++
			case !in.IsMuted(now): // an alert of a muted integration pages when the mute ends
				t.Fire++
				signal, err := json.Marshal(oncall.ReleaseOf(alert))
				if err != nil {
					return nil, err
				}
				integrations, signals = append(integrations, alert.IntegrationID), append(signals, string(signal))
			}
			tallies[alert.Maintenance] = t
		}
		if len(integrations) == 0 {
			continue
		}
		if _, err := tx.Exec(ctx, insert, integrations, now, signals); err != nil {
			return nil, fmt.Errorf("release alerts that were kept: %w", err)
		}
		if _, err := tx.Exec(ctx, `SELECT pg_notify('watchbill_inbox', '')`); err != nil {
			return nil, err
		}
	}
	return tallies, nil
}
