package intake

import (
	"encoding/json"

	"github.com/watchbill/watchbill/oncall"
)

// isPrometheus reports whether a list is what Prometheus sends to an Alertmanager.
func isPrometheus(list []object) bool {
	for _, o := range list {
		timed := o.has("startsAt") || o.has("endsAt")
		if !o.has("labels") || !timed && !o.has("generatorURL") && !o.has("annotations") {
			return false
		}
	}
	return len(list) > 0
}

// Prometheus reads what Prometheus sends if configured to use us as its Alertmanager: a list of
// alerts, each firing until its endsAt and resolved if that is in the past. The fold decides which,
// as time is its argument.
func Prometheus(body []byte) ([]oncall.Signal, error) {
	list, err := asList(body)
	if err != nil {
		return nil, err
	}
	if !isPrometheus(list) {
		return nil, problem("", "The list is empty or has something else in it than alerts with labels, as Prometheus sends them.")
	}
	var alerts []webhookAlert
	if err := json.Unmarshal(body, &alerts); err != nil {
		return nil, notJSON(err)
	}
	var signals []oncall.Signal
	for i, a := range alerts {
		s := a.signal(i, webhook{})
		s.Action, s.Hints = oncall.Trigger, nil
		s.DedupKey = fingerprint(a.Labels)
		s.Expires, s.EndsAt = s.EndsAt, s.Expires
		signals = append(signals, s)
	}
	return signals, nil
}

// asList reads a list of objects.
func asList(body []byte) ([]object, error) {
	if err := checkCost(body); err != nil {
		return nil, err
	}
	var raws []json.RawMessage
	if err := json.Unmarshal(body, &raws); err != nil {
		return nil, notJSON(err)
	}
	list := make([]object, len(raws))
	for i, raw := range raws {
		if list[i] = asObject(raw); list[i] == nil {
			return nil, problem("", "The body is a JSON array with something else in it than objects.")
		}
	}
	return list, nil
}
