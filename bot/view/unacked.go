package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// drawUnacked reminds a channel of incidents that nobody, or too few people, have acknowledged.
func drawUnacked(n oncall.Notice) Drawing {
	facts := n.Detail
	if facts.State == oncall.UnackedOver {
		text := fmt.Sprintf(":white_check_mark: No incident has been waiting for somebody since %s.", stamp(facts.StateAt, asTime, time.UTC))
		return Text(text)
	}
	wait := "wait"
	if facts.Count == 1 {
		wait = "waits"
	}
	head := fmt.Sprintf(":hourglass_flowing_sand: *%s %s to be acknowledged:*", Count(facts.Count, "incident"), wait)
	lines := []string{head}
	for _, l := range facts.Lines {
		lines = append(lines, "• "+Foreign(l, maxAlertTitle))
	}
	if more := facts.Count - len(facts.Lines); more > 0 {
		lines = append(lines, fmt.Sprintf("• and %d more", more))
	}
	lines = append(lines, fmt.Sprintf("_As of %s._", stamp(facts.Start, asTime, time.UTC)))
	text := strings.Join(lines, "\n")
	return Text(text)
}
