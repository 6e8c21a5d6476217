package view

import (
	"fmt"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// changeLine says what follows from how an incident changes by itself.
func changeLine(e oncall.Event) string {
	d := e.Detail
	switch e.Kind {
	case oncall.EventAckAgain:
		if len(d.Users) == 0 {
			return fmt.Sprintf("It got worse: unless somebody acknowledges it, it escalates at %s.", stamp(d.Until, asTime, time.UTC))
		}
		return fmt.Sprintf("It got worse, and %s was paged: unless it is acknowledged again, it escalates at %s.", named(d.Users), stamp(d.Until, asTime, time.UTC))
	default:
		return ""
	}
}
