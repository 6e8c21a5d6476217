package jobs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/riverqueue/river"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

const (
	// sendLimit bounds one call of a sender, which should end sooner by itself.
	sendLimit = 10 * time.Second
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

// Work sends the page, unless it has been delivered or is no longer due.
func (w *pageWorker) Work(ctx context.Context, job *river.Job[oncall.SendPage]) error {
	for sent := 1; ; sent++ {
		order, err := w.jobs.Store.BeginPage(ctx, job.Args.Page, w.jobs.Clock())
		if err != nil {
			return gone(fmt.Errorf("begin page %d: %w", job.Args.Page, err))
		}
		if !order.Send {
			return nil
		}
		receipt := w.send(ctx, order)
		w.jobs.metrics.pages.WithLabelValues(order.Page.Method, string(receipt.Outcome)).Inc()
		switch {
		case receipt.Outcome == notify.Throttled:
			return river.JobSnooze(min(max(receipt.RetryAfter, shortestThrottle), longestThrottle))
		case receipt.Outcome == notify.Unknown && sent < sendsAtOnce && ctx.Err() == nil:
			continue
		case receipt.Outcome == notify.Unknown && job.Attempt < job.MaxAttempts:
			return fmt.Errorf("send page %d to %s: %w", order.Page.ID, order.Page.UserID, receipt.Err)
		}
		return w.record(ctx, job, order, receipt)
	}
}

// send calls the sender. One that panics may have sent.
func (w *pageWorker) send(ctx context.Context, order store.PageOrder) (r notify.Receipt) {
	sender := w.jobs.Senders[order.Page.Method]
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

// record writes down the final answer.
func (w *pageWorker) record(ctx context.Context, job *river.Job[oncall.SendPage], order store.PageOrder, r notify.Receipt) error {
	now := w.jobs.Clock()
	result := store.PageResult{Outcome: string(r.Outcome), Drawn: r.Drawn}
	if r.Outcome == notify.Accepted {
		w.jobs.metrics.delivery.Observe(max(0, now.Sub(job.CreatedAt).Seconds()))
		if order.Page.Method == oncall.MethodSlack {
			result.Place.Channel, result.Place.TS, _ = strings.Cut(r.Reference, " ")
		}
	} else {
		result.Detail = r.Err.Error()
		w.jobs.Log.Error().Err(r.Err).Stringer("incident", order.Incident.ID).
			Str("user", string(order.Page.UserID)).Str("method", order.Page.Method).
			Str("outcome", string(r.Outcome)).Msg("page failed")
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordLimit)
	defer cancel()
	if err := w.jobs.Store.RecordPage(ctx, order.Page.ID, result, now); err != nil {
		return fmt.Errorf("record page %d: %w", order.Page.ID, err)
	}
	return nil
}
