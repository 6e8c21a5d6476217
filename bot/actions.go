package bot

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// decisions are what the buttons of an incident do.
var decisions = map[string]func(in oncall.Incident, by oncall.Actor, now time.Time) (oncall.Change, error){
	actionAck:     oncall.Incident.Ack,
	actionResolve: oncall.Incident.Resolve,
}

// A press is a click on a button.
type press struct {
	user    oncall.UserID
	value   string     // the button's: an id
	trigger string     // opens a modal, within three seconds
	view    slack.View // in which it was pressed; without an id if that was a message
}

// presses are the buttons of everything else. They return what only the person who
// pressed is told.
var presses = map[string]func(b *Bot, ctx context.Context, p press) (string, error){
	actionSwapAccept: swapPress(acceptSwap), actionSwapDecline: swapPress(declineSwap),
	actionSwapWithdraw: swapPress(withdrawSwap), actionSwapUndo: swapPress(undoSwap), actionSwapOther: (*Bot).swapOther,
	actionHandoffTake:    (*Bot).takeHandoff,
	actionOverrideCancel: (*Bot).cancelOverride,
	actionAwayCover:      (*Bot).awayCover, actionAwayCancel: (*Bot).awayCancel,
	actionCoverTake: coverPress(takeCover), actionCoverPart: (*Bot).coverPart,
	actionHomeOverride: (*Bot).homeOverride, actionHomeSwap: (*Bot).homeSwap, actionHomeSchedule: (*Bot).homeSchedule,
	actionRotationMore: (*Bot).rotationMore, actionRotationAdd: pressIn((*Bot).rotationAdd),
	actionRotationEdit: pressIn((*Bot).rotationEdit), actionRotationRemove: pressIn((*Bot).rotationRemove),
	actionScheduleHistory: pressIn((*Bot).pressHistory), actionScheduleRestore: pressIn((*Bot).pressRestore),
	actionScheduleRemove: pressIn((*Bot).pressRemove), actionShiftsApart: pressIn((*Bot).pressApart),
	actionCoverDecline: coverPress(declineCover), actionCoverWithdraw: coverPress(withdrawCover),
	actionContacts: (*Bot).contacts, actionContactAdd: (*Bot).contactAdd, blockMethod: (*Bot).contactMethod,
	actionContactCode: (*Bot).contactCode, actionContactResend: (*Bot).contactResend, actionContactMenu: (*Bot).contactMenu,
	actionContactTest: (*Bot).contactTest, actionContactCard: (*Bot).contactCard,
	actionRulesEdit: (*Bot).rulesEdit, actionRulesAdd: rulePress(addLine), actionRuleRemove: rulePress(removeLine),
	actionRulesDefaults: rulePress(defaultLines), actionRuleContact: rulePress(nil), actionRuleAfter: rulePress(nil),
	actionHoursEdit: (*Bot).hoursEdit,
}

// interaction handles clicks; whatever else Slack sends here needs no answer.
func (b *Bot) interaction(ctx context.Context, c slack.InteractionCallback) (string, error) {
	if c.Type != slack.InteractionTypeBlockActions {
		return "", nil
	}
	var told []string
	for _, a := range c.ActionCallback.BlockActions {
		p := press{user: oncall.UserID(c.User.ID), value: a.Value, trigger: c.TriggerID, view: c.View}
		if p.value == "" {
			p.value = a.SelectedOption.Value // of an overflow menu
		}
		text, err := b.pressed(ctx, a.ActionID, p)
		if err != nil {
			return "", err
		}
		if text != "" {
			told = append(told, text)
		}
	}
	return strings.Join(told, "\n"), nil
}

// pressed does what one button is for.
func (b *Bot) pressed(ctx context.Context, action string, p press) (string, error) {
	if run := presses[action]; run != nil {
		return run(b, ctx, p)
	}
	decide, known := decisions[action]
	id, err := strconv.ParseInt(p.value, 10, 64)
	if !known || err != nil {
		return "", oncall.Refuse("This version of Watchbill doesn't know that button, and nothing was changed.")
	}
	return "", b.decide(ctx, oncall.IncidentID(id), p.user, decide)
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
