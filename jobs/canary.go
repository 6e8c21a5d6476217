package jobs

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

const (
	// canaryCheckEvery is how often an instance checks on the canary while none is under way.
	canaryCheckEvery = 5 * time.Second
	// canaryAlarmDelay is how long the database must have been back before the admins are told that the
	// canary is late, because it may still come through.
	canaryAlarmDelay = 15 * time.Second
)

// canary tracks Watchbill's own incidents as this instance sees them. Only this instance's clock is
// used to judge lateness, because another's may be wrong.
type canary struct {
	every time.Duration // 0: canaries are off

	mu       sync.Mutex
	last     store.Canary
	checked  time.Time // when the database was last asked
	answered time.Time // since when the database has responded; zero: it doesn't
	seen     time.Time // when this instance first saw the current canary
	lastOK   time.Time // when one last came through, or none was expected
	late     time.Time // since when none has come through; zero: none is late
	reported bool      // the admins know that it is late
	proven   bool      // one came through recently, or none was expected
	older    bool      // an instance of an earlier release is running
}

// canarySender is where the canary ends: it sends nothing.
type canarySender struct{}

// Send implements notify.Sender.
func (canarySender) Send(context.Context, notify.Message) notify.Receipt {
	return notify.Receipt{Outcome: notify.Accepted}
}

// watchCanary takes the canary's next step, if one is due, and raises the alarm if the canary doesn't
// come through.
func (j *Jobs) watchCanary(ctx context.Context, now time.Time) error {
	c := &j.canary
	if c.every == 0 || !c.checkIsDue(now) {
		return nil
	}
	state, err := j.store.Canary(ctx)
	c.record(state, err, now)
	if err == nil {
		err = j.stepCanary(ctx, state, now)
	}
	return errors.Join(err, j.judgeCanary(ctx, now))
}

// checkIsDue reports whether it is time to check.
func (c *canary) checkIsDue(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	due := c.last.StartedAt == nil || !now.Before(c.last.StartedAt.Add(c.every))
	return due || c.last.InFlight || !c.late.IsZero() || now.Sub(c.checked) >= canaryCheckEvery || now.Before(c.checked)
}

// record records the state in the database.
func (c *canary) record(state store.Canary, err error, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lastOK.IsZero() {
		c.lastOK = now
	}
	c.checked = now
	if err != nil {
		c.answered = time.Time{}
		return
	}
	if c.answered.IsZero() {
		c.answered = now
	}
	if state.InFlight && (!c.last.InFlight || c.last.Number != state.Number) {
		c.seen = now
	}
	if succeeded(c.last.SucceededAt, state.SucceededAt, now.Add(-c.every-oncall.CanaryWithin)) {
		c.lastOK, c.proven = now, true
	}
	c.last = state
	if c.reported = state.LateSince != nil; c.reported && c.late.IsZero() {
		c.late = *state.LateSince
	}
}

// succeeded reports whether a canary has come through since this instance's previous check or, on the
// first check, since the given time.
func succeeded(before, after *time.Time, since time.Time) bool {
	switch {
	case after == nil:
		return false
	case before == nil:
		return after.After(since)
	}
	return after.After(*before)
}

// stepCanary takes the canary's next step.
func (j *Jobs) stepCanary(ctx context.Context, state store.Canary, now time.Time) error {
	all := state.Sent >= oncall.CanaryPages
	switch {
	case state.InFlight && state.Status == oncall.Resolved && all:
		return j.store.EndCanary(ctx, state, now)
	case state.StartedAt == nil || !now.Before(state.StartedAt.Add(j.canary.every)):
		number, older, err := j.store.StartCanary(ctx, j.canary.every, now)
		j.canary.noteOlder(older, now)
		if err != nil || number == 0 {
			return err
		}
		return j.sendCanarySignal(ctx, number, oncall.Trigger, now)
	case state.InFlight && !state.Triggered:
		return j.resendCanarySignal(ctx, state.Number, oncall.Trigger, now)
	case state.InFlight && all && state.Status != "" && state.Status != oncall.Resolved:
		return j.resendCanarySignal(ctx, state.Number, oncall.Clear, now)
	}
	return nil
}

// noteOlder records whether no canary is expected, because an older release is running.
func (c *canary) noteOlder(older bool, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.older = older; older {
		c.lastOK, c.proven = now, true
	}
}

// resendCanarySignal sends the canary's signal once more, unless that was just done.
func (j *Jobs) resendCanarySignal(ctx context.Context, number int64, what oncall.Action, now time.Time) error {
	ours, err := j.store.ClaimCanary(ctx, number, now)
	if err != nil || !ours {
		return err
	}
	return j.sendCanarySignal(ctx, number, what, now)
}

// sendCanarySignal sends a signal of the canary, as if a monitor had sent it.
func (j *Jobs) sendCanarySignal(ctx context.Context, number int64, what oncall.Action, now time.Time) error {
	if err := j.store.Accept(ctx, oncall.CanaryIntegration, []oncall.Signal{oncall.CanarySignal(number, what)}, now); err != nil {
		return fmt.Errorf("the canary's signal: %w", err)
	}
	return j.store.RecordCanarySignal(ctx, number, what)
}

// judgeCanary raises the alarm if the canary is late, and clears it.
func (j *Jobs) judgeCanary(ctx context.Context, now time.Time) error {
	c := &j.canary
	c.mu.Lock()
	inFlight := c.last.InFlight && now.Sub(c.seen) > oncall.CanaryWithin
	late := inFlight || now.Sub(c.lastOK) > c.every+oncall.CanaryWithin
	began := !c.late.IsZero()
	switch {
	case late && !began:
		c.late = now
	case !late && began && !c.reported:
		c.late = time.Time{}
	}
	notifyNow := late && !c.reported && !c.answered.IsZero() && now.Sub(c.answered) >= canaryAlarmDelay
	last, since := c.last, c.late
	c.mu.Unlock()

	j.metrics.canaryLate.Set(0)
	if !since.IsZero() {
		j.metrics.canaryLate.Set(1)
	}
	if last.SucceededAt != nil {
		j.metrics.canarySucceeded.Set(float64(last.SucceededAt.UnixMilli()) / 1000)
		j.metrics.canarySeconds.Set(last.Seconds)
	}
	switch {
	case !began && !since.IsZero():
		j.log.Error().Int64("canary", last.Number).Str("got", last.Progress()).Msg("the canary does not come through: people may not be paged")
	case began && since.IsZero():
		j.log.Info().Msg("the canary comes through again")
	}
	if !notifyNow {
		return nil
	}
	return j.store.NotifyCanaryLate(ctx, now)
}

// isLate reports whether the canary is overdue.
func (c *canary) isLate() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.late.IsZero()
}

// undecided reports whether it is too early to judge the canary.
func (c *canary) undecided() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.every != 0 && !c.proven && c.late.IsZero()
}

// status describes the canary, for status pages.
func (c *canary) status(now time.Time) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.every == 0:
		return "canary: off"
	case !c.late.IsZero():
		return "canary: has not come through since " + c.late.UTC().Format(time.RFC3339) + "; it " + c.last.Progress()
	case c.older:
		return "canary: waits until no earlier release runs beside this one"
	case c.last.SucceededAt == nil:
		return "canary: none has come through yet"
	}
	return fmt.Sprintf("canary: came through %s ago, within %.1fs", max(0, now.Sub(*c.last.SucceededAt)).Round(time.Second), c.last.Seconds)
}
