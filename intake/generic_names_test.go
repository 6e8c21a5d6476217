package intake_test

import (
	"testing"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
)

// Titles that state that the alert is resolved, and those that only seem to.
func TestActionInTitle(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]oncall.Action{
		"OK: Slow checkout":                 oncall.Clear,
		"Success: nightly backup":           oncall.Clear,
		"Backup of shop has recovered":      oncall.Clear,
		"Check 'pay' has been resolved":     oncall.Clear,
		"orders:host=web-1 is OK":           oncall.Clear,
		"Application shop is healthy":       oncall.Clear,
		"Shop is back to normal":            oncall.Clear,
		"Critical: Slow checkout":           oncall.Trigger,
		"orders:host=web-1 is CRITICAL":     oncall.Trigger,
		"Nobody is online":                  oncall.Trigger,
		"We don't know whether db-1 is OK":  oncall.Trigger,
		"Only one replica is up":            oncall.Trigger,
		"Replication never has recovered":   oncall.Trigger,
		"Failed to check if shop is online": oncall.Trigger,
		"Is shop up? web-2 is healthy":      oncall.Trigger,
		"Node down":                         oncall.Trigger,
	} {
		if s := readOne(t, `{"title":"`+title+`"}`); s.Action != want {
			t.Errorf("%s: %s, want %s", title, s.Action, want)
		}
	}
}

// An alert and its end, worded differently, share a key.
func TestTitlesOfOneAlertShareAKey(t *testing.T) {
	t.Parallel()
	for began, ended := range map[string]string{
		"Triggered: Slow checkout":       "OK: Slow checkout",
		"Warning: Disk of db-1":          "Fixed: Disk of db-1",
		"orders is CRITICAL":             "orders is OK",
		"Application shop has degraded":  "Application shop is healthy",
		"Check 'pay' has failed":         "Check 'pay' has recovered",
		"Primary API (app-01) is DOWN":   "Primary API (app-01) is UP",
		"Disk of db-1 is in warning":     "Disk of db-1 is normal",
		"Backup of shop is failing":      "Backup of shop is passing",
		"Queue of web-1 is now degraded": "Queue of web-1 is operational again",
	} {
		one, other := readOne(t, `{"title":"`+began+`"}`), readOne(t, `{"title":"`+ended+`","status":"ok"}`)
		if one.DedupKey != other.DedupKey {
			t.Errorf("%s and %s have two keys, want one", began, ended)
		}
	}
	for one, other := range map[string]string{
		"Disk of db-1 is full": "Disk of db-2 is full",
		"Disk full":            "Disk slow",
		"Backup failed":        "Backup slow",
	} {
		if readOne(t, `{"title":"`+one+`"}`).DedupKey == readOne(t, `{"title":"`+other+`"}`).DedupKey {
			t.Errorf("%s and %s have one key, want two", one, other)
		}
	}
}

func TestGenericReadsOtherFieldNames(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]oncall.Signal{
		`{"monitor_name":"Shop","monitor_status":"offline"}`:                       {Action: oncall.Trigger, Title: "Shop"},
		`{"monitor_name":"Shop","monitor_status":"online"}`:                        {Action: oncall.Clear, Title: "Shop"},
		`{"alertTitle":"Disk full","severity":"clear"}`:                            {Action: oncall.Clear, Title: "Disk full"},
		`{"title":"Disk full","level":"ok"}`:                                       {Action: oncall.Clear, Title: "Disk full"},
		`{"title":"Disk full","priority":"normal"}`:                                {Action: oncall.Trigger, Title: "Disk full"},
		`{"title":"Node down","ssl_status":"ok"}`:                                  {Action: oncall.Trigger, Title: "Node down"},
		`{"title":"Node down","previous_state":"ok"}`:                              {Action: oncall.Trigger, Title: "Node down"},
		`{"event":"check.up","check":{"name":"Shop"}}`:                             {Action: oncall.Clear, Title: "Shop"},
		`{"event":"alert.fired","alert":{"name":"Slow","state":"x"}}`:              {Action: oncall.Trigger, Title: "Slow"},
		`{"type":"recovery","data":{"attributes":{"name":"Shop"}}}`:                {Action: oncall.Clear, Title: "Shop"},
		`{"event":"Disk full"}`:                                                    {Action: oncall.Trigger, Title: "Disk full"},
		`{"event":"down"}`:                                                         {Action: oncall.Trigger, Title: "down"},
		`{"alert":"DiskFull"}`:                                                     {Action: oncall.Trigger, Title: "DiskFull"},
		`{"username":"ann","hostname":"db-1","failureReason":"no space is left"}`:  {Action: oncall.Trigger, Title: "no space is left"},
		`{"text":"Problem on db-1\n\nDisk is full"}`:                               {Action: oncall.Trigger, Title: "Problem on db-1 Disk is full"},
		`{"topic":"orders","message":"Lag","priority":"high","status":"resolved"}`: {Action: oncall.Clear, Title: "Lag"},
		`{"eventType":"ACCEPT","summary":"Disk full","alertKey":"k"}`:              {Action: oncall.AckSignal, Title: "Disk full"},
	} {
		if s := readOne(t, body); s.Action != want.Action || s.Title != want.Title {
			t.Errorf("%s: got %s %q, want %s %q", body, s.Action, s.Title, want.Action, want.Title)
		}
	}
	shared := readOne(t, `{"title":"x","shared_secret":"hush","password":"hush","owner":"ann"}`)
	if len(shared.Details) != 1 || shared.Details["owner"] != "ann" {
		t.Errorf("got details %v, want only the owner", shared.Details)
	}
}

// The same name in two places means two alerts, unless a field called title is the key.
func TestSameNameInTwoPlacesIsTwoAlerts(t *testing.T) {
	t.Parallel()
	if readOne(t, `{"alert_name":"Slow","host":"web-1"}`).DedupKey == readOne(t, `{"alert_name":"Slow","host":"web-2"}`).DedupKey {
		t.Error("two hosts have one key, want two")
	}
	if readOne(t, `{"event":"alert.fired","alert":{"name":"Slow"},"hostname":"web-1"}`).DedupKey == readOne(t, `{"event":"alert.fired","alert":{"name":"Slow"},"hostname":"web-2"}`).DedupKey {
		t.Error("two hosts outside the alert have one key, want two")
	}
	if readOne(t, `{"title":"Slow","host":"web-1"}`).DedupKey != readOne(t, `{"title":"Slow","status":"resolved"}`).DedupKey {
		t.Error("the same title has another key when resolved, want the same")
	}
}

func readOne(t *testing.T, body string) oncall.Signal {
	t.Helper()
	signals, took, err := intake.Read(intake.Auto, []byte(body))
	if err != nil || len(signals) != 1 || took != "generic" {
		t.Fatalf("%s: read as %s: %+v, %v, want one generic signal", body, took, signals, err)
	}
	return signals[0]
}

// A body that states what happened is not a card, whatever else it contains.
func TestCardWithOwnFieldsIsGeneric(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"title":"Disk full","content":"x","username":"ann","status":"resolved"}`,
		`{"message":"Disk full","msgtype":"m","body":"x","state":"ok"}`,
		`{"summary":"Disk full","blocks":[{"type":"header","text":"x"}],"status":"closed"}`,
	} {
		if s := readOne(t, body); s.Action != oncall.Clear || s.Title != "Disk full" {
			t.Errorf("%s: got %s %q, want clear \"Disk full\"", body, s.Action, s.Title)
		}
	}
}
