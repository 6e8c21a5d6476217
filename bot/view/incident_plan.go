package view

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/watchbill/watchbill/oncall"
)

// planLines says what happens if nobody does anything: what is already under way, and then each step, with whom
// it pages and why.
func (ov IncidentOverview) planLines() []string {
	coming := ov.scheduledPages()
	for _, p := range ov.Plan {
		coming = append(coming, planEvent{p.At, ov.plannedLines(p)})
	}
	slices.SortStableFunc(coming, func(a, b planEvent) int { return a.at.Compare(b.at) })
	var lines []string
	for _, h := range coming {
		lines = append(lines, h.lines...)
	}
	if len(ov.Plan) > 0 {
		return lines
	}
	in := ov.Picture.Incident
	switch in.Status {
	case oncall.Acknowledged:
		return append(lines, fmt.Sprintf("Nothing by itself: it is acknowledged by %s.", acknowledgers(in)))
	case oncall.Resolved:
		return append(lines, "Nothing: it is resolved.")
	case oncall.Triggered, oncall.Snoozed:
	}
	return append(lines, "Nothing more: the escalation policy has run out.")
}

// PlanLines is planLines for a reader outside of Slack.
func (ov IncidentOverview) PlanLines() []string {
	lines := ov.planLines()
	for i, line := range lines {
		if bold, ok := strings.CutPrefix(line, "*"); ok {
			lines[i] = strings.Replace(bold, "*", "", 1)
		}
	}
	return lines
}

// A planEvent is an event of the plan.
type planEvent struct {
	at    time.Time
	lines []string
}

// scheduledPages returns the pages that are decided and wait for their time.
func (ov IncidentOverview) scheduledPages() []planEvent {
	var coming []planEvent
	for _, p := range ov.Pages {
		if p.State == oncall.PageWaiting && p.At.After(ov.Now) && p.UserID != "" && p.Due(ov.Picture.Incident) {
			line := fmt.Sprintf("*%s*  %s is paged by %s.", ov.moment(p.At), mention(p.UserID), p.Method.Name())
			if rests := ov.rests(p.Contact, p.At); rests != "" {
				line = fmt.Sprintf("*%s*  %s is not paged by %s: %s.", ov.moment(p.At), mention(p.UserID), p.Method.Name(), rests)
			}
			coming = append(coming, planEvent{p.At, []string{line}})
		}
	}
	return coming
}

// moment shows an instant, without the day if it is near.
func (ov IncidentOverview) moment(t time.Time) string {
	switch d := t.Sub(ov.Now); {
	case d < 10*time.Minute:
		return t.In(ov.Zone).Format("15:04:05")
	case d < 12*time.Hour:
		return t.In(ov.Zone).Format("15:04")
	}
	return Time(t, ov.Zone)
}

// plannedLines describes an entry of the plan, and each person that it pages.
func (ov IncidentOverview) plannedLines(p oncall.PlanEntry) []string {
	when := "*" + ov.moment(p.At) + "*  "
	what := plannedStep(p)
	switch {
	case p.Note != nil:
		return []string{when + reason(p.Note)}
	case p.Skipped != "":
		return []string{fmt.Sprintf("%s%s is skipped: %s.", when, what, Foreign(p.Skipped, maxTitle))}
	case p.Exhausts && len(p.People) == 0:
		return []string{when + "The escalation policy has run out, and nobody can be told."}
	case p.Exhausts:
		users := make([]oncall.UserID, len(p.People))
		for i, who := range p.People {
			users[i] = who.User
		}
		return []string{fmt.Sprintf("%sThe escalation policy has run out: the whole team is told, %s.", when, named(users))}
	case p.Kind == oncall.EventUnassigned:
		what = "No step has anybody to page, so the fallback people are paged"
	case p.Run > 1:
		what += " pages again"
	default:
		what += " pages"
	}
	var targets []string
	for _, c := range p.Channels {
		targets = append(targets, "the channel "+channelWord(c))
	}
	for _, host := range p.Webhooks {
		targets = append(targets, "the webhook at "+Name(host))
	}
	switch {
	case len(targets) > 0 && len(p.People) > 0:
		what += " " + List(targets) + ", and"
	case len(targets) > 0:
		what += " " + List(targets)
	}
	if len(p.People) == 0 {
		return []string{when + what + "."}
	}
	lines := []string{when + what + ":"}
	for i, who := range p.People {
		if i == MaxNamed {
			return append(lines, fmt.Sprintf("• and %d more", len(p.People)-i))
		}
		lines = append(lines, "• "+ov.personLine(p, who))
	}
	return lines
}

