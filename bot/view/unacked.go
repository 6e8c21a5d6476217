package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// drawUnacked reminds a channel of incidents that nobody, or too few people, have acknowledged.
func drawUnacked(n oncall.Notice) Drawing {
	f := n.Detail
	if f.State == oncall.UnackedOver {
		text := fmt.Sprintf(":white_check_mark: No incident has been waiting for somebody since %s.", stamp(f.StateAt, asTime, time.UTC))
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
	lines = append(lines, fmt.Sprintf("_As of %s._", stamp(f.Start, asTime, time.UTC)))
	text := strings.Join(lines, "\n")
	return Text(text)
}
