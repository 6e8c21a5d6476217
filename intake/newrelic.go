package intake

import (
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

func isNewRelic(o object) bool {
	return o.has("issueUrl") && o.any("state", "trigger") || o.any("issueId", "issue_id") && o.any("state", "trigger", "priority") ||
		o.any("current_state") && o.any("condition_name", "policy_name", "incident_url") || o.any("nrAccountId")
}

// newRelic reads payloads of New Relic's workflows and of its legacy channels.
func newRelic(o object) ([]oncall.Signal, error) {
	d := draft{
		key:   scopedKey("newrelic", o.str("issueId", "issue_id", "id", "incident_id", "dedup_key")),
		title: o.str("title", "annotations.title.0", "condition_name", "details"), body: o.str("details", "description", "conditionDescription"),
		link: o.str("issueUrl", "issuePageUrl", "incident_url", "url"), level: o.str("priority", "severity"),
		starts: o.str("createdAt", "activatedAt"), labels: map[string]string{},
	}
	word := o.str("state", "current_state", "status")
	d.status("state", word)
	if normalize(word) == "test" {
		d.hints, d.level, d.key = nil, "low", "newrelic/test"
	}
	if normalize(word) == "created" || normalize(o.str("trigger")) == "issuecreated" && word == "" {
		d.action, d.hints = oncall.Trigger, nil
	}
	for label, path := range map[string]string{
		"policy": "alertPolicyNames", "condition": "alertConditionNames", "entity": "impactedEntities", "account": "nrAccountId",
	} {
		d.label(label, strings.Join(o.words(path), ", "))
	}
	d.label("policy", o.str("policy_name"))
	d.label("condition", o.str("condition_name"))
	d.label("account", o.str("account_name"))
	if len(o.list("targets")) > 0 {
		d.label("entity", o.list("targets")[0].str("name"))
	}
	d.detail("runbook", firstOf(o.str("runbook_url", "runbookUrl"), o.words("alertRunbookUrls")))
	d.detail("chart", o.str("violation_chart_url", "violationChartUrl"))
	d.detail("policy link", o.str("policy_url"))
	return single(d)
}
