package view

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
)

// The menu next to a step. The step's number follows in its values.
const (
	StepEdit   = "edit"
	StepUp     = "up"
	StepDown   = "down"
	StepRemove = "remove"
)

// maxSteps is the maximum number of steps that can be edited here.
const maxSteps = 20

// A SetupPolicy is the form of a policy, with the state of its edit.
type SetupPolicy struct {
	Meta    SetupMeta         // has the edited policy
	Before  setup.Policy      // as saved
	Open    []oncall.Incident // incidents that follow it
	ByFile  bool
	Message string // error or result of the last action
	Zone    *time.Location
}

// Draw draws the form.
func (sp SetupPolicy) Draw() slack.ModalViewRequest {
	policy := *sp.Meta.Policy
	var blocks []slack.Block
	if sp.Message != "" {
		blocks = append(blocks, slack.NewSectionBlock(words(sp.Message), nil, nil, slack.SectionBlockOptionBlockID(blockMessage)))
	}
	if sp.Meta.Name == "" {
		blocks = append(blocks, textField(BlockName, "Name", "Such as payments.", policy.Name))
	} else {
		blocks = append(blocks, section("*"+Name(policy.Name)+"* of the team "+Name(sp.Meta.Team)))
	}
	for i, line := range stepLines(policy) {
		blocks = append(blocks, slack.NewSectionBlock(words(cutSection(line)), nil, slack.NewAccessory(moveMenu(ActionStep, i, len(policy.Steps), 1)), slack.SectionBlockOptionBlockID("step_"+strconv.Itoa(i))))
	}
	if len(policy.Steps) == 0 {
		blocks = append(blocks, section("It has no step yet. The first pages somebody at once; those after it follow until somebody acknowledges."))
	}
	var buttons []slack.BlockElement
	if len(policy.Steps) < maxSteps {
		buttons = append(buttons, button(ActionStepAdd, "", "Add a step…").WithStyle(slack.StylePrimary))
	}
	if sp.Meta.Name != "" {
		buttons = append(buttons, button(ActionSetupRemove, "policy", "Remove policy").WithStyle(slack.StyleDanger).
			WithConfirm(slack.NewConfirmationBlockObject(plain("Remove it?"), plain("Nothing can page by it any more. Open incidents go on by it."), plain("Remove"), plain("Cancel"))))
	}
	if len(buttons) > 0 {
		blocks = append(blocks, slack.NewActionBlock("policy_actions", buttons...))
	}
	blocks = append(blocks,
		textField(BlockSetupRepeat, "Repeat it all", "How often it begins again if nobody has answered.", strconv.Itoa(policy.Repeat)),
		optional(textField(BlockSetupAcks, "How many must acknowledge", "Left empty: one.", numberOr(policy.Acks))),
		optional(textField(BlockSetupTimeout, "An acknowledgement is good for", "Such as 30m: then it asks, and pages again. Left empty: until it is resolved.", policy.AckTimeout)),
		paragraph("*What that changes for open incidents*", sp.effects()))
	if sp.ByFile {
		blocks = append(blocks, note(UndoneByFile(sp.Meta.Team, true)))
	}
	return dialog(ModalSetupPolicy, "Escalation policy", "Save", sp.Meta.String(), blocks...)
}

