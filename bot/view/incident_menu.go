package view

import (
	"strconv"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// What can be done with an incident, as buttons name it. The value of each button is the
// incident's id.
const (
	ActionAck      = "ack"
	ActionResolve  = "resolve"
	ActionUnack    = "unack"
	ActionReopen   = "reopen"
	ActionSnooze   = "snooze"
	ActionUnsnooze = "unsnooze"
	ActionEscalate = "escalate"
	ActionReassign = "reassign"
	ActionAsk      = "ask"
	ActionAccept   = "accept"
	ActionDecline  = "decline"
	ActionNote     = "note"
	ActionSeverity = "severity"
	ActionMerge    = "merge"
	ActionMore     = "more" // all of it, and what happens next
	ActionTimeline = "timeline"

	// actionMenu is the menu beside the buttons; its values are "snooze/12".
	ActionMenu = "incident_menu"
)

// A deed is something that can be done with an incident. Words that end in an ellipsis
// ask for more.
type deed struct{ do, label string }

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
		options[i] = optionObject(option{d.do + "/" + incidentValue(in.ID), d.label})
	}
	return slack.NewOverflowBlockElement(ActionMenu, options...)
}

func incidentValue(id oncall.IncidentID) string { return strconv.FormatInt(int64(id), 10) }

// buttons returns what can be done with an incident. Reader is the person whose direct
// message it is, "" in a channel: who was asked to help can answer that, and may have been paged
// by a step as well.
func buttons(in oncall.Incident, reader oncall.UserID) slack.Block {
	button := func(do, label string) *slack.ButtonBlockElement {
		return slack.NewButtonBlockElement(do, incidentValue(in.ID), plain(label))
	}
	var elements []slack.BlockElement
	if in.Status == oncall.Triggered {
		elements = append(elements, button(ActionAck, "Acknowledge").WithStyle(slack.StylePrimary))
	}
	if in.Open() && asked(in, reader) {
		elements = append(elements, button(ActionAccept, "Accept").WithStyle(slack.StylePrimary), button(ActionDecline, "Decline"))
	}
	if in.Open() {
		elements = append(elements, button(ActionResolve, "Resolve"))
	}
	return slack.NewActionBlock("incident", append(elements, menu(in))...)
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

func deedButton(d deed, id oncall.IncidentID) *slack.ButtonBlockElement {
	return slack.NewButtonBlockElement(d.do, incidentValue(id), plain(d.label))
}
