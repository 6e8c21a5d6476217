package view

import (
	"strconv"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// blockSaid is where a form says why it is still open.
const blockSaid = "said"

// Saying is the view as it was sent, with a sentence on top.
func Saying(v slack.View, text string) slack.ModalViewRequest {
	said := slack.NewSectionBlock(words(":warning: "+text), nil, nil, slack.SectionBlockOptionBlockID(blockSaid))
	blocks := []slack.Block{said}
	for _, block := range v.Blocks.BlockSet {
		if block.ID() != blockSaid {
			blocks = append(blocks, block)
		}
	}
	return slack.ModalViewRequest{
		Type: slack.VTModal, Title: v.Title, Close: v.Close, Submit: v.Submit, Blocks: slack.Blocks{BlockSet: blocks},
		PrivateMetadata: v.PrivateMetadata, CallbackID: v.CallbackID, ClearOnClose: v.ClearOnClose,
		NotifyOnClose: v.NotifyOnClose,
	}
}

// dialog draws a modal that can be sent.
func dialog(is Modal, title, submit, meta string, blocks ...slack.Block) slack.ModalViewRequest {
	v := buttonSheet(is, title, meta, blocks...)
	v.Submit, v.Close = plain(submit), plain("Cancel")
	return v
}

// buttonSheet draws a modal that can't be sent, but whose buttons know what it carries.
func buttonSheet(is Modal, title, meta string, blocks ...slack.Block) slack.ModalViewRequest {
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

// field is one labelled input. The action id of its element is the block's id.
func field(block Block, label, hint string, element slack.BlockElement) *slack.InputBlock {
	var below *slack.TextBlockObject
	if hint != "" {
		below = plain(hint)
	}
	return slack.NewInputBlock(string(block), plain(label), below, element)
}

// optional lets an input be left empty.
func optional(in *slack.InputBlock) *slack.InputBlock {
	in.Optional = true
	return in
}

// maxInitial is how long the text may be that an input begins with.
const maxInitial = 3000

// textField is a line to type into.
func textField(block Block, label, hint, initial string) *slack.InputBlock {
	e := slack.NewPlainTextInputBlockElement(nil, string(block))
	e.InitialValue = CutPlain(initial, maxInitial)
	return field(block, label, hint, e)
}

// instantField is a date and a time, in the zone of the reader's device.
func instantField(block Block, label, hint string, initial time.Time) *slack.InputBlock {
	e := slack.NewDateTimePickerBlockElement(string(block))
	if !initial.IsZero() {
		e.InitialDateTime = initial.Unix()
	}
	return field(block, label, hint, e)
}

// userField is a choice of one person.
func userField(block Block, label, hint string, initial oncall.UserID) *slack.InputBlock {
	e := slack.NewOptionsSelectBlockElement(slack.OptTypeUser, nil, string(block))
	e.InitialUser = string(initial)
	return field(block, label, hint, e)
}

// An option is one thing to choose: its value, and what the person reads.
type option struct{ Value, label string }

func optionObject(o option) *slack.OptionBlockObject {
	return slack.NewOptionBlockObject(o.Value, plain(CutPlain(unfooled(o.label), maxOption)), nil)
}

// maxOption is how long the words of an option may be.
const maxOption = 75

// maxOptions is how many of them a choice may have.
const maxOptions = 100

// choiceField is a choice of one option. Slack refuses a choice without options.
func choiceField(block Block, label, hint, initial string, options []option) *slack.InputBlock {
	return field(block, label, hint, selected(Action(block), initial, options[:min(len(options), maxOptions)]))
}

// areaField is several lines to type into.
func areaField(block Block, label, hint, initial string) *slack.InputBlock {
	e := slack.NewPlainTextInputBlockElement(nil, string(block)).WithMultiline(true)
	e.InitialValue = CutPlain(initial, maxInitial)
	return field(block, label, hint, e)
}

// usersField is a choice of several people.
func usersField(block Block, label, hint string) *slack.InputBlock {
	return field(block, label, hint, slack.NewOptionsMultiSelectBlockElement(slack.MultiOptTypeUser, nil, string(block)))
}

// checkField is options of which any number can be ticked.
func checkField(block Block, label, hint string, options ...option) *slack.InputBlock {
	objects := make([]*slack.OptionBlockObject, len(options))
	for i, o := range options {
		objects[i] = optionObject(o)
	}
	return field(block, label, hint, slack.NewCheckboxGroupsBlockElement(string(block), objects...))
}

// selected is a choice of one option that stands beside buttons, and not in an input.
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

// TextModal says something where no form is open to say it in.
func TextModal(text string) slack.ModalViewRequest { return readOnly("Watchbill", section(text)) }

// valueOf is an id as the value of a button or an option.
func valueOf[ID ~int64](id ID) string { return strconv.FormatInt(int64(id), 10) }

func button(does Action, value, label string) *slack.ButtonBlockElement {
	return slack.NewButtonBlockElement(string(does), value, plain(label))
}
