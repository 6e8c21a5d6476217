package bot

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// The buttons of an incident; the value of each is the incident's id.
const (
	actionAck     = "ack"
	actionResolve = "resolve"
)

// statuses show where an incident stands: by a word, and by a colour for those who
// see one.
var statuses = map[oncall.Status]struct{ emoji, word string }{
	oncall.Triggered:    {":red_circle:", "Triggered"},
	oncall.Acknowledged: {":large_yellow_circle:", "Acknowledged"},
	oncall.Resolved:     {":large_green_circle:", "Resolved"},
}

const (
	maxTitle      = 300
	maxBody       = 1000
	maxBodyLines  = 10
	maxName       = 80
	maxAlertTitle = 150
	maxAlertLine  = 250 // ten of them fit into a section
	maxLabels     = 3   // of those that tell alerts apart
	maxLabel      = 40
	maxNamed      = 20 // people named in one place
)

// drawRoot draws an incident for its channel.
func drawRoot(p oncall.Picture) drawing {
	return draw(p, "")
}

// drawDirect draws an incident for a person who is paged. Why completes "you are paged
// because …"; it may be empty.
func drawDirect(p oncall.Picture, _ oncall.UserID, why string) drawing {
	tense := "are"
	if p.Incident.Status != oncall.Triggered {
		tense = "were"
	}
	return draw(p, fmt.Sprintf("You %s paged because %s.", tense, foreign(why, maxSection/2)))
}

func draw(p oncall.Picture, lead string) drawing {
	in := p.Incident
	status := statuses[in.Status]
	title := foreign(in.Title, maxTitle)
	if title == "" {
		title = "(no title)"
	}
	head := fmt.Sprintf("%s *%s: %s*", status.emoji, status.word, link(in.Link, title))
	if body := foreignLines(in.Body, maxBody, maxBodyLines); body != "" {
		head += "\n" + body
	}
	blocks := []slack.Block{section(head)}
	if lead != "" {
		blocks = append(blocks, section(lead))
	}
	state := standing(p)
	blocks = append(blocks, section(state), slack.NewSectionBlock(nil, fields(p), nil))
	if alerts := alertList(p); alerts != "" {
		blocks = append(blocks, section(alerts))
	}
	blocks = append(blocks, slack.NewContextBlock("", words(origin(p))))
	if buttons := buttons(in); buttons != nil {
		blocks = append(blocks, buttons)
	}
	// What a notification and a screen reader say: the whole sense, most urgent first.
	sentences := []string{fmt.Sprintf("%s incident %s, %s: %s.", severityWord(in.Severity), in.ID, in.Status, title)}
	if lead != "" {
		sentences = append(sentences, lead)
	}
	return drawing{text: strings.Join(append(sentences, state), " "), blocks: blocks}
}

// standing says in sentences who has the incident and what happens next.
func standing(p oncall.Picture) string {
	in := p.Incident
	switch in.Status {
	case oncall.Acknowledged:
		return fmt.Sprintf("Acknowledged by %s%s.", who(in.AckedBy), at(in.AckedAt))
	case oncall.Resolved:
		s := fmt.Sprintf("Resolved by %s%s", who(in.ResolvedBy), at(in.ResolvedAt))
		if in.ResolvedAt != nil {
			s += " after " + lasted(in.ResolvedAt.Sub(in.OpenedAt))
		}
		return s + "."
	case oncall.Triggered:
	}
	if in.Exhausted && p.Untold {
		return "*Nobody has answered, and nobody could be told.*"
	}
	if in.Exhausted {
		return "*Nobody has answered. The whole team was told.*"
	}
	var sentences []string
	if len(p.Paged) > 0 {
		sentences = append(sentences, "Paged "+named(p.Paged)+".")
	}
	switch n := p.Next; {
	case n == nil:
	case n.Exhausts:
		sentences = append(sentences, fmt.Sprintf("The whole team is told at %s.", stamp(n.At, asTime, time.UTC)))
	case len(p.Paged) == 0:
		sentences = append(sentences, fmt.Sprintf("Pages %s at %s.", named(n.Users), stamp(n.At, asTime, time.UTC)))
	default:
		sentences = append(sentences, fmt.Sprintf("Escalates at %s to %s.", stamp(n.At, asTime, time.UTC), named(n.Users)))
	}
	if len(sentences) == 0 {
		return "Nobody has been paged, and nobody is going to be."
	}
	return strings.Join(sentences, " ")
}

