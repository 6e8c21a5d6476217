package bot

import (
	"context"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
)

// A press is a click on a button or another element.
type press struct {
	user    oncall.UserID
	value   string     // the button's value: an id
	trigger string     // trigger id; valid for three seconds
	view    slack.View // the view with the button; no id if it was a message
	suffix  string     // what follows the action in the element's id
}

// inModal reports whether the button was in a modal, rather than on the home tab or in a message.
func (p press) inModal() bool { return p.view.ID != "" && p.view.Type != slack.VTHomeTab }

// by returns the person who pressed.
func (p press) by() oncall.Actor { return oncall.ByUser(p.user) }

// presses maps the handlers of all buttons except an incident's own, which go to pressIncident. They
// return an answer that only the person sees.
var presses = map[view.Action]func(b *Bot, ctx context.Context, p press) (string, error){
	view.ActionSwapAccept:   fromHome(swapPress(oncall.AcceptSwap)),
	view.ActionSwapDecline:  fromHome(swapPress(oncall.DeclineSwap)),
	view.ActionSwapWithdraw: swapPress(oncall.WithdrawSwap),
	view.ActionSwapUndo:     swapPress(oncall.UndoSwap),
	view.ActionSwapWith:     (*Bot).swapOther,
	view.ActionSwapWhich:    (*Bot).pressSwapWhich,

	view.ActionCoverTake:     fromHome(coverPress(oncall.TakeCover)),
	view.ActionCoverPart:     (*Bot).coverPart,
	view.ActionCoverDecline:  fromHome(coverPress(oncall.DeclineCover)),
	view.ActionCoverWithdraw: coverPress(oncall.WithdrawCover),
	view.ActionCoverMyself:   textOf((*Bot).coverMyself),
	view.ActionCoverOthers:   (*Bot).coverOthers,

	view.ActionHandoffTake: (*Bot).takeHandoff,

	view.ActionReview:      (*Bot).pressReview,
	view.ActionReviewDone:  fromHome(actionPress(false)),
	view.ActionReviewLater: fromHome(actionPress(true)),

	view.ActionMenu:          (*Bot).pressMenu,
	view.ActionAlertsFile:    (*Bot).alertsFile,
	view.ActionBundleAck:     bundlePress(oncall.ActAck),
	view.ActionBundleResolve: bundlePress(oncall.ActResolve),

	view.ActionUndoActs:  (*Bot).undoActs,
	view.ActionSay:       textOf((*Bot).pressSay),
	view.ActionVerdict:   (*Bot).pressVerdict,
	view.ActionSnoozeFor: (*Bot).pressSnooze,

	view.ActionOverrideCancel: (*Bot).cancelOverride,
	view.ActionOverrideSwitch: (*Bot).switchOverride,
	view.ActionOverrideMore:   (*Bot).overrideMore,
	view.ActionAwayCover:      (*Bot).awayCover,
	view.ActionAwayCancel:     (*Bot).awayCancel,
	view.ActionAwayCalendar:   (*Bot).pressAwayCalendar,
	view.ActionAwayUnread:     (*Bot).endAwayCalendar,
	view.ActionHolidayCover:   (*Bot).holidayCover,

	view.ActionLeaverHand: leaverPress((*Bot).leaverHand),
	view.ActionLeaverOut:  leaverPress((*Bot).previewLeaverRemoval),
	view.ActionLeaverAsk:  leaverPress((*Bot).leaverAsk),

	view.ActionHomePage:     (*Bot).homePage,
	view.ActionRaiseWhom:    (*Bot).raiseChosen,
	view.ActionRaisePerson:  (*Bot).raiseChosen,
	view.ActionRaiseConfirm: (*Bot).confirmRaise,
	view.ActionRaisedAdd:    (*Bot).raisedAdd,

	view.ActionHomeAway:     (*Bot).homeAway,
	view.ActionHomeCover:    (*Bot).homeCover,
	view.ActionHomeHelp:     (*Bot).homeHelp,
	view.ActionHomeOverride: (*Bot).homeOverride,
	view.ActionHomeSwap:     (*Bot).homeSwap,
	view.ActionHomeSchedule: (*Bot).homeSchedule,
	view.ActionHomeSetup:    (*Bot).pressSetup,
	view.ActionHomeFind:     (*Bot).findTeam,
	view.ActionFound:        (*Bot).foundTeam,

	view.ActionRotationMore:    (*Bot).rotationMore,
	view.ActionRotationAdd:     pressIn((*Bot).rotationAdd),
	view.ActionRotationEdit:    pressIn((*Bot).rotationEdit),
	view.ActionRotationRemove:  pressIn((*Bot).rotationRemove),
	view.ActionScheduleHistory: pressIn((*Bot).pressHistory),
	view.ActionScheduleRestore: pressIn((*Bot).pressRestore),
	view.ActionScheduleRemove:  pressIn((*Bot).pressRemove),
	view.ActionShiftsApart:     pressIn((*Bot).pressOverlap),

	view.ActionSetupTeam:        (*Bot).pressTeam,
	view.ActionSetupNew:         (*Bot).pressNewTeam,
	view.ActionSetupTest:        (*Bot).sendTest,
	view.ActionSetupRemove:      (*Bot).removeSetup,
	view.ActionSetupTeamEdit:    pressSetupIn(access.EditSchedule, (*Bot).editTeam),
	view.ActionSetupSchedule:    pressSetupIn(access.EditSchedule, (*Bot).editScheduleIn),
	view.ActionSetupNewSchedule: pressSetupIn(access.EditSchedule, (*Bot).newScheduleIn),
	view.ActionSetupPolicy:      pressSetupIn(access.EditSchedule, (*Bot).editPolicy),
	view.ActionSetupNewPolicy:   pressSetupIn(access.EditSchedule, (*Bot).newPolicy),
	view.ActionSetupMonitor:     pressSetupIn(access.Integrations, (*Bot).newIntegration),
	view.ActionStep:             pressSetupIn(access.EditSchedule, (*Bot).pressStep),
	view.ActionStepAdd:          pressSetupIn(access.EditSchedule, (*Bot).addStep),
	view.ActionSetupRoutes:      pressSetupIn(access.EditSchedule, (*Bot).editRoutes),
	view.ActionRoute:            pressSetupIn(access.EditSchedule, (*Bot).pressRoute),
	view.ActionRouteAdd:         pressSetupIn(access.EditSchedule, (*Bot).addRoute),
	view.ActionSetupMaintenance: pressSetupIn(access.Maintain, (*Bot).planMaintenance),
	view.ActionSetupGroup:       pressSetupIn(access.EditSchedule, (*Bot).editGroup),
	view.ActionSetupRename:      pressSetupIn(access.OthersThings, (*Bot).renameTeam),
	view.ActionSetupRemoveTeam:  pressSetupIn(access.OthersThings, (*Bot).askRemoveTeam),
	view.ActionSetupMapping:     pressSetupIn(access.Integrations, (*Bot).editMapping),
	view.ActionMappingSave:      (*Bot).saveMapping,
	view.ActionMappingRemove:    (*Bot).removeMapping,

	view.ActionSetupOpen:      (*Bot).openSetup,
	view.ActionIntegration:    (*Bot).pressIntegration,
	view.ActionMaintenanceEnd: (*Bot).pressMaintenance,
	view.ActionPayload:        (*Bot).pressPayload,
	view.ActionPayloadMap:     (*Bot).pressMapping,
	view.ActionEnd:            (*Bot).pressEnd,

	view.ActionContacts:      (*Bot).contacts,
	view.ActionContactAdd:    (*Bot).contactAdd,
	view.ActionContactMethod: (*Bot).contactMethod,
	view.ActionContactCode:   (*Bot).contactCode,
	view.ActionContactResend: (*Bot).contactResend,
	view.ActionContactMenu:   (*Bot).contactMenu,
	view.ActionContactTest:   (*Bot).contactTest,
	view.ActionContactCard:   (*Bot).contactCard,
	view.ActionRulesEdit:     (*Bot).rulesEdit,
	view.ActionRulesAdd:      rulePress(addLine),
	view.ActionRuleRemove:    rulePress(removeLine),
	view.ActionRulesDefaults: rulePress(defaultLines),
	view.ActionRuleContact:   rulePress(nil),
	view.ActionRuleAfter:     rulePress(nil),
	view.ActionHoursEdit:     (*Bot).hoursEdit,
}

