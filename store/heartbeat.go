package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/audit"
)

// A HeartbeatDetail is a heartbeat with the details that `/oncall heartbeat` shows.
type HeartbeatDetail struct {
	oncall.Heartbeat
	Integration string
	Team        string
	MutedBy     oncall.UserID
	HeardAt     *time.Time // the latest ping of any kind; nil: none yet
	Said        string     // text that came with the latest ping
	Manages     bool       // the actor may mute it
}

// Heartbeats returns the heartbeats that somebody may see, by integration and name.
func (s *Store) Heartbeats(ctx context.Context, by oncall.Actor) ([]HeartbeatDetail, error) {
	const load = `
		SELECT id, integration_id, name, every, grace, max_runtime, severity, pinged_at, run_at, run, due_at, down_at, why, failed, together,
		       muted_at, muted_until, told_at AS signaled_at, false AS removed, muted_by, heard_at, said, '' AS integration, '' AS team, false AS manages
		FROM heartbeats
		WHERE integration_id = ANY ($1) AND removed_at IS NULL
		ORDER BY name, id`
	dir, err := s.directory(ctx)
	if err != nil {
		return nil, err
	}
	ids := []oncall.IntegrationID{}
	for _, in := range dir.For(by).Integrations {
		ids = append(ids, in.ID)
	}
	rows, _ := s.pool.Query(ctx, load, ids)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[HeartbeatDetail])
	if err != nil {
		return nil, wrap(translate(err), "list heartbeats")
	}
	out := make([]HeartbeatDetail, 0, len(all))
	for _, id := range ids { // by name
		in := dir.integrations[id]
		for _, h := range all {
			if h.IntegrationID == id {
				h.Integration, h.Team = in.Name, dir.teams[in.TeamID].Name
				h.Manages = dir.access.May(by, access.Integrations, access.Object{Team: in.TeamID}) == nil
				out = append(out, h)
			}
		}
	}
	return out, nil
}

// MuteHeartbeat keeps a heartbeat from paging until an instant, or until somebody unmutes it if the instant is
// nil. As with an integration, only a manager of the team may do so. The error is oncall.ErrNotFound if the
// heartbeat does not exist or the actor may not see it.
func (s *Store) MuteHeartbeat(ctx context.Context, by oncall.Actor, integration, name string, until *time.Time, now time.Time) error {
	if err := oncall.CheckMute(until, now); err != nil {
		return err
	}
	err := s.manageIntegration(ctx, by, integration, func(tx pgx.Tx, in lockedIntegration) error {
		if err := muteHeartbeat(ctx, tx, in.id, name, until, by.User, now); err != nil {
			return err
		}
		return record(ctx, tx, by, now, audit.MutedHeartbeat(integration, name, in.team, until))
	})
	if err != nil {
		return wrapAny(err, "mute heartbeat %q", name)
	}
	s.managed(by, "mute_heartbeat").Str("integration", integration).Str("heartbeat", name).Msg("heartbeat muted")
	return nil
}

func muteHeartbeat(ctx context.Context, tx pgx.Tx, in oncall.IntegrationID, name string, until *time.Time, by oncall.UserID, now time.Time) error {
	const save = `
		UPDATE heartbeats
		SET muted_at = $3, muted_until = $4, muted_by = $5, look_at = CASE WHEN down_at IS NULL THEN look_at ELSE $4 END
		WHERE integration_id = $1 AND name = $2 AND removed_at IS NULL`
	tag, err := tx.Exec(ctx, save, in, name, now, until, by)
	if err == nil && tag.RowsAffected() == 0 {
		return oncall.ErrNotFound
	}
	return err
}

// UnmuteHeartbeat lets a heartbeat page again, and reports whether it was muted. One that is down pages at once.
func (s *Store) UnmuteHeartbeat(ctx context.Context, by oncall.Actor, integration, name string, now time.Time) (was bool, err error) {
	err = s.manageIntegration(ctx, by, integration, func(tx pgx.Tx, in lockedIntegration) error {
		if was, err = unmuteHeartbeat(ctx, tx, in.id, name, now); err != nil || !was {
			return err
		}
		return record(ctx, tx, by, now, audit.UnmutedHeartbeat(integration, name, in.team))
	})
	if err != nil {
		return false, wrapAny(err, "unmute heartbeat %q", name)
	}
	s.managed(by, "unmute_heartbeat").Str("integration", integration).Str("heartbeat", name).Msg("heartbeat unmuted")
	return was, nil
}

func unmuteHeartbeat(ctx context.Context, tx pgx.Tx, in oncall.IntegrationID, name string, now time.Time) (was bool, err error) {
	const save = `
		UPDATE heartbeats h
		SET muted_at = NULL, muted_until = NULL, muted_by = '', look_at = CASE WHEN down_at IS NULL THEN look_at ELSE $3 END
		FROM (
			SELECT id, muted_at IS NOT NULL AND (muted_until IS NULL OR muted_until > $3) AS muted
			FROM heartbeats
			WHERE integration_id = $1 AND name = $2 AND removed_at IS NULL
		) AS old
		WHERE h.id = old.id
		RETURNING old.muted`
	err = tx.QueryRow(ctx, save, in, name, now).Scan(&was)
	return was, translate(err)
}

// HeartbeatOf returns a heartbeat of an integration, or oncall.ErrNotFound.
func (s *System) HeartbeatOf(ctx context.Context, in oncall.IntegrationID, name string) (h oncall.Heartbeat, err error) {
	const load = `
		SELECT id, integration_id, name, every, grace, max_runtime, severity, pinged_at, due_at, down_at, muted_at, muted_until
		FROM heartbeats
		WHERE integration_id = $1 AND name = $2 AND removed_at IS NULL`
	err = s.pool.QueryRow(ctx, load, in, name).Scan(&h.ID, &h.IntegrationID, &h.Name, &h.Every, &h.Grace, &h.MaxRuntime, &h.Severity,
		&h.PingedAt, &h.DueAt, &h.DownAt, &h.MutedAt, &h.MutedUntil)
	return h, wrapAny(translate(err), "load heartbeat %q", name)
}

// setHeartbeatSpec saves another spec of a heartbeat.
func setHeartbeatSpec(ctx context.Context, tx pgx.Tx, h oncall.Heartbeat, spec oncall.HeartbeatSpec, now time.Time) error {
	const save = `
		UPDATE heartbeats SET every = $2, grace = $3, max_runtime = $4, severity = $5, due_at = $6, look_at = $7 WHERE id = $1`
	h.SetSpec(spec, now)
	_, err := tx.Exec(ctx, save, h.ID, h.Every, h.Grace, h.MaxRuntime, h.Severity, h.DueAt, h.NextCheck(now))
	return err
}

// insertHeartbeat stores a new heartbeat.
func insertHeartbeat(ctx context.Context, tx pgx.Tx, h oncall.Heartbeat, byPing bool, now time.Time) error {
	const insert = `
		INSERT INTO heartbeats (integration_id, name, every, grace, max_runtime, severity, by_ping, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	_, err := tx.Exec(ctx, insert, h.IntegrationID, h.Name, h.Every, h.Grace, h.MaxRuntime, h.Severity, byPing, now)
	return err
}
