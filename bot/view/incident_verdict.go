package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// verdictWords are the names of the verdicts.
var verdictWords = map[oncall.Verdict]string{
	oncall.VerdictReal: "real", oncall.VerdictNoise: "noise", oncall.VerdictUnsure: "unsure",
}

// askVerdict adds the question about the verdict to the reply that reports the end. The answer can be changed,
// so the buttons stay.
func askVerdict(d Drawing, in oncall.Incident) Drawing {
	const question = "What was it?"
	d.Text += " " + question
	d.Blocks = append(d.Blocks, section(question), slack.NewActionBlock("verdict",
		verdictButton(in.ID, oncall.VerdictReal, "Real"), verdictButton(in.ID, oncall.VerdictNoise, "Noise"), verdictButton(in.ID, oncall.VerdictUnsure, "Unsure"),
		button(ActionVerdictForm, valueOf(in.ID), "What helped…"), button(ActionReview, valueOf(in.ID), "Draft a review")))
	return d
}

// verdictButton draws a button with its own action id, because Slack requires unique ids in a block.
func verdictButton(id oncall.IncidentID, v oncall.Verdict, label string) *slack.ButtonBlockElement {
	b := button(ActionVerdict, string(v)+"/"+valueOf(id), label)
	b.ActionID += "/" + string(v)
	return b
}

// VerdictForm asks for the verdict, and for what helped.
func (ov IncidentOverview) VerdictForm() slack.ModalViewRequest {
	in := ov.Picture.Incident
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
	if e, ok := helped.Element.(*slack.PlainTextInputBlockElement); ok {
		e.MaxLength = oncall.MaxHelped
	}
	return ov.form(ModalVerdict, "What was it?", "Save", optional(field(BlockVerdict, "It was", "It counts in the reports.", what)), optional(helped))
}

// verdictLine describes a verdict.
func verdictLine(event oncall.Event) string {
	var parts []string
	for _, v := range event.Detail.Names {
		if word := verdictWords[oncall.Verdict(v)]; word != "" {
			parts = append(parts, "it was "+word)
		}
	}
	if event.Detail.Text != "" {
		parts = append(parts, "what helped: "+Foreign(event.Detail.Text, oncall.MaxHelped))
	}
	return actorName(event.Actor) + ": " + strings.Join(parts, "; ") + "."
}

// verdictText returns a verdict and what helped: "noise; what helped: …".
func verdictText(v oncall.Verdict, helped string) string {
	var parts []string
	if word := verdictWords[v]; word != "" {
		parts = append(parts, word)
	}
	if helped != "" {
		parts = append(parts, "what helped: "+Foreign(helped, oncall.MaxHelped))
	}
	return strings.Join(parts, "; ")
}

// lastTime describes the latest similar incident.
func lastTime(p oncall.PastIncident) string {
	return fmt.Sprintf("Last time, %s on %s: %s.", p.ID, stamp(p.OpenedAt, asDay, time.UTC), verdictText(p.Verdict, p.Helped))
}

// MostPast is the maximum number of similar incidents.
const MostPast = 3

// pastLines describes earlier similar incidents.
func pastLines(past []oncall.PastIncident, zone *time.Location) (lines []string) {
	for _, p := range past {
		line := fmt.Sprintf("• %s %s, resolved by %s after %s", p.ID, Time(p.OpenedAt, zone), actorName(p.ResolvedBy), durationText(p.ResolvedAt.Sub(p.OpenedAt)))
		if verdict := verdictText(p.Verdict, p.Helped); verdict != "" {
			line += ": " + verdict
		}
		lines = append(lines, line)
	}
	return lines
}
