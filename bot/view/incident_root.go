package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// statuses are the word and colour of each status.
var statuses = map[oncall.Status]struct{ emoji, word string }{
	oncall.Triggered:    {":red_circle:", "Triggered"},
	oncall.Acknowledged: {":large_yellow_circle:", "Acknowledged"},
	oncall.Snoozed:      {":zzz:", "Snoozed"},
	oncall.Resolved:     {":large_green_circle:", "Resolved"},
}

// Incident draws an incident for its channel.
func Incident(p oncall.Picture) Drawing { return draw(p, "", "") }

// Page draws an incident for a person who is paged. why completes "you are paged because …"; it may be empty.
func Page(p oncall.Picture, reader oncall.UserID, why oncall.Sentence) Drawing {
	tense := "are"
	if p.Incident.Status != oncall.Triggered {
		tense = "were"
	}
	return draw(p, reader, fmt.Sprintf("You %s paged because %s.", tense, reason(why)))
}

// reason returns why a person was paged.
func reason(why oncall.Sentence) string { return foreignSentence(why, maxSection/2) }

func draw(picture oncall.Picture, reader oncall.UserID, lead string) Drawing {
	in := picture.Incident
	status := statuses[in.Status]
	// Desktops notify with the first block, phones with the text.
	head := fmt.Sprintf("%s %s %s", bold(fmt.Sprintf("%s %s:", in.ID, severityName(in.Severity)), titleOf(in), in.Link), status.emoji, status.word)
	if body := foreignLines(in.Body, maxBody, maxBodyLines); body != "" {
		head += "\n" + body
		if strings.HasSuffix(body, "…") {
			head += "\n_All of it is under Details, in the menu below._"
		}
	}
	if links := linkLine(rootLinks(picture), maxRootLinks, maxSection-utf8.RuneCountInString(head)-1); links != "" {
		head += "\n" + links
	}
	blocks := []slack.Block{section(head)}
	if lead != "" {
		blocks = append(blocks, section(lead))
	}
	state := standing(picture)
	storm := in.Storm != nil
	if storm {
		state = strings.TrimSpace(state + " " + stormState(in))
	}
	blocks = append(blocks, section(state))
	switch alerts := alertList(picture); {
	case storm && lead == "":
		blocks = append(blocks, section(stormCounters(picture)))
	case storm: // no counters in direct messages: they would be edited all the time
		picture.Incident.SignalCount = 0
	case alerts != "":
		blocks = append(blocks, section(alerts))
	}
	if picture.Last != nil {
		blocks = append(blocks, note(lastTime(*picture.Last)))
	}
	blocks = append(blocks, slack.NewContextBlock("", words(origin(picture))), buttons(in, reader))
	if storm {
		blocks = append(blocks, stormButtons(in))
	}
	// Notifications and screen readers only have the text, so it has everything that matters.
	sentences := []string{fmt.Sprintf("%s %s: %s (%s).", in.ID, severityName(in.Severity), titleOf(in), in.Status)}
	if lead != "" {
		sentences = append(sentences, lead)
	}
	return Drawing{Text: strings.Join(append(sentences, state), " "), Blocks: blocks}
}

func severityWord(s oncall.Severity) string {
	return capitalize(severityName(s))
}

func severityName(s oncall.Severity) string {
	return Name(string(cmp.Or(s, oncall.High)))
}

// alertList lists an incident's alerts if there are several.
func alertList(picture oncall.Picture) string {
	if picture.AlertCount < 2 {
		return ""
	}
	lines := []string{fmt.Sprintf("*%d of %d alerts firing*", picture.Firing, picture.AlertCount)}
	shown := picture.Alerts[:min(len(picture.Alerts), oncall.MaxPictured)]
	telling := distinguishingLabels(shown)
	for _, a := range shown {
		line := Foreign(a.Title, maxAlertTitle)
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
	if more := picture.AlertCount - len(shown); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n")
}

// distinguishingLabels returns the labels that distinguish alerts, such as the host if all have the same title.
func distinguishingLabels(alerts []oncall.Alert) []string {
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
			parts = append(parts, Foreign(name+"="+value, maxLabel))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " · " + strings.Join(parts, ", ")
}

// origin says where the incident comes from.
func origin(picture oncall.Picture) string {
	in := picture.Incident
	parts := []string{"team " + Name(picture.Team.Name)}
	switch {
	case in.Raised():
		parts = append(parts, "paged by "+actorName(in.RaisedBy))
	case picture.Integration != "":
		parts = append(parts, Name(picture.Integration))
	}
	if picture.Policy != "" {
		parts = append(parts, "policy "+Name(picture.Policy))
	}
	parts = append(parts, "opened "+stamp(in.OpenedAt, asDay, time.UTC))
	if in.SignalCount > 1 {
		parts = append(parts, Count(in.SignalCount, "signal")+", last at "+stamp(in.LastSignalAt, asTime, time.UTC))
	}
	if has := LinkedChannel(in); has != "" {
		parts = append(parts, "in "+has)
	}
	if in.Flaps > 0 {
		parts = append(parts, "reopened "+Count(in.Flaps, "time"))
	}
	return strings.Join(parts, " · ")
}
