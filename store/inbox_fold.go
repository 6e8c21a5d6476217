package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// An inboxWorker folds the inbox into incidents, in order. Its transactions run on the connection that
// holds the lock, so a worker that has lost the lock can't commit.
type inboxWorker struct {
	store   *Store
	conn    *pgx.Conn
	clock   func() time.Time
	limit   int // size of the next batch
	blocked blockedKeys
	passes  int // batches folded while an entry was blocked
	turns   turns
	unshown unshown

	released map[oncall.AlertID]time.Time  // when recently held alerts were released
	noted    map[oncall.IntegrationID]bool // integrations whose latest signal was just recorded
}

// An entry is one row of the inbox.
type entry struct {
	ID            int64
	IntegrationID oncall.IntegrationID
	ReceivedAt    time.Time
	Signal        []byte
	Replayed      bool // it came through the spool

	signal oncall.Signal
	listed string // group of the alert in the monitor's list
	group  string // group of the incident
}

// A reject is an entry that can't be folded.
type reject struct {
	entry
	why error
}

// errRule means that a rule panicked on a signal.
var errRule = errors.New("a rule has panicked")

// drain folds batch after batch until the inbox is empty. Each batch contains signals from every
// integration with waiting signals. If the database refuses a batch's result, or a rule panics, the
// batches shrink to a single signal, which is rejected so that it can't hold up the others. Then the
// batches grow again. Signals about an incident that another transaction has locked stay in the inbox
// for a while.
func (w *inboxWorker) drain(ctx context.Context) error {
	w.unblock()
	for {
		more, err := w.foldNext(ctx, nil)
		culprit := Malformed(err) || errors.Is(err, errRule)
		switch {
		case err == nil && !more:
			w.limit = foldBatch
			return nil
		case err == nil:
			w.limit = min(2*w.limit, foldBatch)
		case errors.Is(err, context.DeadlineExceeded) && w.limit > 1 && ctx.Err() == nil:
			w.limit = max(1, w.limit/4) // routing rules that people wrote may be slow
		case culprit && w.limit > 1:
			w.limit = 1
		case culprit:
			if _, err := w.foldNext(ctx, err); err != nil {
				return fmt.Errorf("put a signal aside: %w", err)
			}
		default:
			return fmt.Errorf("fold the inbox: %w", err)
		}
	}
}

// blockFor is how many batches are folded before blocked entries are tried again, unless the inbox becomes empty
// sooner. Incidents are locked only briefly.
const blockFor = 4

// unblock makes the worker try blocked entries again, from the beginning of the inbox.
func (w *inboxWorker) unblock() {
	w.blocked, w.passes, w.turns.passed = blockedKeys{}, 0, map[oncall.IntegrationID]int64{}
}

// foldNext folds the next signals in one transaction and reports whether there may be more. Given a reason to
// reject them, it moves the signals to the rejects instead.
func (w *inboxWorker) foldNext(ctx context.Context, rejectReason error) (more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, foldLimit)
	defer cancel()
	now := w.clock()
	var entries []entry
	var apart bool
	var rejects []reject
	var batches []integrationBatch
	var left []int64
	var changes []oncall.Change
	err = pgx.BeginFunc(ctx, w.conn, func(tx pgx.Tx) error {
		var err error
		if entries, apart, err = w.turns.take(ctx, tx, w.limit); err != nil || len(entries) == 0 {
			return err
		}
		dir, err := w.directoryOf(ctx, entries)
		if err != nil {
			return err
		}
		var good []entry
		good, rejects = split(ctx, dir, entries, rejectReason)
		if batches, left, err = w.byIntegration(ctx, tx, dir, good); err != nil {
			return err
		}
		changes, err = w.decideAndSave(ctx, tx, batches, now)
		if err != nil {
			return err
		}
		if err := saveTallies(ctx, tx, batches); err != nil {
			return err
		}
		if err := noteFirstSignals(ctx, tx, batches, w.noted); err != nil {
			return err
		}
		return w.removeFromInbox(ctx, tx, entries, left, rejects, now)
	})
	if err != nil {
		return false, err
	}
	w.turns.apart = apart
	more = w.turns.examined(entries, w.limit, len(w.blocked) > 0)
	if len(w.blocked) > 0 && len(entries) > len(left) {
		if w.passes++; w.passes == blockFor {
			w.unblock()
		}
	}
	for _, b := range batches {
		w.noted[b.Integration.ID] = true
		w.count(b, now)
		w.countRoutes(b)
	}
	w.store.changed(changes)
	w.store.signalSaved()
	for _, r := range rejects {
		w.store.metrics.rejected.Inc()
		w.store.log.Error().Err(r.why).Int64("inbox", r.ID).Msg("signal put aside in inbox_rejected")
	}
	return more, nil
}

