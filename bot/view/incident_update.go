package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// UpdateForm asks what to tell people who don't work on the incident, and in which of the team's channels.
func (ov IncidentOverview) UpdateForm() slack.ModalViewRequest {
	e := slack.NewPlainTextInputBlockElement(nil, string(BlockText))
	e.Multiline, e.MaxLength = true, MaxTyped
	if len(ov.Updates) == 0 {
		return ov.form(ModalUpdate, "Post an update", "Post", field(BlockText, "Update", "What doesn't work, what you do, when people hear more.", e),
			note("It goes into the incident's thread, and into its own channel if it has one: the team has no channels for updates yet. Its managers name them in `/oncall setup`, in the team's form."))
	}
	to := checkField(BlockUpdateTo, "To", "", ov.Updates...)
	boxes, _ := to.Element.(*slack.CheckboxGroupsBlockElement)
	boxes.InitialOptions = boxes.Options
	return ov.form(ModalUpdate, "Post an update", "Post",
		field(BlockText, "Update", "For people who don't work on it: what doesn't work, what you do, when they hear more.", e), to)
}

// UpdateOptions returns the channels that a team's updates may go to. Called returns the name of a channel by its id.
func UpdateOptions(channels []string, called func(id string) string) []option {
	var options []option
	for _, c := range channels[:min(len(channels), oncall.MaxUpdateChannels)] {
		label := c
		if name := called(c); name != "" {
			label = "#" + strings.TrimPrefix(name, "#")
		}
		options = append(options, option{c, label})
	}
	return options
}

// UpdatePosted says where an update was posted. Edits offers to choose channels where the team has none.
func UpdatePosted(p oncall.Picture, address string, edits bool) Drawing {
	in, team := p.Incident, p.Team
	id := link(address, in.ID.String())
	own := ""
	if c := in.Channel; c != nil && c.ID != "" && !c.Archived && (c.Private || !team.Private) {
		own = channelWord(c.ID)
	}
	if len(team.Updates) > 0 {
		var to []string
		if own != "" {
			to = append(to, own)
		}
		for _, c := range team.Updates {
			to = append(to, channelWord(c))
		}
		return Text(fmt.Sprintf("Update %d on %s. Posted in %s.", in.Updates, id, List(to)))
	}
	text := fmt.Sprintf("Update %d. Only in the thread of %s", in.Updates, id)
	if own != "" {
		text = fmt.Sprintf("Update %d on %s. Posted in %s alone", in.Updates, id, own)
	}
	text += ": " + Name(team.Name) + " has no channels for updates yet."
	if !edits {
		return Text(text + " Its managers name them in `/oncall setup`.")
	}
	d := Text(text)
	d.Blocks = append(d.Blocks, slack.NewActionBlock("", button(ActionSetupTeam, team.Name, "Choose channels…")))
	return d
}

// drawUpdate draws an update for a channel.
func drawUpdate(n oncall.Notice) Drawing {
	facts := n.Detail
	status := statuses[facts.Status]
	var id string
	for _, in := range facts.Incidents {
		id = in.String()
	}
	head := fmt.Sprintf("Update %d on %s", facts.Count, id)
	text := foreignLines(facts.Note, maxSection-maxTitle-200, maxNoteLines)
	title := bold(head+":", Foreign(facts.Title, maxTitle), "")
	by := "team " + Name(facts.Team)
	if facts.By != "" {
		by = mention(facts.By) + " · " + by
	}
	return Drawing{
		Text:   fmt.Sprintf("%s: %s (%s). %s", head, Foreign(facts.Title, maxTitle), status.word, text),
		Blocks: []slack.Block{section(fmt.Sprintf("%s %s %s\n%s", title, status.emoji, status.word, text)), note(by + " · " + severityName(facts.Severity) + " severity")},
	}
}

// updateLine describes an update in the timeline.
func updateLine(e oncall.Event) string {
	var to []string
	for _, c := range slices.Compact(slices.Clone(e.Detail.To)) {
		to = append(to, channelWord(c))
	}
	where := ""
	if len(to) > 0 {
		where = " in " + List(to)
	}
	return fmt.Sprintf("%s posted update %d%s: %s", actorName(e.Actor), e.Detail.Count, where, foreignLines(e.Detail.Text, MaxTyped, maxNoteLines))
}
