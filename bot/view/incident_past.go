package view

import (
	"fmt"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// PastIncidents lists the incidents that a search found, latest first, with their verdicts.
func PastIncidents(found []oncall.Incident, shown int, orMore bool, what string, links map[oncall.IncidentID]string, zone *time.Location) string {
	lines := make([]string, shown)
	for i, in := range found[:shown] {
		line := incidentLine(in, links[in.ID])
		if in.Status == oncall.Resolved {
			line = fmt.Sprintf("%s %s %s: %s (%s", statuses[in.Status].emoji, numberOf(in, links[in.ID]), severityName(in.Severity), Name(in.Title), Time(in.OpenedAt, zone))
			if in.ResolvedAt != nil {
				line += ", over after " + durationText(in.ResolvedAt.Sub(in.OpenedAt))
			}
			line += ", by " + actorName(in.ResolvedBy) + ")"
		}
		if verdict := verdictText(in.Verdict, in.Helped); verdict != "" {
			line += " — " + verdict
		}
		lines[i] = line
	}
	count := Count(len(found), "incident")
	if orMore {
		count = fmt.Sprintf("%d incidents or more", len(found))
	}
	return headedFirst("*"+count+"* "+what, lines, len(found))
}
