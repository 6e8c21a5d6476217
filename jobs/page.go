package jobs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

const (
	// sendLimit bounds one call of a sender, which may have to wait for its turn.
	sendLimit = 20 * time.Second
	// recordLimit is the time to write down what a sender said, even when the job's
	// own time is over.
	recordLimit = 5 * time.Second
	// sendsAtOnce is how often a page of unknown fate is sent without waiting: a
	// double beats none.
	sendsAtOnce = 3
	// A provider's wish to wait is heard within these bounds.
	shortestThrottle = time.Second
	longestThrottle  = time.Minute
)

// pageWorker makes attempts to reach one person until one is answered.
type pageWorker struct {
	river.WorkerDefaults[oncall.SendPage]
	jobs *Jobs
}

// Timeout bounds one run of at most sendsAtOnce calls.
func (w *pageWorker) Timeout(*river.Job[oncall.SendPage]) time.Duration {
	return sendsAtOnce*sendLimit + 2*recordLimit
}

// Work sends the page, unless it has been delivered or is no longer due. It goes on
// for as long as the page is due: a snooze uses up no attempt.
func (w *pageWorker) Work(ctx context.Context, job *river.Job[oncall.SendPage]) error {
	for sent := 1; ; sent++ {
		order, err := w.jobs.store.BeginPage(ctx, job.Args.Page, w.jobs.clock())
		if err != nil {
			return unlessMissing(err)
		}
		if !order.Send {
			return nil
		}
		receipt := w.send(ctx, order)
		w.jobs.metrics.pages.WithLabelValues(order.Page.Method, string(receipt.Outcome)).Inc()
		again := time.Duration(0)
		switch receipt.Outcome {
		case notify.Accepted:
			w.jobs.metrics.delivery.Observe(max(0, w.jobs.clock().Sub(job.CreatedAt).Seconds()))
		case notify.Rejected:
		case notify.Misconfigured:
			again = wait(order.Attempt)
		case notify.Throttled:
			again = min(max(receipt.RetryAfter, shortestThrottle), longestThrottle)
		default:
			if sent < sendsAtOnce && ctx.Err() == nil {
				continue
			}
			again = wait(order.Attempt / sendsAtOnce)
		}
		if err := w.record(ctx, order, receipt); err != nil || again == 0 {
			return err
		}
		if ctx.Err() != nil { // we are to stop: another instance goes on at once
			return fmt.Errorf("send page %d: %w", order.Page.ID, ctx.Err())
		}
		return river.JobSnooze(again)
	}
}

// send calls the sender. One that panics may have sent.
func (w *pageWorker) send(ctx context.Context, order store.PageOrder) (r notify.Receipt) {
	sender := w.jobs.senders[order.Page.Method]
	if sender == nil {
		return notify.Receipt{
			Outcome: notify.Misconfigured,
			Err:     fmt.Errorf("there is no sender for the contact method %q", order.Page.Method),
		}
	}
	ctx, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	defer func() {
		if cause := recover(); cause != nil {
			r = notify.Receipt{Outcome: notify.Unknown, Err: fmt.Errorf("the sender panicked: %v", cause)}
		}
		if r.Err == nil && r.Outcome != notify.Accepted {
			r.Err = errors.New(string(r.Outcome))
		}
	}()
	return sender.Send(ctx, notify.Message{
		Key: order.Page.Key, To: string(order.Page.UserID), Incident: int64(order.Incident.ID),
		Title: order.Incident.Title, Why: order.Page.Why, Attempt: order.Attempt,
	})
}

// record writes down what the last attempt came to.
func (w *pageWorker) record(ctx context.Context, order store.PageOrder, r notify.Receipt) error {
	result := store.PageResult{Outcome: store.PageDelivered, Detail: r.Reference, Drawn: r.Drawn}
	if r.Outcome == notify.Accepted {
		if channel, ts, ok := strings.Cut(r.Reference, " "); ok && order.Page.Method == oncall.MethodSlack {
			result.Place = store.Place{Channel: channel, TS: ts}
		}
	} else {
		result = store.PageResult{Outcome: store.PageRetry, Detail: r.Err.Error(), Unsent: r.Outcome == notify.Throttled}
		level := zerolog.WarnLevel
		switch {
		case r.Outcome == notify.Rejected:
			result.Outcome, level = store.PageFailed, zerolog.ErrorLevel
		case r.Outcome == notify.Misconfigured && order.Blocked:
			level = zerolog.DebugLevel // it was said
		case r.Outcome == notify.Misconfigured:
			result.Outcome, level = store.PageBlocked, zerolog.ErrorLevel
		}
		w.jobs.log.WithLevel(level).Err(r.Err).Stringer("incident", order.Incident.ID).
			Str("user", string(order.Page.UserID)).Str("method", order.Page.Method).
			Str("outcome", string(r.Outcome)).Int("attempt", order.Attempt).Msg("page not delivered")
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordLimit)
	defer cancel()
	return w.jobs.store.RecordPage(ctx, order.Page.ID, result, w.jobs.clock())
}