// directoryOf returns the directory. It reloads the directory if an entry's integration is missing from it,
// because the integration may be newer than our copy.
func (w *inboxWorker) directoryOf(ctx context.Context, entries []entry) (*Directory, error) {
	dir, err := w.store.directory(ctx)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(entries, func(e entry) bool { _, known := dir.integrations[e.IntegrationID]; return !known }) {
		w.store.cache.drop()
		return w.store.directory(ctx)
	}
	return dir, nil
}

// split parses the signals, and separates the entries that can be folded from those that can't.
func split(ctx context.Context, dir *Directory, entries []entry, rejectReason error) (good []entry, bad []reject) {
	for _, e := range entries {
		why := rejectReason
		if _, known := dir.integrations[e.IntegrationID]; !known {
			why = errors.Join(why, fmt.Errorf("there is no integration %d", e.IntegrationID))
		}
		if err := json.Unmarshal(e.Signal, &e.signal); err != nil {
			why = errors.Join(why, err)
		}
		if why != nil {
			bad = append(bad, reject{entry: e, why: why})
			continue
		}
		scrub(&e.signal)
		e.listed, e.group = dir.groupsOf(ctx, e.IntegrationID, e.signal)
		good = append(good, e)
	}
	return good, bad
}

// scrub removes NUL, the only character that PostgreSQL can't store in text.
func scrub(signal *oncall.Signal) {
	clean := oncall.Storable
	for _, text := range []*string{&signal.DedupKey, &signal.GroupKey, &signal.Title, &signal.Body, &signal.Link, &signal.Note, &signal.NewMonitor} {
		*text = clean(*text)
	}
	for i := range signal.Hints {
		signal.Hints[i].Text = clean(signal.Hints[i].Text)
	}
	for _, keys := range [][]string{signal.Present, signal.Ended} {
		for i, key := range keys {
			keys[i] = clean(key)
		}
	}
	for i, l := range signal.Links {
		signal.Links[i] = oncall.Link{Text: clean(l.Text), URL: clean(l.URL)}
	}
	for _, texts := range []*map[string]string{&signal.Labels, &signal.Details} {
		cleaned := make(map[string]string, len(*texts))
		for name, value := range *texts {
			cleaned[clean(name)] = clean(value)
		}
		*texts = cleaned
	}
}

// An integrationBatch is the part of a batch that belongs to one integration.
type integrationBatch struct {
	*oncall.Fold
	entries []entry
	stored  *storedState
	folded  []oncall.FoldedSignal // of each entry
}

