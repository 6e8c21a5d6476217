package bot

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// decisions are what the buttons of an incident do.
var decisions = map[string]func(in oncall.Incident, by oncall.Actor, now time.Time) (oncall.Change, error){
	actionAck:     oncall.Incident.Ack,
	actionResolve: oncall.Incident.Resolve,
}

// interaction handles clicks; whatever else Slack sends here needs no answer.
func (b *Bot) interaction(ctx context.Context, c slack.InteractionCallback) error {
	if c.Type != slack.InteractionTypeBlockActions {
		return nil
	}
	for _, a := range c.ActionCallback.BlockActions {
		decide, known := decisions[a.ActionID]
		id, err := strconv.ParseInt(a.Value, 10, 64)
		if !known || err != nil {
			return oncall.Refuse("This version of Watchbill doesn't know that button, and nothing was changed.")
		}
		if err := b.decide(ctx, oncall.IncidentID(id), oncall.UserID(c.User.ID), decide); err != nil {
			return err
		}
	}
	return nil
}

// decide takes a decision on an incident for a person. Where it is refused, the
// message that was clicked may be behind, so it is drawn again.
func (b *Bot) decide(
	ctx context.Context, id oncall.IncidentID, user oncall.UserID,
	decide func(oncall.Incident, oncall.Actor, time.Time) (oncall.Change, error),
) error {
	now := b.clock()
	var refusal error
	_, err := b.store.UpdateIncident(ctx, id, func(in oncall.Incident) (oncall.Change, error) {
		c, err := decide(in, oncall.ByUser(user), now)
		if _, refused := errors.AsType[oncall.Refusal](err); refused {
			refusal = err
			redraw := oncall.Task{Do: oncall.Draw{Incident: in.ID, Version: in.Version}}
			return oncall.Change{Incident: in, Tasks: []oncall.Task{redraw}}, nil
		}
		return c, err
	})
	switch {
	case errors.Is(err, oncall.ErrNotFound):
		return oncall.Refuse("Incident %s no longer exists.", id)
	case err != nil:
		return fmt.Errorf("change incident %s: %w", id, err)
	}
	return refusal
}
