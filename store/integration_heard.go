package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// maxMonitors is how many monitors are stored for one integration.
const maxMonitors = 10

// noteFirstSignals records the time of an integration's first signal, the formats that its signals were recognised as,
// and how many bodies could not be understood. The time is skipped for the integrations in noted, where it is recorded.
func noteFirstSignals(ctx context.Context, tx pgx.Tx, batches []integrationBatch, noted map[oncall.IntegrationID]bool) error {
	const save = `
		UPDATE integrations
		SET first_signal_at = coalesce(first_signal_at, $2), taken_for = $3, unread = unread + $4
		WHERE id = $1 AND (first_signal_at IS NULL OR taken_for <> $3 OR $4 > 0)`
	changed, batch := false, &pgx.Batch{}
	for _, b := range batches {
		unread, first := 0, time.Time{}
		for _, e := range b.entries {
			if e.signal.Unread {
				unread++
			}
			if first.IsZero() || e.ReceivedAt.Before(first) {
				first = e.ReceivedAt
			}
		}
		monitors := withMonitor(b.Integration.Monitors, b.NewMonitor)
		anew := monitors != b.Integration.Monitors
		if first.IsZero() || (b.Integration.Heard || noted[b.Integration.ID]) && !anew && unread == 0 {
			continue
		}
		batch.Queue(save, b.Integration.ID, first, monitors, unread)
		changed = changed || anew
	}
	if batch.Len() == 0 {
		return nil
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("note that an integration was heard of: %w", err)
	}
	if !changed { // so that a first signal doesn't reload the directory before its page is sent
		return nil
	}
	return announce(ctx, tx)
}

// withMonitor adds a monitor to the list of those recognised.
func withMonitor(known, monitor string) string {
	list := oncall.Integration{Monitors: known}.Recognised()
	if monitor == "" || slices.Contains(list, monitor) || len(list) >= maxMonitors {
		return known
	}
	return strings.Join(append(list, monitor), ", ")
}

// IntegrationDetail holds the facts about an integration that can be shown.
type IntegrationDetail struct {
	oncall.Integration
	Team          string
	Policy        string
	FirstSignalAt *time.Time // nil: none since this column exists
	Unread        int64      // bodies that could not be understood
}

// Integration returns an integration by its name, or oncall.ErrNotFound.
func (s *System) Integration(ctx context.Context, name string) (IntegrationDetail, error) {
	const load = `SELECT first_signal_at, unread FROM integrations WHERE id = $1`
	var out IntegrationDetail
	dir, err := s.directory(ctx)
	if err != nil {
		return out, err
	}
	i := slices.IndexFunc(dir.Integrations, func(in oncall.Integration) bool { return in.Name == name })
	if i < 0 {
		return out, oncall.ErrNotFound
	}
	out.Integration = dir.Integrations[i]
	team, _ := dir.Team(out.TeamID)
	out.Team, out.Policy = team.Name, dir.Policies[out.PolicyID].Name
	err = s.pool.QueryRow(ctx, load, out.ID).Scan(&out.FirstSignalAt, &out.Unread)
	return out, wrapAny(translate(err), "load integration %q", name)
}
