package oncall

import "time"

// TrySignal returns a test signal for an integration, so that people see an alert arrive. Those of one minute are one
// alert.
func TrySignal(integration string, now time.Time) Signal {
	return Signal{
		Action: Trigger, DedupKey: "watchbill/test/" + now.UTC().Format("2006-01-02T15:04"), Severity: High,
		Title: "Test alert of " + integration,
		Body:  "Somebody wants to see whether an alert comes through. Acknowledge it, then resolve it; nothing is wrong.",
	}
}
