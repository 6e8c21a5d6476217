package bot

import (
	"context"
	"fmt"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
)

// Channels is the way to page a Slack channel that a step of a policy names: the incident
// is posted there with its buttons, and redrawn like its other messages.
type Channels struct{ Bot *Bot }

// Send posts the incident in the channel.
func (c Channels) Send(ctx context.Context, m notify.Message) notify.Receipt {
	b := c.Bot
	p, err := b.store.Picture(ctx, oncall.IncidentID(m.Incident), b.clock())
	if err != nil {
		err = fmt.Errorf("load incident %d: %w", m.Incident, err)
		return notify.Receipt{Outcome: notify.Throttled, RetryAfter: unclear429, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, longestPage)
	defer cancel()
	at, err := b.post(ctx, posting{
		channel: m.To, delivery: m.Key, incident: p.Incident.ID, priority: forPage, hasty: true,
	}, drawRoot(p))
	if err != nil {
		return failedReceipt(fmt.Errorf("page %s of incident %d: %w", m.To, m.Incident, err))
	}
	if m.Attempt > 1 {
		b.tidy(ctx, at, m.Key)
	}
	return notify.Receipt{
		Outcome: notify.Accepted, Reference: at.Channel + " " + at.TS, Drawn: p.Incident.Version,
	}
}