func plannedStep(p oncall.PlanEntry) string {
	return capitalize(stepName(oncall.Detail{Round: p.Round, Step: p.Step}))
}

// capitalize begins a sentence with words that may stand within one.
func capitalize(s string) string {
	_, first := utf8.DecodeRuneInString(s)
	return strings.ToUpper(s[:first]) + s[first:]
}

// personLine says why a person is paged, and by what.
func (ov IncidentOverview) personLine(p oncall.PlanEntry, who oncall.PlannedPerson) string {
	line, hours, why := mention(who.User), "their", Theirs(reason(who.Why))
	if who.User == ov.Reader {
		line, hours, why = "you", "your", reason(who.Why)
	}
	switch onCall, ok := strings.CutPrefix(reason(who.Why), "you are "); {
	case ok && who.User == ov.Reader:
		line = why
	case ok:
		line += " is " + Theirs(onCall)
	case why != "":
		line += ", as " + why
	}
	if by := ov.rulesText(who); by != "" {
		line += ": " + by
	}
	if opens, later := p.Later(who); later {
		line += fmt.Sprintf("; not before %s, when %s working hours begin", Time(opens, ov.Zone), hours)
	}
	return capitalize(line)
}

// Theirs rephrases a reason addressed to a person for other readers.
func Theirs(why string) string { return theirs.Replace(why) }

// theirs rephrases a reason addressed to a person for other readers.
var theirs = strings.NewReplacer(
	"names your", "names their", "names you", "names them", "asks you", "asks them", "to you", "to them",
	"your ", "their ", "you ", "they ")

// rulesText says by which methods a person is paged, and when.
func (ov IncidentOverview) rulesText(who oncall.PlannedPerson) string {
	var parts []string
	for _, rule := range who.Rules {
		c, _ := ov.Reach[who.User].Contact(rule.Contact)
		when := "at once"
		if d := rule.After.Duration(); d > 0 {
			when = "after " + durationText(d)
		}
		if rests := ov.rests(rule.Contact, who.At.Add(rule.After.Duration())); rests != "" {
			when = rests
		}
		parts = append(parts, c.Method.Name()+" "+when)
	}
	return List(parts)
}

// pagedLines says why and how the reader was paged: a line for each reason, and one for each attempt.
func (ov IncidentOverview) pagedLines() []string {
	var lines []string
	var why oncall.Sentence
	var unneeded []string // methods
	said := -1            // the line that lists them
	for _, p := range ov.Pages {
		if p.UserID != ov.Reader {
			continue
		}
		if !slices.Equal(p.Why, why) || len(lines) == 0 {
			why = p.Why
			lines = append(lines, capitalize(reason(why))+":")
			unneeded, said = nil, -1
		}
		if !ov.unneeded(p) {
			lines = append(lines, "• "+ov.pagedLine(p))
			continue
		}
		if !slices.Contains(unneeded, p.Method.Name()) {
			unneeded = append(unneeded, p.Method.Name())
		}
		if said < 0 {
			said, lines = len(lines), append(lines, "")
		}
		lines[said] = "• " + List(unneeded) + ": no longer needed"
	}
	return lines
}

func (ov IncidentOverview) pagedLine(p Attempt) string {
	line := p.Method.Name()
	switch {
	case p.State == oncall.PageDelivered && p.Ended != nil:
		return line + " at " + p.Ended.In(ov.Zone).Format("15:04")
	case p.State == oncall.PageFailed:
		return line + ": failed"
	case ov.rests(p.Contact, p.At) != "":
		return line + ": " + ov.rests(p.Contact, p.At)
	case p.At.After(ov.Now):
		return line + " at " + ov.moment(p.At) + ", unless you answer before"
	}
	return line + ": on its way"
}

// unneeded reports whether a page was not sent, or will not be, because it isn't needed any more.
func (ov IncidentOverview) unneeded(p Attempt) bool {
	switch p.State {
	case oncall.PageFailed:
		return false
	case oncall.PageDelivered:
		return p.Ended == nil && !p.Due(ov.Picture.Incident)
	default:
		return p.State == oncall.PageSkipped || !p.Due(ov.Picture.Incident)
	}
}
