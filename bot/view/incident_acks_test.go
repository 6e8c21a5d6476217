package view

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// If several must acknowledge and too few have, nothing claims that nobody has.
func TestTooFewHaveAcknowledged(t *testing.T) {
	t.Parallel()
	p := exhausted()
	p.Incident.Acks = []oncall.UserID{ann}
	p.Events = []oncall.Event{
		{Kind: oncall.EventAckCounted, Detail: oncall.Detail{Count: 1, Of: 3}},
		{Kind: oncall.EventExhausted, Detail: oncall.Detail{Count: 1, Of: 2}},
	}
	const counted = " 1 of 2 have acknowledged: <@U0ANN>; one more is needed."
	if got, want := standing(p), "*Too few have acknowledged. The whole team was told.*"+counted; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	p.NobodyNotified = true
	if got, want := standing(p), "*Too few have acknowledged, and nobody could be told.*"+counted; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// If several have acknowledged, all of them hold the incident.
func TestSeveralHoldTheIncident(t *testing.T) {
	t.Parallel()
	p := acknowledged()
	at := noon.Add(time.Hour)
	p.Incident.Acks, p.Incident.NextAt = []oncall.UserID{bo}, &at // and Ann has taken it over
	for _, want := range []string{"Acknowledged by <@U0BO> and <@U0ANN> at", "They are asked at"} {
		if got := standing(p); !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
	own := menuItem{ActionUnack, "Un-acknowledge"}
	if !slices.Contains(menuItems(ackedByOneOfTwo().Incident), own) || slices.Contains(menuItems(triggered().Incident), own) {
		t.Error("want Un-acknowledge in the menu of an incident that needs several acknowledgements, and not in that of a triggered one")
	}
}

func TestThreadTextOfSeveralAcknowledgements(t *testing.T) {
	t.Parallel()
	of := func(count, of int, acked ...oncall.UserID) oncall.Detail {
		return oncall.Detail{Acked: acked, Count: count, Of: of}
	}
	about := func(d oncall.Detail, users ...oncall.UserID) oncall.Detail {
		d.Users = users
		return d
	}
	left := func(d oncall.Detail, users ...oncall.UserID) oncall.Detail {
		d.Left = users
		return d
	}
	timer, person := oncall.ByTimer(), oncall.ByUser(ann)
	for _, c := range []struct {
		kind   oncall.EventKind
		by     oncall.Actor
		detail oncall.Detail
		want   string
		loud   bool
	}{
		{oncall.EventExhausted, timer, about(of(1, 2, ann), bo), "1 of 2 have acknowledged: <@U0ANN>; one more is needed. The whole team was told: <@U0BO>.", true},
		{oncall.EventExhausted, timer, of(1, 3, ann), "<!channel> 1 of 3 have acknowledged: <@U0ANN>; 2 more are needed, and nobody could be told: the team has no members.", true},
		{oncall.EventNobodyNotified, timer, of(0, 0, ann), "<!channel> Only <@U0ANN> acknowledged, more must, and nobody could be told.", true},
		{oncall.EventAdopted, timer, about(of(0, 0, ann), bo), "<@U0BO> came on call in  and was paged: more must acknowledge it.", false},
		{oncall.EventAckTakenBack, person, of(0, 2), "<@U0ANN> took back their acknowledgement: 0 of 2 have acknowledged; 2 more are needed.", false},
		{oncall.EventAckTakenBack, person, of(2, 2, bo, cy), "<@U0ANN> took back their acknowledgement: 2 of 2 have acknowledged: <@U0BO> and <@U0CY>.", false},
		{oncall.EventUnacknowledged, person, about(of(1, 2, bo), ann), "<@U0ANN> took back their acknowledgement: 1 of 2 have acknowledged: <@U0BO>; one more is needed, so it pages again.", false},
		{oncall.EventUnacknowledged, timer, left(of(0, 0), bo), "<@U0BO> has left Slack: nobody has it any more, so it pages again.", false},
		{oncall.EventUnacknowledged, timer, left(of(1, 3, cy), ann, bo), "<@U0ANN> and <@U0BO> have left Slack: 1 of 3 have acknowledged: <@U0CY>; 2 more are needed, so it pages again.", false},
		{oncall.EventAckTakenBack, timer, left(of(2, 2, ann, cy), bo), "<@U0BO> has left Slack, so their acknowledgement counts no more: 2 of 2 have acknowledged: <@U0ANN> and <@U0CY>.", false},
		{oncall.EventStillOnAsked, timer, oncall.Detail{Users: []oncall.UserID{ann, bo}, Until: noon}, "<@U0ANN> and <@U0BO> are asked: still on it? Without an answer it pages again at <!date^1772452800^{time}|Mon 2 Mar 12:00 UTC>.", false},
		{oncall.EventMerged, person, oncall.Detail{Incident: 9, Users: []oncall.UserID{bo, cy}}, "<@U0ANN> merged #9 into it, with its responders <@U0BO> and <@U0CY>.", false},
	} {
		text, loud := threadText([]oncall.Event{{Kind: c.kind, Actor: c.by, Detail: c.detail}})
		if text != c.want || loud != c.loud {
			t.Errorf("%s: the text is %q, loud %v; want %q, loud %v", c.kind, text, loud, c.want, c.loud)
		}
	}
}
