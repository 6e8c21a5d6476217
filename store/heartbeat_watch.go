package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/audit"
)

// ErrAmbiguous says that a ping without a name could belong to several heartbeats.
var ErrAmbiguous = errors.New("several heartbeats are meant")

// FindHeartbeat returns the name of the heartbeat that a ping belongs to; without a name, that is the
// integration's only heartbeat. The error is oncall.ErrNotFound if there is none, and ErrAmbiguous if there are
// several.
func (s *System) FindHeartbeat(ctx context.Context, in oncall.IntegrationID, name string) (string, error) {
	const find = `
		SELECT name FROM heartbeats WHERE integration_id = $1 AND ($2 = '' OR name = $2) AND removed_at IS NULL LIMIT 2`
	rows, _ := s.intakePool.Query(ctx, find, in, name)
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	switch {
	case err != nil:
		return "", fmt.Errorf("look for a heartbeat: %w", translate(err))
	case len(found) == 0:
		return "", oncall.ErrNotFound
	case len(found) > 1:
		return "", ErrAmbiguous
	}
	return found[0], nil
}

// pingBatch is how many pings are processed at once.
const pingBatch = 1000

// A pingRow is a row of the table of pings.
type pingRow struct {
	ID            int64
	IntegrationID oncall.IntegrationID
	ReceivedAt    time.Time
	Signal        []byte
}

// A heartbeatRow is a row of the table of heartbeats.
type heartbeatRow struct {
	oncall.Heartbeat
	HeardAt *time.Time
	Said    string

	changed     bool
	failureText string // text that came with a failure
}

// WatchHeartbeats processes pings, finds the heartbeats that have gone missing, and sends signals about them to
// their integrations. One instance does so at a time. It must be called every few seconds: time in which no
// instance watched, or in which pings waited in the spool, isn't held against a heartbeat.
func (s *System) WatchHeartbeats(ctx context.Context, now time.Time) error {
	if s.Suspended() {
		return nil
	}
	dir, err := s.directory(ctx)
	if err != nil {
		return err
	}
	w := heartbeatWatch{dir: dir, now: now}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if ours, err := w.look(ctx, tx); err != nil || !ours {
			return err
		}
		w.judge()
		return w.save(ctx, tx)
	})
	if err != nil {
		return wrap(err, "watch the heartbeats")
	}
	for _, line := range w.lost {
		s.outages.Warn().Str("heartbeat", line).Msg("a ping is about no heartbeat")
	}
	return nil
}

// A heartbeatWatch is the state of one run of WatchHeartbeats.
type heartbeatWatch struct {
	dir *Directory
	now time.Time

	away  bool                 // no instance watched until now
	last  oncall.UnwatchedTime // the latest period in which no instance watched
	due   bool                 // a heartbeat is overdue or a signal must be sent
	tick  bool
	pings []pingRow
	all   []heartbeatRow // by id, followed by the new ones
	new   []int          // indexes of the new ones in all
	lost  []string
}

// look loads the pings and heartbeats to process. It reports false if there is nothing to do, or another instance
// is doing it.
func (w *heartbeatWatch) look(ctx context.Context, tx pgx.Tx) (bool, error) {
	const arrived = `SELECT id, integration_id, received_at, signal FROM pings ORDER BY id LIMIT $1`
	const begin = `
		SELECT pg_try_advisory_xact_lock($1), t.ticked_at, t.away_from, t.away_until, EXISTS (SELECT FROM heartbeats WHERE look_at <= $2), EXISTS (SELECT FROM heartbeats)
		FROM heartbeat_ticks t`
	const load = `
		SELECT h.id, h.integration_id, h.name, h.every, h.grace, h.max_runtime, h.severity, h.pinged_at, h.run_at, h.run, h.due_at,
		       h.down_at, h.why, h.failed, h.together, h.muted_at, h.muted_until, h.told_at AS signaled_at,
		       h.removed_at IS NOT NULL OR i.removed_at IS NOT NULL AS removed, h.heard_at, h.said
		FROM heartbeats h
		JOIN integrations i ON i.id = h.integration_id
		WHERE (h.removed_at IS NULL OR h.told_at IS NOT NULL)
		  AND ($1 OR h.integration_id = ANY ($2))
		ORDER BY h.id
		FOR UPDATE OF h`
	var ours, any bool
	var ticked time.Time
	if err := tx.QueryRow(ctx, begin, heartbeatLock, w.now).Scan(&ours, &ticked, &w.last.From, &w.last.Until, &w.due, &any); err != nil || !ours {
		return false, err
	}
	if any {
		if gap, were := oncall.Unwatched(ticked, w.now); were {
			w.away, w.last = true, gap
		}
		w.tick = w.now.Sub(ticked) >= oncall.HeartbeatTick
	}
	rows, _ := tx.Query(ctx, arrived, pingBatch)
	var err error
	if w.pings, err = pgx.CollectRows(rows, pgx.RowToStructByName[pingRow]); err != nil {
		return false, err
	}
	if len(w.pings) == 0 && !w.due && !w.tick {
		return false, nil
	}
	of := make([]oncall.IntegrationID, len(w.pings))
	for i, p := range w.pings {
		of[i] = p.IntegrationID
	}
	rows, _ = tx.Query(ctx, load, w.due || w.away, of)
	w.all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (h heartbeatRow, err error) {
		err = row.Scan(&h.ID, &h.IntegrationID, &h.Name, &h.Every, &h.Grace, &h.MaxRuntime, &h.Severity, &h.PingedAt, &h.RunAt, &h.Run, &h.DueAt,
			&h.DownAt, &h.Why, &h.Failed, &h.Together, &h.MutedAt, &h.MutedUntil, &h.SignaledAt, &h.Removed, &h.HeardAt, &h.Said)
		return h, err
	})
	return true, err
}

