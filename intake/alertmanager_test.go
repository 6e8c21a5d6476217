package intake_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
)

func TestAlertmanagerProblems(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ body, field, want string }{
		{``, "", "The body is empty; send one JSON object."},
		{`[]`, "", "The body is a JSON array; send one JSON object."},
		{`{"alerts":[}`, "", "The body is not valid JSON: invalid character '}' looking for beginning of value (at byte 12)."},
		{`{}`, "alerts", "alerts is missing or empty; send Alertmanager's webhook payload, version 4."},
		{`{"status":"firing","groupKey":"g","alerts":[]}`, "alerts", "alerts is missing or empty; send Alertmanager's webhook payload, version 4."},
		{`{"status":"resolved","groupKey":"g","truncatedAlerts":1}`, "alerts", "alerts is missing or empty; send Alertmanager's webhook payload, version 4."},
		{`{"status":"resolved"}`, "groupKey", "groupKey is missing; a resolved group without alerts needs it."},
		{`{"alerts":{}}`, "alerts", "alerts has a JSON object where an array belongs."},
		{`{"status":"resolved","groupKey":7,"truncatedAlerts":"1"}`, "alerts", "alerts is missing or empty; send Alertmanager's webhook payload, version 4."},
		{strings.Repeat(`{"a":`, 65) + strings.Repeat(`}`, 65), "", "The body is nested more than 64 levels deep; flatten it."},
		{`{"alerts":[` + strings.Repeat("{},", 300_000) + `{}]}`, "", "The body has more than 200000 objects and arrays; send fewer alerts at once."},
	} {
		_, err := intake.Alertmanager([]byte(tt.body))
		got, field := sentence(t, err)
		if got != tt.want || field != tt.field {
			t.Errorf("%.60s: got %q of field %q, want %q of %q", tt.body, got, field, tt.want, tt.field)
		}
	}
}

// A payload is the full state of its group, unless Alertmanager truncated it.
func TestAlertmanagerReconcile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		body    string
		actions []oncall.Action
		present []string
	}{
		{
			`{"status":"firing","groupKey":"g","alerts":[{"status":"resolved","fingerprint":"a"},{"status":"firing","fingerprint":"b"}]}`,
			[]oncall.Action{oncall.Trigger, oncall.Clear, oncall.Reconcile},
			[]string{"b"},
		},
		{
			`{"status":"firing","groupKey":"g","truncatedAlerts":1,"alerts":[{"status":"firing","fingerprint":"b"}]}`,
			[]oncall.Action{oncall.Trigger},
			nil,
		},
		{
			`{"status":"resolved","groupKey":"g","truncatedAlerts":1,"alerts":[{"status":"resolved","fingerprint":"b"}]}`,
			[]oncall.Action{oncall.Clear},
			nil,
		},
		{
			`{"status":"resolved","groupKey":"g","alerts":[{"status":"resolved","fingerprint":"b"}]}`,
			[]oncall.Action{oncall.Clear, oncall.Reconcile},
			nil,
		},
		{`{"status":"resolved","groupKey":"g","alerts":[]}`, []oncall.Action{oncall.Reconcile}, nil},
		{`{"status":"firing","alerts":[{"status":"firing","fingerprint":"b"}]}`, []oncall.Action{oncall.Trigger}, nil},
	} {
		signals, err := intake.Alertmanager([]byte(tt.body))
		if err != nil {
			t.Errorf("reading %s: got %v, want signals", tt.body, err)
			continue
		}
		var actions []oncall.Action
		var present []string
		for _, s := range signals {
			actions = append(actions, s.Action)
			present = append(present, s.Present...)
		}
		if !slices.Equal(actions, tt.actions) || !slices.Equal(present, tt.present) {
			t.Errorf("%s: got %v present %v, want %v present %v", tt.body, actions, present, tt.actions, tt.present)
		}
	}
}

func TestAlertmanagerFingerprintStandsForAllLabels(t *testing.T) {
	t.Parallel()
	key := func(labels string) string {
		signals, err := intake.Alertmanager([]byte(`{"alerts":[{"labels":` + labels + `}]}`))
		if err != nil {
			t.Fatal(err)
		}
		return signals[0].DedupKey
	}
	if key(`{"a":"1","b":"2"}`) != key(`{"b":"2","a":"1"}`) {
		t.Error("the order of labels changes the key, want the same key")
	}
	keys := map[string]string{}
	for _, labels := range []string{`{"a":"1"}`, `{"a":"2"}`, `{"a":"1","b":""}`, `{"a":"","1":"b"}`, `{"a1":"","b":""}`, `{"a":"1b"}`} {
		if other, taken := keys[key(labels)]; taken {
			t.Errorf("%s and %s have one key, want two", labels, other)
		}
		keys[key(labels)] = labels
	}
}

