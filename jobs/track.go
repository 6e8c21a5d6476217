package jobs

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/watchbill/watchbill/answers"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

const (
	// trackBatch is how many messages are tracked at a time, and trackAtOnce how many of them are asked about
	// concurrently.
	trackBatch  = 40
	trackAtOnce = 8
	trackLimit  = 10 * time.Second
)

// trackMessages asks providers about the delivery of accepted messages, and cancels phone calls that are
// no longer needed.
func (j *Jobs) trackMessages(ctx context.Context, now time.Time) error {
	if len(j.tracked) == 0 {
		return nil
	}
	due, err := j.store.DueReceipts(ctx, j.tracked, j.cancelled, now, trackBatch)
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	errs := make([]error, len(due))
	slots := make(chan struct{}, trackAtOnce)
	for i, t := range due {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			errs[i] = guarded(ctx, "tracker", trackLimit, func(ctx context.Context) error { return j.trackMessage(ctx, t) })
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func (j *Jobs) trackMessage(ctx context.Context, t store.TrackedMessage) error {
	sender := j.senders[t.Method]
	if sender.Canceller != nil && !t.Due {
		if err := sender.Canceller.Cancel(ctx, t.Ref); err != nil {
			return fmt.Errorf("end a message by %s: %w", t.Method, err)
		}
		return j.store.Untrack(ctx, t.Page)
	}
	track, err := sender.Tracker.Track(ctx, t.Ref)
	if err != nil {
		return fmt.Errorf("ask what became of a message by %s: %w", t.Method, err)
	}
	j.metrics.receipts.WithLabelValues(string(t.Method), string(track.State)).Inc()
	if track.Answer != "" {
		_, err := answers.Handle(ctx, j.store.Store, oncall.Answer{
			Method: t.Method, ID: "receipt/" + t.Ref, Message: oncall.MessageKey{Page: t.Key}, Intent: intentOf(track.Answer, 0),
		}, j.clock())
		if err != nil {
			return err
		}
	}
	r := oncall.PageReceipt{State: oncall.ReceiptState(track.State), Final: track.Final, Dead: track.Dead, Remedy: track.Remedy, Named: track.Named}
	if track.Err != nil {
		r.Why = track.Err.Error()
	}
	if r.Why == "" {
		r.Why = string(r.State)
	}
	return j.store.RecordReceipt(ctx, t.Page, r, j.clock())
}
