package view

import (
	"fmt"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// LinkedChannel returns the incident's own channel; empty if it has none.
func LinkedChannel(in oncall.Incident) string {
	if in.Channel == nil || in.Channel.ID == "" || in.Channel.Archived {
		return ""
	}
	return "<#" + in.Channel.ID + ">"
}

// ChannelGreeting begins an incident's own channel. Address is where the incident's message is; it may be empty.
func ChannelGreeting(p oncall.Picture, address string) Drawing {
	in := p.Incident
	message := "Its message"
	if address != "" {
		message = link(address, message)
	}
	text := fmt.Sprintf("%s\n%s\nThis channel is for those who work on it. %s stays where it is, with its buttons, its pages and its timeline: "+
		"notes belong there, or are typed here as `/oncall note …`: commands need no number here. A day after it is resolved, this channel is archived.",
		bold(fmt.Sprintf("%s %s:", in.ID, severityName(in.Severity)), titleOf(in), in.Link), standing(p), message)
	if links := linkLine(rootLinks(p), maxRootLinks, maxBody); links != "" {
		text += "\n" + links
	}
	return Text(text)
}

// ChannelLines says in an incident's own channel what people did, a sentence a line. Its text is empty if there is nothing to say.
func ChannelLines(events []oncall.Event) Drawing {
	text, _ := threadText(events)
	if text == "" {
		return Drawing{}
	}
	return Text(text)
}

// ChannelEnd ends an incident's own channel.
func ChannelEnd(p oncall.Picture) Drawing {
	in := p.Incident
	d := Text(fmt.Sprintf("%s %s resolved %s. This channel is archived in a day, unless it is reopened before.", statuses[oncall.Resolved].emoji, actorName(in.ResolvedBy), in.ID))
	d.Blocks = append(d.Blocks, slack.NewActionBlock("review", button(ActionReview, valueOf(in.ID), "Draft a review")))
	return d
}

// HasChannel says where an incident's own channel is.
func HasChannel(in oncall.Incident) string {
	return fmt.Sprintf("%s has a channel of its own: %s", in.ID, LinkedChannel(in))
}

// ChannelComes says that an incident's own channel is being made.
func ChannelComes(id oncall.IncidentID) string {
	return fmt.Sprintf("%s gets a channel of its own. The thread of its message says which, and whoever was paged is let in.", id)
}

// channelLine describes an event of an incident's own channel.
func channelLine(e oncall.Event) string {
	switch {
	case e.Kind == oncall.EventChannelAsked:
		return fmt.Sprintf("%s wants a channel for it.", actorName(e.Actor))
	case e.Kind == oncall.EventChannelArchived:
		return "Its channel was archived."
	case e.Kind == oncall.EventChannelFailed:
		return "It can't have a channel of its own. " + Foreign(e.Detail.Text, maxTitle)
	case len(e.Detail.To) > 0:
		return fmt.Sprintf("Its channel: <#%s>.", Name(e.Detail.To[0]))
	}
	return ""
}
