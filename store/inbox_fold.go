package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// foldBatch is how many signals are folded in one transaction at most.
const foldBatch = 500

// A folder turns the inbox into incidents, in order. Its transactions run on the connection that
// holds the lock: who has lost the lock can't commit.
type folder struct {
	store *Store
	conn  *pgx.Conn
	clock func() time.Time
	limit int // of the next batch
	held  heldKeys
	after int64 // the entry up to which the inbox was looked through since something is held
	said  unshown
}

// An entry is one row of the inbox.
type entry struct {
	ID            int64
	IntegrationID oncall.IntegrationID
	ReceivedAt    time.Time
	Signal        []byte

	signal oncall.Signal
}

// A reject is an entry that can't be folded.
type reject struct {
	entry
	why error
}

// errRule is a rule that has gone wrong on some signal.
var errRule = errors.New("a rule has panicked")

// drain folds batch after batch until the inbox is empty. When the database refuses what came out
// of a batch, or a rule fails on it, the batches shrink to one signal and that signal is put aside,
// so that it can't hold up the others; then they grow again. What is about an incident that
// somebody else has locked stays in the inbox for the next time.
func (f *folder) drain(ctx context.Context) error {
	f.held, f.after = heldKeys{}, 0
	for {
		n, err := f.fold(ctx, nil)
		culprit := malformed(err) || errors.Is(err, errRule)
		switch {
		case err == nil && n < f.limit && f.limit == foldBatch:
			return nil
		case err == nil:
			f.limit = min(2*f.limit, foldBatch)
		case culprit && f.limit > 1:
			f.limit = 1
		case culprit:
			if _, err := f.fold(ctx, err); err != nil {
				return fmt.Errorf("put a signal aside: %w", err)
			}
		default:
			return fmt.Errorf("fold the inbox: %w", err)
		}
	}
}

// fold folds the next signals in one transaction and returns how many. With an error given, it puts
// them aside instead.
func (f *folder) fold(ctx context.Context, aside error) (int, error) {
	const take = `
		SELECT id, integration_id, received_at, signal
		FROM inbox
		WHERE id > $2
		ORDER BY id
		LIMIT $1`
	ctx, cancel := context.WithTimeout(ctx, turnLimit)
	defer cancel()
	now := f.clock()
	var entries []entry
	var rejects []reject
	var folded []integrationFold
	var left []int64
	var changes []oncall.Change
	err := pgx.BeginFunc(ctx, f.conn, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, take, f.limit, f.after)
		var err error
		entries, err = pgx.CollectRows(rows, pgx.RowToStructByName[entry])
		if err != nil || len(entries) == 0 {
			return err
		}
		var good []entry
		if good, rejects, err = f.sort(ctx, entries, aside); err != nil {
			return err
		}
		if folded, left, err = f.folds(ctx, tx, good); err != nil {
			return err
		}
		changes, err = f.work(ctx, tx, folded, now)
		if err != nil {
			return err
		}
		return f.clear(ctx, tx, entries, left, rejects, now)
	})
	if err != nil {
		return 0, err
	}
	if len(f.held) > 0 {
		f.after = entries[len(entries)-1].ID
	}
	for _, d := range folded {
		f.count(d, now)
	}
	f.store.changed(changes)
	for _, m := range rejects {
		f.store.metrics.rejected.Inc()
		f.store.log.Error().Err(m.why).Int64("inbox", m.ID).Msg("signal put aside in inbox_rejected")
	}
	return len(entries), nil
}

// sort reads the signals, and tells those that can be folded from those that can't.
func (f *folder) sort(ctx context.Context, entries []entry, aside error) (good []entry, bad []reject, err error) {
	dir, err := f.store.Directory(ctx)
	if err != nil {
		return nil, nil, err
	}
	fresh := false
	for _, l := range entries {
		if _, known := dir.integrations[l.IntegrationID]; !known && !fresh {
			// Its key may be newer than the directory that we have.
			f.store.cache.drop()
			if dir, err = f.store.Directory(ctx); err != nil {
				return nil, nil, err
			}
			fresh = true
		}
		why := aside
		if _, known := dir.integrations[l.IntegrationID]; !known {
			why = errors.Join(why, fmt.Errorf("there is no integration %d", l.IntegrationID))
		}
		if err := json.Unmarshal(l.Signal, &l.signal); err != nil {
			why = errors.Join(why, err)
		}
		if why != nil {
			bad = append(bad, reject{entry: l, why: why})
			continue
		}
		scrub(&l.signal)
		good = append(good, l)
	}
	return good, bad, nil
}

