package view

import (
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall/schedule"
)

const (
	// maxLines is the maximum number of sections in the timeline; Slack takes 100 blocks.
	maxLines = 40
)

// Timeline draws an incident's whole log, newest line last.
func (ov IncidentOverview) Timeline() slack.ModalViewRequest {
	var lines []string
	day := ""
	for _, e := range ov.Picture.Events {
		if d := e.At.In(ov.Zone).Format(time.DateOnly); d != day {
			day = d
			lines = append(lines, "*"+schedule.Day(e.At, ov.Zone)+"*")
		}
		lines = append(lines, cutSection(e.At.In(ov.Zone).Format("15:04:05")+"  "+threadLine(e)))
	}
	paragraphs, left := paragraphsOf(lines, maxLines)
	blocks := []slack.Block{section(headline(ov.Picture.Incident))}
	if left > 0 {
		blocks = append(blocks, note(Count(left, "earlier line")+" left out."))
	}
	for _, p := range paragraphs {
		blocks = append(blocks, section(p))
	}
	if in := ov.Picture.Incident; in.SignalCount > 1 {
		// Most signals only repeat an earlier line.
		blocks = append(blocks, note(fmt.Sprintf("%d signals in all, the last at %s.", in.SignalCount, Time(in.LastSignalAt, ov.Zone))))
	}
	if len(lines) == 0 {
		blocks = append(blocks, section("Nothing has happened yet."))
	}
	return readOnly("Timeline of "+ov.Picture.Incident.ID.String(), blocks...)
}

// paragraphsOf joins lines to as few sections as possible. If it needs too many, it drops the first lines and
// returns how many.
func paragraphsOf(lines []string, limit int) (_ []string, left int) {
	var reversed []string // the newest matter most
	size := 0
	for i, line := range slices.Backward(lines) {
		n := utf8.RuneCountInString(line)
		if len(reversed) == 0 || size+1+n > maxSection {
			if len(reversed) == limit {
				left = i + 1
				break
			}
			reversed, size = append(reversed, line), n
			continue
		}
		last := &reversed[len(reversed)-1]
		*last, size = line+"\n"+*last, size+1+n
	}
	slices.Reverse(reversed)
	return reversed, left
}
