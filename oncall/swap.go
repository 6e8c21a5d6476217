package oncall

import (
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// SwapID identifies a swap.
type SwapID int64

// A Swap exchanges the shifts of two people once the one who was asked accepts.
type Swap struct {
	ID        SwapID
	State     SwapState
	Give      schedule.Stint // the stint of the person who offers
	Take      schedule.Stint // the stint of the person who is asked
	Note      string
	CreatedAt time.Time
	ExpiresAt time.Time
	EndedAt   *time.Time   // when it left SwapOpen
	Overrides []OverrideID // while accepted: the overrides that exchange the shifts
}

// SwapState is the state of a swap.
type SwapState string

// The states of a swap. Only an open swap can be answered, and only an accepted one can be undone.
const (
	SwapOpen      SwapState = "open"
	SwapAccepted  SwapState = "accepted"
	SwapDeclined  SwapState = "declined"
	SwapWithdrawn SwapState = "withdrawn"
	SwapUndone    SwapState = "undone"
	SwapExpired   SwapState = "expired"
	SwapStale     SwapState = "stale" // the shifts were no longer theirs
)

// A SwapAct is something that a person does with a swap.
type SwapAct string

// The things that people do with swaps.
const (
	AcceptSwap   SwapAct = "accept"
	DeclineSwap  SwapAct = "decline"
	WithdrawSwap SwapAct = "withdraw"
	UndoSwap     SwapAct = "undo"
)

// The reasons for overrides that people have agreed on.
const (
	reasonSwap  = "swap"
	reasonCover = "cover"
)

// swapLife is how long an offer stays open.
const swapLife = 48 * time.Hour

// A SwapChange is a decision on a swap.
type SwapChange struct {
	Swap   Swap
	Add    []schedule.Override
	Cancel []OverrideID
	// Refusal is shown to the person who acted, although the swap has changed.
	Refusal error
}

// Begins returns the start of the earlier shift.
func (s Swap) Begins() time.Time {
	if s.Take.Start.Before(s.Give.Start) {
		return s.Take.Start
	}
	return s.Give.Start
}

// OfferSwap offers a person one shift in exchange for one of theirs.
func OfferSwap(give, take schedule.Stint, note string, r ShiftFacts, now time.Time) (Swap, error) {
	s := Swap{State: SwapOpen, Give: give, Take: take, Note: note, CreatedAt: now}
	switch begins := s.Begins(); {
	case give.User == take.User:
		return Swap{}, Refuse("That is your own shift: a swap needs somebody else's.")
	case !begins.After(now):
		return Swap{}, Refuse("A shift that has begun can't be swapped. `/oncall cover` finds somebody for the rest of it.")
	case begins.Before(now.Add(swapLife)):
		s.ExpiresAt = begins
	default:
		s.ExpiresAt = now.Add(swapLife)
	}
	if problem := s.problem(r); problem != nil {
		return Swap{}, Refuse("%s", problem)
	}
	return s, nil
}

// Repeats refuses an offer if one about the same two shifts is open, no matter who made it.
func (s Swap) Repeats(open []Swap) error {
	same := func(a, b schedule.Stint) bool {
		return a.Schedule == b.Schedule && a.Role == b.Role && a.User == b.User && a.Start.Before(b.End) && b.Start.Before(a.End)
	}
	for _, o := range open {
		switch {
		case o.State != SwapOpen:
		case same(o.Give, s.Give) && same(o.Take, s.Take):
			return Refuse("You have offered that to %s already, and the offer is open. It can be taken back in the message that you got.", s.Take.User)
		case same(o.Give, s.Take) && same(o.Take, s.Give):
			return Refuse("%s has offered you that already: accept it in the message that you got.", s.Take.User)
		}
	}
	return nil
}

// problem says why the swap is impossible now; nil: it is possible.
func (s Swap) problem(r ShiftFacts) Sentence {
	for _, stint := range []schedule.Stint{s.Give, s.Take} {
		switch {
		case r.absent(stint.User):
			return Say("%s is deactivated and can't be on call.", stint.User)
		case !r.isOnCallFor(stint):
			return Say("%s no longer has that shift in %s.", stint.User, stint.Name)
		}
	}
	switch {
	case r.presenceOf(s.Give, s.Take.User) != never:
		return Say("%s is on call in %s beside %s already.", s.Take.User, s.Give.Name, s.Give.User)
	case r.presenceOf(s.Take, s.Give.User) != never:
		return Say("%s is on call in %s beside %s already.", s.Give.User, s.Take.Name, s.Take.User)
	}
	return nil
}

// Do applies a person's act to a swap.
func (s Swap) Do(a SwapAct, by UserID, r ShiftFacts, now time.Time) (SwapChange, error) {
	switch a {
	case AcceptSwap:
		return s.accept(by, r, now)
	case DeclineSwap:
		return s.decline(by, now)
	case WithdrawSwap:
		return s.withdraw(by, now)
	case UndoSwap:
		return s.undo(by, r, now)
	}
	return SwapChange{}, refuseUnknown()
}

// accept exchanges both shifts. If either has changed since the offer, neither is exchanged and the swap is stale.
func (s Swap) accept(by UserID, r ShiftFacts, now time.Time) (SwapChange, error) {
	if err := s.answerable(by, s.Take.User, "accept"); err != nil {
		return SwapChange{}, err
	}
	switch problem := s.problem(r); {
	case !s.Begins().After(now):
		return s.close(SwapStale, now, Refuse("The first of the two shifts has begun, so nothing was swapped.")), nil
	case !now.Before(s.ExpiresAt):
		return s.close(SwapExpired, now, Refuse("The offer has expired, so nothing was swapped.")), nil
	case problem != nil:
		return s.close(SwapStale, now, Refuse("%s So nothing was swapped.", problem)), nil
	}
	c := s.close(SwapAccepted, now, nil)
	give, take := s.Give.Replace(s.Take.User, reasonSwap), s.Take.Replace(s.Give.User, reasonSwap)
	give.CreatedBy, take.CreatedBy = by, by
	c.Add = []schedule.Override{give, take}
	return c, nil
}

// decline closes the offer for the person who was asked.
func (s Swap) decline(by UserID, now time.Time) (SwapChange, error) {
	if err := s.answerable(by, s.Take.User, "decline"); err != nil {
		return SwapChange{}, err
	}
	return s.close(SwapDeclined, now, nil), nil
}

// withdraw closes the offer for the person who made it.
func (s Swap) withdraw(by UserID, now time.Time) (SwapChange, error) {
	if err := s.answerable(by, s.Give.User, "take back"); err != nil {
		return SwapChange{}, err
	}
	return s.close(SwapWithdrawn, now, nil), nil
}

// undo returns both shifts. Either person may do so until the first shift begins.
func (s Swap) undo(by UserID, r ShiftFacts, now time.Time) (SwapChange, error) {
	give, take := s.Give, s.Take
	give.User, take.User = take.User, give.User
	switch {
	case by != s.Give.User && by != s.Take.User:
		return SwapChange{}, Refuse("Only %s and %s can undo it.", s.Give.User, s.Take.User)
	case s.State != SwapAccepted:
		return SwapChange{}, s.closed()
	case !s.Begins().After(now):
		return SwapChange{}, Refuse("The first of the two shifts has begun, so it can't be undone any more.")
	case r.absent(give.User):
		return SwapChange{}, goneRefusal(give.User)
	case r.absent(take.User):
		return SwapChange{}, goneRefusal(take.User)
	case !r.isOnCallFor(give):
		return SwapChange{}, Refuse("%s has passed the shift on, so it can't be undone.", give.User)
	case !r.isOnCallFor(take):
		return SwapChange{}, Refuse("%s has passed the shift on, so it can't be undone.", take.User)
	}
	c := s.close(SwapUndone, now, nil)
	c.Cancel, c.Swap.Overrides = slices.Clone(s.Overrides), nil
	return c, nil
}

// goneRefusal says why a swap with somebody who has left isn't undone.
func goneRefusal(left UserID) error {
	return Refuse("%s has left Slack, so it can't be undone: what you took from them is yours, and your own shift is yours again. `/oncall cover` finds somebody for either.", left)
}

// Expire closes an unanswered offer whose time is up. It reports false if there is nothing to close.
func (s Swap) Expire(now time.Time) (SwapChange, bool) {
	if s.State != SwapOpen || now.Before(s.ExpiresAt) {
		return SwapChange{}, false
	}
	return s.close(SwapExpired, now, nil), true
}

// answerable refuses an act by anybody other than who, and any act on a swap that is no longer open.
func (s Swap) answerable(by, who UserID, what string) error {
	switch {
	case by != who:
		return Refuse("Only %s can %s this swap.", who, what)
	case s.State != SwapOpen:
		return s.closed()
	}
	return nil
}

// closed says why the swap can no longer be changed.
func (s Swap) closed() error {
	switch s.State {
	case SwapAccepted, SwapBegun:
		return Refuse("%s has accepted this swap already.", s.Take.User)
	case SwapDeclined:
		return Refuse("%s has declined this swap.", s.Take.User)
	case SwapWithdrawn:
		return Refuse("%s has taken this offer back.", s.Give.User)
	case SwapUndone:
		return Refuse("This swap has been undone.")
	case SwapExpired:
		return Refuse("This offer has expired.")
	case SwapStale:
		return Refuse("The shifts have changed since this was offered, so it can't be done any more.")
	case SwapOpen:
	}
	return Refuse("This swap has not been accepted.")
}

func (s Swap) close(state SwapState, now time.Time, refusal error) SwapChange {
	s.State, s.EndedAt = state, &now
	return SwapChange{Swap: s, Refusal: refusal}
}