// The start is later compared with the value read back from the database.
func TestAlertmanagerStartsAtInMicroseconds(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]time.Time{
		"2026-03-02T04:10:01.123456789Z":  time.Date(2026, 3, 2, 4, 10, 1, 123456000, time.UTC),
		"2026-03-02T05:10:01.5+01:00":     time.Date(2026, 3, 2, 4, 10, 1, 500000000, time.UTC),
		"0001-01-01T00:00:00Z":            {},
		"9999-12-31T23:59:59-12:00":       {}, // a year later in UTC
		"yesterday":                       {},
		"":                                {},
		"-292277022399-01-01T00:00:00.1Z": {},
	} {
		signals, err := intake.Alertmanager(fmt.Appendf(nil, `{"alerts":[{"fingerprint":"f","startsAt":%q}]}`, in))
		if err != nil {
			t.Errorf("reading startsAt %s: %v, want a signal", in, err)
		} else if !signals[0].StartsAt.Equal(want) {
			t.Errorf("%s: got %v, want %v", in, signals[0].StartsAt, want)
		}
	}
}

// TestAlertmanagerCaptures reads payloads captured from a real Alertmanager.
func TestAlertmanagerCaptures(t *testing.T) {
	t.Parallel()
	const folder = "../../shared/captures"
	if _, err := os.Stat(folder); err != nil {
		t.Skip("no captured requests here: " + folder)
	}
	for name, want := range map[string]string{
		"am025-webhook.json":     "3 trigger, reconcile 3; 4 trigger, reconcile 4; 3 trigger, 1 resolve, reconcile 3; 3 resolve, reconcile 0",
		"am025-webhook-max.json": "2 trigger; 1 trigger, 1 resolve; 2 resolve",
		"am025-watchdog.json":    "1 trigger, reconcile 1",
		"grafana-webhook.json":   "2 trigger, reconcile 2; 1 trigger, 1 resolve, reconcile 1; 2 resolve, reconcile 0",
	} {
		var capture struct {
			Requests []struct{ Body string }
		}
		if err := json.Unmarshal(read(t, filepath.Join(folder, name)), &capture); err != nil {
			t.Fatal(err)
		}
		var got []string
		for i, r := range capture.Requests {
			signals, err := intake.Alertmanager([]byte(r.Body))
			if err != nil {
				t.Errorf("%s, request %d: %v", name, i, err)
				continue
			}
			for _, problem := range faults(signals) {
				t.Errorf("%s, request %d is not understood: %s", name, i, problem)
			}
			if line := summary(signals); len(got) == 0 || got[len(got)-1] != line {
				got = append(got, line)
			}
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%s:\n got %s\nwant %s", name, strings.Join(got, "; "), want)
		}
	}
}

func summary(signals []oncall.Signal) string {
	count := map[oncall.Action]int{}
	var parts []string
	for _, s := range signals {
		count[s.Action]++
	}
	for _, action := range []oncall.Action{oncall.Trigger, oncall.Clear} {
		if count[action] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[action], action))
		}
	}
	if count[oncall.Reconcile] > 0 {
		parts = append(parts, fmt.Sprintf("reconcile %d", len(signals[len(signals)-1].Present)))
	}
	return strings.Join(parts, ", ")
}

// An alert with nothing else to identify it is identified by its name, because the group's page must
// not be lost.
func TestAlertWithoutLabelsIsKeyedByName(t *testing.T) {
	t.Parallel()
	body := `{"status":"firing","groupKey":"g","alerts":[{"fingerprint":"f","status":"firing"},{"status":"STATUS","annotations":{"summary":"disk full"}}]}`
	firing, err := intake.Alertmanager([]byte(strings.Replace(body, "STATUS", "firing", 1)))
	if err != nil || len(firing) != 3 {
		t.Fatalf("got %v, %v, want three signals", firing, err)
	}
	over, err := intake.Alertmanager([]byte(strings.Replace(body, "STATUS", "resolved", 1)))
	if err != nil || len(over) != 3 {
		t.Fatalf("got %v, %v, want three signals", over, err)
	}
	if over[1].Action != oncall.Clear || over[1].DedupKey != firing[1].DedupKey {
		t.Errorf("got %s of %q, want %s of %q", over[1].Action, over[1].DedupKey, oncall.Clear, firing[1].DedupKey)
	}
	if firing[1].Title != "disk full" {
		t.Errorf("got the title %q, want disk full", firing[1].Title)
	}
}

// An alert without a name is named after its labels.
func TestNamelessAlertIsTitledByLabels(t *testing.T) {
	t.Parallel()
	for alert, want := range map[string]string{
		`"labels":{"instance":"db-1","job":"node","severity":"high"}`:         "instance=db-1, job=node",
		`"labels":{"a":"1","b":"2","c":"3","d":"4","e":"5"}`:                  "a=1, b=2, c=3, d=4",
		`"labels":{"alertname":" "},"annotations":{"summary":""}`:             "cluster=eu",
		`"labels":{"instance":"db-1"},"annotations":{"title":"Disk is full"}`: "Disk is full",
		`"labels":{"port":443,"tls":true,"none":null}`:                        "port=443, tls=true",
		`"labels":{"severity":"high"}`:                                        "cluster=eu",
	} {
		signals, err := intake.Alertmanager([]byte(`{"groupKey":"g","groupLabels":{"cluster":"eu"},"alerts":[{"fingerprint":"f",` + alert + `}]}`))
		if err != nil || len(signals) != 2 || signals[0].Title != want {
			t.Errorf("%s: %v, %v, want %q", alert, signals, err, want)
		}
	}
}
