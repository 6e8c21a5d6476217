package view

import (
	"fmt"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// IncidentText says in words how an incident stands, with a link to its message if it has
// one.
func IncidentText(p oncall.Picture, address string) string {
	name := p.Incident.ID.String()
	if address != "" {
		name = link(address, name)
	}
	return CutPlain(fmt.Sprintf("*%s* %s\n%s", name, headline(p.Incident), standing(p)), MaxAnswer)
}

// PlanText says what happens next with an incident, and why its reader was paged.
func (s Sheet) PlanText() string {
	text := headline(s.Picture.Incident) + "\n" + s.NextSteps()
	if lines := s.pagedLines(); len(lines) > 0 {
		text += "\n" + answerText("*Why you were paged*", lines)
	}
	return text
}

// NextSteps says what happens next with an incident.
func (s Sheet) NextSteps() string { return answerText("*What happens next*", s.planLines()) }

// answerText is a heading with as many lines as an answer has room for.
func answerText(head string, lines []string) string {
	return paragraph(head, lines).(*slack.SectionBlock).Text.Text
}

// OpenIncidents lists the first so many of the open incidents, each with a link to its
// message. There may be more than those that are counted.
func OpenIncidents(open []oncall.Incident, shown int, orMore bool, links map[oncall.IncidentID]string) string {
	lines := make([]string, shown)
	for i, in := range open[:shown] {
		lines[i] = incidentLine(in)
		if address := links[in.ID]; address != "" {
			lines[i] += " " + link(address, "show")
		}
	}
	head := fmt.Sprintf("*%s*", Count(len(open), "open incident"))
	if orMore {
		head = fmt.Sprintf("*%d open incidents or more*", len(open))
	}
	text := answerText(head, lines)
	if more := len(open) - shown; more > 0 {
		text += fmt.Sprintf("\nand %d more", more)
	}
	return text
}
