package oncall

import (
	"testing"
	"time"
)

// The next person in the turns stands in for somebody who is away, unless they too are away, on call then, or have
// left.
func TestStandInIsTheNextWhoIsFree(t *testing.T) {
	t.Parallel()
	r := trade(t)
	shift := week(t, r, ann, 1)
	if got, found := r.StandIn(shift, nil); !found || got != bo {
		t.Errorf("next is %s, %t, want %s", got, found, bo)
	}
	if got, found := r.StandIn(shift, []UserID{bo}); found {
		t.Errorf("with everybody else away %s stands in, want nobody", got)
	}
	shift.User = bo
	if got, found := r.StandIn(shift, nil); found {
		t.Errorf("%s stands in for a shift that is not Bo's", got)
	}
}

// Time off that overlaps is one absence.
func TestAbsenceUnitesOverlappingTimeOff(t *testing.T) {
	t.Parallel()
	at := func(days int) time.Time { return noon.AddDate(0, 0, days) }
	all := []TimeOff{{ID: 2, UserID: ann, Start: at(1), End: at(3)}, {ID: 5, UserID: ann, Start: at(2), End: at(9)}, {ID: 6, UserID: bo, Start: at(2), End: at(4)}}
	if got, found := Absence(all, 2); !found || !got.Start.Equal(at(1)) || !got.End.Equal(at(9)) {
		t.Errorf("got %+v, %t, want both stretches of Ann's", got, found)
	}
	if got, found := Absence(all, 5); found {
		t.Errorf("got %+v, want nothing: it is part of another", got)
	}
}
