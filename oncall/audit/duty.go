package audit

import (
	"cmp"
	"strconv"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A Where is the schedule of an entry.
type Where struct {
	Name string
	Team oncall.TeamID
}

func (w Where) entry(act Operation, changes ...Change) Entry {
	return Entry{Kind: Schedule, Name: w.Name, Teams: []oncall.TeamID{w.Team}, Act: act, Changes: changes}
}

// Override records a new override.
func (w Where) Override(o schedule.Override) Entry {
	return w.entry(OverrideAdded, fields(nil).became(ofOverride(o))...)
}

// OverrideChanged records the change of an override.
func (w Where) OverrideChanged(was, is schedule.Override) Entry {
	return w.entry(OverrideChanged, ofOverride(was).became(ofOverride(is))...)
}

// OverrideEnded records the end of an override.
func (w Where) OverrideEnded(o schedule.Override) Entry {
	return w.entry(OverrideEnded, ofOverride(o).became(nil)...)
}

func ofOverride(override schedule.Override) (says fields) {
	says.say("when", span(override.Start, override.End))
	says.text("role", override.Role)
	switch override.Kind {
	case schedule.OverrideSwap:
		says.say("on call", oncall.Say("%s instead of %s", override.To, override.From))
	case schedule.OverrideAdd:
		says.say("also on call", schedule.People(override.Users, ", "))
	case schedule.OverrideRemove:
		says.say("not on call", schedule.People(override.Users, ", "))
	case schedule.OverrideTemporary:
		for _, s := range override.Shifts {
			says.say(shiftName(s), schedule.People(s.Users, ", "))
		}
	case schedule.OverrideCover:
		says.say("on call", schedule.People(override.Users, ", "))
	}
	says.text("only", windows(override.Windows))
	says.flag("only while somebody would be on call", override.OnlyCovered)
	says.text("reason", override.Reason)
	return says
}

// shiftName identifies a shift.
func shiftName(s schedule.ManualShift) string {
	return cmp.Or(s.Role, schedule.RolePrimary) + " " + span(s.Start, s.End).String()
}

// Shift records a manual shift.
func (w Where) Shift(s schedule.ManualShift) Entry {
	return w.entry(ShiftAdded, Change{What: shiftName(s), After: schedule.People(s.Users, ", ")})
}

// Shifts records the removal of a stretch of time from manual shifts.
func (w Where) Shifts(was, left []schedule.ManualShift) Entry {
	all := func(shifts []schedule.ManualShift) (says fields) {
		for _, s := range shifts {
			says.say(shiftName(s), schedule.People(s.Users, ", "))
		}
		return says
	}
	return w.entry(ShiftsDeleted, all(was).became(all(left))...)
}

// Apart records whether a schedule refuses overlapping shifts, which it did not before, or the other way round.
func (w Where) Apart(refuses bool) Entry {
	var before, after fields
	before.flag("shifts apart", !refuses)
	after.flag("shifts apart", refuses)
	return w.entry(Changed, before.became(after)...)
}

// Handoff records a confirmed hand-off ("I have it").
func (w Where) Handoff(h oncall.Handoff) Entry {
	return w.entry(HandoffConfirmed, Change{What: h.Role, After: oncall.Say("since %s UTC", day(h.At))})
}

// stint formats a shift.
func stint(s schedule.Stint) string { return s.Role + " " + span(s.Start, s.End).String() }

// swaps maps a swap's states to operations.
var swaps = map[oncall.SwapState]Operation{
	oncall.SwapOpen: SwapOffered, oncall.SwapAccepted: SwapAccepted, oncall.SwapDeclined: SwapDeclined,
	oncall.SwapWithdrawn: SwapTakenBack, oncall.SwapUndone: SwapUndone,
}

// Swap records a person's act on a swap, with one entry for each schedule, so that nobody reads
// about one that they may not see. Expiry is not recorded.
func Swap(swap oncall.Swap, give, take oncall.TeamID) []Entry {
	act, known := swaps[swap.State]
	if !known {
		return nil
	}
	gives := Change{What: stint(swap.Give), Before: oncall.Say("%s", swap.Give.User), After: oncall.Say("%s", swap.Take.User)}
	takes := Change{What: stint(swap.Take), Before: oncall.Say("%s", swap.Take.User), After: oncall.Say("%s", swap.Give.User)}
	if swap.State == oncall.SwapUndone {
		gives.Before, gives.After = gives.After, gives.Before
		takes.Before, takes.After = takes.After, takes.Before
	}
	of := Where{Name: swap.Give.Name, Team: give}
	if swap.Give.Schedule == swap.Take.Schedule {
		return []Entry{of.entry(act, gives, takes)}
	}
	return []Entry{of.entry(act, gives), Where{Name: swap.Take.Name, Team: take}.entry(act, takes)}
}

// Cover records a request for cover.
func (w Where) Cover(c oncall.Cover) Entry {
	changes := []Change{{What: stint(c.Stint), Before: oncall.Say("%s", c.Stint.User)}}
	if c.Note != "" {
		changes = append(changes, Change{What: "note", After: oncall.Say("%s", c.Note)})
	}
	return w.entry(CoverAsked, changes...)
}

// CoverDone records a person's act on a request for cover.
func (w Where) CoverDone(before, after oncall.Cover, do oncall.CoverActKind) (Entry, bool) {
	of := stint(after.Stint)
	switch {
	case len(after.Takes) > len(before.Takes):
		var changes []Change
		for _, t := range after.Takes[len(before.Takes):] {
			changes = append(changes, Change{
				What: after.Stint.Role + " " + span(t.Start, t.End).String(), Before: oncall.Say("%s", after.Stint.User), After: oncall.Say("%s", t.User),
			})
		}
		return w.entry(CoverTaken, changes...), true
	case do == oncall.DeclineCover:
		return w.entry(CoverDeclined, Change{What: of, Before: oncall.Say("%s", after.Stint.User)}), true
	case do == oncall.WithdrawCover && after.State != before.State:
		return w.entry(CoverTakenBack, Change{What: of, Before: oncall.Say("%s", after.Stint.User)}), true
	}
	return Entry{}, false
}

// Calendar records the beginning or end of a subscription to a schedule.
func (w Where) Calendar(maker oncall.UserID, ended bool) Entry {
	e := w.entry(CalendarMade)
	if ended {
		e.Act = CalendarEnded
	}
	e.About = maker
	return e
}

// lengthText formats a duration.
func lengthText(d time.Duration) string {
	if d >= time.Hour && d%time.Hour == 0 {
		return strconv.Itoa(int(d/time.Hour)) + " h"
	}
	return strconv.Itoa(int(d/time.Minute)) + " min"
}