// byIntegration groups entries by integration, in the order of arrival, and loads the stored state
// that they affect. It also returns the entries that must wait because their incident is locked.
func (w *inboxWorker) byIntegration(ctx context.Context, tx pgx.Tx, dir *Directory, entries []entry) (out []integrationBatch, left []int64, err error) {
	if len(entries) == 0 {
		return nil, nil, nil
	}
	found, err := w.find(ctx, tx, dir, entries)
	if err != nil {
		return nil, nil, err
	}
	entriesOf := map[oncall.IntegrationID][]entry{}
	for _, e := range entries {
		if w.blocked.block(e) {
			left = append(left, e.ID)
			continue
		}
		entriesOf[e.IntegrationID] = append(entriesOf[e.IntegrationID], e)
	}
	if found.counts, err = loadPolicyCounts(ctx, tx, dir, slices.Collect(maps.Keys(entriesOf))); err != nil {
		return nil, nil, err
	}
	for _, id := range slices.Sorted(maps.Keys(entriesOf)) {
		in := dir.integrations[id]
		b := integrationBatch{entries: entriesOf[id], stored: found, Fold: &oncall.Fold{
			Integration: in, Policy: dir.Policies[in.PolicyID], Policies: dir.Policies, Roster: dir.Roster(), Silencing: dir.silencing(), FoldedAt: w.clock(),
			Maintenance: dir.Maintenance,
		}}
		dir.routeBy(ctx, b.Fold)
		out = append(out, b)
	}
	return out, left, nil
}

// decideAndSave lets the rules decide on each signal, and saves the decisions.
func (w *inboxWorker) decideAndSave(ctx context.Context, tx pgx.Tx, batches []integrationBatch, now time.Time) ([]oncall.Change, error) {
	var changes []oncall.Change
	var alerts []oncall.Alert
	for i := range batches {
		b := &batches[i]
		if err := b.receive(now); err != nil {
			return nil, err
		}
		c, a := b.Results()
		b.stored.lastIncident, b.stored.alertIDs = b.LastIncident, b.AlertIDs
		for id, next := range b.NextCounts {
			b.stored.counts.set(id, next)
		}
		if len(batches) > 1 {
			b.stored.update(c, a)
		}
		changes, alerts = append(changes, c...), append(alerts, a...)
	}
	if len(changes) == 0 && len(alerts) == 0 {
		return nil, nil
	}
	if err := w.store.save(ctx, tx, now, changes); err != nil {
		return nil, err
	}
	if err := batches[0].stored.counts.save(ctx, tx); err != nil {
		return nil, err
	}
	if err := batches[0].stored.saveAlerts(ctx, tx, alerts); err != nil {
		return nil, fmt.Errorf("save alerts: %w", err)
	}
	return changes, nil
}

// receive folds the entries. It turns a panic into an error, because one signal must not stop all
// others.
func (b *integrationBatch) receive(now time.Time) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errRule, p)
		}
	}()
	b.stored.fill(b.Fold)
	for _, e := range b.entries {
		if e.Replayed {
			b.folded = append(b.folded, b.Replay(e.signal, e.ReceivedAt, now))
			continue
		}
		b.folded = append(b.folded, b.Receive(e.signal, e.ReceivedAt))
	}
	return nil
}

// removeFromInbox deletes the entries, except those in left, and stores the rejects.
func (w *inboxWorker) removeFromInbox(ctx context.Context, tx pgx.Tx, entries []entry, left []int64, rejects []reject, now time.Time) error {
	const reject = `
		INSERT INTO inbox_rejected (id, integration_id, received_at, signal, error, rejected_at)
		SELECT id, integration_id, received_at, signal, $2, $3
		FROM inbox
		WHERE id = $1`
	const remove = `DELETE FROM inbox WHERE id = ANY ($1)`
	for _, r := range rejects {
		why := oncall.Storable(r.why.Error())
		if _, err := tx.Exec(ctx, reject, r.ID, why, now); err != nil {
			return fmt.Errorf("put signal %d aside: %w", r.ID, err)
		}
	}
	ids := make([]int64, 0, len(entries))
	for _, e := range entries {
		if !slices.Contains(left, e.ID) {
			ids = append(ids, e.ID)
		}
	}
	if _, err := tx.Exec(ctx, remove, ids); err != nil {
		return fmt.Errorf("take signals out of the inbox: %w", err)
	}
	return nil
}
