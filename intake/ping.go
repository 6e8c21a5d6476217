package intake

import (
	"encoding/json"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// maxTail is how many bytes of a ping's body are kept: the end, where the error is.
const maxTail = 100 << 10

// Tail returns the part of a ping's body that is kept.
func Tail(body []byte) string {
	if len(body) > maxTail {
		body = body[len(body)-maxTail:]
	}
	return trim(strings.ReplaceAll(strings.ToValidUTF8(string(body), ""), "\x00", ""))
}

// WatchdogFormat is for an integration that receives Alertmanager's always-firing alert.
const WatchdogFormat oncall.Format = "watchdog"

// The expected interval, with group_interval and repeat_interval at a minute: twice their sum,
// since a repeat waits for the group's next tick.
const (
	watchdogEvery oncall.Seconds = 120
	watchdogGrace oncall.Seconds = 120
)

// watchdog reads a webhook of Alertmanager's as one ping: a firing alert means that all is well,
// and resolved ones that it is not.
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
	note := ""
	if kind == oncall.PingFail {
		note = "Alertmanager says that the alert which always fires is resolved."
	}
	return []oncall.Signal{oncall.NewPing("watchdog", ping, note)}, nil
}
