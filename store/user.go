package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/audit"
)

// SaveUser stores a person's Slack profile. From then on Apply leaves the person alone.
func (s *Store) SaveUser(ctx context.Context, u oncall.User, now time.Time) error {
	const upsert = `
		INSERT INTO users (id, name, email, time_zone, deactivated_at, slack_at, standing, owner)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (id) DO UPDATE SET
			name = $2, email = $3, time_zone = $4, slack_at = $6, standing = $7, owner = $8,
			deactivated_at = CASE WHEN $5::timestamptz IS NULL THEN NULL ELSE coalesce(users.deactivated_at, $5) END
		WHERE (users.name, users.email, users.time_zone, users.deactivated_at IS NULL, users.slack_at IS NULL, users.standing, users.owner)
		      IS DISTINCT FROM ($2, $3, $4, $5::timestamptz IS NULL, FALSE, $7, $8)`
	return s.saveUser(ctx, u.ID, now, upsert, u.ID, u.Name, u.Email, u.TimeZone, u.DeactivatedAt, now, u.Standing, u.Owner)
}

// SaveStanding stores a known person's standing in the workspace, and whether they have left. It changes nothing else,
// and doesn't add unknown people.
func (s *Store) SaveStanding(ctx context.Context, u oncall.User, now time.Time) error {
	return s.saveUser(ctx, u.ID, now, updateStanding, u.ID, u.DeactivatedAt, u.Standing, u.Owner)
}

const updateStanding = `
	UPDATE users SET standing = $3, owner = $4,
		deactivated_at = CASE WHEN $2::timestamptz IS NULL THEN NULL ELSE coalesce(deactivated_at, $2) END
	WHERE id = $1 AND (deactivated_at IS NULL, standing, owner) IS DISTINCT FROM ($2::timestamptz IS NULL, $3, $4)`

// saveUser changes a person with a statement, and then queues checks of schedules and coverage, because the person may
// be on call.
func (s *Store) saveUser(ctx context.Context, id oncall.UserID, now time.Time, sql string, args ...any) error {
	changed := false
	err := s.transact(ctx, func(tx pgx.Tx) error {
		before, err := users(ctx, tx, id)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, sql, args...)
		if changed = tag.RowsAffected() > 0; err != nil || !changed {
			return err
		}
		after, err := users(ctx, tx, id)
		if err != nil {
			return err
		}
		if was, known := before[id]; known && was.Unpageable() != after[id].Unpageable() { // other people, or nobody, may be on call now
			if err := s.checkAllSchedules(ctx, tx, now); err != nil {
				return err
			}
		}
		if e, changed := audit.Profile(before[id], after[id]); changed {
			if err := record(ctx, tx, oncall.Actor{Name: "Slack", Via: "slack"}, now, e); err != nil {
				return err
			}
		}
		return announce(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("save user %s: %w", id, err)
	}
	if changed {
		s.cache.drop()
	}
	return nil
}

// users loads people by id, or all people if no id is given.
func users(ctx context.Context, q querier, ids ...oncall.UserID) (map[oncall.UserID]oncall.User, error) {
	const load = `
		SELECT id, name, email, time_zone, deactivated_at, standing, owner, id IN (
			SELECT m.user_id FROM team_members m JOIN teams t ON t.id = m.team_id AND t.removed_at IS NULL
			UNION
			SELECT unnest(g.users) FROM slack_groups g JOIN teams t ON t.managed_by = g.handle AND t.removed_at IS NULL
		) AS in_team
		FROM users
		WHERE $1::text[] IS NULL OR id = ANY ($1)`
	rows, _ := q.Query(ctx, load, ids)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[oncall.User])
	out := make(map[oncall.UserID]oncall.User, len(found))
	for _, u := range found {
		out[u.ID] = u
	}
	return out, err
}
