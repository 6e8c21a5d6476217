package intake

import (
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

func isGatus(o object) bool {
	return o.has("conditions", "name") && o.any("status", "alert_triggered_or_resolved") && (o.has("errors") || o.has("group"))
}

// gatus reads Gatus's webhooks with the body given in docs/monitors.md.
func gatus(o object) ([]oncall.Signal, error) {
	name := o.str("name", "endpoint_name")
	if group := o.str("group", "endpoint_group"); group != "" {
		name = group + "/" + name
	}
	d := draft{
		key: first(o.str("dedup_key"), name), title: name + " is down",
		body: strings.Join(nonBlank(o.str("description", "alert_description"), o.str("errors", "result_errors")), "\n"),
		link: o.str("url", "endpoint_url"), level: o.str("severity", "priority"), labels: map[string]string{},
	}
	d.status("status", o.str("status", "alert_triggered_or_resolved"))
	if text := o.str("conditions", "result_conditions"); !strings.Contains(text, "RESULT_CONDITIONS") { // not substituted for external endpoints
		d.detail("conditions", text)
	}
	for label, text := range o.sub("labels").texts() {
		d.label(label, text)
	}
	d.label("group", o.str("group", "endpoint_group"))
	d.detail("runbook", o.str("runbook", "runbook_url"))
	return single(d)
}
