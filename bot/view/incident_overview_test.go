package view

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/watchbill/watchbill/oncall"
)

// A reader who may only view an incident is offered nothing else, whatever its status; others are offered
// everything.
func TestViewOnlyReaderIsOfferedNoActions(t *testing.T) {
	t.Parallel()
	for _, status := range []oncall.Status{oncall.Triggered, oncall.Acknowledged, oncall.Snoozed, oncall.Resolved} {
		for _, watches := range []bool{true, false} {
			s := IncidentOverview{Picture: oncall.Picture{Incident: oncall.Incident{ID: 1, Status: status, AckAsked: true}}, Reader: "U0MAL", Watches: watches}
			drawn, err := json.Marshal(s.Draw())
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
