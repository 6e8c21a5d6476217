package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// NotifyUnreadAnswers warns that answers by a contact method can't be read. It tells the admins of the installation, and the
// managers of the teams in which somebody uses the method.
func (s *System) NotifyUnreadAnswers(ctx context.Context, method oncall.Method, why string, now time.Time) error {
	const reached = `
		SELECT DISTINCT m.team_id
		FROM team_members m
		JOIN contacts c ON c.user_id = m.user_id
		WHERE c.method = $1 AND c.verified_at IS NOT NULL AND c.removed_at IS NULL
		ORDER BY m.team_id`
	dir, err := s.directory(ctx)
	if err != nil {
		return err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, reached, method)
		teams, err := pgx.CollectRows(rows, pgx.RowTo[oncall.TeamID])
		if err != nil {
			return err
		}
		to := dir.InstallationAdmins()
		for _, team := range teams {
			to = append(to, dir.Watchers(team)...)
		}
		return s.saveNotices(ctx, tx, now, oncall.UnreadAnswerNotices(method, why, to, now))
	})
	if err != nil {
		return fmt.Errorf("tell that answers can't be read: %w", translate(err))
	}
	return nil
}
