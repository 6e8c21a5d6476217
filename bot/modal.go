package bot

import (
	"context"
	"fmt"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

// modals are the handlers of the forms that people send. A view's private metadata holds ids
// and nothing else, so everything is loaded, and every permission checked, again. A Refusal
// is shown inside the form, which stays open with what was typed.
var modals = map[view.Modal]func(b *Bot, ctx context.Context, s submission) (modalResponse, error){
	view.ModalOverride:        (*Bot).submitOverride,
	view.ModalAway:            (*Bot).submitAway,
	view.ModalSwap:            (*Bot).submitSwap,
	view.ModalCover:           (*Bot).submitCover,
	view.ModalCoverPart:       (*Bot).submitPart,
	view.ModalScheduleChoice:  (*Bot).submitScheduleChoice,
	view.ModalScheduleNew:     (*Bot).submitNewSchedule,
	view.ModalScheduleRemove:  (*Bot).submitScheduleRemove,
	view.ModalScheduleRestore: (*Bot).submitRestore,
	view.ModalRotation:        (*Bot).submitRotation,
	view.ModalRotationRemove:  (*Bot).submitRotationRemove,
	view.ModalRotateKey:       (*Bot).submitRotate,
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
	view.ModalMerge:           submitActs(readMerge),
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
}

// A submission is what a person sends with a modal.
type submission struct {
	user    oncall.UserID
	trigger string
	view    slack.View
	form    form
}

// by is who sent it.
func (s submission) by() oncall.Actor { return oncall.ByUser(s.user) }

// meta is the ids that the view carries.
func (s submission) meta() string { return s.view.PrivateMetadata }

// A modalResponse is what happens to the view that was sent. The zero one closes it, and shows
// the one below.
type modalResponse struct{ slack.ViewSubmissionResponse }

// closeAll closes the whole stack of views.
func closeAll() modalResponse { return modalResponse{*slack.NewClearViewSubmissionResponse()} }

// fieldErrors say why the value of an input can't be used, by block id.
type fieldErrors map[view.Block]string

// longestError is how much is said beside an input; it may quote what was typed.
const longestError = 500

// correct shows mistakes beside the inputs.
func correct(wrong fieldErrors) modalResponse {
	errors := map[string]string{}
	for block, why := range wrong {
		errors[string(block)] = view.CutPlain(why, longestError)
	}
	return modalResponse{*slack.NewErrorsViewSubmissionResponse(errors)}
}

// replace puts another view in the place of the one that was sent.
func replace(v slack.ModalViewRequest) modalResponse {
	return modalResponse{*slack.NewUpdateViewSubmissionResponse(&v)}
}

// payload is what the acknowledgement carries.
func (m modalResponse) payload() any {
	if m.ResponseAction == "" {
		return nil
	}
	return m.ViewSubmissionResponse
}

// submitted handles a modal that a person has sent.
func (b *Bot) submitted(ctx context.Context, c slack.InteractionCallback) (modalResponse, error) {
	submit, known := modals[view.Modal(c.View.CallbackID)]
	if !known {
		return modalResponse{}, oncall.Refuse("This version of Watchbill doesn't know that form, and nothing was changed.")
	}
	return submit(b, ctx, submission{
		user: oncall.UserID(c.User.ID), trigger: c.TriggerID, view: c.View, form: formOf(c.View),
	})
}

// openModal opens a view for a person who has just typed or pressed something.
func (b *Bot) openModal(ctx context.Context, trigger string, v slack.ModalViewRequest) error {
	return shown(b.slack.OpenView(ctx, trigger, v))
}

// pushModal opens a view on top of the one in which a button was pressed.
func (b *Bot) pushModal(ctx context.Context, trigger string, v slack.ModalViewRequest) error {
	return shown(b.slack.PushView(ctx, trigger, v))
}

// updateModal redraws an open view, unless it has changed since the person acted in it.
func (b *Bot) updateModal(ctx context.Context, old slack.View, v slack.ModalViewRequest) error {
	return shown(b.slack.UpdateView(ctx, old, v))
}

// shown turns an error of showing a view into a Refusal, if the person can do something about it.
func shown(err error) error {
	if slackcall.TooLate(err) {
		return oncall.Refuse("Slack waited too long for the form. Please try again.")
	}
	if err != nil {
		return fmt.Errorf("show a form: %w", err)
	}
	return nil
}

// reply tells a person who pressed a button something: in the modal with the button, in a
// new modal if the button was on the home tab, or beside the message.
func (b *Bot) reply(listening context.Context, to slack.InteractionCallback, text string) {
	var err error
	ctx, cancel := context.WithTimeout(listening, longestWhisper)
	defer cancel()
	switch to.View.Type {
	case slack.VTModal:
		err = b.updateModal(ctx, to.View, view.Saying(to.View, text))
	case slack.VTHomeTab:
		err = b.openModal(ctx, to.TriggerID, view.TextModal(text))
	default:
		b.whisper(listening, to, text)
	}
	if err != nil && listening.Err() == nil {
		b.log.Warn().Err(err).Msg("a click could not be answered")
	}
}
