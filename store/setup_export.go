package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
)

// Export returns the current set-up as a document. Applying that document changes nothing.
func (s *System) Export(ctx context.Context, now time.Time) (setup.Setup, error) {
	var in setup.Installation
	err := s.transact(ctx, func(tx pgx.Tx) (err error) {
		// One snapshot for all queries, so that no row refers to a row that another query has missed.
		if _, err := tx.Exec(ctx, `SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY`); err != nil {
			return err
		}
		in, err = installation(ctx, tx, now)
		return err
	})
	if err != nil {
		return setup.Setup{}, wrap(err, "export")
	}
	return in.Setup(now), nil
}

func installation(ctx context.Context, tx pgx.Tx, now time.Time) (in setup.Installation, err error) {
	if in.Users, err = knownUsers(ctx, tx); err != nil {
		return in, err
	}
	if in.Teams, err = storedTeams(ctx, tx); err != nil {
		return in, err
	}
	all, err := schedules(ctx, tx, scope{since: now})
	if err != nil {
		return in, err
	}
	for _, s := range all {
		in.Schedules = append(in.Schedules, s)
	}
	slices.SortFunc(in.Schedules, func(a, b schedule.Definition) int { return cmp.Compare(a.ID, b.ID) })
	if in.Policies, err = livePolicies(ctx, tx); err != nil {
		return in, err
	}
	integrations, err := liveIntegrations(ctx, tx)
	if err != nil {
		return in, err
	}
	for _, i := range integrations {
		in.Integrations = append(in.Integrations, i.Integration)
	}
	heartbeats, err := liveHeartbeats(ctx, tx)
	if err != nil {
		return in, err
	}
	for _, h := range heartbeats {
		if !h.ByPing {
			in.Heartbeats = append(in.Heartbeats, h.Heartbeat)
		}
	}
	if in.UserGroups, err = liveUserGroups(ctx, tx); err != nil {
		return in, err
	}
	if in.Maintenance, err = openMaintenance(ctx, tx); err != nil {
		return in, err
	}
	lists, err := routeLists(ctx, tx)
	for _, l := range lists {
		in.Routes = append(in.Routes, l.definition())
	}
	return in, err
}
