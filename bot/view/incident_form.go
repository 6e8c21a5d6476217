package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// MaxTyped is the maximum length of a note, in characters.
const MaxTyped = 2000

// Ends of a snooze that are not a duration.
const (
	SnoozeWork    = "work"
	SnoozeHandoff = "handoff"
)

// snoozes are the durations of a snooze, in the format of time.ParseDuration.
var snoozes = []option{
	{"30m", "30 minutes"},
	{"1h", "1 hour"},
	{"2h", "2 hours"},
	{"4h", "4 hours"},
	{"8h", "8 hours"},
	{"24h", "24 hours"},
	{SnoozeWork, "Until my next working hour"},
	{SnoozeHandoff, "Until the next hand-off"},
}

// form draws a form about an incident, with its title on top.
func (ov IncidentOverview) form(is Modal, title, submit string, blocks ...slack.Block) slack.ModalViewRequest {
	in := ov.Picture.Incident
	head := section(fmt.Sprintf("*%s* %s", in.ID, titleOf(in)))
	return dialog(is, title, submit, valueOf(in.ID), append([]slack.Block{head}, blocks...)...)
}

// SnoozeForm asks for how long; each button snoozes at once.
func (ov IncidentOverview) SnoozeForm() slack.ModalViewRequest {
	buttons := make([]slack.BlockElement, len(snoozes))
	for i, o := range snoozes {
		buttons[i] = button(ActionSnoozeFor, valueOf(ov.Picture.Incident.ID)+"/"+o.Value, o.label)
		buttons[i].(*slack.ButtonBlockElement).ActionID += "/" + o.Value // ids must be unique in a block
	}
	return ov.form(ModalSnooze, "Snooze", "Snooze",
		section("*For how long*"), slack.NewActionBlock("snoozes", buttons...),
		optional(instantField(BlockUntil, "Or until", "", time.Time{})),
		note("It stays quiet until then, even if the monitor clears it and it comes back. Then it is triggered again and pages from the first step."))
}

// SnoozedFor confirms a snooze in the form.
func SnoozedFor(p oncall.Picture) slack.ModalViewRequest {
	return readOnly("Snooze", section(IncidentText(p, "")), slack.NewActionBlock("", button(ActionUnsnooze, valueOf(p.Incident.ID), "End the snooze")))
}

// ReassignForm asks for the new assignee.
func (ov IncidentOverview) ReassignForm() slack.ModalViewRequest {
	blocks := []slack.Block{optional(userField(BlockPerson, "To a person", "They are paged at once.", ""))}
	if policies := policyOptions(ov.Policies, ov.Picture.Incident.TeamID, ov.Picture.Team.Private); len(policies) > 0 {
		blocks = append(blocks, optional(choiceField(BlockPolicy, "Or to an escalation policy", "It begins with its first step.", "", policies)))
	}
	return ov.form(ModalReassign, "Reassign", "Reassign", blocks...)
}

// AskForm asks whom to add as a responder, and for what.
func (ov IncidentOverview) AskForm() slack.ModalViewRequest {
	blocks := []slack.Block{optional(usersField(BlockPeople, "Who", "They are paged, and each accepts or declines for themselves."))}
	if len(ov.OnCall) > 0 {
		blocks = append(blocks, optional(choiceField(BlockOnCall, "Or whoever is on call in", "", "", ov.OnCall)))
	}
	return ov.form(ModalAsk, "Add responders", "Ask them", append(blocks, optional(textField(BlockText, "What for", "", "")))...)
}

// NoteForm asks for a note.
func (ov IncidentOverview) NoteForm() slack.ModalViewRequest {
	e := slack.NewPlainTextInputBlockElement(nil, string(BlockText))
	e.Multiline, e.MaxLength = true, MaxTyped
	return ov.form(ModalNote, "Note", "Add", field(BlockText, "Note", "It becomes a line of the timeline.", e))
}

// SeverityForm asks for the new severity.
func (ov IncidentOverview) SeverityForm() slack.ModalViewRequest {
	now := ov.Picture.Incident.Severity
	var options []option
	for _, severity := range oncall.Severities() {
		options = append(options, option{string(severity), severityWord(severity)})
	}
	return ov.form(ModalSeverity, "Severity", "Change", choiceField(BlockSeverity, "Severity", "", string(now), options))
}

// mergeKinds are the ways in which two incidents can be connected.
var mergeKinds = []option{
	{string(oncall.ActMerge), "Merge: this one closes and the other takes its alerts"},
	{string(oncall.ActLink), "Link: both go on and show each other"},
}

