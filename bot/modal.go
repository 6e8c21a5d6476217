package bot

import (
	"context"
	"errors"
	"fmt"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

// modals maps the handlers of submitted modals. A view's private metadata holds only ids, so handlers load
// everything, and check every permission, again. A Refusal is shown in the form, which stays open with its
// input.
var modals = map[view.Modal]func(b *Bot, ctx context.Context, s submission) (modalResponse, error){
	view.ModalOverride:        (*Bot).submitOverride,
	view.ModalAway:            (*Bot).submitAway,
	view.ModalAwayFrom:        (*Bot).submitAwayCalendar,
	view.ModalLeaver:          (*Bot).submitLeaver,
	view.ModalLeaverSave:      (*Bot).submitLeaverSave,
	view.ModalSwap:            (*Bot).submitSwap,
	view.ModalCover:           (*Bot).submitCover,
	view.ModalCoverPart:       (*Bot).submitPart,
	view.ModalScheduleChoice:  (*Bot).submitScheduleChoice,
	view.ModalShiftChoice:     (*Bot).submitShiftChoice,
	view.ModalScheduleNew:     (*Bot).submitNewSchedule,
	view.ModalScheduleRemove:  (*Bot).submitScheduleRemove,
	view.ModalScheduleRestore: (*Bot).submitRestore,
	view.ModalRotation:        (*Bot).submitRotation,
	view.ModalRotationRemove:  (*Bot).submitRotationRemove,
	view.ModalRotateKey:       (*Bot).submitRotate,
	view.ModalTest:            (*Bot).submitTest,
	view.ModalAPIKey:          (*Bot).submitAPIKey,
	view.ModalMapping:         (*Bot).submitMapping,
	view.ModalContactAdd:      (*Bot).submitContactAdd,
	view.ModalCode:            (*Bot).submitCode,
	view.ModalRules:           (*Bot).submitRules,
	view.ModalHours:           (*Bot).submitHours,
	view.ModalSnooze:          submitActs(readSnooze),
	view.ModalReassign:        submitActs(readReassign),
	view.ModalAsk:             submitActs(readAsk),
	view.ModalNote:            submitActs(readNote),
	view.ModalSeverity:        submitActs(readSeverity),
	view.ModalMerge:           (*Bot).submitMerge,
	view.ModalSplit:           submitActs(readSplit),
	view.ModalRaise:           (*Bot).submitRaise,
	view.ModalRaisedAdd:       submitActs(readNote),

	view.ModalSetupGuide:       (*Bot).submitGuide,
	view.ModalSetupTeamEdit:    (*Bot).submitTeamEdit,
	view.ModalSetupPolicy:      (*Bot).submitPolicy,
	view.ModalSetupStep:        (*Bot).submitStep,
	view.ModalSetupIntegration: (*Bot).submitIntegration,
	view.ModalSetupRoutes:      (*Bot).submitRoutes,
	view.ModalSetupRoute:       (*Bot).submitRoute,
	view.ModalSetupMaintenance: (*Bot).submitMaintenance,
	view.ModalSetupGroup:       (*Bot).submitGroup,
	view.ModalSetupRename:      (*Bot).submitRename,
	view.ModalSetupRemoveTeam:  (*Bot).submitRemoveTeam,

	view.ModalVerdict: submitActs(readVerdict),
	view.ModalUpdate:  submitActs(readUpdate),
	view.ModalAction:  (*Bot).submitAction,
}

// A submission is a submitted modal.
type submission struct {
	user    oncall.UserID
	trigger string
	view    slack.View
	form    form
}

// by returns the person who submitted the form.
func (s submission) by() oncall.Actor { return oncall.ByUser(s.user) }

// meta returns the view's private metadata.
func (s submission) meta() string { return s.view.PrivateMetadata }

// A modalResponse says what happens to the submitted view. The zero value closes it and reveals the one below.
type modalResponse struct{ slack.ViewSubmissionResponse }

// closeAll closes the whole stack of views.
func closeAll() modalResponse { return modalResponse{*slack.NewClearViewSubmissionResponse()} }

// fieldErrors are the errors of inputs, by block id.
type fieldErrors map[view.Block]string

// maxErrorLength is the maximum length of an input's error, which may quote what was typed.
const maxErrorLength = 500

// correct shows errors next to the inputs.
func correct(wrong fieldErrors) modalResponse {
	errors := map[string]string{}
	for block, why := range wrong {
		errors[string(block)] = view.CutPlain(why, maxErrorLength)
	}
	return modalResponse{*slack.NewErrorsViewSubmissionResponse(errors)}
}

// replace replaces the submitted view with another.
func replace(v slack.ModalViewRequest) modalResponse {
	return modalResponse{*slack.NewUpdateViewSubmissionResponse(&v)}
}

// payload returns the payload of the acknowledgement.
func (m modalResponse) payload() any {
	if m.ResponseAction == "" {
		return nil
	}
	return m.ViewSubmissionResponse
}

// submitted handles a submitted modal.
func (b *Bot) submitted(ctx context.Context, c slack.InteractionCallback) (modalResponse, error) {
	submit, known := modals[view.Modal(c.View.CallbackID)]
	if !known {
		return modalResponse{}, oncall.Refuse("This version of Watchbill doesn't know that form, and nothing was changed.")
	}
	return submit(b, ctx, submission{
		user: oncall.UserID(c.User.ID), trigger: c.TriggerID, view: c.View, form: formOf(c.View),
	})
}

// openModal opens a modal for a person who has just typed or pressed something.
func (b *Bot) openModal(ctx context.Context, trigger string, v slack.ModalViewRequest) error {
	if trigger == "" { // a message can't open one
		return fmt.Errorf("%w: %w", errNeedsForm, oncall.Refuse("This needs a form, which only `/oncall` can open. Or write it in one line, as `/oncall help` shows."))
	}
	return shown(b.slack.OpenView(ctx, trigger, v))
}

// errNeedsForm is returned if a form is needed but can't be opened.
var errNeedsForm = errors.New("a message can't open a form")

// pushModal opens a modal on top of the one whose button was pressed.
func (b *Bot) pushModal(ctx context.Context, trigger string, v slack.ModalViewRequest) error {
	return shown(b.slack.PushView(ctx, trigger, v))
}

// updateModal redraws an open view, unless it has changed since the person's action.
func (b *Bot) updateModal(ctx context.Context, old slack.View, v slack.ModalViewRequest) error {
	return shown(b.slack.UpdateView(ctx, old, v))
}

// shown turns the error of a call that shows a view into a Refusal, if the person can do something about it.
func shown(err error) error {
	if slackcall.TooLate(err) {
		return oncall.Refuse("Slack waited too long for the form. Please try again.")
	}
	if err != nil {
		return fmt.Errorf("show a form: %w", err)
	}
	return nil
}

// reply answers a press. The answer appears in the modal with the button, in a new modal for a button
// on the home tab, or next to the message.
func (b *Bot) reply(listening context.Context, to slack.InteractionCallback, text string) {
	var err error
	ctx, cancel := context.WithTimeout(listening, maxEphemeralWait)
	defer cancel()
	switch to.View.Type {
	case slack.VTModal:
		err = b.updateModal(ctx, to.View, view.WithWarning(to.View, text))
	case slack.VTHomeTab:
		err = b.openModal(ctx, to.TriggerID, view.TextModal(text))
	default:
		b.postEphemeral(listening, to, text)
	}
	if err != nil && listening.Err() == nil {
		b.log.Warn().Err(err).Msg("could not answer a click")
	}
}
