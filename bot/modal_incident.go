package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
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
	if len(s.policies) > 0 {
		blocks = append(blocks, optional(choiceField(blockPolicy, "Or to an escalation policy", "It begins with its first step.", "", s.policies)))
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

// submitDeed makes what happens when a form about an incident is sent: read says which
// acts it asks for, or points at inputs that are wrong.
func submitDeed(read func(f form, now time.Time) ([]oncall.Act, map[string]string)) modal {
	return modal{submit: func(b *Bot, ctx context.Context, s submission) (answer, error) {
		id, known := readIncidentValue(s.meta())
		if !known {
			return answer{}, oncall.Refuse("This version of Watchbill doesn't know that form, and nothing was changed.")
		}
		acts, wrong := read(s.form, b.clock())
		if len(wrong) > 0 {
			return correct(wrong), nil
		}
		if err := b.acts(ctx, id, s.user, acts); err != nil {
			return answer{}, err
		}
		return closeAll(), nil
	}}
}

// acts does several things one after the other, and says which of them were refused.
func (b *Bot) acts(ctx context.Context, id oncall.IncidentID, user oncall.UserID, acts []oncall.Act) error {
	var refused []string
	for _, a := range acts {
		if a.User != "" { // somebody whom the store may not know yet
			if _, err := b.user(ctx, a.User); err != nil {
				return err
			}
		}
		err := b.act(ctx, id, user, a)
		if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
			refused = append(refused, refusal.Sentence)
		} else if err != nil {
			return err
		}
	}
	if len(refused) > 0 {
		return oncall.Refuse("%s", strings.Join(refused, " "))
	}
	return nil
}

func readSnooze(f form, now time.Time) ([]oncall.Act, map[string]string) {
	if at := f.instant(blockUntil); !at.IsZero() {
		if !at.After(now) {
			return nil, map[string]string{blockUntil: "That is in the past."}
		}
		return []oncall.Act{{Do: oncall.ActSnooze, Until: at}}, nil
	}
	return []oncall.Act{snoozeFor(f.choice(blockHowLong), now)}, nil
}

// snoozeFor is a snooze by one of the values of snoozes.
func snoozeFor(value string, now time.Time) oncall.Act {
	switch value {
	case snoozeWork:
		return oncall.Act{Do: oncall.ActSnooze, Till: oncall.TillWork}
	case snoozeHandoff:
		return oncall.Act{Do: oncall.ActSnooze, Till: oncall.TillHandoff}
	}
	d, _ := time.ParseDuration(value) // one of ours
	return oncall.Act{Do: oncall.ActSnooze, Until: now.Add(d)}
}

func readReassign(f form, _ time.Time) ([]oncall.Act, map[string]string) {
	user, policy := f.user(blockPerson), oncall.PolicyID(f.number(blockPolicy))
	switch {
	case user == "" && policy == 0:
		return nil, map[string]string{blockPerson: "Choose a person or a policy."}
	case user != "" && policy != 0:
		return nil, map[string]string{blockPolicy: "Choose either a person or a policy, not both."}
	}
	return []oncall.Act{{Do: oncall.ActReassign, User: user, Policy: policy}}, nil
}

func readAsk(f form, _ time.Time) ([]oncall.Act, map[string]string) {
	var acts []oncall.Act
	for _, u := range f.input(blockPeople).SelectedUsers {
		acts = append(acts, oncall.Act{Do: oncall.ActAsk, User: oncall.UserID(u), Text: strings.TrimSpace(f.text(blockText))})
	}
	if len(acts) == 0 {
		return nil, map[string]string{blockPeople: "Choose somebody."}
	}
	return acts, nil
}

func readNote(f form, _ time.Time) ([]oncall.Act, map[string]string) {
	text := strings.TrimSpace(f.text(blockText))
	if text == "" {
		return nil, map[string]string{blockText: "Write something."}
	}
	return []oncall.Act{{Do: oncall.ActNote, Text: text}}, nil
}

func readSeverity(f form, _ time.Time) ([]oncall.Act, map[string]string) {
	return []oncall.Act{{Do: oncall.ActSeverity, Severity: oncall.Severity(f.choice(blockSeverity))}}, nil
}

func readMerge(f form, _ time.Time) ([]oncall.Act, map[string]string) {
	other := oncall.IncidentID(f.number(blockOther))
	if other == 0 {
		return nil, map[string]string{blockOther: "Choose an incident."}
	}
	return []oncall.Act{{Do: oncall.ActKind(f.choice(blockHow)), Other: other}}, nil
}
