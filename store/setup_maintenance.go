package store

import (
	"context"
	"fmt"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
)

// applyMaintenance plans the windows of the document, changes the ones already planned, and ends the ones that it no
// longer names. Applying a file again doesn't bring back a window that is over or that somebody has ended.
func (a *applier) applyMaintenance(ctx context.Context, doc setup.Setup) error {
	const over = `SELECT EXISTS (SELECT FROM maintenance_windows WHERE name = $1 AND team_id = $2 AND starts_at = $3 AND ends_at <= $4)`
	open, err := openMaintenance(ctx, a.tx)
	if err != nil {
		return err
	}
	integrations, err := liveIntegrations(ctx, a.tx)
	if err != nil {
		return err
	}
	ids := map[string]storedIntegration{}
	for _, in := range integrations {
		ids[in.Name] = in
	}
	stored, teams := map[string]oncall.Maintenance{}, map[oncall.TeamID]int{}
	for _, m := range open {
		if m.EndsAt.After(a.now) {
			teams[m.TeamID]++
			if m.Name != "" {
				stored[m.Name] = m
			}
		}
	}
	for _, in := range doc.Maintenance {
		window, err := in.Window()
		if err != nil {
			return oncall.Refuse("Maintenance %q: %s.", in.Name, err)
		}
		window.TeamID, window.IntegrationID = a.teams[in.Team], ids[in.Integration].ID
		if in.Integration != "" && ids[in.Integration].TeamID != window.TeamID {
			return oncall.Refuse("Maintenance %q: integration %q is not of team %q.", in.Name, in.Integration, in.Team)
		}
		old, known := stored[window.Name]
		delete(stored, window.Name)
		if !window.EndsAt.After(a.now) && !known {
			continue
		}
		var ended bool
		if err := a.tx.QueryRow(ctx, over, window.Name, window.TeamID, window.StartsAt, a.now).Scan(&ended); err != nil {
			return err
		}
		if ended && !known {
			continue
		}
		if err := a.setMaintenance(ctx, window, old, known, teams[window.TeamID]); err != nil {
			return wrap(err, "save maintenance %q", window.Name)
		}
		teams[window.TeamID]++
	}
	return a.removeMaintenance(ctx, stored)
}

// setMaintenance plans a window, or changes the window with its name.
func (a *applier) setMaintenance(ctx context.Context, window, old oncall.Maintenance, known bool, open int) error {
	if known {
		if !a.changed("maintenance", window.Name, difference{"team", old.TeamID != window.TeamID}, difference{"integration", old.IntegrationID != window.IntegrationID},
			difference{"only", !equal(nonNil(old.Match), nonNil(window.Match))}, difference{"from", !old.StartsAt.Equal(window.StartsAt)},
			difference{"until", !old.EndsAt.Equal(window.EndsAt)}, difference{"except critical", old.PagesCritical != window.PagesCritical},
			difference{"reason", old.Reason != window.Reason}) {
			return nil
		}
		if err := a.endMaintenance(ctx, old); err != nil || !window.EndsAt.After(a.now) {
			return err
		}
		open--
	} else {
		a.addLine("add maintenance %q", window.Name)
	}
	if err := window.Check(open, a.now); err != nil {
		return err
	}
	window.By = a.by
	if err := insertMaintenance(ctx, a.tx, &window, a.now); err != nil {
		return err
	}
	a.edits = append(a.edits, func(s *Store) error { return s.enqueue(ctx, a.tx, a.now, window.Timers(a.now)) })
	return nil
}

func (a *applier) endMaintenance(ctx context.Context, m oncall.Maintenance) error {
	a.edits = append(a.edits, func(s *Store) error {
		return s.enqueue(ctx, a.tx, a.now, []oncall.Task{{Args: oncall.MaintenanceTimer{Maintenance: m.ID}}})
	})
	return finishMaintenance(ctx, a.tx, m, a.now)
}

// removeMaintenance ends the windows that the document no longer names, if pruning is on.
func (a *applier) removeMaintenance(ctx context.Context, stored map[string]oncall.Maintenance) error {
	for _, name := range sortedKeys(stored) {
		if !a.prune || a.only != "" {
			a.report.Kept = append(a.report.Kept, fmt.Sprintf("maintenance %q", name))
			continue
		}
		a.addLine("end maintenance %q", name)
		if err := a.endMaintenance(ctx, stored[name]); err != nil {
			return err
		}
	}
	return nil
}
