package oncall

import (
	"cmp"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// CoverID identifies a cover request.
type CoverID int64

// A Cover asks colleagues to take all or part of a shift. Until somebody takes it, its owner stays on
// call.
type Cover struct {
	ID        CoverID
	State     CoverState
	Stint     schedule.Stint
	Note      string
	Everyone  bool   // asks the whole team, not only the schedule's people
	CreatedBy UserID // the shift's owner, or a team member on their behalf
	CreatedAt time.Time
	EndedAt   *time.Time // when it left CoverOpen
	NextAt    *time.Time // when its timer runs next; nil: never
	Asked     []CoverAsk // in the order in which they were asked
	Takes     []CoverTake
	Unasked   []CoverUnasked `db:"-"` // people the timer has just left out, if nobody has been asked yet
}

// A CoverAsk records a person who was asked. It is stored as JSON.
type CoverAsk struct {
	User     UserID    `json:"user"`
	At       time.Time `json:"at"`
	Declined bool      `json:"declined,omitempty"`
}

// A CoverUnasked records a person who could cover but isn't asked, at least for now. It is stored as
// JSON.
type CoverUnasked struct {
	User UserID        `json:"user"`
	Why  UnaskedReason `json:"why"`
	At   time.Time     `json:"at,omitzero"` // when they will be asked; zero: never
}

// UnaskedReason says why somebody isn't asked.
type UnaskedReason string

// The reasons why somebody isn't asked.
const (
	UnaskedNight  UnaskedReason = "night"   // it is night where they are
	UnaskedAway   UnaskedReason = "away"    // they have time off then
	UnaskedOnCall UnaskedReason = "on_call" // they are on call in the schedule then
	UnaskedLeft   UnaskedReason = "left"    // they have left Slack
)

// A CoverTake is all or part of the shift, taken by somebody. It is stored as JSON.
type CoverTake struct {
	User     UserID     `json:"user"`
	Start    time.Time  `json:"start"`
	End      time.Time  `json:"end"`
	Override OverrideID `json:"override"`
}

// CoverState is the state of a cover request.
type CoverState string

// The states of a cover request; only an open one can be taken.
const (
	CoverOpen      CoverState = "open"
	CoverTaken     CoverState = "taken" // completely
	CoverWithdrawn CoverState = "withdrawn"
	CoverOver      CoverState = "over"  // the shift has ended
	CoverStale     CoverState = "stale" // its owner lost the shift in another way
)

// People are asked in groups, and only during the day in their own time zone.
const (
	coverGroup = 3
	coverPause = 15 * time.Minute
	askFrom    = schedule.TimeOfDay(8 * 60)
	askUntil   = schedule.TimeOfDay(22 * 60)
)

// coverReminders are how long before the shift the asker is reminded that nobody has taken it.
var coverReminders = []time.Duration{24 * time.Hour, 2 * time.Hour}

// loadSpan is how far back and ahead time on call is counted.
const loadSpan = 28 * 24 * time.Hour

// A CoverAct is something that a person does with a cover request.
type CoverAct struct {
	Do       CoverActKind
	From, To time.Time // for TakeCover: the part to take; zero means an end of the shift
}

// CoverActKind says which act it is.
type CoverActKind string

// The things that people do with cover requests.
const (
	TakeCover     CoverActKind = "take"
	DeclineCover  CoverActKind = "decline"
	WithdrawCover CoverActKind = "withdraw"
)

// A CoverChange is a decision on a cover request.
type CoverChange struct {
	Cover  Cover
	Add    []schedule.Override // for the latest takes, in their order
	Asked  []UserID            // who is asked now
	Remind time.Duration       // which of coverReminders is due; 0: none
	// Refusal is shown to the person who acted, although the request has changed.
	Refusal error
}

// AskForCover makes a request for a stint, which may have begun. The argument away lists people who
// have time off during it.
func AskForCover(stint schedule.Stint, by UserID, note string, everyone bool, r ShiftFacts, away []UserID, now time.Time) (CoverChange, error) {
	if stint.Start.Before(now) {
		stint.Start = now
	}
	switch {
	case !stint.Start.Before(stint.End):
		return CoverChange{}, Refuse("That shift is over.")
	case stint.Vacant && !r.isOnCallFor(stint):
		return CoverChange{}, Refuse("Somebody is on call in %s at that time.", stint.Name)
	case !r.isOnCallFor(stint):
		return CoverChange{}, Refuse("%s is not on call in %s for all of that time.", stint.User, stint.Name)
	}
	c := Cover{State: CoverOpen, Stint: stint, Note: note, Everyone: everyone, CreatedBy: by, CreatedAt: now, NextAt: &now}
	return c.RunTimer(r, away, now), nil
}

// Untaken returns the parts of the shift that nobody has taken yet.
func (c Cover) Untaken() []schedule.Stint { return UntakenOf(c.Stint, c.Takes) }

// UntakenOf returns the parts of a stint that nobody has taken.
func UntakenOf(s schedule.Stint, takes []CoverTake) []schedule.Stint {
	left := []schedule.Stint{s}
	for _, t := range takes {
		var rest []schedule.Stint
		for _, part := range left {
			rest = append(rest, part.Without(t.Start, t.End)...)
		}
		left = rest
	}
	return left
}

// Do applies a person's act to a cover request.
func (c Cover) Do(a CoverAct, by UserID, r ShiftFacts, now time.Time) (CoverChange, error) {
	switch a.Do {
	case TakeCover:
		return c.take(by, a.From, a.To, r, now)
	case DeclineCover:
		return c.decline(by)
	case WithdrawCover:
		return c.withdraw(by, now)
	}
	return CoverChange{}, refuseUnknown()
}

// take gives a person whatever is left between two times; zero means an end of the shift. The first
// person to take a part gets it.
func (c Cover) take(by UserID, from, to time.Time, r ShiftFacts, now time.Time) (CoverChange, error) {
	switch {
	case c.State != CoverOpen:
		return CoverChange{}, c.closed()
	case by == c.Stint.User:
		return CoverChange{}, Refuse("It is your own shift; it stays yours until somebody takes it.")
	case !c.mayTake(by, r, now):
		return CoverChange{}, Refuse("Only people of %s and of its team can take it.", c.Stint.Name)
	case r.absent(by):
		return CoverChange{}, Refuse("%s is deactivated and can't be on call.", by)
	case !c.Stint.End.After(now):
		return c.close(CoverOver, now, Refuse("That shift is over.")), nil
	}
	if from.Before(now) {
		from = now
	}
	if to.IsZero() {
		to = c.Stint.End
	}
	var wanted []schedule.Stint
	for _, p := range c.Untaken() {
		if p.Start.Before(from) {
			p.Start = from
		}
		if p.End.After(to) {
			p.End = to
		}
		if p.Start.Before(p.End) {
			wanted = append(wanted, p)
		}
	}
	if len(wanted) == 0 {
		return CoverChange{}, Refuse("Nothing of the shift is left to take at that time.")
	}
	change := CoverChange{}
	for _, p := range wanted {
		switch {
		case !r.isOnCallFor(p):
			return c.close(CoverStale, now, Refuse("%s no longer has that shift, so there is nothing to take.", c.Stint.User)), nil
		case r.presenceOf(p, by) != never:
			return CoverChange{}, Refuse("You are on call in %s at that time already.", c.Stint.Name)
		}
		o := p.Replace(by, reasonCover)
		change.Add = append(change.Add, o)
		c.Takes = append(slices.Clip(c.Takes), CoverTake{User: by, Start: p.Start, End: p.End})
	}
	change.Cover = c
	if !slices.ContainsFunc(c.Untaken(), func(p schedule.Stint) bool { return p.End.After(now) }) {
		change.Cover = c.close(CoverTaken, now, nil).Cover
	}
	return change, nil
}

// mayTake reports whether a person is ever on call in the schedule or belongs to its team.
func (c Cover) mayTake(u UserID, r ShiftFacts, now time.Time) bool {
	schedule := r.Schedules[c.Stint.Schedule]
	return schedule != nil && (slices.Contains(r.Members[schedule.TeamID()], u) || slices.Contains(everOnCall(schedule, now), u))
}

// decline records that a person declined.
func (c Cover) decline(by UserID) (CoverChange, error) {
	if c.State != CoverOpen {
		return CoverChange{}, c.closed()
	}
	c.Asked = slices.Clone(c.Asked)
	for i := range c.Asked {
		if c.Asked[i].User == by {
			c.Asked[i].Declined = true
		}
	}
	return CoverChange{Cover: c}, nil
}

// withdraw ends the request. Parts that were taken stay taken.
func (c Cover) withdraw(by UserID, now time.Time) (CoverChange, error) {
	switch {
	case by != c.Stint.User && by != c.CreatedBy:
		return CoverChange{}, Refuse("Only %s can take this request back.", c.Stint.User)
	case c.State != CoverOpen:
		return CoverChange{}, c.closed()
	}
	return c.close(CoverWithdrawn, now, nil), nil
}

// Due reports whether the timer has something to do.
func (c Cover) Due(now time.Time) bool {
	return c.State == CoverOpen && c.NextAt != nil && !now.Before(*c.NextAt)
}

// RunTimer runs the request's timer. It asks the next group, reminds the asker, or ends the request, and
// sets the next timer. The argument away lists people who have time off during the shift.
func (c Cover) RunTimer(r ShiftFacts, away []UserID, now time.Time) CoverChange {
	if !now.Before(c.Stint.End) {
		return c.close(CoverOver, now, nil)
	}
	for _, p := range c.Untaken() {
		if p.End.After(now) && !r.isOnCallFor(p.From(now)) {
			return c.close(CoverStale, now, nil)
		}
	}
	change := CoverChange{}
	next := c.Stint.End
	soonest := func(t time.Time) {
		if t.After(now) && t.Before(next) {
			next = t
		}
	}
	for _, before := range coverReminders {
		at := c.Stint.Start.Add(-before)
		soonest(at)
		if c.NextAt != nil && at.After(c.CreatedAt) && !at.Before(*c.NextAt) && !at.After(now) {
			change.Remind = before
		}
	}
	waiting, unasked := c.candidates(r, away, now)
	if n := len(c.Asked); n == 0 || !now.Before(c.Asked[n-1].At.Add(coverPause)) {
		waiting = slices.DeleteFunc(waiting, func(u UserID) bool {
			if len(change.Asked) == coverGroup || !r.awake(u, now) {
				return false
			}
			change.Asked = append(change.Asked, u)
			c.Asked = append(slices.Clip(c.Asked), CoverAsk{User: u, At: now})
			return true
		})
	}
	earliest := now
	if n := len(c.Asked); n > 0 && c.Asked[n-1].At.Add(coverPause).After(now) {
		earliest = c.Asked[n-1].At.Add(coverPause)
	}
	for _, u := range waiting {
		wakes := r.nextAskTime(u, earliest)
		soonest(wakes)
		unasked = append(unasked, CoverUnasked{User: u, Why: UnaskedNight, At: wakes})
	}
	c.NextAt, c.Unasked = &next, unasked
	if len(c.Asked) > 0 {
		c.Unasked = nil
	}
	change.Cover = c
	return change
}

// candidates returns the people still to be asked, starting with those who have had the least time on
// call, and the people who are left out. Whoever asks for somebody else isn't asked either.
func (c Cover) candidates(r ShiftFacts, away []UserID, now time.Time) (people []UserID, unasked []CoverUnasked) {
	schedule := r.Schedules[c.Stint.Schedule]
	people = everOnCall(schedule, now)
	if c.Everyone {
		people = append(people, r.Members[schedule.TeamID()]...)
	}
	slices.Sort(people)
	people = slices.Compact(people)
	people = slices.DeleteFunc(people, func(u UserID) bool {
		out := CoverUnasked{User: u}
		switch {
		case u == c.Stint.User, u == c.CreatedBy, slices.ContainsFunc(c.Asked, func(a CoverAsk) bool { return a.User == u }):
			return true
		case r.absent(u):
			out.Why = UnaskedLeft
		case slices.Contains(away, u):
			out.Why = UnaskedAway
		case r.presenceOf(c.Stint, u) == always:
			out.Why = UnaskedOnCall
		default:
			return false
		}
		unasked = append(unasked, out)
		return true
	})
	load := r.TimeOnCall(now.Add(-loadSpan), now.Add(loadSpan))
	slices.SortStableFunc(people, func(a, b UserID) int { return cmp.Compare(load[a], load[b]) })
	return people, unasked
}

// closed says why the request can no longer be changed.
func (c Cover) closed() error {
	switch c.State {
	case CoverTaken:
		return Refuse("%s has taken it already.", c.Takes[len(c.Takes)-1].User)
	case CoverWithdrawn:
		return Refuse("The request has been taken back.")
	case CoverOver:
		return Refuse("That shift is over.")
	case CoverStale, CoverOpen:
	}
	return Refuse("%s no longer has that shift, so there is nothing to take.", c.Stint.User)
}

func (c Cover) close(state CoverState, now time.Time, refusal error) CoverChange {
	c.State, c.EndedAt, c.NextAt = state, &now, nil
	return CoverChange{Cover: c, Refusal: refusal}
}
