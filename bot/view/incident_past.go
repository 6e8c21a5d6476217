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
			line = fmt.Sprintf("%s %s %s: %s (%s, %s)", statuses[in.Status].emoji, numberOf(in, links[in.ID]), severityName(in.Severity), Name(in.Title), Time(in.OpenedAt, zone), endOf(in))
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

// endOf says how an incident ended. One that became part of another ends with that one, whatever became of itself.
func endOf(in oncall.Incident) string {
	switch {
	case in.TakenIn():
		return fmt.Sprintf("part of the storm %s", in.MergedInto)
	case in.MergedInto != 0:
		return fmt.Sprintf("merged into %s by %s", in.MergedInto, actorName(in.ResolvedBy))
	case in.ResolvedAt != nil:
		return fmt.Sprintf("over after %s, by %s", durationText(in.ResolvedAt.Sub(in.OpenedAt)), actorName(in.ResolvedBy))
	}
	return "over, by " + actorName(in.ResolvedBy)
}
