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

// Send pages a person by a direct message with the incident's buttons. If it would have to
// wait, it counts as throttled, and the person's other contact methods are tried meanwhile.
func (b *Bot) Send(ctx context.Context, m notify.Message) notify.Receipt {
	switch {
	case m.Purpose == notify.ForOutage:
		return b.sendOutage(ctx, m)
	case m.Count > 1:
		return b.sendBundle(ctx, m)
	}
	p, failed := b.pageOf(ctx, m)
	if failed != nil {
		return *failed
	}
	r := b.sendPage(ctx, m, p.Incident.ID, pagePriority(p.Incident.Severity), view.Page(p, oncall.UserID(m.To), m.Reason))
	r.Drawn = p.Incident.Version
	return r
}

// sendBundle pages a person about several incidents by one direct message.
func (b *Bot) sendBundle(ctx context.Context, m notify.Message) notify.Receipt {
	n, err := b.store.Bundle(ctx, m.Key)
	if err != nil {
		return notify.Receipt{Outcome: notify.Throttled, RetryAfter: loadAgain, Err: err}
	}
	d := view.Bundle(n, nil)
	if b.workspace.Load() != nil { // a page doesn't wait for its links
		d = view.Bundle(n, b.bundleLinks(ctx, n))
	}
	return b.sendPage(ctx, m, 0, pagePriority(oncall.Severity(m.Severity)), d)
}

// pageOf loads what a page shows. If that fails, the receipt says why.
func (b *Bot) pageOf(ctx context.Context, m notify.Message) (oncall.Picture, *notify.Receipt) {
	p, err := b.store.Picture(ctx, oncall.ByTimer(), oncall.IncidentID(m.Incident), b.clock())
	if err != nil {
		err = fmt.Errorf("load incident %d: %w", m.Incident, err)
		return p, &notify.Receipt{Outcome: notify.Throttled, RetryAfter: loadAgain, Err: err}
	}
	return p, nil
}

func pagePriority(s oncall.Severity) slackcall.Priority {
	if s == oncall.Critical {
		return slackcall.ForCritical
	}
	return slackcall.ForPage
}

// sendPage posts a page; in is the incident that its message belongs to, 0 if to several.
func (b *Bot) sendPage(ctx context.Context, m notify.Message, in oncall.IncidentID, urgency slackcall.Priority, d view.Drawing) notify.Receipt {
	ctx, cancel := context.WithTimeout(ctx, longestPage)
	defer cancel()
	at, err := b.post(ctx, slackcall.Message{Channel: m.To, Delivery: m.Key, Incident: int64(in), Priority: urgency, Hasty: true}, d)
	if err != nil {
		err = fmt.Errorf("page %s of incident %d: %w", m.To, m.Incident, err)
		if b.passing(ctx, m, err) {
			return notify.Receipt{Outcome: notify.Throttled, RetryAfter: loadAgain, Err: err}
		}
		return slackcall.Receipt(err)
	}
	if m.Attempt > 1 {
		// An earlier attempt may have posted the page without our knowing it, and the buttons of
		// that copy would never change. Two pages for a moment are better than none.
		if err := b.slack.DeleteCopies(ctx, slackcall.MessageID(at), m.Key); err != nil {
			b.log.Warn().Err(err).Msg("can't look for an earlier copy of a page; it may show up twice")
		}
	}
	return posted(at)
}

// passing reports whether Slack's refusal may be temporary: at times it finds no conversation with somebody
// who exists.
func (b *Bot) passing(ctx context.Context, m notify.Message, err error) bool {
	if !slackcall.IsUser(m.To) || !slackcall.NoChannel(err) || m.Attempt > passingTries {
		return false
	}
	u, lookErr := b.slack.User(ctx, m.To, pagePriority(oncall.Severity(m.Severity)))
	if lookErr != nil {
		return !slackcall.Refused(lookErr)
	}
	return !u.Deleted && !u.IsBot
}

const (
	// passingTries is how often a page is tried that is refused as if its person had no conversation.
	passingTries = 30
	// longestPage bounds the wait for its turn and the call together.
	longestPage = slackcall.Timeout + slackcall.Timeout/2
	// loadAgain is the pause after a page could not be loaded.
	loadAgain = 10 * time.Second
)

// Lag is how long Slack may take to show a message whose posting got no answer.
func (b *Bot) Lag() time.Duration { return 2 * time.Second }

// Find looks for a page that an attempt at since or later may have posted.
func (b *Bot) Find(ctx context.Context, m notify.Message, since time.Time) (notify.Receipt, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, longestPage)
	defer cancel()
	at, found, err := b.find(ctx, slackcall.Message{Channel: m.To, Delivery: m.Key, Priority: pagePriority(oncall.Severity(m.Severity))}, since)
	if err != nil {
		return notify.Receipt{}, false, fmt.Errorf("look for the page of incident %d: %w", m.Incident, err)
	}
	return posted(at), found, nil
}

// posted is the receipt of a page that was posted.
func posted(at store.MessageRef) notify.Receipt {
	place := notify.SlackMessage(at)
	return notify.Receipt{Outcome: notify.Accepted, Reference: place.String(), Place: place}
}
