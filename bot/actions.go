package bot

import (
	"context"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

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
	actionMenu:           (*Bot).pressMenu,
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
	actionHoursEdit: (*Bot).hoursEdit, actionBundleAck: bundlePress(oncall.ActAck), actionBundleResolve: bundlePress(oncall.ActResolve),
}

// interaction handles clicks; whatever else Slack sends here needs no answer.
func (b *Bot) interaction(ctx context.Context, c slack.InteractionCallback) (string, error) {
	if c.Type != slack.InteractionTypeBlockActions {
		return "", nil
	}
	if err := b.refuseOutsiders(ctx, c.User); err != nil {
		return "", err
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
	return b.deed(ctx, p, action)
}
