package intake_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
)

// Status words of monitors, in any spelling.
func TestStatusWordsOfMonitors(t *testing.T) {
	t.Parallel()
	for want, words := range map[oncall.Action]string{
		oncall.Trigger: `trigger, Triggered, Re-Triggered, retriggered, FIRING, Fired, alert, Alerting, ALARM, INSUFFICIENT_DATA, active, ACTIVATED,
			open, Opened, re-opened, PROBLEM, DOWN, CRITICAL, Warn, WARNING, Re-Warn, "No Data", no_data, NoData, "Re-No Data", error, FAIL, failed, failing,
			unhealthy, unreachable, UNKNOWN, TROUBLE, degraded, timeout, not ok, unresolved, pending, incident.triggered, incident.unacknowledged,
			Alert opened, started, created, offline, breached, violated, CRITICAL - 97 %, outage,
			🔴 Down, Normal -> Alerting, OK → CRITICAL, FLAPPINGSTART, Down (Partial), Unusual, UNCONFIRMED_DOWN, anomalous, POLICY_OPEN_CRITICAL,
			POLICY_CONTINUES_WARNING, Does not exist, Connection failed, Resource limit matched, threshold met, investigating, partial_outage,
			degraded_performance, check_in_missing, new_item, occurred, Störung, Alarm, kritisch, ouvert, STILL FAILING, UNSTABLE, incident.escalated`,
		oncall.AckSignal: `ack, Acked, acknowledge, ACKNOWLEDGED, ACKNOWLEDGEMENT, incident.acknowledged`,
		oncall.Clear: `resolve, Resolved, ok, OK, OK - 0 % lost, okay, clear, CLEARED, close, Closed, RECOVERY, Recovered, UP, up!, normal, healthy, success,
			expired, ended, end, finished, completed, done, passed, inactive, Deactivated, reset, fixed, restored, back to normal, Online,
			cancelled, incident.resolved, Alert closed, auto-resolved, Resolved (by rule), Resolved: disk,
			✅ Up, Normal (NoData), Alerting -> OK, CRITICAL → OK, Down ended (now: Up), Warning cleared, Problem resolved, Link up, Connection succeeded, Exists,
			Timeout recovery, manually resolved, Resolved by Ann, closed automatically, recovered from critical, incident has been resolved, service is back up,
			POLICY_CLOSE_CRITICAL, POLICY_CANCELED_WARNING, untracked, deleted, resolved_item, reporting, check_in_reporting, postmortem, still ok,
			behoben, gelöst, Entwarnung, résolu, resuelto, risolto, opgelost, wiederhergestellt`,
	} {
		for word := range strings.SplitSeq(words, ",") {
			word = strings.Trim(word, " \t\n\"")
			for _, field := range []string{"status", "event_action"} {
				s := generic(t, fmt.Sprintf(`{"title":"x",%q:%q}`, field, word))
				if s.Action != want || len(s.Hints) > 0 {
					t.Errorf("%q: got %s with %v, want %s", word, s.Action, s.Hints, want)
				}
			}
		}
	}
}

// In doubt somebody is paged, with the given severity, and the hint explains why.
func TestUnknownStatusTriggers(t *testing.T) {
	t.Parallel()
	for _, status := range []string{
		`"purple"`, `2`, `0`, `true`, `false`, `{"text":"ok"}`, `["purple"]`, `"not resolved"`, `"down, was up"`,
		`"failed to complete"`, `"not yet recovered"`, `"never ended"`, `"no longer healthy"`, `"less than healthy"`,
		`"changed from OK to ALARM"`, `"ok -> purple"`, `"unable to close"`, `"closed with errors"`, `"up from 20 %"`,
		`"waiting for success"`, `"->"`, `"recovered to purple"`, `"silenced"`, `"unclear"`,
	} {
		s := generic(t, `{"title":"x","dedup_key":"d","severity":"critical","status":`+status+`}`)
		if s.Action != oncall.Trigger || s.Severity != oncall.Critical || s.Title != "x" {
			t.Errorf("%s: got %+v, want a critical trigger", status, s)
		}
		if len(s.Hints) != 1 || s.Hints[0].Field != "status" || !strings.Contains(s.Hints[0].Text, "counts as a trigger") {
			t.Errorf("%s: got hints %v, want one about the status", status, s.Hints)
		}
	}
	if s := generic(t, `{"dedup_key":"d","status":"purple"}`); s.Action != oncall.Trigger || s.Title != "d" {
		t.Errorf("without a title: got %+v, want a trigger titled by its key", s)
	}
	signals, err := intake.Alertmanager([]byte(`{"status":"maybe","alerts":[{"fingerprint":"f","status":"pending"},{"fingerprint":"g"},{"fingerprint":"h","status":"purple"}]}`))
	if err != nil || len(signals) != 3 {
		t.Fatalf("got %v, %v, want three signals", signals, err)
	}
	for i, hints := range []int{0, 1, 1} {
		if s := signals[i]; s.Action != oncall.Trigger || len(s.Hints) != hints {
			t.Errorf("alert %d: got %+v, want a trigger with %d hints", i, s, hints)
		}
	}
}

