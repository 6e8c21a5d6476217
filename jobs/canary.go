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
	// canaryLook is how often an instance checks on the canary while none is under way.
	canaryLook = 5 * time.Second
	// canarySettles is how long the database must have been back before the admins hear that the
	// canary is late; it may still come through.
	canarySettles = 15 * time.Second
)

// canary tracks Watchbill's own incidents as this instance sees them. Lateness is judged by this
// instance's clock alone, as another's may be wrong.
type canary struct {
	every time.Duration // 0: canaries are off

	mu       sync.Mutex
	last     store.Canary
	looked   time.Time // when the database was last asked
	answered time.Time // since when the database has answered; zero: it doesn't
	seen     time.Time // when this instance first saw the current canary
	fine     time.Time // when one last came through, or none was expected
	late     time.Time // since when none has come through; zero: they do
	told     bool      // the admins know that it is late
	proven   bool      // one came through recently, or none was expected
	older    bool      // an instance of an earlier release is running
}

// canarySender is the last stop of the canary: it sends nothing.
type canarySender struct{}

// Send implements notify.Sender.
func (canarySender) Send(context.Context, notify.Message) notify.Receipt {
	return notify.Receipt{Outcome: notify.Accepted}
}

// watchCanary takes the canary's next step, if one is due, and raises the alarm if it doesn't come
// through.
func (j *Jobs) watchCanary(ctx context.Context, now time.Time) error {
	c := &j.canary
	if c.every == 0 || !c.looks(now) {
		return nil
	}
	state, err := j.store.Canary(ctx)
	c.saw(state, err, now)
	if err == nil {
		err = j.fly(ctx, state, now)
	}
	return errors.Join(err, j.judge(ctx, now))
}

// looks reports whether it is time to check.
func (c *canary) looks(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	due := c.last.PlantedAt == nil || !now.Before(c.last.PlantedAt.Add(c.every))
	return due || c.last.Flying || !c.late.IsZero() || now.Sub(c.looked) >= canaryLook || now.Before(c.looked)
}

// saw records the state in the database.
func (c *canary) saw(state store.Canary, err error, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fine.IsZero() {
		c.fine = now
	}
	c.looked = now
	if err != nil {
		c.answered = time.Time{}
		return
	}
	if c.answered.IsZero() {
		c.answered = now
	}
	if state.Flying && (!c.last.Flying || c.last.Number != state.Number) {
		c.seen = now
	}
	if came(c.last.ThroughAt, state.ThroughAt, now.Add(-c.every-oncall.CanaryWithin)) {
		c.fine, c.proven = now, true
	}
	c.last = state
	if c.told = state.LateSince != nil; c.told && c.late.IsZero() {
		c.late = *state.LateSince
	}
}

// came reports whether a canary has come through since this instance's previous check or, on the
// first check, since an instant.
func came(before, after *time.Time, since time.Time) bool {
	switch {
	case after == nil:
		return false
	case before == nil:
		return after.After(since)
	}
	return after.After(*before)
}

// fly takes the canary's next step.
func (j *Jobs) fly(ctx context.Context, state store.Canary, now time.Time) error {
	all := state.Sent >= oncall.CanaryPages
	switch {
	case state.Flying && state.Status == oncall.Resolved && all:
		return j.store.EndCanary(ctx, state, now)
	case state.PlantedAt == nil || !now.Before(state.PlantedAt.Add(j.canary.every)):
		number, older, err := j.store.PlantCanary(ctx, j.canary.every, now)
		j.canary.excuse(older, now)
		if err != nil || number == 0 {
			return err
		}
		return j.handIn(ctx, number, oncall.Trigger, now)
	case state.Flying && !state.Triggered:
		return j.handInAgain(ctx, state.Number, oncall.Trigger, now)
	case state.Flying && all && state.Status != "" && state.Status != oncall.Resolved:
		return j.handInAgain(ctx, state.Number, oncall.Clear, now)
	}
	return nil
}

// excuse records whether there is a reason to expect no canary.
func (c *canary) excuse(older bool, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.older = older; older {
		c.fine, c.proven = now, true
	}
}

// handInAgain hands in the canary's signal once more, unless that was just done.
func (j *Jobs) handInAgain(ctx context.Context, number int64, what oncall.Action, now time.Time) error {
	ours, err := j.store.ClaimCanary(ctx, number, now)
	if err != nil || !ours {
		return err
	}
	return j.handIn(ctx, number, what, now)
}

// handIn hands in a signal of the canary, as if a monitor had sent it.
func (j *Jobs) handIn(ctx context.Context, number int64, what oncall.Action, now time.Time) error {
	if err := j.store.Accept(ctx, oncall.CanaryIntegration, []oncall.Signal{oncall.CanarySignal(number, what)}, now); err != nil {
		return fmt.Errorf("the canary's signal: %w", err)
	}
	return j.store.CanaryAccepted(ctx, number, what)
}

// judge raises the alarm if the canary is late, and clears it.
func (j *Jobs) judge(ctx context.Context, now time.Time) error {
	c := &j.canary
	c.mu.Lock()
	inFlight := c.last.Flying && now.Sub(c.seen) > oncall.CanaryWithin
	late := inFlight || now.Sub(c.fine) > c.every+oncall.CanaryWithin
	began := !c.late.IsZero()
	switch {
	case late && !began:
		c.late = now
	case !late && began && !c.told:
		c.late = time.Time{}
	}
	tell := late && !c.told && !c.answered.IsZero() && now.Sub(c.answered) >= canarySettles
	last, since := c.last, c.late
	c.mu.Unlock()

	j.metrics.canaryLate.Set(0)
	if !since.IsZero() {
		j.metrics.canaryLate.Set(1)
	}
	if last.ThroughAt != nil {
		j.metrics.canaryThrough.Set(float64(last.ThroughAt.UnixMilli()) / 1000)
		j.metrics.canarySeconds.Set(last.Seconds)
	}
	switch {
	case !began && !since.IsZero():
		j.log.Error().Int64("canary", last.Number).Str("got", last.Got()).Msg("the canary does not come through: people may not be paged")
	case began && since.IsZero():
		j.log.Info().Msg("the canary comes through again")
	}
	if !tell {
		return nil
	}
	return j.store.TellCanaryLate(ctx, now)
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

// line describes the canary, for status pages.
func (c *canary) line(now time.Time) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.every == 0:
		return "canary: off"
	case !c.late.IsZero():
		return "canary: has not come through since " + c.late.UTC().Format(time.RFC3339) + "; it " + c.last.Got()
	case c.older:
		return "canary: waits until no earlier release runs beside this one"
	case c.last.ThroughAt == nil:
		return "canary: none has come through yet"
	}
	return fmt.Sprintf("canary: came through %s ago, within %.1fs", max(0, now.Sub(*c.last.ThroughAt)).Round(time.Second), c.last.Seconds)
}
