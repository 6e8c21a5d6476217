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
	// lookEvery is how often Run checks for work.
	lookEvery = 250 * time.Millisecond
	// restLooks is after how many of these checks the set-up is read again.
	restLooks = 4
	// refreshEvery is how often the known set-up is saved even though nothing changed, so that it
	// always reaches WatchAhead into the future; changes are saved at most every changeEvery.
	refreshEvery = time.Hour
	changeEvery  = 10 * time.Second
)

// Run stores the spooled signals as soon as the database is back, remembers the set-up, and tells
// people during an outage, until ctx ends.
func (d *Receiver) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery) // nothing notifies us that the database is back
	defer tick.Stop()
	defer d.outage.wait()
	defer d.alarm.ending.Wait()
	for {
		d.open(d.Clock())
		if d.System.Suspended() || d.spool.Held().Signals > 0 {
			d.drain(ctx)
		} else {
			d.remember(ctx)
		}
		d.spool.probe(d.Clock())
		d.tell(ctx)
		d.tellAdmins(ctx)
		d.looks.Add(1)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// drain stores batch after batch, until the spool is empty or the database doesn't answer.
func (d *Receiver) drain(ctx context.Context) {
	for last := d.spool.Held().Signals + 1; ctx.Err() == nil; {
		var err error
		switch held := d.spool.Held().Signals; {
		case held <= handBackAt:
			if err = d.handBack(ctx); err == nil {
				return
			}
		case held >= last: // more arrives than is stored: new signals have to wait
			err = d.replayAlone(ctx)
			last = held
		default:
			_, err = d.replay(ctx, replayLimit)
			last = held
		}
		if err != nil {
			d.failed(ctx, err)
			return
		}
		d.outage.back(d.Clock())
	}
}

// replayAlone is replay while nothing can be added to the spool.
func (d *Receiver) replayAlone(ctx context.Context) error {
	d.gate.Lock()
	defer d.gate.Unlock()
	_, err := d.replay(ctx, probeLimit)
	return err
}

// failed records that the database didn't answer.
func (d *Receiver) failed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return // we are shutting down
	}
	if d.outage.gone(d, d.Clock()) {
		d.Log.Error().Err(err).Msg("the database is away; signals are kept in the spool")
	}
	d.outages.Warn().Err(err).Int64("signals", d.spool.Held().Signals).Msg("the spool can't be stored yet")
}

// replay stores the oldest spooled requests.
func (d *Receiver) replay(ctx context.Context, limit time.Duration) (empty bool, err error) {
	batch, err := d.spool.Next(d.limit, batchBytes)
	if err != nil || batch.Empty() {
		return err == nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err = d.System.Replay(ctx, batch.ID, batch.Requests, d.Clock())
	switch {
	case store.Malformed(err) && len(batch.Requests) > 1:
		d.limit = 1 // to find the one that is refused
		return false, nil
	case store.Malformed(err):
		d.Log.Error().Err(err).Msg("the database refuses signals of the spool; they were put aside there")
		return false, d.spool.Refused(batch)
	case err != nil:
		return false, err
	}
	d.limit = min(2*d.limit, batchEntries)
	return false, d.spool.Done(batch)
}

// handBack lets signals go directly to the database again. Nothing may be spooled meanwhile,
// because a spooled signal must not be overtaken by a later one.
func (d *Receiver) handBack(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	if err := d.System.Ready(limited); err != nil {
		return err
	}
	d.gate.Lock()
	defer d.gate.Unlock()
	for {
		empty, err := d.replay(limited, probeLimit)
		if err != nil {
			return err
		}
		if empty {
			break
		}
	}
	if d.System.Suspended() {
		d.System.Resume()
	}
	d.outage.over(d.Clock())
	return nil
}

// writeDown stores the messages sent during the outage in the database, and forgets them once a new
// outage would count as another one.
func (d *Receiver) writeDown(ctx context.Context, now time.Time) {
	save, forget := d.outage.toWriteDown(now)
	if !save && !forget {
		return
	}
	records, err := d.spool.told()
	if err == nil && save {
		var pages []store.OutagePage
		for _, r := range records {
			if r.Attempts > 0 {
				pages = append(pages, r.OutagePage)
			}
		}
		ctx, cancel := context.WithTimeout(ctx, probeLimit)
		defer cancel()
		err = d.System.SaveOutagePages(ctx, pages)
	}
	if err == nil && forget {
		err = d.spool.forgetTold()
	}
	if err != nil {
		d.outages.Error().Err(err).Msg("can't save the messages of the outage to the database")
		return
	}
	d.outage.wroteDown(forget)
}

// freshness tracks how old the known set-up is.
type freshness struct {
	of   *store.Directory
	at   time.Time
	rest int  // checks until the next read
	said bool // the failure to save it has been logged
}

// remember saves the known set-up, if it has changed or is old.
func (d *Receiver) remember(ctx context.Context) {
	now, f := d.Clock(), &d.fresh
	if f.rest--; d.spool.state() != nil || f.rest > 0 {
		return
	}
	f.rest = restLooks
	d.writeDown(ctx, now)
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	dir, err := d.System.Directory(ctx)
	if err != nil {
		return // logged by those who need the database
	}
	age := now.Sub(f.at)
	if dir == f.of && age >= 0 && age < refreshEvery || dir != f.of && f.of != nil && age >= 0 && age < changeEvery {
		return
	}
	known := KnowledgeOf(dir, d.Secrets, now)
	d.known.Store(known)
	f.of, f.at = dir, now
	err = known.save(d.Spool.Dir)
	if err != nil && !f.said {
		d.Log.Error().Err(err).Msg("what is known of the set-up can't be written to the spool's directory")
	}
	f.said = err != nil
}
