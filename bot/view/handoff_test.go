package view

import (
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// handoffNotice returns a hand-off from Ann to Bo with one open incident.
func handoffNotice(kind oncall.NoticeKind, to, state string) oncall.Notice {
	monday := time.Date(2026, 3, 9, 8, 0, 0, 0, time.UTC)
	return oncall.Notice{
		ID: 1, To: to, Kind: kind, About: 7, Detail: oncall.NoticeDetail{
			ScheduleName: "payments", Role: schedule.RolePrimary, Start: monday, End: monday.AddDate(0, 0, 7),
			Users: []oncall.UserID{bo}, Others: []oncall.UserID{ann}, Next: []oncall.UserID{ann},
			Incidents: []oncall.IncidentID{3}, Lines: []string{"#3 <disk> & co (triggered)"},
			State: state, StateAt: monday.Add(2 * time.Minute), By: bo, TimeZone: "Europe/Berlin",
		},
	}
}

func TestDrawHandoffs(t *testing.T) {
	t.Parallel()
	nobody := handoffNotice(oncall.NoticeHandoff, "C0PAY", "")
	nobody.Detail.Users, nobody.Detail.Next, nobody.Detail.End = nil, nil, time.Time{}
	joined := handoffNotice(oncall.NoticeHandoff, "C0PAY", "")
	joined.Detail.Others, joined.Detail.Stays, joined.Detail.Role = nil, []oncall.UserID{cy}, schedule.RoleSecondary
	left := handoffNotice(oncall.NoticeHandoff, "C0PAY", "")
	left.Detail.Users, left.Detail.Stays = nil, []oncall.UserID{cy}
	shadow := handoffNotice(oncall.NoticeComing, string(bo), "")
	shadow.Detail.Role = schedule.RoleShadow
	for name, n := range map[string]oncall.Notice{
		"handoff_coming":             handoffNotice(oncall.NoticeComing, string(bo), ""),
		"handoff_coming_unanswered":  handoffNotice(oncall.NoticeComing, string(bo), oncall.HandoffUnanswered),
		"handoff_coming_taken":       handoffNotice(oncall.NoticeComing, string(bo), oncall.HandoffTaken),
		"handoff_coming_over":        handoffNotice(oncall.NoticeComing, string(bo), oncall.HandoffOver),
		"handoff_coming_shadow":      shadow,
		"handoff_going":              handoffNotice(oncall.NoticeGoing, string(ann), ""),
		"handoff_going_taken":        handoffNotice(oncall.NoticeGoing, string(ann), oncall.HandoffTaken),
		"handoff_channel":            handoffNotice(oncall.NoticeHandoff, "C0PAY", ""),
		"handoff_channel_unanswered": handoffNotice(oncall.NoticeHandoff, "C0PAY", oncall.HandoffUnanswered),
		"handoff_channel_nobody":     nobody,
		"handoff_channel_joined":     joined,
		"handoff_channel_left":       left,
		"handoff_unanswered":         handoffNotice(oncall.NoticeUnanswered, string(ann), oncall.HandoffUnanswered),
		"handoff_unanswered_taken":   handoffNotice(oncall.NoticeUnanswered, string(cy), oncall.HandoffTaken),
		"reminder":                   handoffNotice(oncall.NoticeReminder, string(bo), ""),
		"shift_moved":                movedNotice(),
		"shift_moved_office":         officeNotice(),
		"coverage":                   coverageNotice(),
		"coverage_mended":            mendedNotice(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkGolden(t, name, Notice(n))
		})
	}
}

// movedNotice has more moved shifts than are listed.
func movedNotice() oncall.Notice {
	n := handoffNotice(oncall.NoticeMoved, string(bo), "")
	n.Detail.Role = ""
	for i := range maxMoves + 2 {
		start := n.Detail.Start.AddDate(0, 0, 7*i).Add(time.Duration(i) * time.Hour) // no two are alike
		n.Detail.Moves = append(n.Detail.Moves, schedule.Move{
			User: bo, Role: schedule.RolePrimary, Start: start, End: start.AddDate(0, 0, 7), Gained: i%2 == 0,
		})
	}
	n.Detail.Moves[1].Role = schedule.RoleSecondary
	return n
}

// officeNotice has moved shifts in office hours, of two weeks and a day, and of weeks.
func officeNotice() oncall.Notice {
	n := handoffNotice(oncall.NoticeMoved, string(bo), "")
	n.Detail.Role, n.Detail.TimeZone = "", "Europe/Berlin"
	move := func(day, hour int, length time.Duration, gained bool) {
		start := time.Date(2026, 12, day, hour, 0, 0, 0, time.UTC)
		n.Detail.Moves = append(n.Detail.Moves, schedule.Move{User: bo, Role: schedule.RolePrimary, Start: start, End: start.Add(length), Gained: gained})
	}
	for _, week := range []int{7, 28} {
		for day := range 5 {
			move(week+day, 8, 8*time.Hour, true)
		}
	}
	move(15, 8, 8*time.Hour, true)
	move(17, 8, 8*time.Hour, true)
	move(19, 18, 3*time.Hour, false)
	move(14, 8, 7*24*time.Hour, false)
	move(35, 8, 7*24*time.Hour, false)
	return n
}

func mendedNotice() oncall.Notice {
	n := coverageNotice()
	for i := range n.Detail.Findings {
		n.Detail.Findings[i].MendedAt = n.Detail.Start
	}
	return n
}

// coverageNotice has a finding of each kind.
func coverageNotice() oncall.Notice {
	n := handoffNotice(oncall.NoticeCoverage, string(ann), "")
	for _, kind := range oncall.FindingKinds {
		n.Detail.Findings = append(n.Detail.Findings, oncall.Finding{
			Kind: kind, Name: "payments & co", Role: schedule.RolePrimary, User: bo, Start: n.Detail.Start, End: n.Detail.End, More: 2,
		})
	}
	n.Detail.Findings[0].End = time.Time{}
	return n
}
