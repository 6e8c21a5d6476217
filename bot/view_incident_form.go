package bot

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// The forms in which people say what is to be done with an incident; each carries its id.
const (
	modalSnooze   = "incident_snooze"
	modalReassign = "incident_reassign"
	modalAsk      = "incident_ask"
	modalNote     = "incident_note"
	modalSeverity = "incident_severity"
	modalMerge    = "incident_merge"

	blockHowLong  = "how_long"
	blockPerson   = "person"
	blockPolicy   = "policy"
	blockText     = "text"
	blockSeverity = "severity"
	blockOther    = "other"
	blockHow      = "how"
)

// maxTyped bounds what people write into an incident.
const maxTyped = 2000

// Ends of a snooze that are no length of time.
const (
	snoozeWork    = "work"
	snoozeHandoff = "handoff"
)

// snoozes are what a snooze can last, as time.ParseDuration reads it.
var snoozes = []option{
	{"30m", "30 minutes"},
	{"1h", "1 hour"},
	{"2h", "2 hours"},
	{"4h", "4 hours"},
	{"8h", "8 hours"},
	{"24h", "24 hours"},
	{snoozeWork, "Until my next working hour"},
	{snoozeHandoff, "Until the next hand-off"},
}

// incidentForm draws a form about an incident, with its title on top.
func incidentForm(callback, title, submit string, s sheet, blocks ...slack.Block) slack.ModalViewRequest {
	in := s.picture.Incident
	head := section(fmt.Sprintf("*%s* %s", in.ID, titleOf(in)))
	return dialog(callback, title, submit, incidentValue(in.ID), append([]slack.Block{head}, blocks...)...)
}

func snoozeForm(s sheet) slack.ModalViewRequest {
	return incidentForm(modalSnooze, "Snooze", "Snooze", s,
		choiceField(blockHowLong, "For how long", "", "1h", snoozes),
		optional(instantField(blockUntil, "Or until", "Filled in, this counts instead.", time.Time{})),
		note("It stays quiet until then, even if the monitor clears it and it comes back. Then it is triggered again and pages from the first step."))
}

func reassignForm(s sheet) slack.ModalViewRequest {
	blocks := []slack.Block{optional(userField(blockPerson, "To a person", "They are paged at once.", ""))}
	if policies := policyOptions(s.policies, s.picture.Incident.TeamID); len(policies) > 0 {
		blocks = append(blocks, optional(choiceField(blockPolicy, "Or to an escalation policy", "It begins with its first step.", "", policies)))
	}
	return incidentForm(modalReassign, "Reassign", "Reassign", s, blocks...)
}

func askForm(s sheet) slack.ModalViewRequest {
	people := slack.NewOptionsMultiSelectBlockElement(slack.MultiOptTypeUser, nil, blockPeople)
	return incidentForm(modalAsk, "Add responders", "Ask them", s,
		field(blockPeople, "Who", "They are paged, and each accepts or declines for themselves.", people),
		optional(textField(blockText, "What for", "", "")))
}

func noteForm(s sheet) slack.ModalViewRequest {
	e := slack.NewPlainTextInputBlockElement(nil, blockText)
	e.Multiline, e.MaxLength = true, maxTyped
	return incidentForm(modalNote, "Note", "Add", s, field(blockText, "Note", "It becomes a line of the timeline.", e))
}

func severityForm(s sheet) slack.ModalViewRequest {
	now := s.picture.Incident.Severity
	var options []option
	for _, severity := range []oncall.Severity{oncall.Critical, oncall.High, oncall.Medium, oncall.Low} {
		options = append(options, option{string(severity), severityWord(severity)})
	}
	return incidentForm(modalSeverity, "Severity", "Change", s, choiceField(blockSeverity, "Severity", "", string(now), options))
}

// Of two incidents, one goes on for both, or both go on and name each other.
var joins = []option{
	{string(oncall.ActMerge), "Merge: this one closes and the other takes its alerts"},
	{string(oncall.ActLink), "Link: both go on and show each other"},
}

func mergeForm(s sheet) slack.ModalViewRequest {
	if len(s.others) == 0 {
		return readOnly("Merge or link", section("No other incident is open."))
	}
	team := s.picture.Incident.TeamID
	others := slices.Clone(s.others)
	slices.SortStableFunc(others, func(a, b oncall.Incident) int {
		if (a.TeamID == team) != (b.TeamID == team) {
			return cmp.Compare(boolRank(a.TeamID != team), boolRank(b.TeamID != team))
		}
		return cmp.Compare(b.ID, a.ID)
	})
	options := make([]option, len(others))
	for i, o := range others {
		options[i] = option{incidentValue(o.ID), fmt.Sprintf("%s %s", o.ID, strings.Join(strings.Fields(o.Title), " "))}
	}
	hint := ""
	if len(options) > maxOptions {
		hint = fmt.Sprintf("The latest %d are here. For others: /oncall merge %d into 9", maxOptions, s.picture.Incident.ID)
	}
	how := slack.NewRadioButtonsBlockElement(blockHow, optionObject(joins[0]), optionObject(joins[1]))
	how.InitialOption = how.Options[0]
	return incidentForm(modalMerge, "Merge or link", "Save", s,
		choiceField(blockOther, "With", hint, "", options), field(blockHow, "How", "", how))
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// policyOptions are the policies to which an incident can be handed, its team's first.
func policyOptions(policies map[oncall.PolicyID]oncall.Policy, team oncall.TeamID) []option {
	var live []oncall.Policy
	for _, p := range policies {
		if !p.Removed {
			live = append(live, p)
		}
	}
	slices.SortFunc(live, func(a, b oncall.Policy) int {
		return cmp.Or(cmp.Compare(boolRank(a.TeamID != team), boolRank(b.TeamID != team)), cmp.Compare(a.Name, b.Name))
	})
	options := make([]option, len(live))
	for i, p := range live {
		options[i] = option{strconv.FormatInt(int64(p.ID), 10), p.Name}
	}
	return options
}