// interaction handles clicks, and returns the answer. Slack's other interactions need none.
func (b *Bot) interaction(ctx context.Context, callback slack.InteractionCallback) (view.Drawing, error) {
	if callback.Type == slack.InteractionTypeShortcut || callback.Type == slack.InteractionTypeMessageAction {
		return view.Drawing{}, b.answerShortcut(ctx, callback)
	}
	if callback.Type != slack.InteractionTypeBlockActions {
		return view.Drawing{}, nil
	}
	if err := b.admit(ctx, callback.User); err != nil {
		return view.Drawing{}, err
	}
	var answer view.Drawing
	for _, a := range callback.ActionCallback.BlockActions {
		p := press{user: oncall.UserID(callback.User.ID), value: a.Value, trigger: callback.TriggerID, view: callback.View}
		if p.value == "" {
			p.value = a.SelectedOption.Value // an overflow menu
		}
		_, p.suffix, _ = strings.Cut(a.ActionID, "/")
		one, err := b.pressed(ctx, actionOf(a), p)
		if err != nil {
			return view.Drawing{}, err
		}
		text := one.Text
		if text == "" {
			continue
		}
		if rest := listPresses[actionOf(a)]; rest != nil && callback.Container.IsEphemeral {
			one = view.Join(one, rest(b, ctx, p))
			one.Text = text
		}
		answer = view.Join(answer, one)
	}
	return answer, nil
}

// actionOf returns the action of a button. A suffix only makes the ids in a block unique.
func actionOf(a *slack.BlockAction) view.Action {
	action, _, _ := strings.Cut(a.ActionID, "/")
	return view.Action(action)
}

// pressed calls the handler of a button.
func (b *Bot) pressed(ctx context.Context, action view.Action, p press) (view.Drawing, error) {
	run := presses[action]
	switch {
	case drawnPresses[action] != nil:
		return drawnPresses[action](b, ctx, p)
	case run == nil:
		run = func(b *Bot, ctx context.Context, p press) (string, error) { return b.pressIncident(ctx, p, action) }
	}
	text, err := run(b, ctx, p)
	return view.Text(text), err
}

// drawnPresses are the buttons whose answers have buttons of their own. They are in presses, too.
var drawnPresses = map[view.Action]func(b *Bot, ctx context.Context, p press) (view.Drawing, error){
	view.ActionCoverMyself: (*Bot).coverMyself,
	view.ActionSay:         (*Bot).pressSay,
}

// textOf returns the handler of a button without what its answer draws.
func textOf(run func(*Bot, context.Context, press) (view.Drawing, error)) func(*Bot, context.Context, press) (string, error) {
	return func(b *Bot, ctx context.Context, p press) (string, error) {
		d, err := run(b, ctx, p)
		return d.Text, err
	}
}
