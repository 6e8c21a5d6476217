package bot

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// handlerTimeout leaves half a second of Slack's three for the network.
const handlerTimeout = 2500 * time.Millisecond

// Shown to people if the fault is ours. Details are only logged.
const (
	sorryBusy     = "Watchbill is busy or restarting, and nothing was changed. Please try again in a few seconds."
	sorryDatabase = "Watchbill can't reach its database, so nothing was changed. Please try again in a minute."
	sorryUnclear  = "That didn't come to an end, so it may or may not have been saved. Please look again in a moment, and repeat it if nothing has changed."
	sorryFailed   = "Something went wrong in Watchbill, and nothing was changed. The reason is in its log."
)

// receive has an envelope handled in the background. Without a free slot, an event is left for Slack to
// redeliver, and a person is asked to try again.
func (b *Bot) receive(listening context.Context, s *socket, e socketmode.Event) {
	if !b.inFlight.acquire() {
		b.envelopes.WithLabelValues(string(e.Type), "turned_away").Inc()
		switch data := e.Data.(type) {
		case slack.SlashCommand:
			b.all.Go(func() { b.ack(listening, s, e.Request.EnvelopeID, ephemeral(sorryBusy)) })
		case slack.InteractionCallback:
			b.all.Go(func() { b.ack(listening, s, e.Request.EnvelopeID, nil) })
			b.all.Go(func() { b.postEphemeral(listening, data, sorryBusy) })
		}
		return
	}
	go func() {
		defer b.inFlight.release()
		b.handle(listening, s, e)
	}()
}

// handle does what an envelope asks for, and acknowledges it only once that is saved. So if Slack shows no
// warning, it was done.
func (b *Bot) handle(listening context.Context, s *socket, e socketmode.Event) {
	ctx, cancel := context.WithTimeout(listening, handlerTimeout)
	defer cancel()
	id := e.Request.EnvelopeID
	switch data := e.Data.(type) {
	case slack.SlashCommand:
		var shown view.Drawing
		text, err := b.guard(ctx, "command/"+data.TriggerID, func() (_ string, err error) {
			shown, err = b.command(ctx, data)
			return shown.Text, err
		})
		switch text = b.explain(err, text, "command"); {
		case text == "":
			b.ack(listening, s, id, nil)
		case err == nil && len(shown.Blocks) > 0:
			b.ack(listening, s, id, ephemeralBlocks(shown))
		default:
			b.ack(listening, s, id, ephemeral(text))
		}
	case slack.InteractionCallback:
		if data.Type == slack.InteractionTypeViewSubmission {
			b.ack(listening, s, id, b.submission(ctx, data).payload())
			return
		}
		var shown view.Drawing
		text, err := b.guard(ctx, interactionKey(data), func() (_ string, err error) {
			shown, err = b.interaction(ctx, data)
			return shown.Text, err
		})
		if data.Message.Timestamp != "" && data.ResponseURL != "" && !errors.Is(err, errRepeated) {
			b.inBackground(ctx, "the message that was pressed", func(ctx context.Context) error { return b.redrawPressed(ctx, data) })
		}
		text = b.explain(err, text, "click")
		b.ack(listening, s, id, nil) // Slack ignores a payload here
		if text != "" {
			b.all.Go(func() {
				if err != nil || !b.replySpent(listening, data, shown) {
					b.reply(listening, data, text)
				}
			})
		}
	case slackevents.EventsAPIEvent:
		_, err := b.guard(ctx, "", func() (string, error) { return "", b.event(ctx, data) })
		_, refused := errors.AsType[oncall.Refusal](err) // a redelivery would be refused again
		if b.explain(err, "", "event") == "" || refused {
			b.ack(listening, s, id, nil)
		}
	}
}

// submission handles a submitted modal. If it fails, the modal shows the reason above the input.
func (b *Bot) submission(ctx context.Context, callback slack.InteractionCallback) modalResponse {
	var a modalResponse
	_, err := b.guard(ctx, interactionKey(callback), func() (_ string, err error) {
		if err := b.admit(ctx, callback.User); err != nil {
			return "", err
		}
		a, err = b.submitted(ctx, callback)
		return "", err
	})
	if text := b.explain(err, "", "submission"); text != "" {
		return replace(view.WithWarning(callback.View, text))
	}
	return a
}

var (
	// errRepeated means that the envelope was handled before.
	errRepeated = errors.New("delivered before")
	// errNotBegun means that the handler was never called.
	errNotBegun = errors.New("not begun")
)

// guard runs a handler once per key, if there is one, and turns a panic into an error. Slack delivers some
// clicks and commands twice.
func (b *Bot) guard(ctx context.Context, key string, handler func() (string, error)) (text string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if key != "" {
		first, err := b.store.RememberEvent(ctx, key, b.clock())
		if err != nil {
			return "", fmt.Errorf("%w: check for a repeated delivery: %w", errNotBegun, err)
		}
		if !first {
			return "", errRepeated
		}
	}
	return handler()
}

// interactionKey identifies a click or submission. The view's id would not do, since it stays the same when a
// form is corrected and submitted again.
func interactionKey(c slack.InteractionCallback) string {
	if c.Type == slack.InteractionTypeViewSubmission {
		return "view/" + c.TriggerID
	}
	return "click/" + c.TriggerID
}

// explain returns what to show the person after a handler has ended, and logs what they must not see.
func (b *Bot) explain(err error, text, kind string) string {
	result := "done"
	defer func() { b.envelopes.WithLabelValues(kind, result).Inc() }()
	if err == nil {
		return text
	}
	if errors.Is(err, errRepeated) {
		result = "repeated"
		return ""
	}
	if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
		result = "refused"
		return view.Sentence(refusal.Sentence)
	}
	result = "failed"
	b.log.Error().Err(err).Str("kind", kind).Msg("could not do what Slack asked for")
	switch {
	case errors.Is(err, errNotBegun):
		return sorryDatabase
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, store.ErrUnavailable):
		return sorryUnclear // the change may have been committed
	default:
		return sorryFailed
	}
}

// ephemeral returns the answer to a slash command as an ephemeral message.
func ephemeral(text string) map[string]string {
	return map[string]string{"response_type": slack.ResponseTypeEphemeral, "text": text}
}

// ephemeralBlocks is ephemeral with blocks.
func ephemeralBlocks(d view.Drawing) map[string]any {
	return map[string]any{"response_type": slack.ResponseTypeEphemeral, "text": d.Text, "blocks": d.Blocks}
}

// postEphemeral answers a click with an ephemeral message. It takes no slot, because it may have to wait for Slack,
// and shutdown doesn't wait for it: the clicked message shows the result as well.
func (b *Bot) postEphemeral(listening context.Context, to slack.InteractionCallback, text string) {
	if to.ResponseURL == "" {
		return
	}
	ctx, cancel := context.WithTimeout(listening, maxEphemeralWait)
	defer cancel()
	if err := b.slack.Answer(ctx, to, text); err != nil && listening.Err() == nil {
		b.log.Warn().Err(err).Msg("could not answer a click")
	}
}

// maxEphemeralWait is how long the answer to a click is of use.
const maxEphemeralWait = time.Minute
