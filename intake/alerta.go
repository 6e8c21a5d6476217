package intake

import (
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

func isAlerta(o object) bool {
	return o.any("resource") && o.any("event") && (o.has("environment") || o.has("severity")) && (o.has("service") || o.has("origin") || o.has("correlate"))
}

// alerta reads an alert in Alerta's format, which Uptime Kuma and others can send.
func alerta(o object) ([]oncall.Signal, error) {
	d := draft{
		key: strings.Join([]string{"alerta", o.str("environment"), o.str("resource"), o.str("event")}, "/"), title: o.str("resource") + ": " + o.str("event"),
		body: o.str("text"), labels: tags(o.words("tags")), level: o.str("severity"),
	}
	switch word := first(o.str("status"), o.str("severity")); normalize(word) {
	case "cleared", "normal", "ok", "closed", "expired":
		d.action, d.level = oncall.Clear, ""
	case "ack":
		d.action = oncall.AckSignal
	}
	d.label("environment", o.str("environment"))
	d.label("resource", o.str("resource"))
	d.detail("value", o.str("value"))
	return single(d)
}
