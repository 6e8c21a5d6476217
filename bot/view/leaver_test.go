package view

import (
	"testing"
	"time"

	texts "github.com/watchbill/watchbill/hostile"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// leaving is Bo, who leaves shifts in two teams.
func leaving(name string) []oncall.Departure {
	shift := func(day int, nobody bool) oncall.LeftShift {
		start := time.Date(2026, 3, day, 8, 0, 0, 0, time.UTC)
		return oncall.LeftShift{Stint: schedule.Stint{
			Schedule: 1, Name: name, TimeZone: "Europe/Berlin", Role: schedule.RolePrimary, User: bo, Start: start, End: start.AddDate(0, 0, 7),
		}, Nobody: nobody}
	}
	return []oncall.Departure{
		{
			User: bo, Team: 1, Name: name, Shifts: []oncall.LeftShift{shift(9, true), shift(16, false)},
			Places: []oncall.Place{
				{Kind: oncall.PlaceRotation, Name: name, Rotation: name},
				{Kind: oncall.PlacePolicy, Name: name, Step: 2},
				{Kind: oncall.PlaceFallback},
				{Kind: oncall.PlaceManager},
				{Kind: oncall.PlaceMember},
			},
		},
		{User: bo, Team: 2, Name: name, ByFile: true, Shifts: []oncall.LeftShift{shift(9, false)}, Places: []oncall.Place{{Kind: oncall.PlaceRotation, Name: name, Rotation: name}}},
	}
}

// leftWork is what Bo has in hand in a team whose schedules don't name him, and more of it than is listed in another.
func leftWork(team, title, todo string) []oncall.Departure {
	due := time.Date(2026, 3, 6, 23, 0, 0, 0, time.UTC)
	some := oncall.Departure{
		User: bo, Team: 1, Name: team,
		Incidents: []oncall.LeftIncident{{ID: 3, Title: title}, {ID: 17, Title: title, Snoozed: true}},
		Actions:   []oncall.LeftAction{{ID: 1, Incident: 3, Text: todo, By: ann, DueAt: due}, {ID: 2, Incident: 3, Text: todo, By: bo, DueAt: due}},
	}
	many := oncall.Departure{User: bo, Team: 2, Name: team}
	for i := range 10 {
		many.Incidents = append(many.Incidents, oncall.LeftIncident{ID: oncall.IncidentID(20 + i), Title: title})
		many.Actions = append(many.Actions, oncall.LeftAction{ID: oncall.ReviewActionID(20 + i), Incident: 20, Text: todo, By: ann, DueAt: due})
	}
	return []oncall.Departure{some, many}
}

func TestLeaverViews(t *testing.T) {
	t.Parallel()
	n := oncall.Notice{To: string(ann), Kind: oncall.NoticeLeaver, Detail: oncall.NoticeDetail{Users: []oncall.UserID{bo}, Departures: leaving("payments"), TimeZone: "Europe/Berlin"}}
	golden(t, "leaver", Notice(n))
	n.Detail.State = oncall.LeaverBack
	golden(t, "leaver_back", Notice(n))
	n.Detail.State = oncall.LeaverReplaced
	golden(t, "leaver_replaced", Notice(n))
	n.Detail.State, n.Detail.Departures = "", leaving("payments")[:1]
	n.Detail.Departures[0].Shifts[0].Had, n.Detail.Departures[0].Shifts[1].Back = ann, []oncall.UserID{cy}
	n.Detail.Departures[0].Kept = []oncall.KeptShift{{Stint: voided("payments", oncall.VoidSwap)[0].Stint, By: oncall.VoidSwap}}
	golden(t, "leaver_swapped", Notice(n))
	n.Detail.Departures = leftWork("payments", "disk full on db-1", "write the runbook")
	links := map[oncall.IncidentID]string{3: "https://example.slack.com/archives/C0PAY/p3"}
	golden(t, "leaver_work", Leaver(n, links))
	golden(t, "leaver_work_ahead", Departures(bo, false, n.Detail.Departures, "Europe/Berlin", links))
	n.Detail.State = oncall.LeaverBack
	golden(t, "leaver_work_back", Leaver(n, links))
	m := LeaverMeta{User: bo, Team: 1}
	golden(t, "leaver_form", LeaverForm(m, leaving("payments")[0]))
	m.How, m.To = LeaverForGood, cy
	golden(t, "leaver_preview", LeaverPreview(m, leaving("payments")[0], LeaverMoves([]string{`change schedule "payments": rotations`}, map[string][]string{
		`change schedule "payments": rotations`: {"Cy gains 168 h from 9 Mar to 16 Mar"},
	}), nil))
	shifts := []schedule.Stint{leaving("payments")[0].Shifts[0].Stint}
	golden(t, "leaver_preview_warned", LeaverPreview(m, leaving("payments")[0], LeaverStintLines(shifts, "Europe/Berlin"), LeaverWarnings(cy, shifts, shifts, "Europe/Berlin")))
	for _, h := range texts.Texts {
		n.Detail.State, n.Detail.Departures = "", leaving(h.Text)
		d := Notice(n)
		checkLimits(t, d)
		harmless(t, "who has left, "+h.Name, d.Blocks)
		n.Detail.Departures = leftWork(h.Text, h.Text, h.Text)
		work := Notice(n)
		checkLimits(t, work)
		harmless(t, "what who has left had, "+h.Name, work.Blocks)
		harmless(t, "the preview, "+h.Name, LeaverPreview(m, leaving(h.Text)[0], LeaverMoves([]string{h.Text}, map[string][]string{h.Text: {h.Text}}), nil))
		named := []schedule.Stint{leaving(h.Text)[0].Shifts[0].Stint}
		harmless(t, "the warnings, "+h.Name, LeaverPreview(m, leaving(h.Text)[0], LeaverStintLines(named, ""), LeaverWarnings(cy, named, named, "")))
	}
}

// voided are shifts that change because Bo has left.
func voided(name string, by ...oncall.VoidBy) []oncall.VoidShift {
	var all []oncall.VoidShift
	for i, b := range by {
		start := time.Date(2026, 3, 9+7*i, 8, 0, 0, 0, time.UTC)
		all = append(all, oncall.VoidShift{Stint: schedule.Stint{
			Schedule: 1, Name: name, TimeZone: "Europe/Berlin", Role: schedule.RolePrimary, User: ann, Start: start, End: start.AddDate(0, 0, 7),
		}, Gained: i%2 == 1, By: b})
	}
	return all
}

func TestVoidViews(t *testing.T) {
	t.Parallel()
	n := oncall.Notice{To: string(ann), Kind: oncall.NoticeVoid, Detail: oncall.NoticeDetail{Users: []oncall.UserID{bo}, TimeZone: "Europe/Berlin"}}
	for name, by := range map[string][]oncall.VoidBy{
		"swap":     {oncall.VoidSwap, oncall.VoidSwap},
		"cover":    {oncall.VoidCover},
		"override": {oncall.VoidOverride, oncall.VoidOverride},
		"turn":     {oncall.VoidTurn, oncall.VoidTurn},
		"mixed":    {oncall.VoidSwap, oncall.VoidCover, oncall.VoidOverride},
	} {
		n.Detail.Void, n.Detail.State = voided("payments", by...), ""
		golden(t, "void_"+name, Notice(n))
		n.Detail.State = oncall.LeaverBack
		golden(t, "void_"+name+"_back", Notice(n))
	}
	n.Detail.State = ""
	n.Detail.Void = voided("payments", oncall.VoidSwap, oncall.VoidSwap)
	n.Detail.Void[0].Gained, n.Detail.Void[0].Kept = true, true
	golden(t, "void_half", Notice(n))
	n.Detail.Void = n.Detail.Void[:1]
	golden(t, "void_kept", Notice(n))
	for _, h := range texts.Texts {
		n.Detail.Void = voided(h.Text, oncall.VoidSwap, oncall.VoidCover)
		d := Notice(n)
		checkLimits(t, d)
		harmless(t, "a void swap, "+h.Name, d.Blocks)
	}
}
