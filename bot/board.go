package bot

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// metadataType marks our messages, so that one whose post was never answered is found
// again. Every member can read metadata: it holds ids and nothing else.
const metadataType = "watchbill_delivery"

// A drawing is a message as Slack wants it: the text is what screen readers and
// notifications say, the blocks are what people see.
type drawing struct {
	text   string
	blocks []slack.Block
}

// A posting is where a drawing goes.
type posting struct {
	channel   string // or a user: Slack opens the direct message
	thread    string // ts of the message it replies to
	broadcast bool   // a reply that the channel sees, too
	delivery  string // our id of this message
	incident  oncall.IncidentID
	priority  priority
	hasty     bool
}

// post sends one new message. It is never repeated here: an answer that was lost may
// belong to a message that was posted. Only blocks that Slack surely has not taken are
// left out in a second attempt, because words reach people better than nothing.
func (b *Bot) post(ctx context.Context, p posting, d drawing) (store.Place, error) {
	at, err := b.postOnce(ctx, p, d)
	if code := codeOf(err); strings.HasPrefix(code, "invalid_blocks") || code == "msg_blocks_too_long" {
		b.log.Error().Err(err).Stringer("incident", p.incident).Msg("Slack refuses the blocks of a message; sending the text alone")
		p.hasty = false // or it would begin with the blocks again each time
		return b.postOnce(ctx, p, drawing{text: d.text})
	}
	return at, err
}

func (b *Bot) postOnce(ctx context.Context, p posting, d drawing) (store.Place, error) {
	options := []slack.MsgOption{
		slack.MsgOptionText(d.text, false),
		slack.MsgOptionDisableLinkUnfurl(),
		slack.MsgOptionDisableMediaUnfurl(),
	}
	if len(d.blocks) > 0 {
		options = append(options, slack.MsgOptionBlocks(d.blocks...))
	}
	if p.delivery != "" {
		options = append(options, slack.MsgOptionMetadata(slack.SlackMetadata{
			EventType: metadataType,
			EventPayload: map[string]any{
				"delivery_id": p.delivery, "incident": strconv.FormatInt(int64(p.incident), 10),
			},
		}))
	}
	if p.thread != "" {
		options = append(options, slack.MsgOptionTS(p.thread))
	}
	if p.broadcast {
		options = append(options, slack.MsgOptionBroadcast())
	}
	var at store.Place
	err := b.call(ctx, call{method: methodPost, channel: p.channel, priority: p.priority, hasty: p.hasty}, func(ctx context.Context) error {
		var err error
		at.Channel, at.TS, err = b.api.PostMessageContext(ctx, p.channel, options...)
		if err == nil && (at.Channel == "" || at.TS == "") {
			return errNoAnswer
		}
		return err
	})
	if err != nil {
		return store.Place{}, err
	}
	return at, nil
}

