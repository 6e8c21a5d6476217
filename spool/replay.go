package spool

import (
	"context"
	"time"

	"github.com/watchbill/watchbill/store"
)

const (
	// batchEntries and batchBytes limit what is stored in one transaction.
	batchEntries = 1_000
	batchBytes   = 4 << 20
	// handBackAt is the backlog below which new signals are held up briefly until it is empty.
	handBackAt = 5_000
	// replayLimit is the timeout of one such transaction, and probeLimit that of one others wait
	// for.
	replayLimit = 10 * time.Second
	probeLimit  = 2 * time.Second
	// checkEvery is how often Run checks for work.
	checkEvery = 250 * time.Millisecond
	// checksPerRead is after how many of these checks the set-up is read again.
	checksPerRead = 4
	// refreshEvery is how often the known set-up is saved even though nothing changed, so that it
	// always reaches OutageContactsAhead into the future; changes are saved at most every saveChangesEvery.
	refreshEvery     = time.Hour
	saveChangesEvery = 10 * time.Second
)

// Run stores the spooled signals as soon as the database is back, remembers the set-up, and tells
// people during an outage, until ctx ends.
func (rc *Receiver) Run(ctx context.Context) error {
	tick := time.NewTicker(checkEvery) // nothing notifies us that the database is back
	defer tick.Stop()
	defer rc.outage.wait()
	defer rc.alarm.ending.Wait()
	for {
		rc.open(rc.Clock())
		if rc.System.Suspended() || rc.spool.Usage().Signals > 0 {
			rc.drain(ctx)
		} else {
			rc.refreshSnapshot(ctx)
		}
		rc.spool.probe(rc.Clock())
		rc.messagePeople(ctx)
		rc.notifyAdmins(ctx)
		rc.checks.Add(1)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// drain stores batch after batch, until the spool is empty or the database doesn't answer.
func (rc *Receiver) drain(ctx context.Context) {
	for last := rc.spool.Usage().Signals + 1; ctx.Err() == nil; {
		var err error
		switch held := rc.spool.Usage().Signals; {
		case held <= handBackAt:
			if err = rc.handBack(ctx); err == nil {
				return
			}
		case held >= last: // more arrives than is stored: new signals have to wait
			err = rc.replayAlone(ctx)
			last = held
		default:
			_, err = rc.replay(ctx, replayLimit)
			last = held
		}
		if err != nil {
			rc.failed(ctx, err)
			return
		}
		rc.outage.end(rc.Clock())
	}
}

// replayAlone is replay while nothing can be added to the spool.
func (rc *Receiver) replayAlone(ctx context.Context) error {
	rc.gate.Lock()
	defer rc.gate.Unlock()
	_, err := rc.replay(ctx, probeLimit)
	return err
}

// failed records that the database didn't answer.
func (rc *Receiver) failed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return // we are shutting down
	}
	if rc.outage.begin(rc, rc.Clock()) {
		rc.Log.Error().Err(err).Msg("the database is away; signals are kept in the spool")
	}
	rc.outages.Warn().Err(err).Int64("signals", rc.spool.Usage().Signals).Msg("the spool can't be stored yet")
}

// replay stores the oldest spooled requests.
func (rc *Receiver) replay(ctx context.Context, limit time.Duration) (empty bool, err error) {
	batch, err := rc.spool.Next(rc.limit, batchBytes)
	if err != nil || batch.Empty() {
		return err == nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err = rc.System.Replay(ctx, batch.ID, batch.Requests, rc.Clock())
	switch {
	case store.Malformed(err) && len(batch.Requests) > 1:
		rc.limit = 1 // to find the one that is refused
		return false, nil
	case store.Malformed(err):
		rc.Log.Error().Err(err).Msg("the database refuses signals of the spool; they were put aside there")
		return false, rc.spool.SetAside(batch)
	case err != nil:
		return false, err
	}
	rc.limit = min(2*rc.limit, batchEntries)
	return false, rc.spool.Done(batch)
}

// handBack lets signals go directly to the database again. Nothing may be spooled meanwhile,
// because a spooled signal must not be overtaken by a later one.
func (rc *Receiver) handBack(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	if err := rc.System.Ready(limited); err != nil {
		return err
	}
	rc.gate.Lock()
	defer rc.gate.Unlock()
	for {
		empty, err := rc.replay(limited, probeLimit)
		if err != nil {
			return err
		}
		if empty {
			break
		}
	}
	if rc.System.Suspended() {
		rc.System.Resume()
	}
	rc.outage.clear(rc.Clock())
	return nil
}

// saveMessages stores the messages sent during the outage in the database, and forgets them once a new
// outage would count as another one.
func (rc *Receiver) saveMessages(ctx context.Context, now time.Time) {
	save, forget := rc.outage.toSave(now)
	if !save && !forget {
		return
	}
	records, err := rc.spool.messages()
	if err == nil && save {
		var pages []store.OutagePage
		for _, r := range records {
			if r.Attempts > 0 {
				pages = append(pages, r.OutagePage)
			}
		}
		ctx, cancel := context.WithTimeout(ctx, probeLimit)
		defer cancel()
		err = rc.System.SaveOutagePages(ctx, pages)
	}
	if err == nil && forget {
		err = rc.spool.deleteMessages()
	}
	if err != nil {
		rc.outages.Error().Err(err).Msg("can't save the messages of the outage to the database")
		return
	}
	rc.outage.markSaved(forget)
}

// freshness tracks how old the known set-up is.
type freshness struct {
	directory  *store.Directory
	at         time.Time
	checksLeft int  // checks until the next read
	logged     bool // the failure to save it has been logged
}

// refreshSnapshot saves the known set-up, if it has changed or is old.
func (rc *Receiver) refreshSnapshot(ctx context.Context) {
	now, f := rc.Clock(), &rc.fresh
	if f.checksLeft--; rc.spool.state() != nil || f.checksLeft > 0 {
		return
	}
	f.checksLeft = checksPerRead
	rc.saveMessages(ctx, now)
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	dir, err := rc.System.Directory(ctx)
	if err != nil {
		return // logged by those who need the database
	}
	age := now.Sub(f.at)
	if dir == f.directory && age >= 0 && age < refreshEvery || dir != f.directory && f.directory != nil && age >= 0 && age < saveChangesEvery {
		return
	}
	known := NewSnapshot(dir, rc.Secrets, now)
	rc.snapshot.Store(known)
	f.directory, f.at = dir, now
	err = known.save(rc.Spool.Dir)
	if err != nil && !f.logged {
		rc.Log.Error().Err(err).Msg("what is known of the set-up can't be written to the spool's directory")
	}
	f.logged = err != nil
}
