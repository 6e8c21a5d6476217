package oncall

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Condition limits when a step runs; unmet, the step is skipped at once. Every part that is given must be met.
// It is stored as JSON: fields are only ever added.
type Condition struct {
	Severity []Severity `json:"severity,omitempty"` // any of these
	Hours    HoursWord  `json:"hours,omitempty"`
}

// HoursWord names a part of the week.
type HoursWord string

// The parts of the week, by the working hours of the policy's team.
const (
	HoursAny     HoursWord = ""
	HoursWorking HoursWord = "working"
	HoursOff     HoursWord = "off"
)

// unmet says why a step doesn't run now, completing "step 2 was skipped: "; empty: the step runs.
func (c *Condition) unmet(sev Severity, team TeamID, roster Roster, now time.Time) string {
	if c == nil {
		return ""
	}
	if len(c.Severity) > 0 && !slices.Contains(c.Severity, sev) {
		return fmt.Sprintf("it is only for severity %s", orList(c.Severity))
	}
	if c.Hours == HoursAny {
		return ""
	}
	switch open := roster.workingHours(team).Open(now); {
	case open && c.Hours == HoursOff:
		return "it is only outside the team's working hours"
	case !open && c.Hours == HoursWorking:
		return "it is only in the team's working hours"
	}
	return ""
}

// orList writes "critical, high or medium".
func orList[S ~string](words []S) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 && i == len(words)-1 {
			b.WriteString(" or ")
		} else if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(w))
	}
	return b.String()
}
