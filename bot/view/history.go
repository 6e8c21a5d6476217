package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall/audit"
)

// The maximum lengths of an entry: an answer holds several.
const (
	historyChanges = 4
	historyValue   = 160 // characters of each value
	historyEntry   = 900 // characters of the whole
	historyRoom    = 200 // reserved for the line about older entries
)

// History lists the audit log's entries, newest first, as many as fit, and how to see older ones. asked is what
// was typed after `/oncall history`.
func History(entries []audit.Entry, more bool, asked string, zone *time.Location) string {
	if len(entries) == 0 {
		return "Nothing of that was changed, or nothing that you may read."
	}
	var lines []string
	room := MaxAnswer - historyRoom - len([]rune(asked))
	last := int64(0)
	for i, e := range entries {
		text := historyLine(e, zone)
		if room -= len([]rune(text)) + 1; room < 0 && i > 0 {
			more = true
			break
		}
		lines = append(lines, text)
		last = e.ID
	}
	if more {
		lines = append(lines, fmt.Sprintf("Older: `%s`", strings.Join(strings.Fields(fmt.Sprintf("/oncall history %s before %d", code(asked), last)), " ")))
	}
	return strings.Join(lines, "\n")
}

// code keeps typed text from ending its own quotation.
func code(typed string) string { return Foreign(strings.ReplaceAll(typed, "`", ""), 100) }

func historyLine(e audit.Entry, zone *time.Location) string {
	way := e.Way()
	if way != "" {
		way = ", " + way
	}
	text := fmt.Sprintf("• %s: %s %s%s", e.At.In(zone).Format("Mon 2 Jan 2006 15:04"), actorName(e.By), foreignSentence(e.Sentence(), historyValue), Foreign(way, 50))
	for i, c := range e.Changes {
		line := "\n        " + foreignSentence(c.In(zone).Sentence(), historyValue)
		if i == historyChanges || len([]rune(text+line)) > historyEntry {
			return text + fmt.Sprintf("\n        and %d more, which `watchbill audit` shows", len(e.Changes)-i)
		}
		text += line
	}
	return text
}
