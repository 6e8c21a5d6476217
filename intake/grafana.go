package intake

import (
	"encoding/json"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// isGrafana reports whether a payload is Grafana's, current or from before version 9.
func isGrafana(o object) bool {
	alert, ok := o.webhook()
	if !ok {
		return isGrafanaOld(o)
	}
	return o.isGrafanaWebhook(alert)
}

// isGrafanaWebhook reports whether a webhook is Grafana's, judging by itself or its first alert.
func (o object) isGrafanaWebhook(alert object) bool {
	return o.has("orgId") || o.str("version") == "1" || alert.has("silenceURL") || alert.has("panelURL") || alert.has("ruleUID")
}

// Grafana reads a webhook of Grafana, whose alerts look like Alertmanager's.
func Grafana(body []byte) ([]oncall.Signal, error) {
	body, err := prepare(body)
	if err != nil {
		return nil, err
	}
	var o object
	if err := json.Unmarshal(body, &o); err == nil {
		if _, ok := o.webhook(); !ok && isGrafanaOld(o) {
			return grafanaOld(o)
		}
	}
	return Alertmanager(body)
}

func isGrafanaOld(o object) bool { return o.any("ruleId", "ruleName") && o.any("state") }

// grafanaOld reads the legacy alerts from before Grafana 9.
func grafanaOld(o object) ([]oncall.Signal, error) {
	d := draft{
		key: strings.Join([]string{"grafana", o.str("orgId"), first(o.str("ruleId"), o.str("ruleName"))}, "/"), title: o.str("ruleName", "title"),
		body: o.str("message"), link: o.str("ruleUrl"), labels: o.sub("tags").texts(),
	}
	d.level = d.labels["severity"]
	d.status("state", o.str("state"))
	switch normalize(o.str("state")) {
	case "pending", "paused":
		d.action, d.hints = oncall.Update, nil
	}
	d.detail("image", o.str("imageUrl"))
	var values []string
	for _, match := range o.list("evalMatches") {
		values = append(values, match.str("metric")+" = "+match.str("value"))
	}
	d.detail("values", strings.Join(values, ", "))
	return single(d)
}
