package spool

import (
	"context"
	"time"

	"github.com/watchbill/watchbill/store"
)

const (
	// batchEntries and batchBytes bound what is stored in one transaction.
	batchEntries = 1_000
	batchBytes   = 4 << 20
	// handBackAt is how many signals may wait when it is worth while to hold up those that come, until none does.
	handBackAt = 5_000
	// replayLimit limits one such transaction, and probeLimit one that others wait for.
	replayLimit = 10 * time.Second
	probeLimit  = 2 * time.Second
	// lookEvery is how often the door looks whether there is something to do.
	lookEvery = 250 * time.Millisecond
	// restLooks is at how many looks it asks for the set-up once.
	restLooks = 4
	// refreshEvery is how often what is known is written down although nothing has changed, so that it reaches
	// WatchAhead; changes are written no more often than changeEvery.
	refreshEvery = time.Hour
	changeEvery  = 10 * time.Second
)

// Run stores what is in the spool as soon as the database is back, remembers the set-up, and tells people while
// the database is away, until ctx ends.
func (d *Receiver) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery) // nothing tells us that the database is back
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
		case held >= last: // more comes than is stored: it has to wait
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

// replayAlone is replay while nobody adds anything to the spool.
func (d *Receiver) replayAlone(ctx context.Context) error {
	d.gate.Lock()
	defer d.gate.Unlock()
	_, err := d.replay(ctx, probeLimit)
	return err
}

// failed notes that the database has not answered.
func (d *Receiver) failed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return // we are stopping
	}
	if d.outage.gone(d, d.Clock()) {
		d.Log.Error().Err(err).Msg("the database is away; signals are kept in the spool")
	}
	d.outages.Warn().Err(err).Int64("signals", d.spool.Held().Signals).Msg("the spool can't be stored yet")
}

// replay stores the oldest of what is in the spool.
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
		d.limit = 1 // which of them is it?
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

// handBack lets signals be stored directly again. Nobody may keep anything meanwhile: who did and was told so
// must not be overtaken by whoever comes next.
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

// writeDown stores what people were sent while the database was away, and forgets it when the next time would be
// another outage.
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
		d.outages.Error().Err(err).Msg("can't write down who was told that the database was away")
		return
	}
	d.outage.wroteDown(forget)
}

// freshness is how old what is known is.
type freshness struct {
	of   *store.Directory
	at   time.Time
	rest int  // looks until the next
	said bool // that it can't be written down
}

// remember writes down what is known of the set-up, if that has changed or is old.
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
		return // whoever needs the database says so
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
