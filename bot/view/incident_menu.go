package view

import (
	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// A deed is something that can be done with an incident. Words that end in an ellipsis
// ask for more.
type deed struct {
	do    Action
	label string
}

// deeds are what can be done with an incident beside its buttons, what is wanted most first.
func deeds(in oncall.Incident) []deed {
	var own []deed
	switch in.Status {
	case oncall.Triggered:
		own = []deed{
			{ActionSnooze, "Snooze…"},
			{ActionEscalate, "Escalate now"},
			{ActionReassign, "Reassign…"},
			{ActionAsk, "Add responders…"},
			{ActionNote, "Add a note…"},
		}
		if len(in.Acks) > 0 { // more must
			own = append(own, deed{ActionUnack, "Un-acknowledge"})
		}
	case oncall.Acknowledged:
		if in.AckAsked { // whom the owner leaves without an answer may take it
			own = []deed{{ActionStillOn, "Still on it"}, {ActionAck, "Take it over"}}
		}
		own = append(own, []deed{
			{ActionSnooze, "Snooze…"},
			{ActionReassign, "Reassign…"},
			{ActionAsk, "Add responders…"},
			{ActionNote, "Add a note…"},
			{ActionUnack, "Un-acknowledge"},
			{ActionEscalate, "Escalate now"},
		}...)
	case oncall.Snoozed:
		own = []deed{
			{ActionUnsnooze, "End the snooze"},
			{ActionAck, "Acknowledge"},
			{ActionSnooze, "Snooze for another time…"},
			{ActionReassign, "Reassign…"},
			{ActionAsk, "Add responders…"},
			{ActionNote, "Add a note…"},
			{ActionEscalate, "Escalate now"},
		}
	case oncall.Resolved:
		if in.MergedInto == 0 {
			own = append(own, deed{ActionReopen, "Reopen"})
		}
		return append(own, deed{ActionNote, "Add a note…"}, deed{ActionTimeline, "Timeline"})
	}
	return append(own,
		deed{ActionSeverity, "Change the severity…"}, deed{ActionMerge, "Merge or link…"}, deed{ActionTimeline, "Timeline"})
}

// maxMenu is how many options a menu beside buttons may have. A list to choose from may
// have more, but Slack keeps the choice in it, and who chooses the same again is not heard.
const maxMenu = 5

// menu offers what is wanted most; the rest is behind its last option.
func menu(in oncall.Incident) slack.BlockElement {
	offered := deeds(in)
	if len(offered) > maxMenu {
		offered = append(offered[:maxMenu-1:maxMenu-1], deed{ActionMore, "What happens next, and more…"})
	}
	options := make([]*slack.OptionBlockObject, len(offered))
	for i, d := range offered {
		options[i] = optionObject(option{string(d.do) + "/" + valueOf(in.ID), d.label})
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
	if in.Status == oncall.Triggered {
		elements = append(elements, button(ActionAck, id, "Acknowledge").WithStyle(slack.StylePrimary))
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