func TestUnknownSeverityIsHighWithAHint(t *testing.T) {
	t.Parallel()
	s := generic(t, `{"title":"x","priority":"blue"}`)
	if s.Severity != oncall.High || len(s.Hints) != 1 || s.Hints[0].Field != "priority" ||
		s.Hints[0].Text != `priority is "blue", which is not known here: it counts as high. Send critical, high, medium, low, or P0 to P5.` {
		t.Errorf("the signal is %+v, want high severity and a hint about its priority", s)
	}
	signals, err := intake.Alertmanager([]byte(`{"alerts":[{"fingerprint":"f","labels":{"severity":"blue"}}]}`))
	if err != nil || signals[0].Severity != oncall.High || len(signals[0].Hints) != 1 {
		t.Errorf("got %+v, %v, want high severity and one hint", signals, err)
	}
}

// A key accepts what is sent to it, even in another format.
func TestReadRecognisesTheFormat(t *testing.T) {
	t.Parallel()
	const grafana = `{"title":"[FIRING:1] High memory (blue)","status":"firing","groupKey":"g","alerts":[{"status":"firing","fingerprint":"f","labels":{"alertname":"High memory"}}]}`
	for body, want := range map[string]string{
		grafana: "1 trigger, reconcile 1",
		strings.NewReplacer("FIRING:1", "RESOLVED", "firing", "resolved").Replace(grafana):        "1 resolve, reconcile 0",
		`{"title":"x","status":"resolved","groupKey":"g","alerts":[]}`:                            "reconcile 0",
		`{"title":"x","alerts":[{"fingerprint":"f"},{"fingerprint":"g","status":"resolved"}]}`:    "1 trigger, 1 resolve",
		`{"title":"x","alerts":[{"startsAt":"2026-03-02T11:50:00Z","labels":{"alertname":"y"}}]}`: "1 trigger",
		`{"title":"x","alerts":["a","b"]}`:                                                        "1 trigger",
		`{"title":"x","groupKey":"g","alerts":["a","b"]}`:                                         "1 trigger",
		`{"title":"x","alerts":[{"name":"a"}]}`:                                                   "1 trigger",
		`{"title":"x","alerts":3,"status":"ok"}`:                                                  "1 resolve",
		`{"title":"x","groupKey":"g","alerts":[{"labels":[1],"fingerprint":"f"}],"status":"ok"}`:  "1 resolve",
	} {
		signals, err := intake.Generic([]byte(body))
		if got := summary(signals); err != nil || got != want {
			t.Errorf("%s: got %s (%v), want %s", body, got, err, want)
		}
	}
	for body, want := range map[string]string{
		`{"title":"disk full","dedup_key":"d"}`:   "1 trigger",
		`{"status":"resolved","dedup_key":"d"}`:   "1 resolve",
		`{"message":"disk full","status":"warn"}`: "1 trigger",
	} {
		signals, err := intake.Alertmanager([]byte(body))
		if got := summary(signals); err != nil || got != want {
			t.Errorf("alertmanager: %s: got %s (%v), want %s", body, got, err, want)
		}
	}
}
