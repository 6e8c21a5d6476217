package view

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/watchbill/watchbill/oncall"
)

// Whoever may only see an incident is offered nothing else, whatever its status; others are offered all.
func TestWhoOnlyWatchesIsOfferedNothing(t *testing.T) {
	t.Parallel()
	for _, status := range []oncall.Status{oncall.Triggered, oncall.Acknowledged, oncall.Snoozed, oncall.Resolved} {
		for _, watches := range []bool{true, false} {
			s := Sheet{Picture: oncall.Picture{Incident: oncall.Incident{ID: 1, Status: status, AckAsked: true}}, Reader: "U0MAL", Watches: watches}
			drawn, err := json.Marshal(s.Draw())
			if err != nil {
				t.Fatal(err)
			}
			for _, action := range []Action{
				ActionAck, ActionResolve, ActionSnooze, ActionEscalate, ActionReassign, ActionAsk, ActionNote,
				ActionUnack, ActionStillOn, ActionReopen, ActionSeverity, ActionMerge, ActionUnsnooze,
			} {
				if watches && strings.Contains(string(drawn), `"action_id":"`+string(action)+`"`) {
					t.Errorf("%s: %s is offered", status, action)
				}
			}
			if !strings.Contains(string(drawn), `"action_id":"`+string(ActionTimeline)+`"`) {
				t.Errorf("%s: the timeline is not offered", status)
			}
			if !watches && !strings.Contains(string(drawn), `"action_id":"`+string(ActionNote)+`"`) {
				t.Errorf("%s: whoever may write a note is not offered it", status)
			}
		}
	}
}
