package oncall

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// asked returns a request by Ann, who asks for cover during her running primary week. In these tests,
// Cy and Di belong to the team but not to the schedule.
func asked(t *testing.T, r ShiftFacts, everyone bool, now time.Time) CoverChange {
	t.Helper()
	c, err := AskForCover(week(t, r, ann, 1), ann, "", everyone, r, nil, now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAskForCover(t *testing.T) {
	t.Parallel()
	r := trade(t)
	if _, err := AskForCover(week(t, r, ann, 0), ann, "", false, r, nil, noon.AddDate(0, 0, 8)); err == nil || err.Error() != "That shift is over." {
		t.Errorf(`a shift that is over: %v; want the error "That shift is over."`, err)
	}
	s := week(t, r, bo, 0)
	s.User = ann
	if _, err := AskForCover(s, ann, "", false, r, nil, noon); err == nil || err.Error() != "U0ANN is not on call in primary for all of that time." {
		t.Errorf(`somebody else's shift: %v; want the error "U0ANN is not on call in primary for all of that time."`, err)
	}
	late := noon.AddDate(0, 0, 2)
	c, err := AskForCover(week(t, r, ann, 0), ann, "", false, r, nil, late)
	if err != nil || !c.Cover.Stint.Start.Equal(late) {
		t.Errorf("the rest of a running shift: %+v, %v, want it to begin at %v", c, err, late)
	}
}

// This tests who is asked at what time. Noon UTC is 13:00 for Bo, 7:00 for Cy and 21:00 for Di; an
// hour later Cy may be asked and Di no longer may.
func TestCoverAsksCandidatesInTime(t *testing.T) {
	t.Parallel()
	r := trade(t)
	for _, c := range []struct {
		name     string
		everyone bool
		at       time.Time
		away     []UserID
		want     []string // "day hour:minute people", as UTC
	}{
		{"the schedule's people", false, noon, nil, []string{"2 12:00 [U0BO]"}},
		{"the team, who is awake first", true, noon, nil, []string{"2 12:00 [U0BO U0DI]", "2 13:00 [U0CY]"}},
		{"nobody at night", false, noon.Add(10 * time.Hour), nil, []string{"3 07:00 [U0BO]"}},
		{"everyone's own morning", true, noon.Add(9*time.Hour + 30*time.Minute), nil, []string{"2 21:30 [U0CY]", "2 23:00 [U0DI]", "3 07:00 [U0BO]"}},
		{"nobody who is away", true, noon, []UserID{bo}, []string{"2 12:00 [U0DI]", "2 13:00 [U0CY]"}},
	} {
		change, err := AskForCover(week(t, r, ann, 1), ann, "", c.everyone, r, c.away, c.at)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for now := c.at; now.Before(c.at.AddDate(0, 0, 2)); now = *change.Cover.NextAt {
			if now.After(c.at) {
				change = change.Cover.RunTimer(r, c.away, now)
			}
			if len(change.Asked) > 0 {
				got = append(got, now.Format("2 15:04 ")+list(change.Asked))
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// As long as nobody has been asked, the request says who isn't asked and why.
func TestCoverSkipsUnsuitablePeopleWithReason(t *testing.T) {
	t.Parallel()
	r := trade(t)
	night := noon.Add(10 * time.Hour)
	for _, c := range []struct {
		away []UserID
		want []CoverUnasked
	}{
		{nil, []CoverUnasked{{User: bo, Why: UnaskedNight, At: noon.Add(19 * time.Hour)}}},
		{[]UserID{bo}, []CoverUnasked{{User: bo, Why: UnaskedAway}}},
	} {
		change, err := AskForCover(week(t, r, ann, 1), ann, "", false, r, c.away, night)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, change.Cover.Unasked); diff != "" {
			t.Errorf("left out (-want +got):\n%s", diff)
		}
		if later := change.Cover.RunTimer(r, nil, noon.Add(24*time.Hour)).Cover; len(later.Asked) != 1 || later.Unasked != nil {
			t.Errorf("once somebody is asked: %+v, want nobody left out", later)
		}
	}
}

func list(users []UserID) string {
	s := "["
	for i, u := range users {
		if i > 0 {
			s += " "
		}
		s += string(u)
	}
	return s + "]"
}

func TestCoverAsksLeastLoadedFirst(t *testing.T) {
	t.Parallel()
	r := trade(t)
	for i, name := range []UserID{"U1", "U2", "U3", "U4"} {
		r.Users[name] = User{ID: name, TimeZone: "UTC"}
		r.Members[1] = append(r.Members[1], name)
		if i == 0 { // of the new people, only U1 has been on call
			c, err := schedule.Compile(schedule.Definition{ID: 3, TeamID: 1, Name: "third", TimeZone: "UTC", Shifts: []schedule.ManualShift{
				{Start: noon.AddDate(0, 0, -2), End: noon.AddDate(0, 0, -1), Users: []UserID{name}},
			}})
			if err != nil {
				t.Fatal(err)
			}
			r.Schedules[3] = c
		}
	}
	c := asked(t, r, true, noon)
	if got := list(c.Asked); got != "[U2 U3 U4]" || !c.Cover.NextAt.Equal(noon.Add(15*time.Minute)) {
		t.Fatalf(`first %s, again at %s; want got "[U2 U3 U4]" and %s`, got, c.Cover.NextAt, noon.Add(15*time.Minute))
	}
	c = c.Cover.RunTimer(r, nil, *c.Cover.NextAt)
	if got := list(c.Asked); got != "[U1 U0BO U0DI]" {
		t.Errorf("then %s, want %s", got, "[U1 U0BO U0DI]")
	}
	early := c.Cover.RunTimer(r, nil, noon.Add(16*time.Minute))
	if len(early.Asked) > 0 {
		t.Errorf("within a quarter of an hour: %v, want none", early.Asked)
	}
}

func TestCoverRemindersRecurUntilTheShiftEnds(t *testing.T) {
	t.Parallel()
	r := trade(t)
	c := asked(t, r, false, noon)
	start := c.Cover.Stint.Start
	var got []time.Duration
	request := c.Cover
	for now := *request.NextAt; request.State == CoverOpen; now = *request.NextAt {
		change := request.RunTimer(r, nil, now)
		request = change.Cover
		if change.Remind > 0 {
			got = append(got, start.Sub(now))
		}
		if request.State != CoverOpen {
			if request.State != CoverOver || !now.Equal(request.Stint.End) {
				t.Errorf("%s at %s; want %s and now %s", request.State, now, CoverOver, request.Stint.End)
			}
			break
		}
	}
	if diff := cmp.Diff([]time.Duration{24 * time.Hour, 2 * time.Hour}, got); diff != "" {
		t.Errorf("got (-want +got):\n%s", diff)
	}
}

func TestTakingCoverMayTakeAPart(t *testing.T) {
	t.Parallel()
	r := trade(t)
	open := asked(t, r, true, noon).Cover
	s := open.Stint
	hour := func(n int) time.Time { return s.Start.Add(time.Duration(n) * time.Hour) }
	some := open
	some.Takes = []CoverTake{{User: bo, Start: hour(8), End: hour(16)}}
	gone := trade(t, schedule.Override{ScheduleID: 1, Kind: schedule.OverrideCover, Users: []UserID{bo}, Start: s.Start, End: s.End})
	taken := some
	taken.State = CoverTaken
	for _, c := range []struct {
		name     string
		cover    Cover
		by       UserID
		from, to time.Time
		roster   ShiftFacts
		now      time.Time
		want     []string // the hours taken
		state    CoverState
		says     string
	}{
		{"all of it", open, cy, time.Time{}, time.Time{}, r, noon, []string{"0-168"}, CoverTaken, ""},
		{"a part", open, cy, hour(8), hour(16), r, noon, []string{"8-16"}, CoverOpen, ""},
		{"the rest, around a part", some, cy, time.Time{}, time.Time{}, r, noon, []string{"0-8", "16-168"}, CoverTaken, ""},
		{"what is left of a part", some, cy, hour(4), hour(12), r, noon, []string{"4-8"}, CoverOpen, ""},
		{"a part that is taken", some, cy, hour(9), hour(10), r, noon, nil, "", "Nothing of the shift is left to take at that time."},
		{"what is still to come", open, cy, time.Time{}, time.Time{}, r, hour(100), []string{"100-168"}, CoverTaken, ""},
		{"one's own", open, ann, time.Time{}, time.Time{}, r, noon, nil, "", "It is your own shift; it stays yours until somebody takes it."},
		{"by a stranger", open, "U9", time.Time{}, time.Time{}, r, noon, nil, "", "Only people of primary and of its team can take it."},
		{"twice", taken, cy, time.Time{}, time.Time{}, r, noon, nil, "", "U0BO has taken it already."},
		{"after it moved", open, cy, time.Time{}, time.Time{}, gone, noon, nil, CoverStale, "U0ANN no longer has that shift, so there is nothing to take."},
		{"too late", open, cy, time.Time{}, time.Time{}, r, s.End, nil, CoverOver, "That shift is over."},
	} {
		change, err := c.cover.Do(CoverAct{Do: TakeCover, From: c.from, To: c.to}, c.by, c.roster, c.now)
		if err == nil {
			err = change.Refusal
		}
		says := ""
		if err != nil {
			says = err.Error()
		}
		var got []string
		for _, o := range change.Add {
			got = append(got, hours(o.Start.Sub(s.Start))+"-"+hours(o.End.Sub(s.Start)))
			if o.Kind != schedule.OverrideSwap || o.From != ann || o.To != c.by {
				t.Errorf("%s: %+v; want Kind %v, From %v and To %v", c.name, o, schedule.OverrideSwap, ann, c.by)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" || change.Cover.State != c.state || says != c.says {
			t.Errorf("%s: %s, state %q, %q; want %q, %q", c.name, diff, change.Cover.State, says, c.state, c.says)
		}
	}
}

func hours(d time.Duration) string { return strconv.Itoa(int(d.Hours())) }

func TestCoverEndsByWithdrawalDeclineOrAMovedShift(t *testing.T) {
	t.Parallel()
	r := trade(t)
	c := asked(t, r, true, noon).Cover
	if _, err := c.Do(CoverAct{Do: WithdrawCover}, bo, r, noon); err == nil {
		t.Error("Bo took Ann's request back")
	}
	if got, err := c.Do(CoverAct{Do: WithdrawCover}, ann, r, noon); err != nil || got.Cover.State != CoverWithdrawn || got.Cover.Due(noon.AddDate(1, 0, 0)) {
		t.Errorf("%+v, %v; want the state %v, and nothing due in a year", got, err, CoverWithdrawn)
	}
	if got, err := c.Do(CoverAct{Do: DeclineCover}, c.Asked[0].User, r, noon); err != nil || !got.Cover.Asked[0].Declined || c.Asked[0].Declined {
		t.Errorf("%+v, %v; want the first asked to have declined, and the request before unchanged", got, err)
	}
	moved := trade(t, schedule.Override{ScheduleID: 1, Kind: schedule.OverrideCover, Users: []UserID{bo}, Start: c.Stint.Start, End: c.Stint.End})
	if got := c.RunTimer(moved, nil, *c.NextAt); got.Cover.State != CoverStale {
		t.Errorf("a request for a shift that has moved is %s, want %s", got.Cover.State, CoverStale)
	}
}
