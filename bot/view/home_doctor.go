package view

import (
	"fmt"
	"strings"

	"github.com/slack-go/slack"
)

const (
	homeFindings = 6 // of the doctor, that admins are shown
	maxFinding   = 200
)

// A DoctorFinding is something that the doctor has found not to be as it should.
type DoctorFinding struct {
	Bad    bool   // it needs fixing; otherwise it is only good to know
	Area   string // "database", "slack"
	Text   string
	Remedy string
}

// doctor shows admins what the doctor has found.
func (h HomeTab) doctor() []slack.Block {
	if len(h.Findings) == 0 {
		return nil
	}
	shown := h.Findings[:min(len(h.Findings), homeFindings)]
	var lines []string
	for _, f := range shown {
		sign := ":information_source:"
		if f.Bad {
			sign = ":red_circle:"
		}
		lines = append(lines, fmt.Sprintf("%s *%s* %s\n%s", sign, Name(f.Area), Foreign(f.Text, maxFinding), Foreign(f.Remedy, maxFinding)))
	}
	if more := len(h.Findings) - len(shown); more > 0 {
		lines = append(lines, fmt.Sprintf("%d more: `watchbill doctor`", more))
	}
	return []slack.Block{
		slack.NewHeaderBlock(plain("What the doctor has found")), section(cutSection(strings.Join(lines, "\n"))),
		note("Only admins see this. Looked at " + Time(h.FoundAt, h.Zone) + ", and again every quarter of an hour."),
	}
}
