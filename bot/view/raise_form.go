package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A RaiseForm is the form for raising an incident: whom to page, and what is wrong.
type RaiseForm struct {
	Team     oncall.TeamID
	Schedule oncall.ScheduleID
	User     oncall.UserID
	Severity oncall.Severity
	Text     string
	Meta     RaiseMeta

	Message string   // what is unclear; shown on top
	Now     []string // whom it would page now

	Teams     []oncall.Team
	Schedules []*schedule.Schedule
}

// RaiseMeta is the form's metadata: the message that it is about, if any, and whether it has already warned of
// the limits.
type RaiseMeta struct {
	Channel, TS string
	Confirmed   bool
}

// String encodes the metadata.
func (m RaiseMeta) String() string {
	confirmed := ""
	if m.Confirmed {
		confirmed = "confirmed"
	}
	return m.Channel + "/" + m.TS + "/" + confirmed
}

// ReadRaiseMeta decodes the metadata.
func ReadRaiseMeta(s string) (m RaiseMeta) {
	parts := strings.SplitN(s, "/", 3)
	if len(parts) == 3 {
		m = RaiseMeta{Channel: parts[0], TS: parts[1], Confirmed: parts[2] == "confirmed"}
	}
	return m
}

// Draw draws the form.
func (f RaiseForm) Draw() slack.ModalViewRequest {
	var blocks []slack.Block
	if f.Message != "" {
		blocks = append(blocks, slack.NewSectionBlock(words(":warning: "+f.Message), nil, nil, slack.SectionBlockOptionBlockID(blockMessage)))
	}
	if groups := f.groups(); len(groups) > 0 {
		e := slack.NewOptionsGroupSelectBlockElement(slack.OptTypeStatic, nil, string(BlockRaiseWhom), groups...)
		e.InitialOption = f.chosen(groups)
		whom := field(BlockRaiseWhom, "Team or schedule", "Of a person it is the team that is paged after them.", e)
		whom.DispatchAction = true
		blocks = append(blocks, optional(whom))
	}
	person := userField(BlockRaisePerson, "Or a person", "", f.User)
	person.DispatchAction = true
	text := areaField(BlockRaiseText, "What is wrong", "The first line is the title.", f.Text)
	var severities []option
	for _, s := range []oncall.Severity{oncall.Critical, oncall.High, oncall.Medium, oncall.Low} {
		severities = append(severities, option{string(s), severityWord(s)})
	}
	blocks = append(blocks, optional(person), text, choiceField(BlockSeverity, "Severity", "", string(cmp.Or(f.Severity, oncall.High)), severities))
	if len(f.Now) > 0 {
		blocks = append(blocks, note(cutSection(strings.Join(f.Now, "\n"))))
	}
	submit := "Page"
	if f.Meta.Confirmed {
		submit = "Page all the same"
	}
	return dialog(ModalRaise, "Page on-call", submit, f.Meta.String(), blocks...)
}

// groups returns the teams and schedules to choose from, as many per group as Slack takes.
func (f RaiseForm) groups() (groups []*slack.OptionGroupBlockObject) {
	var teams, schedules []option
	for _, t := range f.Teams {
		name := t.Name
		if slices.ContainsFunc(f.Schedules, func(s *schedule.Schedule) bool { return strings.EqualFold(s.Name(), name) }) {
			name += " (team)" // once it is chosen, its group isn't shown
		}
		teams = append(teams, option{"team/" + valueOf(t.ID), name})
	}
	for _, s := range f.Schedules {
		name := s.Name()
		if slices.ContainsFunc(f.Teams, func(t oncall.Team) bool { return strings.EqualFold(t.Name, name) }) {
			name += " (schedule)"
		}
		schedules = append(schedules, option{"schedule/" + valueOf(s.ID()), name})
	}
	for _, part := range []struct {
		name string
		of   []option
	}{{"Teams", teams}, {"On call in a schedule", schedules}} {
		n := 0
		for some := range slices.Chunk(part.of, maxOptions) {
			label := part.name
			if n++; n > 1 {
				label = fmt.Sprintf("%s (%d)", part.name, n)
			}
			var objects []*slack.OptionBlockObject
			for _, o := range some {
				objects = append(objects, optionObject(o))
			}
			groups = append(groups, slack.NewOptionGroupBlockElement(plain(label), objects...))
		}
	}
	return groups[:min(len(groups), maxOptions)]
}

// chosen returns the preselected option.
func (f RaiseForm) chosen(groups []*slack.OptionGroupBlockObject) *slack.OptionBlockObject {
	value := ""
	switch {
	case f.Schedule != 0:
		value = "schedule/" + valueOf(f.Schedule)
	case f.Team != 0:
		value = "team/" + valueOf(f.Team)
	}
	for _, g := range groups {
		for _, o := range g.Options {
			if o.Value == value {
				return o
			}
		}
	}
	return nil
}

// RaiseDone confirms in the form that it is done.
func RaiseDone(text string) slack.ModalViewRequest { return readOnly("Paged", section(text)) }

// RaisedAddForm asks the person who raised an incident for more about it.
func RaisedAddForm(id oncall.IncidentID) slack.ModalViewRequest {
	e := slack.NewPlainTextInputBlockElement(nil, string(BlockText))
	e.Multiline, e.MaxLength = true, MaxTyped
	return dialog(ModalRaisedAdd, "Add detail", "Add", valueOf(id),
		field(BlockText, "What else is known", "It goes into the thread of "+id.String()+".", e))
}

// PageNow says whom raising an incident pages now, and what follows.
func PageNow(team, policy string, users []oncall.UserID, next *oncall.NextStep) []string {
	lines := []string{fmt.Sprintf("Now: %s.", named(users))}
	if len(users) == 0 {
		lines[0] = "Now: nobody is on call."
	}
	target := "team " + Name(team)
	if policy != "" {
		target += ", policy " + Name(policy)
	}
	if next != nil && len(next.Users) > 0 && !next.Private {
		lines = append(lines, fmt.Sprintf("Then, unless somebody has it: %s.", named(next.Users)))
	}
	return append(lines, target)
}
