package intake

import (
	"encoding/json"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// maxTail is how much of what is written with a ping is kept, in bytes: its end, where the error is.
const maxTail = 100 << 10

// Tail is what is kept of what was written with a ping.
func Tail(body []byte) string {
	if len(body) > maxTail {
		body = body[len(body)-maxTail:]
	}
	return trim(strings.ReplaceAll(strings.ToValidUTF8(string(body), ""), "\x00", ""))
}

// WatchdogFormat is that of an integration which hears Alertmanager's alert that always fires.
const WatchdogFormat oncall.Format = "watchdog"

// What is expected of it, with group_interval and repeat_interval at a minute: twice their sum, as repeats come at the
// next tick of the group.
const (
	watchdogEvery oncall.Seconds = 120
	watchdogGrace oncall.Seconds = 120
)

// watchdog reads a webhook of Alertmanager's as one ping: whatever fires says that all is well, and that nothing fires
// any more that it is not.
func watchdog(body []byte) ([]oncall.Signal, error) {
	var o object
	if err := json.Unmarshal(body, &o); err != nil || !isAlertmanager(o) {
		return auto(body)
	}
	signals, err := Alertmanager(body)
	if err != nil {
		return nil, err
	}
	kind := oncall.PingFail
	for _, s := range signals {
		if s.Action == oncall.Trigger {
			kind = oncall.PingSuccess
		}
	}
	ping := oncall.Ping{Kind: kind, Create: true, Every: watchdogEvery, Grace: watchdogGrace}
	said := ""
	if kind == oncall.PingFail {
		said = "Alertmanager says that the alert which always fires is resolved."
	}
	return []oncall.Signal{oncall.NewPing("watchdog", ping, said)}, nil
}