func at(t *time.Time) string {
	if t == nil {
		return ""
	}
	return " at " + stamp(*t, asTime, time.UTC)
}

// named mentions people, at most maxNamed of them.
func named(users []oncall.UserID) string {
	switch {
	case len(users) == 0:
		return "nobody"
	case len(users) > maxNamed:
		return mention(users[:maxNamed]...) + fmt.Sprintf(" and %d more", len(users)-maxNamed)
	}
	return mention(users...)
}

func fields(p oncall.Picture) []*slack.TextBlockObject {
	return []*slack.TextBlockObject{
		words("*Severity*\n" + severityWord(p.Incident.Severity)),
		words("*Team*\n" + foreign(p.Team.Name, maxName)),
	}
}

func severityWord(s oncall.Severity) string {
	if s == "" {
		s = oncall.High
	}
	return strings.ToUpper(string(s[:1])) + foreign(string(s[1:]), maxName)
}

// alertList lists the alerts of an incident that has several.
func alertList(p oncall.Picture) string {
	if p.AlertCount < 2 {
		return ""
	}
	lines := []string{fmt.Sprintf("*%d of %d alerts firing*", p.Firing, p.AlertCount)}
	shown := p.Alerts[:min(len(p.Alerts), oncall.MaxPictured)]
	telling := tellingLabels(shown)
	for _, a := range shown {
		line := foreign(a.Title, maxAlertTitle)
		if linked := link(a.Link, line); utf8.RuneCountInString(linked) <= maxAlertLine {
			line = linked
		}
		if labels := labelText(a, telling); labels != "" && utf8.RuneCountInString(line+labels) <= maxAlertLine {
			line += labels
		}
		if !a.Firing {
			line += " (cleared)"
		}
		lines = append(lines, "• "+line)
	}
	if more := p.AlertCount - len(shown); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n")
}

// tellingLabels names the labels in which alerts differ: what tells one host from
// another when all have the same title.
func tellingLabels(alerts []oncall.Alert) []string {
	var telling []string
	for _, a := range alerts {
		for name, value := range a.Labels {
			differs := func(o oncall.Alert) bool { return o.Labels[name] != value }
			if !slices.Contains(telling, name) && slices.ContainsFunc(alerts, differs) {
				telling = append(telling, name)
			}
		}
	}
	slices.Sort(telling)
	return telling[:min(len(telling), maxLabels)]
}

func labelText(a oncall.Alert, names []string) string {
	var parts []string
	for _, name := range names {
		if value := a.Labels[name]; value != "" {
			parts = append(parts, foreign(name+"="+value, maxLabel))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " · " + strings.Join(parts, ", ")
}

// origin says where the incident comes from.
func origin(p oncall.Picture) string {
	in := p.Incident
	parts := []string{in.ID.String()}
	if p.Integration != "" {
		parts = append(parts, foreign(p.Integration, maxName))
	}
	if p.Policy != "" {
		parts = append(parts, "policy "+foreign(p.Policy, maxName))
	}
	parts = append(parts, "opened "+stamp(in.OpenedAt, asDay, time.UTC))
	if in.SignalCount > 1 {
		parts = append(parts, count(in.SignalCount, "signal")+", last at "+stamp(in.LastSignalAt, asTime, time.UTC))
	}
	if in.Flaps > 0 {
		parts = append(parts, "reopened "+count(in.Flaps, "time"))
	}
	return strings.Join(parts, " · ")
}

// buttons returns what can still be done; nil if nothing can.
func buttons(in oncall.Incident) slack.Block {
	if !in.Open() {
		return nil
	}
	id := strconv.FormatInt(int64(in.ID), 10)
	var elements []slack.BlockElement
	if in.Status == oncall.Triggered {
		ack := slack.NewButtonBlockElement(actionAck, id, plain("Acknowledge"))
		elements = append(elements, ack.WithStyle(slack.StylePrimary))
	}
	elements = append(elements, slack.NewButtonBlockElement(actionResolve, id, plain("Resolve")))
	return slack.NewActionBlock("incident", elements...)
}
