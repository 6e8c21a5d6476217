package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// maxDetailParts is the maximum number of sections in a view of details: Slack refuses views of more than 250
// KB.
const maxDetailParts = 15

// Details is everything that was sent about an incident's alerts, starting with one of them.
type Details struct {
	Incident oncall.Incident
	Alerts   []oncall.Alert // starting with number From
	From     int            // counts from 0
	Part     int            // number of that alert's parts already shown
	All      int            // number of alerts
	Zone     *time.Location
}

// MoreDetails is the maximum number of alerts in a view of details.
const MoreDetails = maxDetailParts

// Draw draws a page of details, with a button for the next one.
func (d Details) Draw() slack.ModalViewRequest {
	blocks := append([]slack.Block{section(headline(d.Incident))}, d.blocks()...)
	return buttonModal(modalDetails, "Details of "+d.Incident.ID.String(), "", blocks...)
}

// IsDetails reports whether a view shows details.
func IsDetails(v slack.View) bool { return v.CallbackID == string(modalDetails) }

func (d Details) blocks() []slack.Block {
	if d.All == 0 || len(d.Alerts) == 0 {
		return []slack.Block{section("There is nothing more.")}
	}
	var blocks []slack.Block
	for i, a := range d.Alerts {
		parts := alertParts(d.alertHead(i, a), a, d.Zone)
		from := 0
		if i == 0 {
			from = min(d.Part, len(parts)-1)
		}
		for n := from; n < len(parts); n++ {
			if len(blocks) == maxDetailParts {
				return append(blocks, d.next(d.From+i, n))
			}
			blocks = append(blocks, section(parts[n]))
		}
	}
	if left := d.From + len(d.Alerts); left < d.All {
		blocks = append(blocks, d.next(left, 0))
	}
	return blocks
}

// next draws the button that continues with a part of an alert.
func (d Details) next(alert, part int) slack.Block {
	label := "Show the rest"
	if left := d.All - alert; left > 1 {
		label = fmt.Sprintf("Show the rest: %d alerts", left)
	}
	return slack.NewActionBlock("details", button(ActionDetails, fmt.Sprintf("%d/%d/%d", d.Incident.ID, alert, part), label))
}

// alertHead says which alert it is, if there are several.
func (d Details) alertHead(i int, a oncall.Alert) string {
	if d.All < 2 {
		return ""
	}
	return fmt.Sprintf("*%d of %d:* %s", d.From+i+1, d.All, Foreign(a.Title, maxTitle))
}

// alertParts returns everything that was sent about an alert, in pieces that each fit into a section.
func alertParts(head string, alert oncall.Alert, zone *time.Location) []string {
	var lines []string
	if head != "" {
		lines = append(lines, head)
	}
	if utf8.RuneCountInString(alert.Title) > maxTitle {
		lines = append(lines, foreignParts(alert.Title)...)
	}
	if shown := linkLine(alertLinks(alert), len(alert.Links)+1, maxSection); shown != "" {
		lines = append(lines, shown)
	}
	if alert.Body != "" {
		lines = append(lines, "*What was sent*")
		lines = append(lines, foreignParts(alert.Body)...)
	}
	for _, group := range []struct {
		head  string
		texts map[string]string
	}{{"*Labels*", alert.Labels}, {"*Also sent*", alert.Details}} {
		if len(group.texts) == 0 {
			continue
		}
		lines = append(lines, group.head)
		for _, name := range slices.Sorted(maps.Keys(group.texts)) {
			lines = append(lines, foreignParts("• "+strings.Join(strings.Fields(name), " ")+": "+group.texts[name])...)
		}
	}
	lines = append(lines, alertFacts(alert, zone))
	parts, _ := paragraphsOf(lines, len(lines))
	return parts
}

// alertFacts returns what is known of an alert in addition to its text.
func alertFacts(alert oncall.Alert, zone *time.Location) string {
	state := "firing"
	if !alert.Firing {
		state = "cleared"
		if alert.ClearedAt != nil {
			state += " " + Time(*alert.ClearedAt, zone)
		}
	}
	facts := []string{severityWord(alert.Severity), state, "first " + Time(alert.FirstAt, zone), "last " + Time(alert.LastAt, zone), Count(alert.Count, "signal")}
	if alert.DedupKey != "" {
		facts = append(facts, "key "+Foreign(alert.DedupKey, maxField/2))
	}
	return "_" + strings.Join(facts[:5], " · ") + "_" + strings.Join(append([]string{""}, facts[5:]...), " · ")
}

// alertLinks returns an alert's links: its own first, unless there is a runbook.
func alertLinks(a oncall.Alert) []oncall.Link {
	links := slices.Clone(a.Links)
	if a.Link != "" && !slices.ContainsFunc(links, func(l oncall.Link) bool { return l.URL == a.Link }) {
		at := 0
		for at < len(links) && links[at].Text == runbookText {
			at++
		}
		links = slices.Insert(links, at, oncall.Link{Text: "Source", URL: a.Link})
	}
	return links
}

const runbookText = "Runbook"

// linkLine joins as many links as fit.
func linkLine(links []oncall.Link, limit, room int) string {
	var shown []string
	size := 0
	for _, l := range links {
		one := link(l.URL, Foreign(l.Text, MaxName))
		n := utf8.RuneCountInString(one) + len(" · ")
		if !strings.HasPrefix(one, "<") || len(shown) == limit || size+n > room {
			continue
		}
		shown, size = append(shown, one), size+n
	}
	return strings.Join(shown, " · ")
}

// maxRootLinks is the maximum number of links in an incident's message.
const maxRootLinks = 4

// rootLinks returns the links of the alerts in a message, runbooks first. The title has the incident's own.
func rootLinks(p oncall.Picture) []oncall.Link {
	var runbooks, others []oncall.Link
	for _, a := range p.Alerts {
		for _, l := range a.Links {
			switch {
			case slices.Contains(runbooks, l) || slices.Contains(others, l):
			case l.Text == runbookText:
				runbooks = append(runbooks, l)
			case l.URL != p.Incident.Link && l.Text != "Silence" && p.AlertCount == 1:
				others = append(others, l)
			}
		}
	}
	return append(runbooks, others...)
}

// foreignParts splits foreign text into pieces that each fit into a section.
func foreignParts(s string) []string {
	const limit = maxSection - 50
	var parts []string
	var piece strings.Builder
	n := 0
	for line := range strings.Lines(strings.ReplaceAll(strings.TrimSpace(s), "\r\n", "\n")) {
		for _, r := range line {
			one := escape(string(r), maxSection)
			size := utf8.RuneCountInString(one)
			if n+size > limit {
				parts, n = append(parts, piece.String()), 0
				piece.Reset()
			}
			piece.WriteString(one)
			n += size
		}
	}
	if piece.Len() > 0 {
		parts = append(parts, piece.String())
	}
	return parts
}
