package view

import (
	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// An offer is something that can be done with an incident. A label that ends in an ellipsis
// leads to a form.
type offer struct {
	does  Action
	label string
}

// offers are what can be done with an incident beside its buttons, most wanted first.
func offers(in oncall.Incident) []offer {
	var own []offer
	switch in.Status {
	case oncall.Triggered:
		own = []offer{
			{ActionSnooze, "Snooze…"},
			{ActionEscalate, "Escalate now"},
			{ActionReassign, "Reassign…"},
			{ActionAsk, "Add responders…"},
			{ActionNote, "Add a note…"},
		}
		if len(in.Acks) > 0 { // but more people must
			own = append(own, offer{ActionUnack, "Un-acknowledge"})
		}
	case oncall.Acknowledged:
		if in.AckAsked && !in.AckAgain { // while the owner gives no answer, somebody else may take it
			own = []offer{{ActionStillOn, "Still on it"}, {ActionAck, "Take it over"}}
		}
		own = append(own, []offer{
			{ActionSnooze, "Snooze…"},
			{ActionReassign, "Reassign…"},
			{ActionAsk, "Add responders…"},
			{ActionNote, "Add a note…"},
			{ActionUnack, "Un-acknowledge"},
			{ActionEscalate, "Escalate now"},
		}...)
	case oncall.Snoozed:
		own = []offer{
			{ActionAck, "Acknowledge"},
			{ActionSnooze, "Snooze for another time…"},
			{ActionAsk, "Add responders…"},
			{ActionNote, "Add a note…"},
			{ActionReassign, "Reassign…"},
			{ActionEscalate, "Escalate now"},
		}
	case oncall.Resolved:
		if in.MergedInto == 0 {
			own = append(own, offer{ActionReopen, "Reopen"})
		}
		if in.MergedInto == 0 {
			own = append(own, offer{ActionVerdictForm, "What was it, what helped…"})
		}
		return append(own, offer{ActionNote, "Add a note…"}, offer{ActionTimeline, "Timeline"})
	}
	return append(own,
		offer{ActionSeverity, "Change the severity…"}, offer{ActionMerge, "Merge or link…"}, offer{ActionTimeline, "Timeline"})
}

// maxMenu is how many options a menu beside buttons may have. A select may have more, but it
// keeps its choice, and Slack doesn't report when people choose the same again.
const maxMenu = 5

// menu offers what people want most; its last option leads to the rest.
func menu(in oncall.Incident) slack.BlockElement {
	offered := offers(in)
	if len(offered) > maxMenu {
		offered = append(offered[:maxMenu-1:maxMenu-1], offer{ActionMore, "Details, what happens next, and more…"})
	}
	options := make([]*slack.OptionBlockObject, len(offered))
	for i, o := range offered {
		options[i] = optionObject(option{string(o.does) + "/" + valueOf(in.ID), o.label})
	}
	return slack.NewOverflowBlockElement(string(ActionMenu), options...)
}

// buttons are what can be done with an incident, with the rest in a menu.
func buttons(in oncall.Incident, reader oncall.UserID) slack.Block {
	return slack.NewActionBlock("incident", append(mainButtons(in, reader), menu(in))...)
}

// mainButtons are what is done with an incident most. Reader is the person who sees them,
// "" in a channel: whoever was asked to help can answer that, and may have been paged by
// a step as well.
func mainButtons(in oncall.Incident, reader oncall.UserID) []slack.BlockElement {
	id := valueOf(in.ID)
	var elements []slack.BlockElement
	if in.Status == oncall.Triggered || in.AckAgain {
		elements = append(elements, button(ActionAck, id, "Acknowledge").WithStyle(slack.StylePrimary))
	}
	if in.Status == oncall.Snoozed {
		elements = append(elements, button(ActionUnsnooze, id, "End the snooze"))
	}
	if in.Open() && asked(in, reader) {
		elements = append(elements, button(ActionAccept, id, "Accept").WithStyle(slack.StylePrimary), button(ActionDecline, id, "Decline"))
	}
	if in.Open() {
		elements = append(elements, button(ActionResolve, id, "Resolve"))
	}
	return elements
}

// asked reports whether a person was asked to help and has not answered.
func asked(in oncall.Incident, user oncall.UserID) bool {
	for _, r := range in.Responders {
		if r.User == user && user != "" {
			return r.State == oncall.ResponderAsked
		}
	}
	return false
}
