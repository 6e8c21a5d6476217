package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// maxWhich is the maximum number of incidents in a question.
const maxWhich = 8

// WhichIncident lists the incidents that may be meant; empty if there are none.
func WhichIncident(of []oncall.Incident) string {
	text := ""
	for i, in := range of {
		if i == maxWhich {
			return text + fmt.Sprintf("\nand %d more: `/oncall incidents`", len(of)-i)
		}
		text += "\n" + incidentLine(in, "")
	}
	if text == "" {
		return " `/oncall incidents` lists what is open."
	}
	return text
}

// Numbers joins incident numbers: "#2, #3 and #4".
func Numbers(ids []oncall.IncidentID) string {
	var names []string
	for _, id := range ids[:min(len(ids), MaxNamed)] {
		names = append(names, id.String())
	}
	if more := len(ids) - MaxNamed; more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return List(names)
}

// undoes maps each act on several incidents to the act that undoes it.
var undoes = map[oncall.ActKind]oncall.ActKind{
	oncall.ActAck: oncall.ActUnack, oncall.ActResolve: oncall.ActReopen, oncall.ActUnack: oncall.ActAck,
}

// ActedOn reports an act on several incidents, with a button to undo it. left are incidents that others hold;
// later is how many a second command would act on.
func ActedOn(act oncall.Act, done []oncall.IncidentID, refused []string, left []oncall.IncidentID, later int, zone *time.Location) Drawing {
	verb := map[oncall.ActKind]string{
		oncall.ActAck: "Acknowledged", oncall.ActResolve: "Resolved", oncall.ActUnack: "Un-acknowledged", oncall.ActReopen: "Reopened",
		oncall.ActEscalate: "Escalated", oncall.ActUnsnooze: "Woken", oncall.ActSnooze: "Snoozed", oncall.ActUnmerge: "Taken back the merge of",
	}[act.Do]
	until := ""
	if !act.Until.IsZero() {
		until = " until " + Time(act.Until, zone)
	}
	var lines []string
	if len(done) > 0 {
		lines = append(lines, verb+" "+Numbers(slices.Sorted(slices.Values(done)))+until+".")
	}
	switch {
	case len(done)+len(refused) == 0:
		lines = []string{"Nothing was changed."}
	case act.Do == oncall.ActSnooze && len(done) == 0:
	case act.Do == oncall.ActSnooze: // no Undo: some may have been acknowledged before, and would page at once
		lines = append(lines, fmt.Sprintf("`/oncall unsnooze %d` wakes it.", done[0]))
	}
	lines = append(lines, refused...)
	if len(left) > 0 {
		lines = append(lines, "Left alone, as others have them: "+Numbers(left)+".")
	}
	if later > 0 {
		lines = append(lines, fmt.Sprintf("%s left: type it again.", Count(later, "incident")))
	}
	d := Text(fitLines(lines, MaxAnswer))
	if back, can := undoes[act.Do]; can && len(done) > 0 {
		values := make([]string, len(done))
		for i, id := range done {
			values[i] = valueOf(id)
		}
		d.Blocks = append(d.Blocks, slack.NewActionBlock("", button(ActionUndoActs, string(back)+"/"+strings.Join(values, ","), "Undo")))
	}
	return d
}

// ResolvedAsNoise answers whoever called an open incident a false alarm, with a button to undo that.
func ResolvedAsNoise(id oncall.IncidentID, text string) Drawing {
	if text == "" {
		text = "Resolved " + id.String() + " as noise."
	}
	d := Text(text)
	d.Blocks = append(d.Blocks, slack.NewActionBlock("", button(ActionUndoActs, string(oncall.ActReopen)+"/"+valueOf(id), "Undo")))
	return d
}
