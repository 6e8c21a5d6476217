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
	held  held
	after int64 // the letter up to which the inbox was looked through since something is held
}

// A letter is one row of the inbox.
type letter struct {
	ID            int64
	IntegrationID oncall.IntegrationID
	ReceivedAt    time.Time
	Signal        []byte

	signal oncall.Signal
}

// A misfit is a letter that can't be folded.
type misfit struct {
	letter
	why error
}

// errRule is a rule that has gone wrong on some signal.
var errRule = errors.New("a rule has panicked")

// drain folds batch after batch until the inbox is empty. When the database refuses what came out
// of a batch, or a rule fails on it, the batches shrink to one signal and that signal is put aside,
// so that it can't hold up the others; then they grow again. What is about an incident that
// somebody else has locked stays in the inbox for the next time.
func (f *folder) drain(ctx context.Context) error {
	f.held, f.after = held{}, 0
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
	var letters []letter
	var misfits []misfit
	var folded []desk
	var left []int64
	var changes []oncall.Change
	err := pgx.BeginFunc(ctx, f.conn, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, take, f.limit, f.after)
		var err error
		letters, err = pgx.CollectRows(rows, pgx.RowToStructByName[letter])
		if err != nil || len(letters) == 0 {
			return err
		}
		var good []letter
		if good, misfits, err = f.sort(ctx, letters, aside); err != nil {
			return err
		}
		if folded, left, err = f.desks(ctx, tx, good); err != nil {
			return err
		}
		changes, err = f.work(ctx, tx, folded, now)
		if err != nil {
			return err
		}
		return f.clear(ctx, tx, letters, left, misfits, now)
	})
	if err != nil {
		return 0, err
	}
	if len(f.held) > 0 {
		f.after = letters[len(letters)-1].ID
	}
	for _, d := range folded {
		for _, l := range d.letters {
			f.store.metrics.signals.WithLabelValues(d.Integration.Name, string(l.signal.Action)).Inc()
		}
	}
	f.store.changed(changes)
	for _, m := range misfits {
		f.store.metrics.rejected.Inc()
		f.store.log.Error().Err(m.why).Int64("inbox", m.ID).Msg("signal put aside in inbox_rejected")
	}
	return len(letters), nil
}

// sort reads the signals, and tells those that can be folded from those that can't.
func (f *folder) sort(ctx context.Context, letters []letter, aside error) (good []letter, bad []misfit, err error) {
	dir, err := f.store.Directory(ctx)
	if err != nil {
		return nil, nil, err
	}
	fresh := false
	for _, l := range letters {
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
			bad = append(bad, misfit{letter: l, why: why})
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
	for i, key := range s.Present {
		s.Present[i] = clean(key)
	}
	labels := make(map[string]string, len(s.Labels))
	for name, value := range s.Labels {
		labels[clean(name)] = clean(value)
	}
	s.Labels = labels
}

// A desk is where the signals of one integration are folded.
type desk struct {
	*oncall.Desk
	letters []letter
	found   *found
}

// desks sorts letters by integration, each in the order of arrival, and lays out what is stored.
// It also returns the letters that must wait for somebody to unlock their incident.
func (f *folder) desks(ctx context.Context, tx pgx.Tx, letters []letter) (out []desk, left []int64, err error) {
	if len(letters) == 0 {
		return nil, nil, nil
	}
	dir, err := f.store.Directory(ctx)
	if err != nil {
		return nil, nil, err
	}
	found, err := f.find(ctx, tx, letters)
	if err != nil {
		return nil, nil, err
	}
	byIntegration := map[oncall.IntegrationID][]letter{}
	for _, l := range letters {
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
		out = append(out, desk{letters: byIntegration[id], found: found, Desk: &oncall.Desk{
			Integration: in, Policy: dir.Policies[in.PolicyID], Policies: dir.Policies, Roster: dir.Roster(),
			NewIncident: found.newIncident, NewAlert: found.newAlert, NextCount: found.counts.of(in.PolicyID),
		}})
	}
	return out, left, nil
}

// work lets the rules decide on each signal and saves what they decide.
func (f *folder) work(ctx context.Context, tx pgx.Tx, desks []desk, now time.Time) ([]oncall.Change, error) {
	var changes []oncall.Change
	var alerts []oncall.Alert
	for _, d := range desks {
		if err := d.receive(); err != nil {
			return nil, err
		}
		c, a := d.Results()
		if len(desks) > 1 {
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
	if err := desks[0].found.counts.save(ctx, tx); err != nil {
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

// receive folds the letters. A panic becomes an error: one signal must not stop all others.
func (d desk) receive() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errRule, p)
		}
	}()
	d.found.seat(d.Desk)
	for _, l := range d.letters {
		d.Receive(l.signal, l.ReceivedAt)
	}
	return nil
}

// clear takes letters out of the inbox, except those that are left there.
func (f *folder) clear(ctx context.Context, tx pgx.Tx, letters []letter, left []int64, misfits []misfit, now time.Time) error {
	const reject = `
		INSERT INTO inbox_rejected (id, integration_id, received_at, signal, error, rejected_at)
		SELECT id, integration_id, received_at, signal, $2, $3
		FROM inbox
		WHERE id = $1`
	const remove = `DELETE FROM inbox WHERE id = ANY ($1)`
	for _, m := range misfits {
		why := strings.ReplaceAll(m.why.Error(), "\x00", "")
		if _, err := tx.Exec(ctx, reject, m.ID, why, now); err != nil {
			return fmt.Errorf("put signal %d aside: %w", m.ID, err)
		}
	}
	ids := make([]int64, 0, len(letters))
	for _, l := range letters {
		if !slices.Contains(left, l.ID) {
			ids = append(ids, l.ID)
		}
	}
	if _, err := tx.Exec(ctx, remove, ids); err != nil {
		return fmt.Errorf("take signals out of the inbox: %w", err)
	}
	return nil
}
