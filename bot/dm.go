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
	p, failed := b.pageOf(ctx, m)
	if failed != nil {
		return *failed
	}
	r := b.sendPage(ctx, m, p.Incident.ID, pagePriority(p.Incident.Severity), drawDirect(p, oncall.UserID(m.To), m.Why))
	r.Drawn = p.Incident.Version
	return r
}

// sendBundle pages a person about several incidents by one direct message.
func (b *Bot) sendBundle(ctx context.Context, m notify.Message) notify.Receipt {
	n, err := b.store.Bundle(ctx, m.Key)
	if err != nil {
		return notify.Receipt{Outcome: notify.Throttled, RetryAfter: unclear429, Err: err}
	}
	d := drawBundle(n)
	if b.workspace.Load() != nil { // a page waits for nothing that it doesn't need
		d = drawLinkedBundle(n, b.bundleLinks(ctx, n))
	}
	return b.sendPage(ctx, m, 0, pagePriority(oncall.Severity(m.Severity)), d)
}

// pageOf loads what a page shows. Without it, the receipt says why.
func (b *Bot) pageOf(ctx context.Context, m notify.Message) (oncall.Picture, *notify.Receipt) {
	p, err := b.store.Picture(ctx, oncall.IncidentID(m.Incident), b.clock())
	if err != nil {
		err = fmt.Errorf("load incident %d: %w", m.Incident, err)
		return p, &notify.Receipt{Outcome: notify.Throttled, RetryAfter: unclear429, Err: err}
	}
	return p, nil
}

func pagePriority(s oncall.Severity) priority {
	if s == oncall.Critical {
		return forCritical
	}
	return forPage
}

// sendPage posts a page; in is the incident that its message belongs to, 0 if to several.
func (b *Bot) sendPage(ctx context.Context, m notify.Message, in oncall.IncidentID, urgency priority, d drawing) notify.Receipt {
	ctx, cancel := context.WithTimeout(ctx, longestPage)
	defer cancel()
	at, err := b.post(ctx, posting{channel: m.To, delivery: m.Key, incident: in, priority: urgency, hasty: true}, d)
	if err != nil {
		return failedReceipt(fmt.Errorf("page %s of incident %d: %w", m.To, m.Incident, err))
	}
	if m.Attempt > 1 {
		b.tidy(ctx, at, m.Key)
	}
	return notify.Receipt{Outcome: notify.Accepted, Reference: at.Channel + " " + at.TS}
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