// scrub takes out the one character that PostgreSQL can't store in a text.
func scrub(s *oncall.Signal) {
	clean := func(text string) string { return strings.ReplaceAll(text, "\x00", "") }
	for _, text := range []*string{&s.DedupKey, &s.GroupKey, &s.Title, &s.Body, &s.Link} {
		*text = clean(*text)
	}
	for i := range s.Hints {
		s.Hints[i].Text = clean(s.Hints[i].Text)
	}
	for _, keys := range [][]string{s.Present, s.Ended} {
		for i, key := range keys {
			keys[i] = clean(key)
		}
	}
	labels := make(map[string]string, len(s.Labels))
	for name, value := range s.Labels {
		labels[clean(name)] = clean(value)
	}
	s.Labels = labels
}

// An integrationFold is the part of a batch that is of one integration.
type integrationFold struct {
	*oncall.Fold
	entries []entry
	found   *storedState
	folded  []oncall.Folded // what became of each entry
}

// folds sorts entries by integration, each in the order of arrival, and lays out what is stored.
// It also returns the entries that must wait for somebody to unlock their incident.
func (f *folder) folds(ctx context.Context, tx pgx.Tx, entries []entry) (out []integrationFold, left []int64, err error) {
	if len(entries) == 0 {
		return nil, nil, nil
	}
	dir, err := f.store.Directory(ctx)
	if err != nil {
		return nil, nil, err
	}
	found, err := f.find(ctx, tx, entries)
	if err != nil {
		return nil, nil, err
	}
	byIntegration := map[oncall.IntegrationID][]entry{}
	for _, l := range entries {
		if f.held.holds(l) {
			left = append(left, l.ID)
			continue
		}
		byIntegration[l.IntegrationID] = append(byIntegration[l.IntegrationID], l)
	}
	if found.counts, err = loadPolicyCounts(ctx, tx, dir, slices.Collect(maps.Keys(byIntegration))); err != nil {
		return nil, nil, err
	}
	for _, id := range slices.Sorted(maps.Keys(byIntegration)) {
		in := dir.integrations[id]
		out = append(out, integrationFold{entries: byIntegration[id], found: found, Fold: &oncall.Fold{
			Integration: in, Policy: dir.Policies[in.PolicyID], Policies: dir.Policies, Roster: dir.Roster(),
			NewIncident: found.newIncident, NewAlert: found.newAlert, NextCount: found.counts.of(in.PolicyID),
		}})
	}
	return out, left, nil
}

// work lets the rules decide on each signal and saves what they decide.
func (f *folder) work(ctx context.Context, tx pgx.Tx, folds []integrationFold, now time.Time) ([]oncall.Change, error) {
	var changes []oncall.Change
	var alerts []oncall.Alert
	for i := range folds {
		d := &folds[i]
		if err := d.receive(); err != nil {
			return nil, err
		}
		c, a := d.Results()
		if len(folds) > 1 {
			d.found.update(c, a)
		}
		changes, alerts = append(changes, c...), append(alerts, a...)
	}
	if len(changes) == 0 && len(alerts) == 0 {
		return nil, nil
	}
	if err := f.store.save(ctx, tx, now, changes); err != nil {
		return nil, err
	}
	if err := folds[0].found.counts.save(ctx, tx); err != nil {
		return nil, err
	}
	batch := &pgx.Batch{}
	for _, a := range alerts {
		queueAlert(batch, a)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("save alerts: %w", err)
	}
	return changes, nil
}

// receive folds the entries. A panic becomes an error: one signal must not stop all others.
func (d *integrationFold) receive() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errRule, p)
		}
	}()
	d.found.fill(d.Fold)
	for _, l := range d.entries {
		d.folded = append(d.folded, d.Receive(l.signal, l.ReceivedAt))
	}
	return nil
}

// clear takes entries out of the inbox, except those that are left there.
func (f *folder) clear(ctx context.Context, tx pgx.Tx, entries []entry, left []int64, rejects []reject, now time.Time) error {
	const reject = `
		INSERT INTO inbox_rejected (id, integration_id, received_at, signal, error, rejected_at)
		SELECT id, integration_id, received_at, signal, $2, $3
		FROM inbox
		WHERE id = $1`
	const remove = `DELETE FROM inbox WHERE id = ANY ($1)`
	for _, m := range rejects {
		why := strings.ReplaceAll(m.why.Error(), "\x00", "")
		if _, err := tx.Exec(ctx, reject, m.ID, why, now); err != nil {
			return fmt.Errorf("put signal %d aside: %w", m.ID, err)
		}
	}
	ids := make([]int64, 0, len(entries))
	for _, l := range entries {
		if !slices.Contains(left, l.ID) {
			ids = append(ids, l.ID)
		}
	}
	if _, err := tx.Exec(ctx, remove, ids); err != nil {
		return fmt.Errorf("take signals out of the inbox: %w", err)
	}
	return nil
}
