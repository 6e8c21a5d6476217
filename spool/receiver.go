package spool

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// Config is what a Receiver needs.
type Config struct {
	System  *store.System
	Spool   Options
	Secrets []oncall.Secret                 // the first encrypts addresses; without any, people are told only in Slack
	Senders map[oncall.Method]notify.Sender // by contact method
	Clock   func() time.Time
	Log     zerolog.Logger
	Metrics prometheus.Registerer
}

// lookupLimit is how long the database may take to look up a key that is also known here.
const lookupLimit = time.Second

// A Receiver takes in signals: into the database, or into the spool while the database is away and
// until all that was spooled is stored.
type Receiver struct {
	Config
	spool    *Spool
	snapshot atomic.Pointer[Snapshot]
	metrics  *receiverMetrics
	outages  zerolog.Logger // limited to a few lines a minute

	// gate is held for reading by requests that are being spooled, and for writing to stop
	// spooling.
	gate   sync.RWMutex
	opened bool      // the spool has been opened before
	opens  time.Time // when to try opening it again
	limit  int       // size of the next batch
	fresh  freshness
	outage outage
	alarm  alarm
	checks atomic.Int64 // made by Run
}

// New opens the spool and loads what is known. A spool that can't be used is logged, and signals
// are refused during an outage until it can. A spool in use by another process is an error: each
// process has its own.
func New(c Config) (*Receiver, error) {
	rc := &Receiver{
		Config: c, spool: NewSpool(c.Spool), limit: batchEntries,
		outages: c.Log.Sample(&zerolog.BurstSampler{Burst: 3, Period: 10 * time.Second}),
	}
	rc.metrics = newReceiverMetrics(rc)
	if err := c.Metrics.Register(rc.metrics); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	rc.open(c.Clock())
	if errors.Is(rc.spool.state(), errInUse) {
		return nil, fmt.Errorf("WATCHBILL_SPOOL is %s, and another running watchbill uses it: each needs a directory of its own", c.Spool.Dir)
	}
	return rc, nil
}

// Close closes the spool.
func (rc *Receiver) Close() { rc.spool.Close() }

// reopenEvery is the pause between attempts to open an unusable spool.
const reopenEvery = 5 * time.Second

// open opens the spool, if it isn't open.
func (rc *Receiver) open(now time.Time) {
	if now.Before(rc.opens) {
		return
	}
	rc.opens = now.Add(reopenEvery)
	before := rc.spool.state()
	if before == nil {
		return
	}
	err := rc.spool.Open(now)
	switch {
	case err != nil && err.Error() != before.Error():
		rc.Log.Error().Err(err).Str("dir", rc.Spool.Dir).Msg("the spool can't be used: signals are refused while the database is away")
		return
	case err != nil:
		return
	}
	held := rc.spool.Usage()
	rc.Log.Info().Str("dir", rc.Spool.Dir).Int64("signals", held.Signals).Msg("the spool is open")
	if !rc.opened {
		rc.opened = true
		rc.System.Resume()
		if known, err := loadSnapshot(rc.Spool.Dir); err != nil {
			rc.Log.Error().Err(err).Msg("what was known of the set-up can't be read")
		} else if known != nil {
			rc.snapshot.CompareAndSwap(nil, known)
		}
		rc.outage.load(rc)
	}
	if held.Signals > 0 {
		rc.System.Suspend()
	}
}

// IntegrationByKey returns the integration that a key belongs to, according to the database or,
// while that is away, to what is known here. oncall.ErrNotFound comes only from the database.
func (rc *Receiver) IntegrationByKey(ctx context.Context, key string, now time.Time) (oncall.Integration, error) {
	in, known := rc.snapshot.Load().Integration(key, now)
	if !known {
		return rc.System.IntegrationByKey(ctx, key, now)
	}
	if rc.System.Suspended() {
		return in, nil
	}
	limited, cancel := context.WithTimeout(ctx, lookupLimit)
	defer cancel()
	found, err := rc.System.IntegrationByKey(limited, key, now)
	switch {
	case err == nil || errors.Is(err, oncall.ErrNotFound):
		return found, err
	case ctx.Err() != nil:
		return in, err
	}
	return in, nil
}

// Accept makes signals durable: in the database or, failing that, in the spool. The payload goes
// with them, but into the spool only while it has plenty of room.
func (rc *Receiver) Accept(ctx context.Context, id oncall.IntegrationID, signals []oncall.Signal, now time.Time, came ...oncall.Payload) error {
	err := rc.System.Accept(ctx, id, signals, now, came...)
	missed, ok := errors.AsType[store.NotStored](err)
	if !ok || ctx.Err() != nil {
		return err
	}
	request, packErr := store.Spool(id, signals, now, missed.Doubt)
	if packErr != nil {
		return packErr
	}
	if rc.spool.hasRoomForPayloads() {
		request.Came = came
	}
	rc.gate.RLock()
	defer rc.gate.RUnlock()
	rc.System.Suspend() // or a later signal could overtake these
	if keepErr := rc.spool.Keep(ctx, request, now); keepErr != nil {
		rc.metrics.refused.Inc()
		rc.alarm.noteRefusal(keepErr, now)
		return errors.Join(err, keepErr)
	}
	if !missed.NotTried() {
		rc.failed(ctx, err)
	}
	rc.metrics.kept.Add(float64(len(signals)))
	rc.outage.track(rc.snapshot.Load(), id, signals, now)
	return nil
}

// Ready returns why signals can't be made durable now.
func (rc *Receiver) Ready(ctx context.Context) error {
	why := rc.spool.Usable(rc.Clock())
	if why == nil {
		return nil
	}
	if err := rc.System.Ready(ctx); err != nil {
		return errors.Join(err, fmt.Errorf("the spool: %w", why))
	}
	return nil
}

// Status describes the state of signal intake, in lines.
func (rc *Receiver) Status(context.Context) []string {
	now := rc.Clock()
	held := rc.spool.Usage()
	var lines []string
	switch why := rc.spool.Usable(now); {
	case why != nil:
		lines = append(lines, "spool: can't be used: "+why.Error())
	case held.Signals == 0:
		lines = append(lines, "spool: empty")
	}
	if held.Signals > 0 {
		lines = append(lines, fmt.Sprintf("spool: %d signals wait, the oldest for %s", held.Signals, now.Sub(held.Oldest).Round(time.Second)))
	}
	if since, away := rc.outage.active(); away {
		lines = append(lines, fmt.Sprintf("database: away for %s", now.Sub(since).Round(time.Second)))
	}
	return lines
}
