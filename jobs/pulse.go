package jobs

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/riverqueue/river"

	"github.com/watchbill/watchbill/oncall"
)

const (
	// pulseEvery is the interval between pulses.
	pulseEvery = time.Minute
	// pulseCheckLimit is the timeout of the health check before a pulse.
	pulseCheckLimit = 15 * time.Second
	// pulseStale is how long a pulse may have waited in the queue of pages.
	pulseStale = time.Minute
	// pulseSendLimit is the timeout of the calls to the services.
	pulseSendLimit = 10 * time.Second
)

// pulse tells independent services that Watchbill works, as long as signals result in pages.
type pulse struct {
	send func(context.Context) error // nil: no service is set
	due  chan struct{}

	mu       sync.Mutex
	next     time.Time // when this instance queues the next one
	sent     time.Time // when the latest was sent
	withheld string    // why none is sent; empty: nothing is wrong
}

// isDue reports whether it is time for a pulse, and if so schedules the next.
func (p *pulse) isDue(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Before(p.next) && p.next.Sub(now) <= pulseEvery {
		return false
	}
	p.next = now.Add(pulseEvery)
	return true
}

// soon makes the next pulse due immediately.
func (p *pulse) soon() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = time.Time{}
}

// queuePulse queues a pulse among the pages, to show that pages are being worked on. While an instance
// of an earlier release could get that job, each instance checks its own health instead.
func (j *Jobs) queuePulse(ctx context.Context, now time.Time) error {
	if j.pulse.send == nil || j.canary.undecided() || !j.pulse.isDue(now) {
		return nil
	}
	older, waits, err := j.store.QueuePulse(ctx, now)
	switch {
	case err != nil:
		j.pulse.soon()
		j.withhold("the database doesn't answer")
	case waits:
		j.pulse.soon()
	case older:
		j.sendPulse(ctx, now)
	}
	return err
}

// pulseJob sends a pulse, unless it waited too long.
func (j *Jobs) pulseJob(ctx context.Context, job *river.Job[oncall.SendPulse]) error {
	now := j.clock()
	switch {
	case now.Sub(job.CreatedAt) > pulseStale:
		j.withhold("pages wait for more than a minute")
	case j.pulse.send == nil: // another instance queued it
		return river.JobSnooze(time.Second)
	default:
		j.sendPulse(ctx, now)
	}
	return nil
}

// sendPulse starts a pulse if all is well. It doesn't wait for the services, so that a slow one
// holds up no page.
func (j *Jobs) sendPulse(ctx context.Context, now time.Time) {
	if why := j.trouble(ctx, now); why != "" {
		j.withhold(why)
		return
	}
	select {
	case j.pulse.due <- struct{}{}:
	default: // the previous one is still in progress
	}
}

// trouble returns why pages may not be going out, or "" if they are.
func (j *Jobs) trouble(ctx context.Context, now time.Time) string {
	if err := j.store.Ready(ctx); err != nil {
		return "signals can't be stored"
	}
	behind, err := j.store.Overdue(ctx, now)
	switch {
	case err != nil:
		return "the database doesn't answer"
	case len(behind) > 0:
		return strings.Join(behind, " and ") + " wait for more than a minute"
	case j.canary.isLate():
		return "the canary doesn't come through"
	}
	return ""
}

// withhold records that a pulse was not sent, and logs the reason once.
func (j *Jobs) withhold(why string) {
	j.metrics.pulses.WithLabelValues("withheld").Inc()
	j.pulse.mu.Lock()
	first := j.pulse.withheld == ""
	j.pulse.withheld = why
	j.pulse.mu.Unlock()
	if first {
		j.log.Error().Str("why", why).Msg("no pulse is sent, so that the service that waits for it raises the alarm")
	}
}

// sendPulses sends the pulses that are due until ctx ends.
func (j *Jobs) sendPulses(ctx context.Context) {
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-j.pulse.due:
		}
		err := guarded(ctx, "pulse", pulseSendLimit, j.pulse.send)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			j.metrics.pulses.WithLabelValues("failed").Inc()
			if !failing {
				j.log.Warn().Err(err).Msg("a pulse failed; the next one follows in a minute")
			}
		default:
			j.pulseSent()
			if failing {
				j.log.Info().Msg("pulses succeed again")
			}
		}
		failing = err != nil
	}
}

// pulseSent records that the services accepted a pulse.
func (j *Jobs) pulseSent() {
	now := j.clock()
	j.metrics.pulses.WithLabelValues("sent").Inc()
	j.metrics.pulseSent.Set(float64(now.UnixMilli()) / 1000)
	j.pulse.mu.Lock()
	again := j.pulse.withheld != ""
	j.pulse.sent, j.pulse.withheld = now, ""
	j.pulse.mu.Unlock()
	if again {
		j.log.Info().Msg("pulses are sent again")
	}
}

// status describes the pulses, for status pages.
func (p *pulse) status(now time.Time) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.send == nil:
		return "pulse: off"
	case p.withheld != "":
		return "pulse: withheld, as " + p.withheld
	case p.sent.IsZero():
		return "pulse: none sent by this instance yet"
	}
	return "pulse: sent " + max(0, now.Sub(p.sent)).Round(time.Second).String() + " ago"
}

// SelfMonitoring describes how Watchbill watches itself, for status pages.
func (j *Jobs) SelfMonitoring(now time.Time) []string {
	return []string{j.canary.status(now), j.pulse.status(now)}
}
