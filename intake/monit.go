package intake

import (
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

func isMonit(o object) bool {
	o = o.normalizedNames("monit")
	return o.any("event") && o.any("service") && o.any("host") && (o.has("description") || o.has("date"))
}

// monitFamilies are the events of Monit that end under another name.
var monitFamilies = map[string]string{"doesnotexist": "exist", "exists": "exist", "invalidtype": "type"}

// monit reads what a script sends of Monit's environment. An event and its end have different
// names.
func monit(o object) ([]oncall.Signal, error) {
	o = o.normalizedNames("monit")
	event := o.str("event")
	family, known := monitFamilies[normalize(event)]
	if !known {
		family = monitFamily(event)
	}
	host, service := o.str("host"), o.str("service")
	d := draft{
		key: strings.Join([]string{"monit", host, service, family}, "/"), title: service + " on " + host + ": " + event,
		body: o.str("description"), level: o.str("severity"),
	}
	d.action = monitAction(event)
	d.label("host", host)
	d.label("service", service)
	d.detail("date", o.str("date"))
	return single(d)
}

// monitEnds are the endings of names that mean recovery. "Content match" is not one: it means that
// a watched-for pattern was found.
var monitEnds = []string{" succeeded", " ok", " recovered", " recovery", " up", " doesn't match", " not changed"}

func monitAction(event string) oncall.Action {
	event = strings.ToLower(event)
	switch normalize(event) {
	case "actiondone", "instancechanged", "monitinstancechanged", "monitinstancenotchanged":
		return oncall.Update // about Monit itself, such as a restart
	case "exists", "exist":
		return oncall.Clear
	}
	for _, end := range monitEnds {
		if strings.HasSuffix(event, end) {
			return oncall.Clear
		}
	}
	return oncall.Trigger
}

// monitFamily returns an event's name without the outcome: "size" for "Size failed" and "Size
// succeeded".
func monitFamily(event string) string {
	event = strings.ToLower(trim(event))
	for _, end := range append(slices.Clone(monitEnds), " failed", " exceeded", " error", " down", " matched", " changed", " match") {
		if about, ok := strings.CutSuffix(event, end); ok {
			return strings.TrimSuffix(about, " not")
		}
	}
	return event
}
