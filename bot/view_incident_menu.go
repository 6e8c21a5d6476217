package bot

import (
	"strconv"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// What can be done with an incident, as buttons name it. The value of each button is the
// incident's id.
const (
	actionAck      = "ack"
	actionResolve  = "resolve"
	actionUnack    = "unack"
	actionReopen   = "reopen"
	actionSnooze   = "snooze"
	actionUnsnooze = "unsnooze"
	actionEscalate = "escalate"
	actionReassign = "reassign"
	actionAsk      = "ask"
	actionAccept   = "accept"
	actionDecline  = "decline"
	actionNote     = "note"
	actionSeverity = "severity"
	actionMerge    = "merge"
	actionMore     = "more" // all of it, and what happens next
	actionTimeline = "timeline"

	// actionMenu is the menu beside the buttons; its values are "snooze/12".
	actionMenu = "incident_menu"
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
			{actionSnooze, "Snooze…"},
			{actionEscalate, "Escalate now"},
			{actionReassign, "Reassign…"},
			{actionAsk, "Add responders…"},
			{actionNote, "Add a note…"},
		}
		if len(in.Acks) > 0 { // more must
			own = append(own, deed{actionUnack, "Un-acknowledge"})
		}
	case oncall.Acknowledged:
		if in.AckAsked { // whom the owner leaves without an answer may take it
			own = []deed{{actionStillOn, "Still on it"}, {actionAck, "Take it over"}}
		}
		own = append(own, []deed{
			{actionSnooze, "Snooze…"},
			{actionReassign, "Reassign…"},
			{actionAsk, "Add responders…"},
			{actionNote, "Add a note…"},
			{actionUnack, "Un-acknowledge"},
			{actionEscalate, "Escalate now"},
		}...)
	case oncall.Snoozed:
		own = []deed{
			{actionUnsnooze, "End the snooze"},
			{actionAck, "Acknowledge"},
			{actionSnooze, "Snooze for another time…"},
			{actionReassign, "Reassign…"},
			{actionAsk, "Add responders…"},
			{actionNote, "Add a note…"},
			{actionEscalate, "Escalate now"},
		}
	case oncall.Resolved:
		if in.MergedInto == 0 {
			own = append(own, deed{actionReopen, "Reopen"})
		}
		return append(own, deed{actionNote, "Add a note…"}, deed{actionTimeline, "Timeline"})
	}
	return append(own,
		deed{actionSeverity, "Change the severity…"}, deed{actionMerge, "Merge or link…"}, deed{actionTimeline, "Timeline"})
}

// maxMenu is how many options a menu beside buttons may have. A list to choose from may
// have more, but Slack keeps the choice in it, and who chooses the same again is not heard.
const maxMenu = 5

// menu offers what is wanted most; the rest is behind its last option.
func menu(in oncall.Incident) slack.BlockElement {
	offered := deeds(in)
	if len(offered) > maxMenu {
		offered = append(offered[:maxMenu-1:maxMenu-1], deed{actionMore, "What happens next, and more…"})
	}
	options := make([]*slack.OptionBlockObject, len(offered))
	for i, d := range offered {
		options[i] = optionObject(option{d.do + "/" + incidentValue(in.ID), d.label})
	}
	return slack.NewOverflowBlockElement(actionMenu, options...)
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
		elements = append(elements, button(actionAck, "Acknowledge").WithStyle(slack.StylePrimary))
	}
	if in.Open() && asked(in, reader) {
		elements = append(elements, button(actionAccept, "Accept").WithStyle(slack.StylePrimary), button(actionDecline, "Decline"))
	}
	if in.Open() {
		elements = append(elements, button(actionResolve, "Resolve"))
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
