package view

import (
	"strconv"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// ActionSay does what its value says, as if the person who was asked had typed it.
const ActionSay Action = "say"

// MaxChoices is the maximum number of buttons below a question.
const MaxChoices = 5

// A QuestionButton is a button below a question.
type QuestionButton struct {
	Label string
	Does  Action // ActionSay, or what opens a form
	Value string
}

// Question asks what is meant, with a button for each thing that may be.
func Question(text string, choices []QuestionButton) Drawing {
	d := Text(text)
	var elements []slack.BlockElement
	for i, c := range choices[:min(len(choices), MaxChoices)] {
		elements = append(elements, button(c.Does+Action("/"+strconv.Itoa(i)), c.Value, CutPlain(c.Label, maxButton)))
	}
	if len(elements) > 0 {
		d.Blocks = append(d.Blocks, slack.NewActionBlock("", elements...))
	}
	return d
}

// IncidentChoice names an incident on a button.
func IncidentChoice(in oncall.Incident) string { return in.ID.String() + " " + in.Title }

// Already tells somebody that they have what they say they take.
func Already(id oncall.IncidentID) string { return "You have " + id.String() + " already." }
