package oncall

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// trade returns a schedule in which Ann and Bo alternate weekly, and one in which Cy and Di do. Weeks
// begin on Mondays at 9:00 UTC.
func trade(t *testing.T, overrides ...schedule.Override) ShiftFacts {
	t.Helper()
	f := ShiftFacts{
		Schedules: map[ScheduleID]*schedule.Schedule{}, Members: map[TeamID][]UserID{1: {ann, bo, cy, di}},
		Users: map[UserID]User{
			ann: {ID: ann, TimeZone: "Europe/Berlin"}, bo: {ID: bo, TimeZone: "Europe/Berlin"},
			cy: {ID: cy, TimeZone: "America/New_York"}, di: {ID: di, TimeZone: "Asia/Tokyo"},
		},
	}
	for id, turns := range map[ScheduleID][][]UserID{1: {{ann}, {bo}}, 2: {{cy}, {di}}} {
		s := schedule.Definition{
			ID: id, TeamID: 1, Name: map[ScheduleID]string{1: "primary", 2: "secondary"}[id], TimeZone: "UTC",
			Versions: []schedule.Version{{Rotations: []schedule.Rotation{{
				Name: "weekly", Period: schedule.Period{Unit: schedule.WeekUnit}, StartDate: schedule.Date{Year: 2026, Month: 1, Day: 5}, HandOff: 9 * 60, Turns: turns,
			}}}},
		}
		for i, o := range overrides {
			if o.ScheduleID == id {
				o.ID = OverrideID(i + 1)
				s.Overrides = append(s.Overrides, o)
			}
		}
		c, err := schedule.Compile(s)
		if err != nil {
			t.Fatal(err)
		}
		f.Schedules[id] = c
	}
	return f
}

// week returns a person's n-th stint after noon on Monday 2 March 2026. The first one may already have
// begun.
func week(t *testing.T, r ShiftFacts, user UserID, n int) schedule.Stint {
	t.Helper()
	stints := r.Stints(user, noon, noon.AddDate(0, 3, 0))
	if len(stints) <= n {
		t.Fatalf("%s has %d stints, want more than %d", user, len(stints), n)
	}
	return stints[n]
}

func offered(t *testing.T, r ShiftFacts) Swap {
	t.Helper()
	s, err := OfferSwap(week(t, r, ann, 1), week(t, r, bo, 0), "", r, noon)
	if err != nil {
		t.Fatal(err)
	}
	s.ID = 1
	return s
}

func TestStintsAreThePersonsComingShifts(t *testing.T) {
	t.Parallel()
	r := trade(t)
	var got []string
	for _, s := range r.Stints(ann, noon, noon.AddDate(0, 0, 21)) {
		got = append(got, s.Name+" "+s.Role+" "+s.Start.Format("01-02 15:04")+" "+s.End.Format("01-02 15:04"))
	}
	want := []string{"primary primary 03-02 12:00 03-09 09:00", "primary primary 03-16 09:00 03-23 09:00"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("got (-want +got):\n%s", diff)
	}
	if got := r.Clashes(cy, week(t, r, bo, 0)); len(got) != 0 {
		t.Errorf("Cy clashes with %v, want none", got)
	}
	if got := r.Clashes(di, week(t, r, bo, 0)); len(got) != 1 || got[0].Name != "secondary" {
		t.Errorf(`Di clashes with %v; want one, with the name "secondary"`, got)
	}
}

func TestSwapOffersAreRefusedIfTheyCannotBeTaken(t *testing.T) {
	t.Parallel()
	r := trade(t)
	for _, c := range []struct {
		name       string
		give, take schedule.Stint
		now        time.Time
		want       string // of the refusal
		expires    time.Time
	}{
		{"next week and the one after", week(t, r, ann, 1), week(t, r, bo, 0), noon, "", noon.Add(48 * time.Hour)},
		{"soon", week(t, r, ann, 1), week(t, r, bo, 0), noon.AddDate(0, 0, 6), "", week(t, r, bo, 0).Start},
		{"begun", week(t, r, ann, 0), week(t, r, bo, 0), noon, "A shift that has begun can't be swapped", time.Time{}},
		{"one's own", week(t, r, ann, 1), week(t, r, ann, 2), noon, "That is your own shift", time.Time{}},
		{
			"somebody else's", func() schedule.Stint { s := week(t, r, bo, 0); s.User = ann; return s }(), week(t, r, cy, 1), noon,
			"U0ANN no longer has that shift in primary.",
			time.Time{},
		},
	} {
		s, err := OfferSwap(c.give, c.take, "", r, c.now)
		switch {
		case c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		case c.want == "" && (err != nil || !s.ExpiresAt.Equal(c.expires) || s.State != SwapOpen):
			t.Errorf("%s: got %+v, %v; want it open until %s", c.name, s, err, c.expires)
		}
	}
}

