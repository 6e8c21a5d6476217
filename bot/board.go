package bot

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// A drawing is a message as Slack wants it: the text is what screen readers and
// notifications say, the blocks are what people see.
type drawing struct {
	text   string
	blocks []slack.Block
}

// post sends one new message. It is never repeated here: an answer that was lost may
// belong to a message that was posted. Only blocks that Slack surely has not taken are
// left out in a second attempt, because words reach people better than nothing.
func (b *Bot) post(ctx context.Context, m slackcall.Message, d drawing) (store.Place, error) {
	at, err := b.slack.Post(ctx, m, d.text, d.blocks)
	if slackcall.BadBlocks(err) {
		b.log.Error().Err(err).Int64("incident", m.Incident).Msg("Slack refuses the blocks of a message; sending the text alone")
		m.Hasty = false // or it would begin with the blocks again each time
		at, err = b.slack.Post(ctx, m, d.text, nil)
	}
	return store.Place(at), err
}

// PostRoot posts the incident's message in its team's channel. On an error that left
// open whether it was posted, FindRoot tells.
func (b *Bot) PostRoot(ctx context.Context, p oncall.Picture, delivery string) (store.Place, error) {
	at, err := b.post(ctx, slackcall.Message{
		Channel: p.Team.Channel, Delivery: delivery, Incident: int64(p.Incident.ID), Priority: slackcall.ForRoot, Hasty: true,
	}, drawRoot(p))
	if err != nil {
		return store.Place{}, fmt.Errorf("post incident %s in %s: %w", p.Incident.ID, p.Team.Channel, err)
	}
	return at, nil
}

// Redraw brings a message to the state of the picture: a channel's, or the direct one of
// a person who was paged. The error is store.ErrGone when the message no longer exists.
func (b *Bot) Redraw(ctx context.Context, at store.Place, p oncall.Picture, to oncall.UserID, why string) error {
	d := drawRoot(p)
	if to != "" {
		d = drawDirect(p, to, why)
	}
	if err := b.slack.Update(ctx, slackcall.Place(at), d.text, d.blocks, b.updatePriority(p), true); err != nil {
		return fmt.Errorf("redraw incident %s: %w", p.Incident.ID, asGone(err))
	}
	return nil
}

// newsLast is how long what has happened to an incident that nobody has taken goes before what
// has been settled. A mere count, which a storm moves all the time, never does.
const newsLast = 5 * time.Minute

func (b *Bot) updatePriority(p oncall.Picture) slackcall.Priority {
	if p.Incident.Status != oncall.Triggered {
		return slackcall.ForUpdate
	}
	since := b.clock().Add(-newsLast)
	if slices.ContainsFunc(p.Events, func(e oncall.Event) bool { return e.Public() && e.At.After(since) }) {
		return slackcall.ForAlarm
	}
	return slackcall.ForUpdate
}

// PostThread posts one reply for several events. A reply whose answer was lost is
// looked up before it counts as failed.
func (b *Bot) PostThread(ctx context.Context, root store.Place, p oncall.Picture, events []oncall.Event, delivery string) error {
	text, loud := threadText(events)
	if text == "" {
		return nil
	}
	urgency := slackcall.ForThread
	if loud { // the channel sees it without the incident above it
		urgency = slackcall.ForAlarm
		text = bold(p.Incident.ID.String(), titleOf(p.Incident), "") + "\n" + text
	}
	began := b.clock()
	m := slackcall.Message{
		Channel: root.Channel, Thread: root.TS, Broadcast: loud,
		Delivery: delivery, Incident: int64(p.Incident.ID), Priority: urgency, Hasty: true,
	}
	_, err := b.post(ctx, m, drawing{text: text, blocks: []slack.Block{section(text)}})
	if err != nil && slackcall.OutcomeOf(err) == notify.Unknown {
		if _, found, lookErr := b.find(ctx, m, began); lookErr == nil && found {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("reply to incident %s: %w", p.Incident.ID, asGone(err))
	}
	return nil
}

// asGone adds store.ErrGone to the error of a message that no longer exists.
func asGone(err error) error {
	if slackcall.OutcomeOf(err) == slackcall.Gone {
		return fmt.Errorf("%w: %w", store.ErrGone, err)
	}
	return err
}

// FindRoot looks for a root message that an earlier attempt, begun at since, may have posted.
func (b *Bot) FindRoot(ctx context.Context, p oncall.Picture, delivery string, since time.Time) (store.Place, bool, error) {
	at, found, err := b.find(ctx, slackcall.Message{Channel: p.Team.Channel, Delivery: delivery}, since)
	if err != nil {
		return store.Place{}, false, fmt.Errorf("look for incident %s in %s: %w", p.Incident.ID, p.Team.Channel, err)
	}
	return at, found, nil
}

// find looks for a message that may have been posted at since or later. Where Slack
// doesn't let us read it reports none: a second message is better than none.
func (b *Bot) find(ctx context.Context, m slackcall.Message, since time.Time) (store.Place, bool, error) {
	at, found, err := b.slack.Find(ctx, m, since)
	if slackcall.Refused(err) {
		b.log.Warn().Err(err).Str("channel", m.Channel).
			Msg("can't look up whether a message was posted already; it may show up twice")
		return store.Place{}, false, nil
	}
	return store.Place(at), found, err
}
