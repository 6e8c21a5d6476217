package view

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// A reader who may only view an incident is offered nothing else, whatever its status; others are offered
// everything.
func TestViewOnlyReaderIsOfferedNoActions(t *testing.T) {
	t.Parallel()
	for _, status := range []oncall.Status{oncall.Triggered, oncall.Acknowledged, oncall.Snoozed, oncall.Resolved} {
		for _, watches := range []bool{true, false} {
			ov := IncidentOverview{Picture: oncall.Picture{Incident: oncall.Incident{ID: 1, Status: status, AckAsked: true}}, Reader: "U0MAL", Watches: watches}
			drawn, err := json.Marshal(ov.Draw())
			if err != nil {
				t.Fatal(err)
			}
			for _, action := range []Action{
				ActionAck, ActionResolve, ActionSnooze, ActionEscalate, ActionReassign, ActionAsk, ActionNote,
				ActionUnack, ActionStillOn, ActionReopen, ActionSeverity, ActionMerge, ActionUnsnooze,
			} {
				if watches && strings.Contains(string(drawn), `"action_id":"`+string(action)+`"`) {
					t.Errorf("%s: a view-only reader is offered %s, want no actions", status, action)
				}
			}
			if !strings.Contains(string(drawn), `"action_id":"`+string(ActionTimeline)+`"`) {
				t.Errorf("%s: the timeline is not offered, want it for every reader", status)
			}
			if !watches && !strings.Contains(string(drawn), `"action_id":"`+string(ActionNote)+`"`) {
				t.Errorf("%s: the note is not offered, want it for a reader who may act", status)
			}
		}
	}
}

// A phone that has rung too often is not promised to ring.
func TestPlanKnowsPhonesThatRest(t *testing.T) {
	t.Parallel()
	const phone = oncall.ContactID(7)
	ov := IncidentOverview{
		Picture: triggered(), Reader: bo, Zone: time.UTC, Now: noon,
		Reach:   map[oncall.UserID]oncall.ContactSettings{bo: {Contacts: []oncall.Contact{{ID: phone, UserID: bo, Method: oncall.MethodVoice}}}},
		Resting: map[oncall.ContactID]time.Time{phone: noon.Add(30 * time.Minute)},
		Plan: []oncall.PlanEntry{{At: noon.Add(time.Minute), Kind: oncall.EventPaging, Step: 2, People: []oncall.PlannedPerson{
			{User: bo, At: noon.Add(time.Minute), Rules: []oncall.Rule{{Contact: phone}}},
		}}, {At: noon.Add(40 * time.Minute), Kind: oncall.EventPaging, Step: 3, People: []oncall.PlannedPerson{
			{User: bo, At: noon.Add(40 * time.Minute), Rules: []oncall.Rule{{Contact: phone}}},
		}}},
	}
	got := strings.Join(ov.planLines(), "\n")
	for _, want := range []string{"call not before 12:30, as this phone has rung 6 times in vain within an hour", "call at once"} {
		if strings.Count(got, want) != 1 {
			t.Errorf("the plan is\n%s\nwant %q in it once", got, want)
		}
	}
}

// What is not needed any more is one line, however often it was decided on.
func TestPagesNoLongerNeededAreOneLine(t *testing.T) {
	t.Parallel()
	ov := IncidentOverview{Picture: triggered(), Reader: bo, Zone: time.UTC, Now: noon}
	for range 2 {
		for _, m := range []oncall.Method{oncall.MethodSMS, oncall.MethodVoice} {
			p := Attempt{State: oncall.PageSkipped}
			p.UserID, p.Method, p.Why = bo, m, oncall.Say("you are on call")
			ov.Pages = append(ov.Pages, p)
		}
	}
	want := []string{"You are on call:", "• SMS and call: no longer needed"}
	if got := ov.pagedLines(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
