package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/audit"
	"github.com/watchbill/watchbill/oncall/setup"
)

// RenameTeam gives a team another name. It is refused for a team of the set-up file, which knows it by its name. The error
// is oncall.ErrNotFound if the actor may not see the team.
func (s *Store) RenameTeam(ctx context.Context, by oncall.Actor, from, to string, now time.Time) error {
	g, err := s.gate(ctx, by)
	if err != nil {
		return err
	}
	if err := g.may(access.OthersThings, access.Object{}); err != nil {
		return err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, applyLock); err != nil {
			return err
		}
		teams, err := storedTeams(ctx, tx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(teams, func(t setup.StaffedTeam) bool { return t.Name == from })
		switch {
		case i < 0 || g.dir.access.May(by, access.See, access.Object{Team: teams[i].ID}) != nil:
			return oncall.ErrNotFound
		case teams[i].Owner != oncall.OwnerSlack:
			return oncall.Refuse("The team %q is kept in a set-up file, which knows it by its name: the next apply would make another of that name. "+
				"Let it be kept in Slack, and take it out of the file, before you rename it.", from)
		case from == to:
			return nil
		case slices.ContainsFunc(teams, func(t setup.StaffedTeam) bool { return t.Name == to }):
			return oncall.Refuse("There is a team of that name already, and nothing was changed.")
		}
		if _, err := tx.Exec(ctx, `UPDATE teams SET name = $2 WHERE id = $1`, teams[i].ID, to); err != nil {
			return err
		}
		if err := record(ctx, tx, by, now, audit.RenamedTeam(teams[i].ID, from, to)); err != nil {
			return err
		}
		return announce(ctx, tx)
	})
	if err != nil {
		return wrap(err, "rename team %q", from)
	}
	s.cache.drop()
	return nil
}