// judge applies the pings, and then judges the heartbeats whose pings are missing.
func (w *heartbeatWatch) judge() {
	for i := range w.all {
		if h := &w.all[i]; w.away && h.DueAt != nil {
			h.ExtendDeadline(w.last)
			h.changed = true
		}
	}
	for _, p := range w.pings {
		w.receive(p)
	}
	if !w.due || len(w.pings) == pingBatch { // more pings may wait, of the very heartbeats that would be judged
		return
	}
	judged := make([]oncall.Heartbeat, len(w.all))
	for i, h := range w.all {
		judged[i] = h.Heartbeat
	}
	for _, i := range oncall.JudgeHeartbeats(judged, w.now) {
		w.all[i].Heartbeat = judged[i]
	}
	for i := range w.all {
		w.all[i].changed = w.all[i].changed || w.all[i].DownAt != nil || w.all[i].Removed
	}
}

// receive applies one ping.
func (w *heartbeatWatch) receive(row pingRow) {
	var signal oncall.Signal
	if err := json.Unmarshal(row.Signal, &signal); err != nil || signal.Ping == nil {
		return
	}
	scrub(&signal)
	ping := *signal.Ping
	ping.Run = oncall.Storable(ping.Run)
	i := w.find(row.IntegrationID, signal.DedupKey)
	if i < 0 && ping.Create {
		i = w.create(row.IntegrationID, signal.DedupKey, ping)
	}
	if i < 0 {
		w.lost = append(w.lost, w.dir.integrations[row.IntegrationID].Name+"/"+signal.DedupKey)
		return
	}
	h := &w.all[i]
	h.ReceiveLate(ping, row.ReceivedAt, w.last)
	h.changed = true
	if h.HeardAt == nil || !row.ReceivedAt.Before(*h.HeardAt) {
		h.HeardAt, h.Said = &row.ReceivedAt, signal.Body
	}
	if ping.Kind == oncall.PingFail && h.Failed {
		h.failureText = signal.Body
	}
}

// find returns the index of the heartbeat with a name; -1: none, or several candidates.
func (w *heartbeatWatch) find(in oncall.IntegrationID, name string) int {
	found := -1
	for i, h := range w.all {
		if h.IntegrationID != in || h.Removed || name != "" && h.Name != name {
			continue
		}
		if found >= 0 {
			return -1
		}
		found = i
	}
	return found
}

// create adds the heartbeat that a ping asks for and returns its index; -1: not allowed.
func (w *heartbeatWatch) create(id oncall.IntegrationID, name string, ping oncall.Ping) int {
	in, known := w.dir.integrations[id]
	n := 0
	for _, h := range w.all {
		if h.IntegrationID == id && !h.Removed {
			n++
		}
	}
	if name == "" && n == 0 {
		name = oncall.HeartbeatNameOf(in.Name)
	}
	if !known || n >= oncall.MaxHeartbeats || oncall.CheckHeartbeatName(name) != nil {
		return -1
	}
	h := heartbeatRow{Heartbeat: oncall.Heartbeat{IntegrationID: id, Name: name, HeartbeatSpec: oncall.HeartbeatSpec{
		Every: oncall.HeartbeatEvery, Grace: oncall.HeartbeatGrace, Severity: oncall.High,
	}}}
	if made := (oncall.HeartbeatSpec{Every: ping.Every, Grace: ping.Grace, Severity: oncall.High}); ping.Every > 0 && made.CheckHeartbeat() == nil {
		h.HeartbeatSpec = made
	}
	w.all = append(w.all, h)
	w.new = append(w.new, len(w.all)-1)
	return len(w.all) - 1
}