func numberOr(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// effects describes what the edit changes for the incidents that follow the policy.
func (sp SetupPolicy) effects() []string {
	const limit = 5
	if len(sp.Open) == 0 {
		return []string{"None follows it now."}
	}
	var lines []string
	for _, in := range sp.Open[:min(len(sp.Open), limit)] {
		before, after := nextStep(sp.Before, in.Step), nextStep(*sp.Meta.Policy, in.Step)
		switch {
		case in.NextAt == nil:
			lines = append(lines, fmt.Sprintf("%s waits for nothing: if it pages again, it begins with step 1.", in.ID))
		case before == after:
			lines = append(lines, fmt.Sprintf("%s goes on as before, at %s: %s.", in.ID, Time(*in.NextAt, sp.Zone), after))
		default:
			lines = append(lines, fmt.Sprintf("%s, at %s: %s, instead of: %s.", in.ID, Time(*in.NextAt, sp.Zone), after, before))
		}
	}
	if more := len(sp.Open) - limit; more > 0 {
		lines = append(lines, Count(more, "more incident")+" likewise.")
	}
	return lines
}

// nextStep describes a step of a policy, counting from 0.
func nextStep(p setup.Policy, i int) string {
	if i >= len(p.Steps) {
		return "no step is left"
	}
	return "step " + strconv.Itoa(i+1) + " pages " + stepWhom(p.Steps[i])
}

func stepWhom(st setup.Step) string {
	whom := make([]string, len(st.Page))
	for i, target := range st.Page {
		whom[i] = Foreign(target, maxTitle)
		name, person := strings.CutPrefix(target, "user ")
		if id, ok := ReadMention("<@" + name + ">"); person && ok { // just chosen, not saved yet
			whom[i] = mention(id)
		}
	}
	if len(whom) == 0 {
		return "nobody"
	}
	return List(whom)
}

// stepLines describes each step.
func stepLines(policy setup.Policy) (lines []string) {
	for i, st := range policy.Steps {
		text := fmt.Sprintf("*%d.* %s", i+1, stepWhom(st))
		if st.RoundRobin != "" {
			text += ", one after the other"
		}
		if st.Only != nil {
			var only []string
			for _, s := range st.Only.Severity {
				only = append(only, string(s))
			}
			if st.Only.Hours != "" {
				only = append(only, string(st.Only.Hours)+" hours")
			}
			text += "; only " + Foreign(strings.Join(only, ", "), maxTitle)
		}
		if st.Repeat > 0 {
			text += fmt.Sprintf("; again %s", times(st.Repeat))
			if st.Every != "" {
				text += ", every " + Name(st.Every)
			}
		}
		if i+1 < len(policy.Steps) || policy.Repeat > 0 {
			text += "; then after " + Name(waitOf(st))
		}
		lines = append(lines, text)
	}
	if policy.Repeat > 0 && len(lines) > 0 {
		lines[len(lines)-1] += " all of it again, " + times(policy.Repeat)
	}
	return lines
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return strconv.Itoa(n) + " times"
}

func waitOf(st setup.Step) string {
	if st.Wait == "" {
		return "5m"
	}
	return st.Wait
}

// A SetupStep is the form of one step.
type SetupStep struct {
	Meta   SetupMeta // has the policy and the step's number
	Whom   []Choice  // targets: schedules and teams by name
	People map[string]oncall.UserID
}

// Draw draws the form.
func (s SetupStep) Draw() slack.ModalViewRequest {
	var st setup.Step
	title, submit := "New step", "Add"
	if s.Meta.Step < len(s.Meta.Policy.Steps) {
		st, title, submit = s.Meta.Policy.Steps[s.Meta.Step], "Step "+strconv.Itoa(s.Meta.Step+1), "Done"
	}
	chosen, people, rest := s.splitTargets(st.Page)
	var blocks []slack.Block
	if len(s.Whom) > 0 {
		blocks = append(blocks, optional(s.whomField(chosen)))
	}
	var severity setup.Condition
	if st.Only != nil {
		severity = *st.Only
	}
	blocks = append(blocks,
		optional(peopleField(BlockStepPeople, "People", "", people)),
		optional(areaField(BlockStepMore, "Anything else", "One a line: channel #ops, group @payments-leads, webhook https://…, secondary in SCHEDULE.", strings.Join(rest, "\n"))),
		textField(BlockSetupWait, "Then wait", "Before the next step, such as 5m or 90s.", waitOf(st)),
		optional(textField(BlockStepRepeat, "Repeat this step", "How often; left empty: not at all.", numberOr(st.Repeat))),
		optional(textField(BlockStepEvery, "Every", "Between two runs of it, such as 1m.", st.Every)),
		choiceField(BlockStepRobin, "If it names several people", "", robinValue(st.RoundRobin), []option{
			{robinAll, "page them all"}, {"incident", "one an incident, in turn"}, {"cycle", "one a run, in turn"},
		}),
		optional(severityBoxes(severity.Severity)),
		choiceField(BlockStepHours, "When", "", hoursValue(severity.Hours), []option{
			{hoursAlways, "always"}, {string(oncall.HoursWorking), "in the team's working hours"}, {string(oncall.HoursOff), "outside of them"},
		}),
	)
	return dialog(ModalSetupStep, title, submit, s.Meta.String(), blocks...)
}

// Values for what the set-up file leaves out, because Slack takes no empty value.
const (
	robinAll    = "all"
	hoursAlways = "always"
)

func robinValue(r oncall.RoundRobin) string {
	switch r {
	case oncall.PageAll:
		return robinAll
	case oncall.RoundByIncident:
		return "incident"
	case oncall.RoundByRun:
	}
	return string(r)
}

// ReadRobin parses the choice.
func ReadRobin(value string) oncall.RoundRobin {
	if value == robinAll {
		return oncall.PageAll
	}
	return oncall.RoundRobin(value)
}

func hoursValue(h oncall.HoursWord) string {
	if h == oncall.HoursAny {
		return hoursAlways
	}
	return string(h)
}

// ReadHours parses the choice.
func ReadHours(value string) oncall.HoursWord {
	if value == hoursAlways {
		return oncall.HoursAny
	}
	return oncall.HoursWord(value)
}

func severityBoxes(ticked []oncall.Severity) *slack.InputBlock {
	var options []option
	for _, s := range []oncall.Severity{oncall.Critical, oncall.High, oncall.Medium, oncall.Low} {
		options = append(options, option{string(s), severityWord(s)})
	}
	in := checkField(BlockStepSeverity, "Only for", "None ticked: whatever the severity.", options...)
	boxes, _ := in.Element.(*slack.CheckboxGroupsBlockElement)
	for _, o := range boxes.Options {
		if slices.Contains(ticked, oncall.Severity(o.Value)) {
			boxes.InitialOptions = append(boxes.InitialOptions, o)
		}
	}
	return in
}

// splitTargets splits a step's targets into those in the list, people, and the rest.
func (s SetupStep) splitTargets(page []string) (chosen []string, people []oncall.UserID, rest []string) {
	for _, target := range page {
		name, person := strings.CutPrefix(target, "user ")
		id, known := s.People[strings.TrimSpace(name)]
		switch {
		case slices.ContainsFunc(s.Whom, func(c Choice) bool { return c.Value == target }):
			chosen = append(chosen, target)
		case person && known:
			people = append(people, id)
		default:
			rest = append(rest, target)
		}
	}
	return chosen, people, rest
}

func (s SetupStep) whomField(chosen []string) *slack.InputBlock {
	e := slack.NewOptionsMultiSelectBlockElement(slack.MultiOptTypeStatic, nil, string(BlockStepWhom))
	for _, c := range s.Whom[:min(len(s.Whom), maxOptions)] {
		o := optionObject(option{c.Value, c.Label})
		e.Options = append(e.Options, o)
		if slices.Contains(chosen, c.Value) {
			e.InitialOptions = append(e.InitialOptions, o)
		}
	}
	return field(BlockStepWhom, "Page", "", e)
}
