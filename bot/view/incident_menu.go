package view

import (
	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// A menuItem is an action on an incident. A label that ends in an ellipsis opens a form.
type menuItem struct {
	does  Action
	label string
}

// menuItems returns the actions on an incident besides its buttons, most wanted first.
func menuItems(in oncall.Incident) []menuItem {
	var own []menuItem
	switch in.Status {
	case oncall.Triggered:
		own = []menuItem{
			{ActionSnooze, "Snooze…"},
			{ActionEscalate, "Escalate now"},
			{ActionReassign, "Reassign…"},
			{ActionAsk, "Add responders…"},
			{ActionNote, "Add a note…"},
		}
		if len(in.Acks) > 0 { // more people must acknowledge
			own = append(own, menuItem{ActionUnack, "Un-acknowledge"})
		}
	case oncall.Acknowledged:
		if in.AckAsked && !in.AckAgain { // while the owner doesn't answer, somebody else may take it
			own = []menuItem{{ActionStillOn, "Still on it"}, {ActionAck, "Take it over"}}
		}
		own = append(own, []menuItem{
			{ActionSnooze, "Snooze…"},
			{ActionReassign, "Reassign…"},
			{ActionAsk, "Add responders…"},
			{ActionNote, "Add a note…"},
			{ActionUnack, "Un-acknowledge"},
			{ActionEscalate, "Escalate now"},
		}...)
	case oncall.Snoozed:
		own = []menuItem{
			{ActionAck, "Acknowledge"},
			{ActionSnooze, "Snooze for another time…"},
			{ActionAsk, "Add responders…"},
			{ActionNote, "Add a note…"},
			{ActionReassign, "Reassign…"},
			{ActionEscalate, "Escalate now"},
		}
	case oncall.Resolved:
		if in.MergedInto == 0 {
			own = append(own, menuItem{ActionReopen, "Reopen"})
		}
		if in.MergedInto == 0 {
			own = append(own, menuItem{ActionVerdictForm, "What was it, what helped…"})
		}
		own = append(own, menuItem{ActionNote, "Add a note…"}, menuItem{ActionTimeline, "Timeline"})
		if in.MergedInto == 0 {
			own = append(own, menuItem{ActionReview, "Draft a review"}, menuItem{ActionReviewAdd, "Add an action…"}, menuItem{ActionUpdate, "Post an update…"})
		}
		return own
	}
	if in.Channel == nil || in.Channel.Archived {
		own = append(own, menuItem{ActionChannel, "Open a channel for it"})
	}
	return append(own,
		menuItem{ActionUpdate, "Post an update…"}, menuItem{ActionSeverity, "Change the severity…"}, menuItem{ActionMerge, "Merge or link…"}, menuItem{ActionTimeline, "Timeline"})
}

// maxMenu is the maximum number of options in a menu next to buttons. A select could have more, but it keeps
// its choice, and Slack doesn't report it when people choose the same again.
const maxMenu = 5

// menu draws the most wanted actions; its last option leads to the rest.
func menu(in oncall.Incident) slack.BlockElement {
	offered := menuItems(in)
	if len(offered) > maxMenu {
		offered = append(offered[:maxMenu-1:maxMenu-1], menuItem{ActionMore, "Details, what happens next, and more…"})
	}
	options := make([]*slack.OptionBlockObject, len(offered))
	for i, o := range offered {
		options[i] = optionObject(option{string(o.does) + "/" + valueOf(in.ID), o.label})
	}
	return slack.NewOverflowBlockElement(string(ActionMenu), options...)
}

// buttons draws the actions on an incident, the less usual ones in a menu.
func buttons(in oncall.Incident, reader oncall.UserID) slack.Block {
	return slack.NewActionBlock("incident", append(mainButtons(in, reader), menu(in))...)
}

// mainButtons returns the most used actions on an incident. reader is the person who sees them, empty in a
// channel: a person who was asked to help can answer that, and may also have been paged by a step.
func mainButtons(in oncall.Incident, reader oncall.UserID) []slack.BlockElement {
	id := valueOf(in.ID)
	var elements []slack.BlockElement
	if in.Status == oncall.Triggered || in.AckAgain {
		elements = append(elements, button(ActionAck, id, "Acknowledge").WithStyle(slack.StylePrimary))
	}
	if in.Status == oncall.Snoozed {
		elements = append(elements, button(ActionUnsnooze, id, "End the snooze"))
	}
	if in.Open() && isAsked(in, reader) {
		elements = append(elements, button(ActionAccept, id, "Accept").WithStyle(slack.StylePrimary), button(ActionDecline, id, "Decline"))
	}
	if in.Open() {
		elements = append(elements, button(ActionResolve, id, "Resolve"))
	}
	return elements
}

// isAsked reports whether a person was asked to help and has not answered.
func isAsked(in oncall.Incident, user oncall.UserID) bool {
	for _, r := range in.Responders {
		if r.User == user && user != "" {
			return r.State == oncall.ResponderAsked
		}
	}
	return false
}
