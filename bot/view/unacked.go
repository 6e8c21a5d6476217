package view

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// drawUnacked reminds a channel of incidents that nobody has acknowledged, or too few have.
func drawUnacked(n oncall.Notice) Drawing {
	f := n.Detail
	if f.State == oncall.UnackedOver {
		text := fmt.Sprintf(":white_check_mark: No incident has been waiting for somebody since %s.", Stamp(f.StateAt, "{time}", time.UTC))
		return Text(text)
	}
	wait := "wait"
	if f.Count == 1 {
		wait = "waits"
	}
	head := fmt.Sprintf(":hourglass_flowing_sand: *%s %s to be acknowledged:*", Count(f.Count, "incident"), wait)
	lines := []string{head}
	for _, l := range f.Lines {
		lines = append(lines, "• "+Foreign(l, maxAlertTitle))
	}
	if more := f.Count - len(f.Lines); more > 0 {
		lines = append(lines, fmt.Sprintf("• and %d more", more))
	}
	lines = append(lines, fmt.Sprintf("_As of %s._", Stamp(f.Start, "{time}", time.UTC)))
	text := strings.Join(lines, "\n")
	return Text(text)
}

var channelID = regexp.MustCompile(`^[CG][A-Z0-9]+$`)

// told names whom and what an event pages: people, channels, the hosts of webhooks.
func told(d oncall.Detail) string {
	var all []string
	switch n := len(d.Users); {
	case n > 0 && n <= MaxNamed:
		for _, u := range d.Users {
			all = append(all, Mention(u))
		}
	case n > 0 || len(d.To) == 0:
		all = append(all, named(d.Users))
	}
	for _, to := range d.To {
		all = append(all, channelWord(to))
	}
	return List(all)
}

// toldQuietly does so without mentioning people, whom Slack would tell of it.
func toldQuietly(d oncall.Detail) string {
	var all []string
	switch n := len(d.Users); {
	case n == 1:
		all = append(all, "1 person")
	case n > 1 || len(d.To) == 0:
		all = append(all, fmt.Sprintf("%d people", n))
	}
	for _, to := range d.To {
		all = append(all, channelWord(to))
	}
	return List(all)
}

// pagingLine says whom an event pages, after the words before, and from when on if a low severity
// waits for their working hours.
func pagingLine(before string, d oncall.Detail) string {
	to := told(d)
	if !d.Until.IsZero() {
		to = toldQuietly(d)
	}
	line := before + to
	if d.Step > 0 {
		line += fmt.Sprintf(" (%s)", step(d))
	}
	if !d.Until.IsZero() {
		line += fmt.Sprintf("; low severity waits for working hours, until %s", Stamp(d.Until, "{date_short_pretty} {time}", time.UTC))
	}
	return line + "."
}
