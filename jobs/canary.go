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
	// canaryLook is how often an instance looks at the canary while none flies.
	canaryLook = 5 * time.Second
	// canarySettles is how long the database has been there again before the admins are told that the canary is late:
	// it may be through in a moment.
	canarySettles = 15 * time.Second
)

// canary is what this instance knows of Watchbill's own incidents. Whether one is late is judged by this instance's
// clock alone, as another's may be wrong.
type canary struct {
	every time.Duration // 0: there is none

	mu       sync.Mutex
	last     store.Canary
	looked   time.Time // at it
	answered time.Time // since when the database has answered; zero: it doesn't
	seen     time.Time // when this instance saw first that the last one flies
	fine     time.Time // when one came through last, or there was a reason for none
	late     time.Time // since when none comes through; zero: it does
	told     bool      // the admins are
	proven   bool      // one has come through lately, or there was a reason for none
	older    bool      // an instance of an earlier release runs
}

// canarySender is the last leg of the canary's way: it sends nothing.
type canarySender struct{}

// Send implements notify.Sender.
func (canarySender) Send(context.Context, notify.Message) notify.Receipt {
	return notify.Receipt{Outcome: notify.Accepted}
}

// watchCanary takes the canary a step further, if it waits for one, and raises the alarm if it doesn't come through.
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

// looks reports whether it is time to look.
func (c *canary) looks(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	due := c.last.PlantedAt == nil || !now.Before(c.last.PlantedAt.Add(c.every))
	return due || c.last.Flying || !c.late.IsZero() || now.Sub(c.looked) >= canaryLook || now.Before(c.looked)
}

// saw notes what the database says.
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

// came reports whether a canary has come through since this instance looked last or, when it looks first, since an instant.
func came(before, after *time.Time, since time.Time) bool {
	switch {
	case after == nil:
		return false
	case before == nil:
		return after.After(since)
	}
	return after.After(*before)
}

// fly does what comes next.
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

// excuse notes whether there is a reason for no canary.
func (c *canary) excuse(older bool, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.older = older; older {
		c.fine, c.proven = now, true
	}
}

// handInAgain hands in a signal of the canary, unless that was done a moment ago.
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

// judge raises the alarm if the canary is late, and ends it.
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

// isLate reports whether the canary doesn't come through.
func (c *canary) isLate() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.late.IsZero()
}

// undecided reports whether nobody can say yet that the canary comes through, or that it doesn't.
func (c *canary) undecided() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.every != 0 && !c.proven && c.late.IsZero()
}

// line says how the canary is, for people who look.
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
