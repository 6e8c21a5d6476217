package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
)

// A storedHeartbeat is a heartbeat and its origin.
type storedHeartbeat struct {
	oncall.Heartbeat
	ByPing bool // created by a ping, not by a document
}

func liveHeartbeats(ctx context.Context, tx pgx.Tx) ([]storedHeartbeat, error) {
	const load = `
		SELECT id, integration_id, name, every, grace, max_runtime, severity, pinged_at, run_at, run, due_at, down_at, why, failed, together,
		       muted_at, muted_until, told_at AS signaled_at, false AS removed, by_ping
		FROM heartbeats
		WHERE removed_at IS NULL
		ORDER BY name, id`
	rows, _ := tx.Query(ctx, load)
	return pgx.CollectRows(rows, pgx.RowToStructByName[storedHeartbeat])
}

// applyHeartbeats applies the heartbeats of the document's integrations. Heartbeats that a ping created stay, even if
// the document doesn't name them.
func (a *applier) applyHeartbeats(ctx context.Context, doc setup.Setup) error {
	const lock = `SELECT id FROM heartbeats WHERE removed_at IS NULL ORDER BY id FOR UPDATE`
	const orphans = `
		UPDATE heartbeats h SET removed_at = $1::timestamptz, look_at = CASE WHEN told_at IS NULL THEN NULL ELSE $1::timestamptz END
		FROM integrations i
		WHERE i.id = h.integration_id AND i.removed_at IS NOT NULL AND h.removed_at IS NULL`
	if _, err := a.tx.Exec(ctx, lock); err != nil {
		return err
	}
	if _, err := a.tx.Exec(ctx, orphans, a.now); err != nil {
		return err
	}
	found, err := liveHeartbeats(ctx, a.tx)
	if err != nil {
		return err
	}
	integrations, err := liveIntegrations(ctx, a.tx)
	if err != nil {
		return err
	}
	ids := map[string]oncall.IntegrationID{}
	for _, in := range integrations {
		ids[in.Name] = in.ID
	}
	for _, in := range doc.Integrations {
		stored := map[string]storedHeartbeat{}
		for _, h := range found {
			if h.IntegrationID == ids[in.Name] {
				stored[h.Name] = h
			}
		}
		if err := a.applyHeartbeatsOf(ctx, in, ids[in.Name], stored); err != nil {
			return err
		}
	}
	return nil
}

func (a *applier) applyHeartbeatsOf(ctx context.Context, in setup.Integration, id oncall.IntegrationID, stored map[string]storedHeartbeat) error {
	const remove = `
		UPDATE heartbeats SET removed_at = $2::timestamptz, look_at = CASE WHEN told_at IS NULL THEN NULL ELSE $2::timestamptz END WHERE id = $1`
	const adopt = `UPDATE heartbeats SET by_ping = false WHERE id = $1`
	named := map[string]bool{}
	for _, h := range in.Heartbeats {
		named[h.Name] = true
		spec, err := h.Spec()
		if err != nil {
			return err
		}
		old, known := stored[h.Name]
		called := in.Name + "/" + h.Name
		switch {
		case !known:
			a.addLine("add heartbeat %q", called)
			err = insertHeartbeat(ctx, a.tx, oncall.Heartbeat{IntegrationID: id, Name: h.Name, HeartbeatSpec: spec}, false, a.now)
		case a.changed("heartbeat", called, difference{"every", old.Every != spec.Every}, difference{"grace", old.Grace != spec.Grace},
			difference{"max_runtime", old.MaxRuntime != spec.MaxRuntime}, difference{"severity", old.Severity != spec.Severity},
			difference{"named in the file", old.ByPing}):
			if err = setHeartbeatSpec(ctx, a.tx, old.Heartbeat, spec, a.now); err == nil {
				_, err = a.tx.Exec(ctx, adopt, old.ID)
			}
		}
		if err != nil {
			return fmt.Errorf("save heartbeat %q: %w", called, err)
		}
	}
	for _, name := range sortedKeys(stored) {
		if named[name] || stored[name].ByPing {
			continue
		}
		a.addLine("remove heartbeat %q", in.Name+"/"+name)
		if _, err := a.tx.Exec(ctx, remove, stored[name].ID, a.now); err != nil {
			return fmt.Errorf("remove heartbeat %q: %w", name, err)
		}
	}
	return nil
}
