package oncall

import (
	"strings"
	"testing"
	"time"
)

// noon is a Monday; in UTC people work from 9 to 18 on weekdays.
func TestAddReviewAction(t *testing.T) {
	t.Parallel()
	facts := Facts{Roster: Roster{ShiftFacts: ShiftFacts{Users: map[UserID]User{bo: {ID: bo, TimeZone: "UTC"}}}}}
	in := Incident{ID: 7, Status: Resolved}
	friday := time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC) // its end
	merged := in
	merged.MergedInto = 3
	for name, c := range map[string]struct {
		in   Incident
		a    ReviewAction
		has  int
		due  time.Time // zero: refused
		asks time.Time
	}{
		"until friday":      {in, ReviewAction{UserID: bo, Text: " fix\nit ", DueAt: friday}, 0, friday, time.Date(2026, 3, 9, 9, 0, 0, 0, time.UTC)},
		"nobody said when":  {in, ReviewAction{UserID: bo, Text: "fix it"}, 0, noon.AddDate(0, 0, 7), time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC)},
		"while it is open":  {Incident{ID: 7, Status: Triggered}, ReviewAction{UserID: bo, Text: "fix it", DueAt: friday}, 0, friday, time.Date(2026, 3, 9, 9, 0, 0, 0, time.UTC)},
		"empty":             {in, ReviewAction{UserID: bo, Text: " "}, 0, time.Time{}, time.Time{}},
		"too long":          {in, ReviewAction{UserID: bo, Text: strings.Repeat("x", 501)}, 0, time.Time{}, time.Time{}},
		"nobody":            {in, ReviewAction{Text: "fix it"}, 0, time.Time{}, time.Time{}},
		"in the past":       {in, ReviewAction{UserID: bo, Text: "fix it", DueAt: noon}, 0, time.Time{}, time.Time{}},
		"in ten years":      {in, ReviewAction{UserID: bo, Text: "fix it", DueAt: noon.AddDate(10, 0, 0)}, 0, time.Time{}, time.Time{}},
		"too many":          {in, ReviewAction{UserID: bo, Text: "fix it"}, 30, time.Time{}, time.Time{}},
		"merged in another": {merged, ReviewAction{UserID: bo, Text: "fix it"}, 0, time.Time{}, time.Time{}},
	} {
		a, change, err := c.in.AddReviewAction(c.a, c.has, ByUser(ann), facts, noon)
		if c.due.IsZero() {
			if err == nil {
				t.Errorf("%s: %+v, want a refusal", name, a)
			}
			continue
		}
		if err != nil || a.AskAt == nil {
			t.Fatalf("%s: got %+v, %v, want it asked about and no error", name, a, err)
		}
		if !a.DueAt.Equal(c.due) {
			t.Errorf("%s: got it due %s, want %s", name, a.DueAt, c.due)
		}
		if !a.AskAt.Equal(c.asks) {
			t.Errorf("%s: got it asked at %s, want %s", name, a.AskAt, c.asks)
		}
		if a.Text != "fix it" || a.By != ann || len(change.Events) != 1 {
			t.Errorf("%s: %q by %s with %d events, want \"fix it\" by %s with 1", name, a.Text, a.By, len(change.Events), ann)
		}
	}
}

func TestAskReviewAction(t *testing.T) {
	t.Parallel()
	gone := noon
	roster := Roster{ShiftFacts: ShiftFacts{Users: map[UserID]User{bo: {ID: bo, TimeZone: "UTC"}, cy: {ID: cy, DeactivatedAt: &gone}}}}
	morning := time.Date(2026, 3, 6, 9, 0, 0, 0, time.UTC) // a Friday
	a := ReviewAction{ID: 3, IncidentID: 7, UserID: bo, By: ann, Text: "fix it", AskAt: &morning}
	all := func(UserID) bool { return true }
	n, next, _ := a.Ask(Incident{ID: 7, Title: "disk full"}, roster, all, morning.Add(time.Minute))
	if n.To != string(bo) || n.About != 3 || n.Detail.Note != "fix it" {
		t.Errorf("got asked %s about %d %q, want %s about 3 %q", n.To, n.About, n.Detail.Note, bo, "fix it")
	}
	if want := time.Date(2026, 3, 9, 9, 0, 0, 0, time.UTC); !next.AskAt.Equal(want) {
		t.Errorf("got asked again at %s, want on Monday, %s", next.AskAt, want)
	}
	if again, _, _ := next.Ask(Incident{ID: 7}, roster, all, next.AskAt.Add(time.Minute)); again.Key == n.Key {
		t.Errorf("both mornings have the same key: got %v, want other than %v", again.Key, n.Key)
	}
	if later := a.PutOff(roster, morning); !later.AskAt.Equal(time.Date(2026, 3, 16, 9, 0, 0, 0, time.UTC)) && !later.AskAt.Equal(time.Date(2026, 3, 13, 9, 0, 0, 0, time.UTC)) {
		t.Errorf("put off until %s, want a week", later.AskAt)
	}
	a.UserID = cy
	if n, _, _ := a.Ask(Incident{ID: 7}, roster, all, morning); n.To != string(ann) {
		t.Errorf("asked %s, want Ann, as Cy has left", n.To)
	}
	roster.Members = map[TeamID][]UserID{1: {cy, bo}}
	own := func(u UserID) bool { return u == bo }
	if n, _, _ := a.Ask(Incident{ID: 7, TeamID: 1}, roster, own, morning); n.To != string(bo) {
		t.Errorf("asked %s, want Bo, as Cy has left and Ann may not see it", n.To)
	}
	if _, next, anybody := a.Ask(Incident{ID: 7}, roster, own, morning); anybody || !next.AskAt.After(morning) {
		t.Errorf("somebody is asked: %t, and next at %s; want nobody, and a later time", anybody, next.AskAt)
	}
	done, change, ok := Incident{ID: 7}.EndReviewAction(a, ByUser(bo), morning)
	if !ok || done.DoneBy != bo {
		t.Errorf("got done %t by %s, want true by %s", ok, done.DoneBy, bo)
	}
	if done.AskAt != nil || len(change.Events) != 1 {
		t.Errorf("got asked at %v and %d events, want never and 1", done.AskAt, len(change.Events))
	}
	if _, _, ok := (Incident{ID: 7}).EndReviewAction(done, ByUser(ann), morning); ok {
		t.Error("an action that is done was done again, want that refused")
	}
}

func TestTookMeasuresFirstAcknowledgementAndLastResolution(t *testing.T) {
	t.Parallel()
	at := func(minutes int, kind EventKind, by Actor) Event {
		return Event{At: noon.Add(time.Duration(minutes) * time.Minute), Kind: kind, Actor: by}
	}
	events := []Event{
		at(0, EventOpened, ByTimer()), at(4, EventAcknowledged, ByUser(ann)), at(9, EventResolved, ByUser(ann)), at(20, EventReopened, ByTimer()),
		at(22, EventAcknowledged, ByUser(bo)), at(30, EventResolved, ByTimer()),
	}
	if acked, resolved := (Incident{OpenedAt: noon, Status: Resolved}).ResponseTimes(events); acked != 4*time.Minute || resolved != 30*time.Minute {
		t.Errorf("%s and %s, want 4 and 30 minutes", acked, resolved)
	}
	if acked, resolved := (Incident{OpenedAt: noon, Status: Triggered}).ResponseTimes(events[:1]); acked != 0 || resolved != 0 {
		t.Errorf("%s and %s, want none", acked, resolved)
	}
}
