package view

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

const (
	previewWeeks  = 8
	previewAhead  = previewWeeks * 7 * 24 * time.Hour
	previewShifts = 6
	previewPeople = 10
	maxPreview    = 1500 // characters per paragraph, so that all fit into an acknowledgement
)

// SchedulePreview compares a schedule before and after an edit.
func SchedulePreview(was, is *schedule.Schedule, at, now time.Time, zone *time.Location) []slack.Block {
	end := at.Add(previewAhead)
	var blocks []slack.Block
	for _, role := range is.Roles()[:min(len(is.Roles()), 3)] {
		lines := []string{"*The next shifts*"}
		if role != schedule.RolePrimary {
			lines = []string{"*The next shifts, " + Name(role) + "*"}
		}
		for i, s := range is.FirstShifts(at, end, role, previewShifts) {
			when := Between(s.Start, s.End, zone)
			switch last := s.End.Equal(end); {
			case i == 0 && last:
				when = "from the change on"
			case i == 0:
				when = "from the change on until " + Time(s.End, zone)
			case last:
				when = "from " + Time(s.Start, zone)
			}
			lines = append(lines, fmt.Sprintf("• %s, %s", named(s.Users), when))
		}
		blocks = append(blocks, section(fitLines(lines, maxPreview)))
	}
	blocks = append(blocks, section(fitLines(whoMoves(schedule.MovedShifts(was, is, now, end), zone), maxPreview)))
	if line := holidayLine(is.HolidaysIn(at, end)); line != "" {
		blocks = append(blocks, section(line))
	}
	if lines := nextHoliday(is, at, zone); len(lines) > 0 {
		blocks = append(blocks, section(fitLines(lines, maxPreview)))
	}
	var open []string
	for _, role := range is.Roles() {
		open = append(open, gapLine(was, is, role, at, end, zone)...)
	}
	idle := 0
	before := was.IdleOverrides(now, end)
	for _, id := range is.IdleOverrides(now, end) {
		if !slices.Contains(before, id) {
			idle++
		}
	}
	if idle > 0 {
		open = append(open, fmt.Sprintf(":warning: %s no longer changes anything.", Count(idle, "override or swap")))
	}
	if len(open) > 0 {
		blocks = append(blocks, section(fitLines(open, maxPreview)))
	}
	return blocks
}

// whoMoves lists what each person gains and loses.
func whoMoves(moves []schedule.Move, zone *time.Location) []string {
	if len(moves) == 0 {
		return []string{fmt.Sprintf("*Nobody's shifts move* in the next %d weeks.", previewWeeks)}
	}
	type person struct {
		id           oncall.UserID
		gains, loses []schedule.Move
	}
	var people []*person
	for _, m := range moves {
		i := slices.IndexFunc(people, func(p *person) bool { return p.id == m.User })
		if i < 0 {
			people = append(people, &person{id: m.User})
			i = len(people) - 1
		}
		if m.Gained {
			people[i].gains = append(people[i].gains, m)
		} else {
			people[i].loses = append(people[i].loses, m)
		}
	}
	slices.SortStableFunc(people, func(a, b *person) int { return cmp.Compare(a.id, b.id) })
	verb := "people's shifts move"
	if len(people) == 1 {
		verb = "person's shifts move"
	}
	lines := []string{fmt.Sprintf("*%d %s* in the next %d weeks:", len(people), verb, previewWeeks)}
	part := func(verb string, moves []schedule.Move) []string {
		if len(moves) == 0 {
			return nil
		}
		hours := time.Duration(0)
		for _, m := range moves {
			hours += m.End.Sub(m.Start)
		}
		return []string{fmt.Sprintf("%s %d h, first %s", verb, int(hours.Hours()), Time(moves[0].Start, zone))}
	}
	for i, p := range people {
		if i == previewPeople {
			lines = append(lines, fmt.Sprintf("• and %d more", len(people)-i))
			break
		}
		lines = append(lines, "• "+mention(p.id)+" "+List(append(part("loses", p.loses), part("gains", p.gains)...)))
	}
	return lines
}

// gapLine warns of new, unintended gaps in coverage.
func gapLine(was, is *schedule.Schedule, role string, at, end time.Time, zone *time.Location) []string {
	var gaps []schedule.Gap
	empty := !covered(was.Shifts(at, end, role)) // nobody was on call: every gap is new
	for _, g := range is.Gaps(at, end, role) {
		if !g.Intended && (empty || covered(was.Shifts(g.Start, g.End, role))) {
			gaps = append(gaps, g)
		}
	}
	if len(gaps) == 0 {
		return nil
	}
	what := ""
	if role != schedule.RolePrimary {
		what = Name(role) + " "
	}
	longest := slices.MaxFunc(gaps, func(a, b schedule.Gap) int { return cmp.Compare(a.End.Sub(a.Start), b.End.Sub(b.Start)) })
	line := fmt.Sprintf(":warning: Nobody is %son call %s", what, Between(longest.Start, longest.End, zone))
	switch more := len(gaps) - 1; {
	case more == 1:
		line += ", and once more"
	case more > 1:
		line += fmt.Sprintf(", and %d more times", more)
	}
	return []string{line + "."}
}

// covered reports whether any of the shifts has somebody on call.
func covered(shifts []schedule.Shift) bool {
	return slices.ContainsFunc(shifts, func(s schedule.Shift) bool { return len(s.Users) > 0 })
}

// ReplacedVersion warns that an edit replaces a version that was planned.
func ReplacedVersion(planned schedule.Version, zone *time.Location) slack.Block {
	return section(fmt.Sprintf(":warning: It takes the place of what was planned from %s on%s.",
		Time(*planned.EffectiveFrom, zone), byWhom(planned)))
}
