package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
)

const (
	// sendLimit limits one call of a sender, which may have to wait for its turn.
	sendLimit = 20 * time.Second
	// pageLimit limits one run, which makes at most sendsAtOnce calls.
	pageLimit = sendsAtOnce*sendLimit + 4*recordLimit
	// recordLimit limits the saving of a result. It has a limit of its own because a result that isn't saved, for want of
	// time, would send the page again.
	recordLimit = 5 * time.Second
	// sendsAtOnce is how many attempts a page makes in a row if their outcome is unknown. Two copies of a page are better
	// than none.
	sendsAtOnce = 3
	// findLimit is how long a page with an unknown outcome waits for a provider that can't be asked,
	// before it is sent again.
	findLimit = 2 * time.Minute
	// A provider's request to wait is respected within these limits.
	minThrottle = time.Second
	maxThrottle = time.Minute
	// maxBlocked is the longest pause after a provider reports that it can't send for hours. It is short
	// because an admin may fix the cause.
	maxBlocked = 10 * time.Minute
	// passedOverRetry is how long a page waits while its provider is failing and the person's other
	// methods are tried.
	passedOverRetry = 10 * time.Second
)

// page tries to send a page until its provider accepts or refuses it, or the page is no longer due. Between tries the
// job snoozes (River's word, which has nothing to do with snoozing an incident), because River gives up on jobs that
// return errors too often.
func (j *Jobs) page(ctx context.Context, job *river.Job[oncall.SendPage]) error {
	if j.lanes.hangs(job.Args.Lane) {
		return river.JobSnooze(laneRetry)
	}
	for sent := 1; ; sent++ {
		order, err := j.store.BeginPage(ctx, job.Args, job.ID, j.clock())
		if err != nil {
			return unlessMissing(err)
		}
		if !order.Send {
			if order.CheckAt.IsZero() || order.OtherJob {
				return nil
			}
			return river.JobSnooze(max(0, order.CheckAt.Sub(j.clock())))
		}
		a := &attempt{jobs: j, order: order}
		if err := a.run(ctx); err != nil {
			return err
		}
		if err := a.record(ctx); err != nil {
			return err
		}
		if j.traced != nil {
			j.traced(PageAttempt{Order: a.order, Queued: job.CreatedAt, Sent: a.sent, Answered: a.answered, Outcome: a.receipt.Outcome})
		}
		if a.receipt.Outcome == notify.Accepted && !order.Incident.ID.Canary() {
			now := j.clock()
			j.metrics.delivery.Observe(max(0, min(now.Sub(job.CreatedAt), now.Sub(order.Page.At)).Seconds()))
		}
		if a.retryIn == 0 {
			return nil
		}
		if ctx.Err() != nil { // we are stopping, and another instance continues at once
			return fmt.Errorf("send page %d: %w", order.Page.ID, ctx.Err())
		}
		if a.receipt.Outcome != notify.Unknown || a.lagging || sent >= sendsAtOnce {
			return river.JobSnooze(a.retryIn)
		}
	}
}

// An attempt is one call of a sender and its result.
type attempt struct {
	jobs       *Jobs
	order      oncall.PageOrder
	message    notify.Message
	receipt    notify.Receipt
	retryIn    time.Duration // until the next attempt; 0: this was the last one
	lagging    bool          // the provider may not list an earlier attempt yet
	passedOver bool          // the provider is failing, so another method goes first

	sent, answered time.Time // of the call, if there was one
}

// run makes the attempt: it sends the message, unless that is impossible or an earlier attempt with an
// unknown outcome turns out to have succeeded.
func (a *attempt) run(ctx context.Context) error {
	sender := a.jobs.senders[a.order.Page.Method]
	switch {
	case a.order.Unsendable != "":
		a.receipt = notify.Receipt{Outcome: notify.Rejected, Err: errors.New(a.order.Unsendable)}
		return nil
	case sender.Sender == nil:
		a.receipt = notify.Receipt{
			Outcome: notify.Misconfigured,
			Err:     fmt.Errorf("there is no sender for the contact method %q", a.order.Page.Method),
		}
		a.retryIn = retryAfter(a.order.Attempt)
		return nil
	}
	through, lane := provider{method: a.order.Page.Method}, a.order.Page.Lane()
	if d := sender.Dispatcher; d != nil {
		through.server = d.Server(cmp.Or(a.order.Address, a.order.Page.To))
		if through.server != "" && through.method.Info().Setting != "" {
			lane += "/brought" // a person's server may hang, but pages through the admin's server must continue
		}
	}
	leave := a.jobs.lanes.enter(ctx, lane)
	if leave == nil {
		a.waitForLane()
		return nil
	}
	defer leave()
	a.message = a.jobs.message(ctx, a.order)
	if a.order.Doubt != nil {
		if over, err := a.findEarlier(ctx, sender); err != nil || over {
			return err
		}
	}
	done, open := a.jobs.breakers.allow(through, a.order.Others)
	if open {
		a.passedOver, a.retryIn = true, passedOverRetry
		a.receipt = notify.Receipt{Outcome: notify.Throttled, Err: errors.New("the provider fails: other ways are tried first")}
		return nil
	}
	a.sent = a.jobs.clock()
	a.receipt = send(ctx, sender, a.message)
	a.answered = a.jobs.clock()
	done(a.receipt)
	if !a.order.Incident.ID.Canary() {
		a.jobs.metrics.pages.WithLabelValues(string(a.order.Page.Method), string(a.receipt.Outcome)).Inc()
	}
	switch a.receipt.Outcome {
	case notify.Accepted, notify.Rejected:
	case notify.Misconfigured:
		a.retryIn = max(retryAfter(a.order.Attempt), min(a.receipt.RetryAfter, maxBlocked))
	case notify.Throttled:
		a.retryIn = min(max(a.receipt.RetryAfter, minThrottle), maxThrottle)
	default:
		a.retryIn = retryAfter(a.order.Attempt / sendsAtOnce)
	}
	return nil
}