// Each row is what somebody does to the swap of Ann's second week for Bo's first.
func TestSwapAnswersAreCheckedAgainstTheSchedule(t *testing.T) {
	t.Parallel()
	clean := trade(t)
	offer := offered(t, clean)
	moved := trade(t, schedule.Override{
		ScheduleID: 1, Kind: schedule.OverrideCover, Users: []UserID{cy}, Start: offer.Take.Start.Add(time.Hour), End: offer.Take.Start.Add(2 * time.Hour),
	})
	gone := trade(t)
	gone.Users[bo] = User{ID: bo, DeactivatedAt: &noon}
	for _, c := range []struct {
		name   string
		do     SwapAct
		by     UserID
		roster ShiftFacts
		state  SwapState
		now    time.Time
		want   SwapState // "" if nothing changes
		says   string
		adds   int
	}{
		{"accepted", AcceptSwap, bo, clean, SwapOpen, noon, SwapAccepted, "", 2},
		{"accepted by the wrong one", AcceptSwap, ann, clean, SwapOpen, noon, "", "Only U0BO can accept this swap.", 0},
		{"accepted twice", AcceptSwap, bo, clean, SwapAccepted, noon, "", "U0BO has accepted this swap already.", 0},
		{"accepted after it was taken back", AcceptSwap, bo, clean, SwapWithdrawn, noon, "", "U0ANN has taken this offer back.", 0},
		{"accepted when a part has moved", AcceptSwap, bo, moved, SwapOpen, noon, SwapStale, "U0BO no longer has that shift in primary. So nothing was swapped.", 0},
		{"accepted by somebody who has left", AcceptSwap, bo, gone, SwapOpen, noon, SwapStale, "U0BO is deactivated and can't be on call. So nothing was swapped.", 0},
		{"accepted when it has begun", AcceptSwap, bo, clean, SwapOpen, offer.Take.Start, SwapStale, "The first of the two shifts has begun, so nothing was swapped.", 0},
		{"accepted too late", AcceptSwap, bo, clean, SwapOpen, offer.ExpiresAt, SwapExpired, "The offer has expired, so nothing was swapped.", 0},
		{"declined", DeclineSwap, bo, clean, SwapOpen, noon, SwapDeclined, "", 0},
		{"declined by the wrong one", DeclineSwap, cy, clean, SwapOpen, noon, "", "Only U0BO can decline this swap.", 0},
		{"taken back", WithdrawSwap, ann, clean, SwapOpen, noon, SwapWithdrawn, "", 0},
		{"taken back by the wrong one", WithdrawSwap, bo, clean, SwapOpen, noon, "", "Only U0ANN can take back this swap.", 0},
		{"taken back when declined", WithdrawSwap, ann, clean, SwapDeclined, noon, "", "U0BO has declined this swap.", 0},
		{"what a newer version knows", "repeat", bo, clean, SwapOpen, noon, "", "This version of Watchbill doesn't know how to do that, and nothing was changed.", 0},
	} {
		s := offer
		s.State = c.state
		got, err := s.Do(c.do, c.by, c.roster, c.now)
		says := ""
		if err == nil {
			err = got.Refusal
		}
		if err != nil {
			says = err.Error()
		}
		if says != c.says || got.Swap.State != c.want || len(got.Add) != c.adds {
			t.Errorf("%s: state %q, %d overrides, %q; want %q, %d, %q", c.name, got.Swap.State, len(got.Add), says, c.want, c.adds, c.says)
		}
	}
}

func TestSwapExchangesShiftsAndIsUndone(t *testing.T) {
	t.Parallel()
	r := trade(t)
	s := offered(t, r)
	c, err := s.Do(AcceptSwap, bo, r, noon)
	if err != nil {
		t.Fatal(err)
	}
	after := trade(t, c.Add...)
	for at, want := range map[time.Time]UserID{
		noon: ann, s.Take.Start: ann, s.Take.End: bo, s.Give.End: bo, s.Give.End.AddDate(0, 0, 7): ann,
	} {
		if got := after.Schedules[1].At(at, ""); len(got) != 1 || got[0] != want {
			t.Errorf("at %s: %v, want %s", at, got, want)
		}
	}
	c.Swap.Overrides = []OverrideID{1, 2}
	if u, err := c.Swap.Do(UndoSwap, ann, after, noon); err != nil || u.Swap.State != SwapUndone || !cmp.Equal(u.Cancel, []OverrideID{1, 2}) {
		t.Errorf("undo: %+v, %v; want the state %v and the overrides %v cancelled", u, err, SwapUndone, []OverrideID{1, 2})
	}
	passed := trade(t, append(c.Add, schedule.Override{ScheduleID: 1, Kind: schedule.OverrideCover, Users: []UserID{cy}, Start: s.Give.Start, End: s.Give.End})...)
	for name, try := range map[string]func() (SwapChange, error){
		"Only U0ANN and U0BO can undo it.":                                       func() (SwapChange, error) { return c.Swap.Do(UndoSwap, cy, after, noon) },
		"The first of the two shifts has begun, so it can't be undone any more.": func() (SwapChange, error) { return c.Swap.Do(UndoSwap, bo, after, s.Take.Start) },
		"U0BO has passed the shift on, so it can't be undone.":                   func() (SwapChange, error) { return c.Swap.Do(UndoSwap, bo, passed, noon) },
		"This swap has not been accepted.":                                       func() (SwapChange, error) { return s.Do(UndoSwap, bo, r, noon) },
	} {
		if _, err := try(); err == nil || err.Error() != name {
			t.Errorf("got %v, want %q", err, name)
		}
	}
}

func TestOnlyOpenSwapsExpire(t *testing.T) {
	t.Parallel()
	s := offered(t, trade(t))
	if _, due := s.Expire(s.ExpiresAt.Add(-1)); due {
		t.Error("the offer expired before its time")
	}
	if c, due := s.Expire(s.ExpiresAt); !due || c.Swap.State != SwapExpired {
		t.Error("the offer did not expire at its time")
	}
	s.State = SwapAccepted
	if _, due := s.Expire(s.ExpiresAt); due {
		t.Error("an accepted swap expired, want only offers to")
	}
}
