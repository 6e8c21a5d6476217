package bot

import (
	"context"
	"errors"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

// spentPresses lists the buttons that have nothing left to do once they have been pressed. They are
// replaced by what was done.
var spentPresses = map[view.Action]bool{
	view.ActionAwayCover:      true,
	view.ActionAwayCancel:     true,
	view.ActionHolidayCover:   true,
	view.ActionCoverWithdraw:  true, // in an answer; the message about it is redrawn
	view.ActionCoverMyself:    true,
	view.ActionOverrideCancel: true,
	view.ActionOverrideSwitch: true,
	view.ActionUndoActs:       true,
	view.ActionSay:            true,
}

// listPresses redraw the list that contained the button, below what was done.
var listPresses = map[view.Action]func(b *Bot, ctx context.Context, p press) view.Drawing{
	view.ActionAwayCover:      (*Bot).timeOffLeft,
	view.ActionAwayCancel:     (*Bot).timeOffLeft,
	view.ActionOverrideCancel: (*Bot).overridesLeft,
}

// timeOffLeft lists the person's remaining time off, if any.
func (b *Bot) timeOffLeft(ctx context.Context, p press) view.Drawing {
	return b.listLeft(ctx, p, func(r request) (view.Drawing, error) { return b.ownTimeOff(ctx, r, []string{"list"}) })
}

// overridesLeft lists the overrides that the person can cancel, if the button was in that list.
func (b *Bot) overridesLeft(ctx context.Context, p press) view.Drawing {
	if p.suffix != view.InList {
		return view.Drawing{}
	}
	return b.listLeft(ctx, p, func(r request) (view.Drawing, error) { return b.ownOverrides(ctx, r) })
}

// listLeft draws a list. Failures are only logged, because the button has done its work.
func (b *Bot) listLeft(ctx context.Context, p press, list func(request) (view.Drawing, error)) view.Drawing {
	r, err := b.request(ctx, p.user, nil)
	if err == nil {
		var d view.Drawing
		if d, err = list(r); err == nil {
			return d
		}
	}
	if _, empty := errors.AsType[oncall.Refusal](err); !empty {
		b.log.Warn().Err(err).Msg("could not redraw a list")
	}
	return view.Drawing{}
}

// replySpent answers a press that has done its work by redrawing what had the button, and reports whether it did.
func (b *Bot) replySpent(listening context.Context, to slack.InteractionCallback, d view.Drawing) bool {
	pressed := to.ActionCallback.BlockActions
	if len(pressed) != 1 || !spentPresses[actionOf(pressed[0])] {
		return false
	}
	ctx, cancel := context.WithTimeout(listening, maxEphemeralWait)
	defer cancel()
	var err error
	switch {
	case to.View.Type == slack.VTModal:
		err = b.updateModal(ctx, to.View, view.AnsweredModal(to.View, pressed[0].ActionID, d.Text))
	case to.ResponseURL == "":
		return false
	case to.Container.IsEphemeral: // Slack doesn't say what such a message has in it
		err = b.slack.Replace(ctx, messageOf(to), to.ResponseURL, d.Text, d.Blocks)
	default:
		blocks, found := view.Answered(to.Message.Blocks.BlockSet, pressed[0].ActionID, d.Text)
		if !found {
			return false
		}
		for _, one := range d.Blocks { // such as an Undo
			if one.BlockType() == slack.MBTAction {
				blocks = append(blocks, one)
			}
		}
		err = b.slack.Replace(ctx, messageOf(to), to.ResponseURL, view.CutPlain(to.Message.Text+"\n"+d.Text, view.MaxText), blocks)
	}
	if err != nil && listening.Err() == nil {
		b.log.Warn().Err(err).Msg("could not redraw what was pressed")
		return false
	}
	return true
}

func messageOf(c slack.InteractionCallback) slackcall.MessageID {
	return slackcall.MessageID{Channel: c.Channel.ID, TS: c.Container.MessageTs}
}
