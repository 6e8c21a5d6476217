package oncall

import (
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

func TestSwapOfferIsNotRepeated(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 9, 9, 0, 0, 0, time.UTC)
	stint := func(u UserID, week int) schedule.Stint {
		return schedule.Stint{Schedule: 1, Role: schedule.RolePrimary, User: u, Start: at.AddDate(0, 0, 7*week), End: at.AddDate(0, 0, 7*week+7)}
	}
	open := Swap{State: SwapOpen, Give: stint("U0ANN", 1), Take: stint("U0BO", 0)}
	again, back, other := open, Swap{Give: open.Take, Take: open.Give}, Swap{Give: stint("U0ANN", 3), Take: open.Take}
	if again.Repeats([]Swap{open}) == nil || back.Repeats([]Swap{open}) == nil {
		t.Error("an open swap can be offered again, want that refused")
	}
	if err := other.Repeats([]Swap{open}); err != nil {
		t.Error(err)
	}
	open.State = SwapDeclined
	if err := again.Repeats([]Swap{open}); err != nil {
		t.Errorf("after it was declined: %v", err)
	}
}

func TestOverlappingTimeOffIsFoundOnce(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)
	off := func(id TimeOffID, u UserID, from, to int) TimeOff {
		return TimeOff{ID: id, UserID: u, Start: at.AddDate(0, 0, from), End: at.AddDate(0, 0, to)}
	}
	got := mergeTimeOff([]TimeOff{off(2, "U0ANN", 1, 3), off(1, "U0ANN", 2, 5), off(3, "U0BO", 1, 2), off(4, "U0ANN", 6, 7)})
	want := []TimeOff{off(1, "U0ANN", 1, 5), off(4, "U0ANN", 6, 7), off(3, "U0BO", 1, 2)}
	equal(t, "Ann's overlapping days are one", got, want)
}

func TestActingConfirmsHandoff(t *testing.T) {
	t.Parallel()
	h := Handoff{Number: 3, Role: schedule.RolePrimary, Incoming: []UserID{"U0BO"}}
	if _, who := h.ConfirmedBy([]UserID{"U0ANN"}); who != "" {
		t.Errorf("%s, who did not come on call, has it", who)
	}
	took, who := h.ConfirmedBy([]UserID{"U0ANN", "U0BO"})
	if who != "U0BO" || took.AckedBy != "U0BO" {
		t.Errorf(`%+v, %q; want who "U0BO" and AckedBy "U0BO"`, took, who)
	}
	if _, who := took.ConfirmedBy([]UserID{"U0BO"}); who != "" {
		t.Error("a hand-off that is confirmed can be confirmed again")
	}
}