// save stores the heartbeats, and sends signals about them to their integrations.
func (w *heartbeatWatch) save(ctx context.Context, tx pgx.Tx) error {
	const forget = `DELETE FROM pings WHERE id = ANY ($1)`
	const insert = `
		INSERT INTO inbox (integration_id, received_at, signal)
		SELECT integration_id, $2, signal::json
		FROM unnest($1::bigint[], $3::text[]) WITH ORDINALITY AS a (integration_id, signal, position)
		ORDER BY position`
	const heard = `UPDATE integrations SET first_signal_at = $2 WHERE id = ANY ($1) AND first_signal_at IS NULL`
	const ticked = `UPDATE heartbeat_ticks SET ticked_at = $1, away_from = $2, away_until = $3 WHERE ticked_at < $1`
	for _, i := range w.new {
		if err := w.insert(ctx, tx, &w.all[i]); err != nil {
			return err
		}
	}
	batch := &pgx.Batch{}
	var signals inboxRows
	for i := range w.all {
		h := &w.all[i]
		if !h.changed {
			continue
		}
		if s, any := h.NextSignal(h.failureText, w.now); any {
			text, err := json.Marshal(s)
			if err != nil {
				return err
			}
			signals.add(h.IntegrationID, w.now, string(text), false)
		}
		queueHeartbeat(batch, *h, w.now)
	}
	if len(signals.signals) > 0 {
		batch.Queue(insert, signals.integrations, w.now, signals.signals)
		batch.Queue(`SELECT pg_notify('watchbill_inbox', '')`)
	}
	if len(w.pings) > 0 {
		seen := make([]int64, len(w.pings))
		for i, p := range w.pings {
			seen[i] = p.ID
		}
		batch.Queue(forget, seen)
		batch.Queue(heard, w.neverHeard(), w.now)
	}
	if w.tick {
		batch.Queue(ticked, w.now, w.last.From, w.last.Until)
	}
	return tx.SendBatch(ctx, batch).Close()
}

// neverHeard returns the integrations that have never had a signal before.
func (w *heartbeatWatch) neverHeard() []oncall.IntegrationID {
	ids := []oncall.IntegrationID{}
	for _, h := range w.all {
		if h.changed && !w.dir.integrations[h.IntegrationID].Heard && !slices.Contains(ids, h.IntegrationID) {
			ids = append(ids, h.IntegrationID)
		}
	}
	return ids
}

// insert stores a heartbeat that a ping has created.
func (w *heartbeatWatch) insert(ctx context.Context, tx pgx.Tx, h *heartbeatRow) error {
	const insert = `
		INSERT INTO heartbeats (integration_id, name, every, grace, severity, by_ping, created_at)
		VALUES ($1, $2, $3, $4, $5, true, $6)
		RETURNING id`
	if err := tx.QueryRow(ctx, insert, h.IntegrationID, h.Name, h.Every, h.Grace, h.Severity, w.now).Scan(&h.ID); err != nil {
		return err
	}
	in := w.dir.integrations[h.IntegrationID]
	return record(ctx, tx, oncall.ByIntegration(in.Name), w.now, audit.AddedHeartbeat(in.Name, in.TeamID, h.Heartbeat))
}

// queueHeartbeat adds the update of a heartbeat to the batch.
func queueHeartbeat(batch *pgx.Batch, h heartbeatRow, now time.Time) {
	const save = `
		UPDATE heartbeats
		SET pinged_at = $2, run_at = $3, run = $4, due_at = $5, down_at = $6, why = $7, failed = $8, together = $9, told_at = $10,
		    look_at = $11, heard_at = $12, said = $13
		WHERE id = $1`
	batch.Queue(save, h.ID, h.PingedAt, h.RunAt, h.Run, h.DueAt, h.DownAt, h.Why, h.Failed, h.Together, h.SignaledAt, h.NextCheck(now), h.HeardAt,
		strings.ToValidUTF8(h.Said, ""))
}