// waitForLane postpones a page whose provider already keeps too many others waiting, so that another
// method goes first.
func (a *attempt) waitForLane() {
	a.retryIn = laneRetry
	if a.order.Doubt != nil {
		a.receipt = notify.Receipt{Outcome: notify.Unknown, Err: errBusy}
		a.lagging = true
		return
	}
	a.receipt, a.passedOver = notify.Receipt{Outcome: notify.Throttled, Err: errBusy}, true
}

// findEarlier asks the provider about an earlier attempt. It reports true if no message has to be sent for now. If
// the provider can't be asked, another message is sent, because two are better than none.
func (a *attempt) findEarlier(ctx context.Context, sender notify.Abilities) (over bool, err error) {
	lost := false
	if finder := sender.Finder; finder != nil {
		age := a.jobs.clock().Sub(*a.order.Doubt)
		receipt, found, err := find(ctx, finder, a.message, *a.order.Doubt)
		switch {
		case found:
			a.receipt = receipt
			return true, nil
		case err != nil && age < findLimit:
			a.receipt = notify.Receipt{Outcome: notify.Unknown, Err: fmt.Errorf("ask what became of it: %w", err)}
			a.retryIn, a.lagging = retryAfter(3), true
			return true, nil
		case err == nil && age < finder.Lag():
			a.receipt = notify.Receipt{Outcome: notify.Unknown, Err: errors.New("it may have been sent, and is not listed yet")}
			a.retryIn, a.lagging = finder.Lag()-age, true
			return true, nil
		}
		lost = err == nil
	}
	a.order, err = a.jobs.store.ResumePage(ctx, a.order, lost, a.jobs.clock())
	a.message.Attempt = a.order.Attempt
	return false, err
}

// find asks a provider about a message. After a panic, the message's outcome stays unknown.
func find(ctx context.Context, f notify.Finder, m notify.Message, since time.Time) (r notify.Receipt, found bool, err error) {
	err = guarded(ctx, "finder", sendLimit, func(ctx context.Context) (err error) {
		r, found, err = f.Find(ctx, m, since)
		return err
	})
	return r, found, err
}

// send calls the sender. After a panic, the message may have been sent, so its outcome is unknown.
func send(ctx context.Context, sender notify.Sender, m notify.Message) (receipt notify.Receipt) {
	err := guarded(ctx, "sender", sendLimit, func(ctx context.Context) error {
		receipt = sender.Send(ctx, m)
		return nil
	})
	if err != nil {
		return notify.Receipt{Outcome: notify.Unknown, Err: err}
	}
	if receipt.Err == nil && receipt.Outcome != notify.Accepted {
		receipt.Err = errors.New(string(receipt.Outcome))
	}
	return receipt
}

// result translates a receipt into what the rules decide on.
func (a *attempt) result() oncall.PageResult {
	receipt := a.receipt
	switch receipt.Outcome {
	case notify.Accepted:
		accepted := oncall.PageAccepted{Ref: receipt.Reference, Track: a.jobs.senders[a.order.Page.Method].Tracker != nil}
		if receipt.Place != (notify.SlackMessage{}) {
			accepted.Copy = &oncall.DrawnCopy{Channel: receipt.Place.Channel, TS: receipt.Place.TS, Version: receipt.Drawn}
		}
		return accepted
	case notify.Rejected:
		return oncall.PageRefused{Why: receipt.Err.Error(), Dead: receipt.Dead, Remedy: receipt.Remedy}
	case notify.Misconfigured:
		return oncall.PageBlocked{Why: receipt.Err.Error()}
	case notify.Throttled:
		return oncall.PageThrottled{Why: receipt.Err.Error(), Doubt: a.order.Doubt, Passed: a.passedOver}
	default:
		return oncall.PageDoubtful{Why: receipt.Err.Error(), Since: a.order.DoubtSince}
	}
}

// record saves the result of the attempt.
func (a *attempt) record(ctx context.Context) error {
	if a.receipt.Outcome != notify.Accepted {
		level := zerolog.WarnLevel
		switch {
		case a.receipt.Outcome == notify.Misconfigured && a.order.Blocked: // an admin was already told
			level = zerolog.DebugLevel
		case a.receipt.Outcome == notify.Misconfigured || a.receipt.Outcome == notify.Rejected:
			level = zerolog.ErrorLevel
		}
		a.jobs.log.WithLevel(level).Err(a.receipt.Err).Stringer("incident", a.order.Incident.ID).
			Str("user", string(a.order.Page.UserID)).Str("method", string(a.order.Page.Method)).
			Str("outcome", string(a.receipt.Outcome)).Int("attempt", a.order.Attempt).Msg("page not delivered")
	} else if n := len(a.order.Incidents); n > 1 {
		a.jobs.metrics.bundled.WithLabelValues(string(a.order.Page.Method)).Add(float64(n))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordLimit)
	defer cancel()
	return a.jobs.store.RecordPage(ctx, a.order.Page.ID, a.result(), a.jobs.clock())
}