// PostRoot posts the incident's message in its team's channel. On an error that left
// open whether it was posted, FindRoot tells.
func (b *Bot) PostRoot(ctx context.Context, p oncall.Picture, delivery string) (store.Place, error) {
	at, err := b.post(ctx, posting{
		channel: p.Team.Channel, delivery: delivery, incident: p.Incident.ID, priority: forRoot, hasty: true,
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
	err := b.call(ctx, call{method: "chat.update", priority: b.updatePriority(p), hasty: true}, func(ctx context.Context) error {
		_, _, _, err := b.api.UpdateMessageContext(ctx, at.Channel, at.TS,
			slack.MsgOptionText(d.text, false), slack.MsgOptionBlocks(d.blocks...))
		return err
	})
	if err != nil {
		return fmt.Errorf("redraw incident %s: %w", p.Incident.ID, asGone(err))
	}
	return nil
}

// newsLast is how long what has happened to an incident that nobody has taken goes before what
// has been settled. A mere count, which a storm moves all the time, never does.
const newsLast = 5 * time.Minute

func (b *Bot) updatePriority(p oncall.Picture) priority {
	if p.Incident.Status != oncall.Triggered {
		return forUpdate
	}
	since := b.clock().Add(-newsLast)
	if slices.ContainsFunc(p.Events, func(e oncall.Event) bool { return e.Public() && e.At.After(since) }) {
		return forAlarm
	}
	return forUpdate
}

// PostThread posts one reply for several events. A reply whose answer was lost is
// looked up before it counts as failed.
func (b *Bot) PostThread(ctx context.Context, root store.Place, p oncall.Picture, events []oncall.Event, delivery string) error {
	text, loud := threadText(events)
	if text == "" {
		return nil
	}
	urgency := forThread
	if loud { // the channel sees it without the incident above it
		urgency = forAlarm
		text = bold(p.Incident.ID.String(), titleOf(p.Incident), "") + "\n" + text
	}
	began := b.clock()
	_, err := b.post(ctx, posting{
		channel: root.Channel, thread: root.TS, broadcast: loud,
		delivery: delivery, incident: p.Incident.ID, priority: urgency, hasty: true,
	}, drawing{text: text, blocks: []slack.Block{section(text)}})
	if err != nil && became(err) == ambiguous {
		if _, found, lookErr := b.find(ctx, root, delivery, began); lookErr == nil && found {
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
	if became(err) == gone {
		return fmt.Errorf("%w: %w", store.ErrGone, err)
	}
	return err
}

// FindRoot looks for a root message that an earlier attempt, begun at since, may have
// posted. Where the history can't be read it reports none: a second message is better
// than no message.
func (b *Bot) FindRoot(ctx context.Context, p oncall.Picture, delivery string, since time.Time) (store.Place, bool, error) {
	channel, err := b.channelID(ctx, p.Team.Channel)
	if err == nil {
		var at store.Place
		var found bool
		if at, found, err = b.find(ctx, store.Place{Channel: channel}, delivery, since); err == nil {
			return at, found, nil
		}
	}
	if o := became(err); o == rejected || o == misconfigured {
		b.log.Warn().Err(err).Str("channel", p.Team.Channel).
			Msg("can't look up whether an incident was posted already; it may show up twice")
		return store.Place{}, false, nil
	}
	return store.Place{}, false, fmt.Errorf("look for incident %s in %s: %w", p.Incident.ID, p.Team.Channel, err)
}

// find looks for one of our messages in a channel, or in a thread if ts is given.
func (b *Bot) find(ctx context.Context, in store.Place, delivery string, since time.Time) (store.Place, bool, error) {
	page := b.historyPage
	if in.TS != "" {
		page = b.repliesPage
	}
	oldest := since.Add(-lookBack)
	joined := false
	for cursor, pages := "", 0; pages < maxPages; pages++ {
		messages, next, err := page(ctx, in, fmt.Sprintf("%d.%06d", oldest.Unix(), oldest.Nanosecond()/1000), cursor)
		if codeOf(err) == "not_in_channel" && !joined {
			// In a public channel the bot may post without being a member, but not read.
			joined = true
			if err = b.join(ctx, in.Channel); err == nil {
				continue
			}
		}
		if err != nil {
			return store.Place{}, false, err
		}
		for _, m := range messages {
			if delivers(m, delivery) {
				return store.Place{Channel: in.Channel, TS: m.Timestamp}, true, nil
			}
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	return store.Place{}, false, nil
}

// delivers reports whether a message bears one of our delivery ids.
func delivers(m slack.Message, delivery string) bool {
	return m.Metadata.EventType == metadataType && m.Metadata.EventPayload["delivery_id"] == delivery
}

const (
	lookBack = 5 * time.Second // our clock and Slack's may differ
	maxPages = 10
	perPage  = 100
)

func (b *Bot) historyPage(ctx context.Context, in store.Place, oldest, cursor string) (messages []slack.Message, next string, err error) {
	err = b.call(ctx, call{method: "conversations.history", priority: forRoot, hasty: true}, func(ctx context.Context) error {
		answer, err := b.api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{
			ChannelID: in.Channel, Oldest: oldest, Inclusive: true, IncludeAllMetadata: true, Limit: perPage, Cursor: cursor,
		})
		if err != nil {
			return err
		}
		messages, next = answer.Messages, answer.ResponseMetaData.NextCursor
		return nil
	})
	return messages, next, err
}

func (b *Bot) repliesPage(ctx context.Context, in store.Place, oldest, cursor string) (messages []slack.Message, next string, err error) {
	err = b.call(ctx, call{method: "conversations.replies", priority: forThread, hasty: true}, func(ctx context.Context) error {
		var err error
		messages, _, next, err = b.api.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
			ChannelID: in.Channel, Timestamp: in.TS, Oldest: oldest, Inclusive: true, IncludeAllMetadata: true, Limit: perPage, Cursor: cursor,
		})
		return err
	})
	return messages, next, err
}

func (b *Bot) join(ctx context.Context, channel string) error {
	return b.call(ctx, call{method: "conversations.join", priority: forRoot}, func(ctx context.Context) error {
		_, _, _, err := b.api.JoinConversationContext(ctx, channel)
		return err
	})
}

// channelID returns the id of a channel that may be given by name, as posting accepts
// names and reading doesn't.
func (b *Bot) channelID(ctx context.Context, channel string) (string, error) {
	name, isName := strings.CutPrefix(channel, "#")
	if !isName {
		return channel, nil
	}
	for cursor, pages := "", 0; pages < maxPages; pages++ {
		var channels []slack.Channel
		err := b.call(ctx, call{method: "conversations.list", priority: forRoot}, func(ctx context.Context) error {
			var err error
			channels, cursor, err = b.api.GetConversationsContext(ctx, &slack.GetConversationsParameters{
				Cursor: cursor, ExcludeArchived: true, Limit: 1000, Types: []string{"public_channel", "private_channel"},
			})
			return err
		})
		if err != nil {
			return "", err
		}
		for _, c := range channels {
			if c.Name == name {
				return c.ID, nil
			}
		}
		if cursor == "" {
			break
		}
	}
	return "", &apiError{outcome: rejected, code: "channel_not_found", cause: fmt.Errorf("no channel is named %s", channel)}
}
