package bot

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/watchbill/watchbill/bot/view"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/oncall"
)

// A modal is what happens when a person sends one. Its view carries ids in its private
// metadata and nothing else: everything is loaded, and every permission checked, again.
type modal struct {
	submit func(b *Bot, ctx context.Context, s submission) (answer, error)
}

// modals are all of them by callback id. A Refusal is shown inside the modal, which
// stays open with what was typed.
var modals = map[string]modal{
	view.ModalOverride: {submit: (*Bot).submitOverride},
	view.ModalSwap:     {submit: (*Bot).submitSwap}, view.ModalCover: {submit: (*Bot).submitCover}, view.ModalCoverPart: {submit: (*Bot).submitPart},
	view.ModalScheduleChoice: {submit: (*Bot).submitScheduleChoice},
	view.ModalScheduleNew:    {submit: (*Bot).submitNewSchedule}, view.ModalScheduleRemove: {submit: (*Bot).submitScheduleRemove},
	view.ModalScheduleRestore: {submit: (*Bot).submitRestore}, view.ModalRotation: {submit: (*Bot).submitRotation},
	view.ModalRotationRemove: {submit: (*Bot).submitRotationRemove},
	view.ModalContactAdd:     {submit: (*Bot).submitContactAdd}, view.ModalCode: {submit: (*Bot).submitCode},
	view.ModalRules: {submit: (*Bot).submitRules}, view.ModalHours: {submit: (*Bot).submitHours},
	view.ModalSnooze: submitDeed(readSnooze), view.ModalReassign: submitDeed(readReassign), view.ModalAsk: submitDeed(readAsk),
	view.ModalNote: submitDeed(readNote), view.ModalSeverity: submitDeed(readSeverity), view.ModalMerge: submitDeed(readMerge),
}

// A submission is what a person sends with a modal.
type submission struct {
	user    oncall.UserID
	trigger string
	view    slack.View
	form    form
}

// meta is what the view carries: ids.
func (s submission) meta() string { return s.view.PrivateMetadata }

// A form is what the inputs of a view hold, by block id; every input is alone in its
// block.
type form map[string]map[string]slack.BlockAction

func formOf(v slack.View) form {
	if v.State == nil {
		return form{}
	}
	return v.State.Values
}

func (f form) input(block string) slack.BlockAction {
	for _, a := range f[block] {
		return a
	}
	return slack.BlockAction{}
}

// text is what was typed.
func (f form) text(block string) string { return f.input(block).Value }

// choice is the value of the option that was chosen, "" if none was.
func (f form) choice(block string) string { return f.input(block).SelectedOption.Value }

// number is the value of the option that was chosen, where it is an id; 0 if none was.
func (f form) number(block string) int64 {
	id, _ := strconv.ParseInt(f.choice(block), 10, 64) // no id is 0 as well
	return id
}

// checked reports whether the option with a value is ticked.
func (f form) checked(block, value string) bool {
	for _, o := range f.input(block).SelectedOptions {
		if o.Value == value {
			return true
		}
	}
	return false
}

// user is the person chosen, "" if nobody was.
func (f form) user(block string) oncall.UserID {
	return oncall.UserID(f.input(block).SelectedUser)
}

// instant is the date and time chosen, zero if none was.
func (f form) instant(block string) time.Time {
	if at := f.input(block).SelectedDateTime; at != 0 {
		return time.Unix(at, 0).UTC()
	}
	return time.Time{}
}

// An answer to a submission; the zero answer closes the view, and shows the one below.
type answer struct{ slack.ViewSubmissionResponse }

// closeAll closes the whole stack of views.
func closeAll() answer { return answer{*slack.NewClearViewSubmissionResponse()} }

// correct points at inputs, by block id, whose values can't be used.
func correct(errors map[string]string) answer {
	return answer{*slack.NewErrorsViewSubmissionResponse(errors)}
}

// replace puts another view in the place of the one that was sent.
func replace(v slack.ModalViewRequest) answer {
	return answer{*slack.NewUpdateViewSubmissionResponse(&v)}
}

// payload is what the acknowledgement carries.
func (a answer) payload() any {
	if a.ResponseAction == "" {
		return nil
	}
	return a.ViewSubmissionResponse
}

// submitted handles a modal that a person has sent.
func (b *Bot) submitted(ctx context.Context, c slack.InteractionCallback) (answer, error) {
	m, known := modals[c.View.CallbackID]
	if !known {
		return answer{}, oncall.Refuse("This version of Watchbill doesn't know that form, and nothing was changed.")
	}
	return m.submit(b, ctx, submission{
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

// shown turns the error of showing a view into what the person can do, if anything.
func shown(err error) error {
	if slackcall.TooLate(err) {
		return oncall.Refuse("Slack waited too long for the form. Please try again.")
	}
	if err != nil {
		return fmt.Errorf("show a form: %w", err)
	}
	return nil
}

// reply tells the person who pressed a button something: in the modal in which it was
// pressed, in a modal of its own if that was the home tab, or beside the message.
func (b *Bot) reply(listening context.Context, to slack.InteractionCallback, text string) {
	var err error
	ctx, cancel := context.WithTimeout(listening, longestWhisper)
	defer cancel()
	switch to.View.Type {
	case slack.VTModal:
		err = b.updateModal(ctx, to.View, view.Saying(to.View, text))
	case slack.VTHomeTab:
		err = b.openModal(ctx, to.TriggerID, view.DrawSaid(text))
	default:
		b.whisper(listening, to, text)
	}
	if err != nil && listening.Err() == nil {
		b.log.Warn().Err(err).Msg("a click could not be answered")
	}
}
