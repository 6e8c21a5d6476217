package view

import (
	"fmt"

	"github.com/watchbill/watchbill/oncall"
)

// Pending lists a person's open swaps and cover requests.
func Pending(swaps []oncall.Swap, covers []oncall.Cover, zone string) string {
	if len(swaps)+len(covers) == 0 {
		return "You have no swap that is offered or still to come, and nobody is asked to cover for you. `/oncall swap` and `/oncall cover` begin one."
	}
	var lines []string
	for _, s := range swaps {
		state := "agreed"
		if s.State == oncall.SwapOpen {
			state = fmt.Sprintf("waits for %s until %s", mention(s.Take.User), Time(s.ExpiresAt, location(zone)))
		}
		lines = append(lines, fmt.Sprintf("• %s for %s of %s: %s", StintWords(s.Give, zone)+" of "+mention(s.Give.User), StintWords(s.Take, zone), mention(s.Take.User), state))
	}
	for _, c := range covers {
		lines = append(lines, fmt.Sprintf("• Cover is wanted for %s of %s; asked so far: %d", StintWords(c.Stint, zone), mention(c.Stint.User), len(c.Asked)))
	}
	return fitLines(append(lines, "Each can be taken back in the message that you got about it."), MaxAnswer)
}
