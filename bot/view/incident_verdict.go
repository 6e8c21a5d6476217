package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// verdictWords are what was said of an incident.
var verdictWords = map[oncall.Verdict]string{
	oncall.VerdictReal: "real", oncall.VerdictNoise: "noise", oncall.VerdictUnsure: "unsure",
}

// askVerdict adds the question what an incident was to a reply that says that it is resolved. It can be answered again,
// so that its buttons stay.
func askVerdict(d Drawing, in oncall.Incident) Drawing {
	const question = "What was it?"
	d.Text += " " + question
	d.Blocks = append(d.Blocks, section(question), slack.NewActionBlock("verdict",
		verdictButton(in.ID, oncall.VerdictReal, "Real"), verdictButton(in.ID, oncall.VerdictNoise, "Noise"), verdictButton(in.ID, oncall.VerdictUnsure, "Unsure"),
		button(ActionVerdictForm, valueOf(in.ID), "What helped…")))
	return d
}

// verdictButton gives each of them an id of its own, as Slack wants of those in one block.
func verdictButton(id oncall.IncidentID, v oncall.Verdict, label string) *slack.ButtonBlockElement {
	b := button(ActionVerdict, string(v)+"/"+valueOf(id), label)
	b.ActionID += "/" + string(v)
	return b
}

// VerdictForm asks what an incident was, and what helped.
func (s Sheet) VerdictForm() slack.ModalViewRequest {
	in := s.Picture.Incident
	if in.Open() {
		return readOnly("What was it?", section(fmt.Sprintf("%s is open; say what it was once it is resolved.", in.ID)))
	}
	var options []*slack.OptionBlockObject
	for _, o := range []option{
		{string(oncall.VerdictReal), "Real: somebody had to act"}, {string(oncall.VerdictNoise), "Noise: nobody should have been paged"}, {string(oncall.VerdictUnsure), "Unsure"},
	} {
		options = append(options, optionObject(o))
	}
	what := slack.NewRadioButtonsBlockElement(string(BlockVerdict), options...)
	for _, o := range options {
		if o.Value == string(in.Verdict) {
			what.InitialOption = o
		}
	}
	helped := textField(BlockText, "What helped", "One line, for whoever has it next time.", in.Helped)
	if e, is := helped.Element.(*slack.PlainTextInputBlockElement); is {
		e.MaxLength = oncall.MaxHelped
	}
	return s.form(ModalVerdict, "What was it?", "Save", optional(field(BlockVerdict, "It was", "It counts in the reports.", what)), optional(helped))
}

// verdictLine says what somebody has said of an incident.
func verdictLine(e oncall.Event) string {
	var said []string
	for _, v := range e.Detail.Names {
		if word := verdictWords[oncall.Verdict(v)]; word != "" {
			said = append(said, "it was "+word)
		}
	}
	if e.Detail.Text != "" {
		said = append(said, "what helped: "+Foreign(e.Detail.Text, oncall.MaxHelped))
	}
	return who(e.Actor) + ": " + strings.Join(said, "; ") + "."
}

// judgement is what was said of an incident: "noise; what helped: …".
func judgement(v oncall.Verdict, helped string) string {
	var said []string
	if word := verdictWords[v]; word != "" {
		said = append(said, word)
	}
	if helped != "" {
		said = append(said, "what helped: "+Foreign(helped, oncall.MaxHelped))
	}
	return strings.Join(said, "; ")
}

// lastTime says what became of the latest incident about the same.
func lastTime(p oncall.Past) string {
	return fmt.Sprintf("Last time, %s on %s: %s.", p.ID, stamp(p.OpenedAt, asDay, time.UTC), judgement(p.Verdict, p.Helped))
}

// MostPast is how many earlier incidents are told of.
const MostPast = 3

// pastLines tell of the incidents before one that were about the same.
func pastLines(past []oncall.Past, zone *time.Location) (lines []string) {
	for _, p := range past {
		line := fmt.Sprintf("• %s %s, resolved by %s after %s", p.ID, Time(p.OpenedAt, zone), who(p.ResolvedBy), lasted(p.ResolvedAt.Sub(p.OpenedAt)))
		if said := judgement(p.Verdict, p.Helped); said != "" {
			line += ": " + said
		}
		lines = append(lines, line)
	}
	return lines
}
