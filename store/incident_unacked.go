package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// opening lists the events that make an incident triggered again.
var opening = []oncall.EventKind{oncall.EventReopened, oncall.EventUnacknowledged, oncall.EventUnsnoozed}

// An unackedReminder is a team's notice about unacknowledged incidents.
type unackedReminder struct {
	ID     oncall.NoticeID
	About  int64 // the team
	Detail oncall.NoticeDetail
}

// RemindUnacked keeps one message in each team's channel about the incidents that have been triggered for longer
// than the team's limit. If another instance is doing this, it does nothing.
func (s *System) RemindUnacked(ctx context.Context, now time.Time) error {
	dir, err := s.directory(ctx)
	if err != nil {
		return err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		var ours bool
		if err := tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock($1)`, unackedLock).Scan(&ours); err != nil || !ours {
			return err
		}
		waiting, err := unacked(ctx, tx, now)
		if err != nil {
			return err
		}
		open, err := unackedReminders(ctx, tx)
		if err != nil {
			return err
		}
		for _, t := range dir.teams {
			r, reminded := open[t.ID]
			var last *oncall.NoticeDetail
			if reminded {
				last = &r.Detail
			}
			if detail, changed := oncall.RemindUnacked(last, waiting[t.ID], t.Remind, now); changed {
				if err := s.saveReminder(ctx, tx, t, r.ID, detail, now); err != nil {
					return fmt.Errorf("team %d: %w", t.ID, err)
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("remind of unacknowledged incidents: %w", err)
	}
	return nil
}

// unacked lists the incidents that have been triggered for longer than their team's limit. A low severity that waits
// for working hours is left out: nobody has been paged who could acknowledge it.
func unacked(ctx context.Context, tx pgx.Tx, now time.Time) (map[oncall.TeamID][]oncall.Unacked, error) {
	const load = `
		SELECT team, id, title, severity, since
		FROM (
			SELECT i.team_id AS team, i.id, i.title, i.severity, $1::timestamptz - make_interval(secs => t.remind) AS latest,
			       greatest(i.opened_at, (
			           SELECT max(e.at) FROM incident_events e WHERE e.incident_id = i.id AND e.kind = ANY ($2)
			       )) AS since
			FROM incidents i
			JOIN teams t ON t.id = i.team_id AND t.remind > 0
			WHERE i.status = 'triggered' AND i.id > 0 AND i.opened_at <= $1::timestamptz - make_interval(secs => t.remind)
			  AND (i.severity <> 'low' OR EXISTS (
			      SELECT FROM pages p WHERE p.incident_id = i.id AND p.user_id <> '' AND p.state IN ('delivered', 'failed')))
		) AS i
		WHERE since <= latest`
	rows, _ := tx.Query(ctx, load, now, opening)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[oncall.Unacked])
	if err != nil {
		return nil, fmt.Errorf("list unacknowledged incidents: %w", err)
	}
	out := map[oncall.TeamID][]oncall.Unacked{}
	for _, u := range found {
		out[u.Team] = append(out[u.Team], u)
	}
	return out, nil
}

func unackedReminders(ctx context.Context, tx pgx.Tx) (map[oncall.TeamID]unackedReminder, error) {
	const load = `
		SELECT id, about, facts AS detail
		FROM notices
		WHERE kind = $1 AND about <> 0 AND facts ->> 'state' IS NULL
		ORDER BY id`
	rows, _ := tx.Query(ctx, load, oncall.NoticeUnacked)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[unackedReminder])
	if err != nil {
		return nil, fmt.Errorf("load reminders: %w", err)
	}
	out := map[oncall.TeamID]unackedReminder{}
	for _, r := range found {
		out[oncall.TeamID(r.About)] = r
	}
	return out, nil
}

// saveReminder creates a team's message if the id is 0, and otherwise changes it.
func (s *Store) saveReminder(ctx context.Context, tx pgx.Tx, t oncall.Team, id oncall.NoticeID, detail oncall.NoticeDetail, now time.Time) error {
	const save = `UPDATE notices SET facts = $2, version = version + 1 WHERE id = $1`
	if id == 0 {
		return s.saveNotices(ctx, tx, now, []oncall.Notice{{
			Key: fmt.Sprintf("unacked/%d/%d", t.ID, now.Unix()), To: t.Channel, Kind: oncall.NoticeUnacked, About: int64(t.ID), Detail: detail,
		}})
	}
	if _, err := tx.Exec(ctx, save, id, detail); err != nil {
		return fmt.Errorf("save a reminder: %w", err)
	}
	return s.enqueue(ctx, tx, now, []oncall.Task{{Args: oncall.DrawNotice{Notice: id}}})
}
