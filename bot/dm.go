package bot

import (
	"context"
	"fmt"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// Send pages a person by a direct message that has the incident's buttons. A message
// that would have to wait for its turn counts as throttled, so that other ways to reach
// the person are tried in the meantime.
func (b *Bot) Send(ctx context.Context, m notify.Message) notify.Receipt {
	if m.Count > 1 {
		return b.sendBundle(ctx, m)
	}
	p, err := b.store.Picture(ctx, oncall.IncidentID(m.Incident), b.clock())
	if err != nil {
		err = fmt.Errorf("load incident %d: %w", m.Incident, err)
		return notify.Receipt{Outcome: notify.Throttled, RetryAfter: unclear429, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, longestPage)
	defer cancel()
	urgency := forPage
	if p.Incident.Severity == oncall.Critical {
		urgency = forCritical
	}
	at, err := b.post(ctx, posting{
		channel: m.To, delivery: m.Key, incident: p.Incident.ID, priority: urgency, hasty: true,
	}, drawDirect(p, oncall.UserID(m.To), m.Why))
	if err != nil {
		err = fmt.Errorf("page %s of incident %d: %w", m.To, m.Incident, err)
		return failedReceipt(err)
	}
	if m.Attempt > 1 {
		b.tidy(ctx, at, m.Key)
	}
	return notify.Receipt{
		Outcome: notify.Accepted, Reference: at.Channel + " " + at.TS, Drawn: p.Incident.Version,
	}
}

// longestPage is the wait for its turn and the call together.
const longestPage = callTimeout + callTimeout/2

// tidy deletes what an earlier attempt has left in the same conversation without
// anybody knowing, as its buttons would never change. Two pages for a moment are better
// than none.
func (b *Bot) tidy(ctx context.Context, latest store.Place, key string) {
	err := func() error {
		messages, _, err := b.historyPage(ctx, store.Place{Channel: latest.Channel}, "", "")
		if err != nil {
			return err
		}
		for _, m := range messages {
			if m.Timestamp == latest.TS || !delivers(m, key) {
				continue
			}
			err := b.call(ctx, call{method: "chat.delete", priority: forRest}, func(ctx context.Context) error {
				_, _, err := b.api.DeleteMessageContext(ctx, latest.Channel, m.Timestamp)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	}()
	if err != nil {
		b.log.Warn().Err(err).Msg("can't look for an earlier copy of a page; it may show up twice")
	}
}

func failedReceipt(err error) notify.Receipt {
	r := notify.Receipt{Outcome: notify.Unknown, Err: err}
	switch became(err) {
	case unsent, throttled:
		r.Outcome, r.RetryAfter = notify.Throttled, retryAfter(err)
	case rejected, gone:
		r.Outcome = notify.Rejected
	case misconfigured:
		r.Outcome = notify.Misconfigured
	case ambiguous:
	}
	return r
}
