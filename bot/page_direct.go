package bot

import (
	"context"
	"fmt"
	"time"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// Send pages a person by a direct message with the incident's buttons. If it would have to wait, it
// reports that it is throttled, and the person's other contact methods are tried meanwhile.
func (b *Bot) Send(ctx context.Context, message notify.Message) notify.Receipt {
	switch {
	case message.Purpose == notify.ForOutage:
		return b.sendOutage(ctx, message)
	case message.Count > 1:
		return b.sendBundle(ctx, message)
	}
	p, failed := b.pageOf(ctx, message)
	if failed != nil {
		return *failed
	}
	r := b.sendPage(ctx, message, p.Incident.ID, pagePriority(p.Incident.Severity), view.Page(p, oncall.UserID(message.To), message.Reason))
	r.Drawn = p.Incident.Version
	return r
}

// sendBundle pages a person about several incidents in one direct message.
func (b *Bot) sendBundle(ctx context.Context, m notify.Message) notify.Receipt {
	n, err := b.store.Bundle(ctx, m.Key)
	if err != nil {
		return notify.Receipt{Outcome: notify.Throttled, RetryAfter: loadRetryPause, Err: err}
	}
	d := view.Bundle(n, nil)
	if b.workspace.Load() != nil { // a page doesn't wait for its links
		d = view.Bundle(n, b.bundleLinks(ctx, n))
	}
	return b.sendPage(ctx, m, 0, pagePriority(oncall.Severity(m.Severity)), d)
}

// pageOf loads the incident that a page shows. If that fails, the receipt gives the reason.
func (b *Bot) pageOf(ctx context.Context, m notify.Message) (oncall.Picture, *notify.Receipt) {
	p, err := b.store.Picture(ctx, oncall.ByTimer(), oncall.IncidentID(m.Incident), b.clock())
	if err != nil {
		err = fmt.Errorf("load incident %d: %w", m.Incident, err)
		return p, &notify.Receipt{Outcome: notify.Throttled, RetryAfter: loadRetryPause, Err: err}
	}
	return p, nil
}

func pagePriority(s oncall.Severity) slackcall.Priority {
	if s == oncall.Critical {
		return slackcall.ForCritical
	}
	return slackcall.ForPage
}

// sendPage posts a page. The argument in is the incident that the message belongs to, or 0 if there
// are several.
func (b *Bot) sendPage(ctx context.Context, message notify.Message, in oncall.IncidentID, urgency slackcall.Priority, d view.Drawing) notify.Receipt {
	ctx, cancel := context.WithTimeout(ctx, pageTimeout)
	defer cancel()
	at, err := b.post(ctx, slackcall.Message{Channel: message.To, Delivery: message.Key, Incident: int64(in), Priority: urgency, FailFast: true}, d)
	if err != nil {
		err = fmt.Errorf("page %s of incident %d: %w", message.To, message.Incident, err)
		if b.isTransient(ctx, message, err) {
			return notify.Receipt{Outcome: notify.Throttled, RetryAfter: loadRetryPause, Err: err}
		}
		return slackcall.Receipt(err)
	}
	if message.Attempt > 1 {
		// An earlier attempt may have posted the page without our knowing, and the buttons of that copy would
		// never change. Two pages for a moment are better than none.
		if err := b.slack.DeleteCopies(ctx, slackcall.MessageID(at), message.Key); err != nil {
			b.log.Warn().Err(err).Msg("could not look for an earlier copy of a page; it may appear twice")
		}
	}
	return receiptOf(at)
}

// isTransient reports whether Slack's refusal may be temporary: it sometimes finds no conversation with an existing
// user.
func (b *Bot) isTransient(ctx context.Context, m notify.Message, err error) bool {
	if !slackcall.IsUser(m.To) || !slackcall.NoChannel(err) || m.Attempt > transientTries {
		return false
	}
	u, lookErr := b.slack.User(ctx, m.To, pagePriority(oncall.Severity(m.Severity)))
	if lookErr != nil {
		return !slackcall.Refused(lookErr)
	}
	return !u.Deleted && !u.IsBot
}

const (
	// transientTries is the maximum number of attempts at such a page.
	transientTries = 30
	// pageTimeout bounds the wait for the call's turn and the call together.
	pageTimeout = slackcall.Timeout + slackcall.Timeout/2
	// loadRetryPause is the pause after an incident could not be loaded.
	loadRetryPause = 10 * time.Second
)

// Lag returns how long Slack may take to show a message after a post that got no response.
func (b *Bot) Lag() time.Duration { return 2 * time.Second }

// Find looks for a page that an earlier attempt may have posted, at since or later.
func (b *Bot) Find(ctx context.Context, m notify.Message, since time.Time) (notify.Receipt, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, pageTimeout)
	defer cancel()
	at, found, err := b.find(ctx, slackcall.Message{Channel: m.To, Delivery: m.Key, Priority: pagePriority(oncall.Severity(m.Severity))}, since)
	if err != nil {
		return notify.Receipt{}, false, fmt.Errorf("look for the page of incident %d: %w", m.Incident, err)
	}
	return receiptOf(at), found, nil
}

// receiptOf returns the receipt of a posted page.
func receiptOf(at store.MessageRef) notify.Receipt {
	place := notify.SlackMessage(at)
	return notify.Receipt{Outcome: notify.Accepted, Reference: place.String(), Place: place}
}
