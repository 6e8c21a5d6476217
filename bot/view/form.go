package view

import (
	"strconv"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// blockMessage is the block in which a form says why it is still open.
const blockMessage = "said"

// WithWarning returns a submitted view with a sentence on top.
func WithWarning(v slack.View, text string) slack.ModalViewRequest {
	message := slack.NewSectionBlock(words(":warning: "+text), nil, nil, slack.SectionBlockOptionBlockID(blockMessage))
	blocks := []slack.Block{message}
	for _, block := range v.Blocks.BlockSet {
		if block.ID() != blockMessage {
			blocks = append(blocks, block)
		}
	}
	return redrawn(v, blocks)
}

// AnsweredModal returns an open view in which an answer takes the place of the pressed button.
func AnsweredModal(v slack.View, actionID, answer string) slack.ModalViewRequest {
	blocks, _ := Answered(v.Blocks.BlockSet, actionID, answer)
	return redrawn(v, blocks)
}

// Answered returns blocks in which an answer takes the place of the pressed button, and whether they have that button.
func Answered(blocks []slack.Block, actionID, answer string) ([]slack.Block, bool) {
	var out []slack.Block
	found := false
	for _, block := range blocks {
		actions, ok := block.(*slack.ActionBlock)
		if !ok || actions.Elements == nil {
			out = append(out, block)
			continue
		}
		left := *actions
		left.Elements = &slack.BlockElements{}
		for _, e := range actions.Elements.ElementSet {
			if b, ok := e.(*slack.ButtonBlockElement); !ok || b.ActionID != actionID {
				left.Elements.ElementSet = append(left.Elements.ElementSet, e)
			}
		}
		if len(left.Elements.ElementSet) > 0 {
			out = append(out, &left)
		}
		if len(left.Elements.ElementSet) < len(actions.Elements.ElementSet) {
			found = true
			out = append(out, section(answer))
		}
	}
	return out, found
}

// redrawn returns an open view with other blocks.
func redrawn(v slack.View, blocks []slack.Block) slack.ModalViewRequest {
	return slack.ModalViewRequest{
		Type: slack.VTModal, Title: v.Title, Close: v.Close, Submit: v.Submit, Blocks: slack.Blocks{BlockSet: blocks},
		PrivateMetadata: v.PrivateMetadata, CallbackID: v.CallbackID, ClearOnClose: v.ClearOnClose,
		NotifyOnClose: v.NotifyOnClose,
	}
}

// dialog draws a modal that can be submitted.
func dialog(is Modal, title, submit, meta string, blocks ...slack.Block) slack.ModalViewRequest {
	v := buttonModal(is, title, meta, blocks...)
	v.Submit, v.Close = plain(submit), plain("Cancel")
	return v
}

// buttonModal draws a modal that can't be submitted, but whose buttons get its metadata.
func buttonModal(is Modal, title, meta string, blocks ...slack.Block) slack.ModalViewRequest {
	v := readOnly(title, blocks...)
	v.CallbackID, v.PrivateMetadata = string(is), meta
	return v
}

// readOnly draws a modal that can only be closed.
func readOnly(title string, blocks ...slack.Block) slack.ModalViewRequest {
	return slack.ModalViewRequest{
		Type: slack.VTModal, Title: plain(title), Close: plain("Close"), Blocks: slack.Blocks{BlockSet: blocks},
	}
}

// field draws a labelled input. Its element's action id is the block id.
func field(block Block, label, hint string, element slack.BlockElement) *slack.InputBlock {
	var below *slack.TextBlockObject
	if hint != "" {
		below = plain(hint)
	}
	return slack.NewInputBlock(string(block), plain(label), below, element)
}

// optional makes an input optional.
func optional(in *slack.InputBlock) *slack.InputBlock {
	in.Optional = true
	return in
}

// maxInitial is the maximum length of an input's initial text.
const maxInitial = 3000

// textField draws a one-line text input.
func textField(block Block, label, hint, initial string) *slack.InputBlock {
	e := slack.NewPlainTextInputBlockElement(nil, string(block))
	e.InitialValue = CutPlain(initial, maxInitial)
	return field(block, label, hint, e)
}

// instantField draws a date and time input, in the zone of the reader's device.
func instantField(block Block, label, hint string, initial time.Time) *slack.InputBlock {
	e := slack.NewDateTimePickerBlockElement(string(block))
	if !initial.IsZero() {
		e.InitialDateTime = initial.Unix()
	}
	return field(block, label, hint, e)
}

// userField draws a choice of one person.
func userField(block Block, label, hint string, initial oncall.UserID) *slack.InputBlock {
	e := slack.NewOptionsSelectBlockElement(slack.OptTypeUser, nil, string(block))
	e.InitialUser = string(initial)
	return field(block, label, hint, e)
}

// An option is a choice: its value, and what the person reads.
type option struct{ Value, label string }

func optionObject(o option) *slack.OptionBlockObject {
	return slack.NewOptionBlockObject(o.Value, plain(CutPlain(stripControls(o.label), maxOption)), nil)
}

// maxOption is the maximum length of an option's label.
const maxOption = 75

// maxOptions is the maximum number of options.
const maxOptions = 100

// choiceField draws a choice of one option. Slack refuses a choice without options.
func choiceField(block Block, label, hint, initial string, options []option) *slack.InputBlock {
	return field(block, label, hint, selected(Action(block), initial, options[:min(len(options), maxOptions)]))
}

// areaField draws a multi-line text input.
func areaField(block Block, label, hint, initial string) *slack.InputBlock {
	e := slack.NewPlainTextInputBlockElement(nil, string(block)).WithMultiline(true)
	e.InitialValue = CutPlain(initial, maxInitial)
	return field(block, label, hint, e)
}

// usersField draws a choice of several people.
func usersField(block Block, label, hint string) *slack.InputBlock {
	return field(block, label, hint, slack.NewOptionsMultiSelectBlockElement(slack.MultiOptTypeUser, nil, string(block)))
}

// checkField draws checkboxes.
func checkField(block Block, label, hint string, options ...option) *slack.InputBlock {
	objects := make([]*slack.OptionBlockObject, len(options))
	for i, o := range options {
		objects[i] = optionObject(o)
	}
	return field(block, label, hint, slack.NewCheckboxGroupsBlockElement(string(block), objects...))
}

// selected draws a menu next to buttons, outside of an input.
func selected(does Action, initial string, options []option) *slack.SelectBlockElement {
	e := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, nil, string(does))
	for _, o := range options {
		object := optionObject(o)
		e.Options = append(e.Options, object)
		if o.Value == initial {
			e.InitialOption = object
		}
	}
	return e
}

// TextModal draws a text as a modal.
func TextModal(text string) slack.ModalViewRequest { return readOnly("Watchbill", section(text)) }

// valueOf returns an id as the value of a button or option.
func valueOf[ID ~int64](id ID) string { return strconv.FormatInt(int64(id), 10) }

func button(does Action, value, label string) *slack.ButtonBlockElement {
	return slack.NewButtonBlockElement(string(does), value, plain(label))
}