// MergeForm asks for the other incident.
func (ov IncidentOverview) MergeForm() slack.ModalViewRequest {
	if ov.Into != nil {
		blocks := append([]slack.Block{section("becomes part of\n" + incidentLine(*ov.Into, ""))}, mergeFields([]oncall.Incident{*ov.Into}, valueOf(ov.Into.ID), "")...)
		return ov.form(ModalMerge, "Merge or link", "Save", append(blocks, ov.mergePreview())...)
	}
	if len(ov.Others) == 0 {
		return readOnly("Merge or link", section("No other incident is open that this one can be merged or linked with."))
	}
	team := ov.Picture.Incident.TeamID
	others := slices.Clone(ov.Others)
	slices.SortStableFunc(others, func(a, b oncall.Incident) int {
		if (a.TeamID == team) != (b.TeamID == team) {
			return cmp.Compare(boolRank(a.TeamID != team), boolRank(b.TeamID != team))
		}
		return cmp.Compare(b.ID, a.ID)
	})
	hint := ""
	if len(others) > maxOptions {
		hint = fmt.Sprintf("The latest %d are here. For others: /oncall merge %d into 9", maxOptions, ov.Picture.Incident.ID)
	}
	return ov.form(ModalMerge, "Merge or link", "Save", append(mergeFields(others, "", hint), ov.mergePreview())...)
}

// mergeFields asks for the other incident, and how to connect the two.
func mergeFields(others []oncall.Incident, chosen, hint string) []slack.Block {
	options := make([]option, len(others))
	for i, o := range others {
		options[i] = option{valueOf(o.ID), fmt.Sprintf("%s %s", o.ID, strings.Join(strings.Fields(o.Title), " "))}
	}
	how := slack.NewRadioButtonsBlockElement(string(BlockHow), optionObject(mergeKinds[0]), optionObject(mergeKinds[1]))
	how.InitialOption = how.Options[0]
	return []slack.Block{choiceField(BlockOther, "With", hint, chosen, options), field(BlockHow, "How", "", how)}
}

// mergePreview says what a merge does, before it is done.
func (ov IncidentOverview) mergePreview() slack.Block {
	into := "the other one"
	if ov.Into != nil {
		into = ov.Into.ID.String()
	}
	return note(fmt.Sprintf("Merged, %s is over and pages nobody. Its alerts, whatever its monitor sends of them from now on, and those who help with it belong to %s, which goes on as it stands. "+
		"It can be taken back while %[2]s is open; linked, both go on.", ov.Picture.Incident.ID, into))
}

// Merged says that an incident is part of another one now, with a button to take that back.
func Merged(id, into oncall.IncidentID) slack.ModalViewRequest {
	v := readOnly("Merged", section(fmt.Sprintf("Merged: %s is part of %s now, and pages nobody.", id, into)),
		slack.NewActionBlock("", button(ActionUndoActs, string(oncall.ActUnmerge)+"/"+valueOf(id), "Undo")))
	v.ClearOnClose = true
	return v
}

// maxOnCall leaves room for teams next to schedules.
const maxOnCall = maxOptions / 2

// OnCallOptions returns the teams and schedules whose on-call people can be asked to help.
func OnCallOptions(teams []oncall.Team, schedules []*schedule.Schedule) []option {
	var options []option
	for _, t := range teams {
		if len(options) < maxOnCall && slices.ContainsFunc(schedules, func(s *schedule.Schedule) bool { return s.TeamID() == t.ID }) {
			options = append(options, option{"team/" + valueOf(t.ID), t.Name + " (team)"})
		}
	}
	for _, s := range schedules {
		if len(options) < maxOptions {
			options = append(options, option{"schedule/" + valueOf(s.ID()), s.Name()})
		}
	}
	return options
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// policyOptions returns the policies that can take over an incident, its team's first.
func policyOptions(policies map[oncall.PolicyID]oncall.Policy, team oncall.TeamID, onlyTeam bool) []option {
	var live []oncall.Policy
	for _, p := range policies {
		if !p.Removed && (p.TeamID == team || !onlyTeam) {
			live = append(live, p)
		}
	}
	slices.SortFunc(live, func(a, b oncall.Policy) int {
		return cmp.Or(cmp.Compare(boolRank(a.TeamID != team), boolRank(b.TeamID != team)), cmp.Compare(a.Name, b.Name))
	})
	options := make([]option, len(live))
	for i, p := range live {
		options[i] = option{valueOf(p.ID), p.Name}
	}
	return options
}
