package intake

import (
	"regexp"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// datadogTitle is how Datadog begins the title of an event.
var datadogTitle = regexp.MustCompile(`(?s)^(?:\[(P\d)\]\s*)?\[(?:(P\d)\]\s*\[)?(Triggered|Re-?Triggered|Recovered|Warn|Re-?Warn|No ?data|Re-?No ?data|Renotify|Test)[^\]{]*(?:\{([^}]*)\})?[^\]]*\]\s*(.*)$`)

func isDatadog(o object) bool {
	m := o.bareNames("datadog")
	return m.any("alerttransition", "alertcyclekey", "aggregkey") || m.has("eventtype", "lastupdated") && m.has("org") ||
		m.any("alertid") && m.any("alertstatus", "alerttype", "alertscope", "alertmetric", "alerttitle") || m.has("transition", "aggregationkey")
}

// datadog reads what Datadog's webhook integration sends: the payload that it offers, or one made of its variables.
// Of that which it offers only the title says what has happened.
func datadog(o object) ([]oncall.Signal, error) {
	m := o.bareNames("datadog")
	value := func(names ...string) string { // a variable may be left as it is
		for _, name := range names {
			if s := m.str(name); s != "" && !strings.HasPrefix(s, "$") && s != "null" && s != "none" {
				return s
			}
		}
		return ""
	}
	d := draft{
		title: value("alerttitle", "title", "eventtitle", "name"), body: value("textonlymsg", "body", "eventmsg", "message", "alertstatus", "text"),
		link: value("link", "url", "alerturl"), level: value("alertpriority", "priority", "severity"), starts: value("alertstarttime"),
		labels: tags(m.words(firstName(m, "tags", "alerttags"))),
	}
	transition, scope := value("alerttransition", "transition", "status"), value("alertscope", "scope")
	if t := datadogTitle.FindStringSubmatch(d.title); t != nil {
		d.level, transition = first(d.level, t[1], t[2]), first(transition, t[3])
		d.title, scope = t[5], first(scope, t[4])
	}
	d.key = value("alertcyclekey", "cyclekey", "dedupkey", "aggregkey", "aggregationkey")
	if d.key == "" {
		d.key = hash("datadog", first(value("alertid", "monitorid"), d.title), scope)
	}
	d.status("alert_transition", first(transition, value("alerttype")))
	if t := bare(transition); d.level == "" && (strings.Contains(t, "warn") || value("alerttype") == "warning") {
		d.level = "warning"
	}
	if scope != "" && d.title != "" {
		d.title += " (" + scope + ")"
	}
	d.label("hostname", value("hostname", "host"))
	d.label("metric", value("alertmetric", "metric"))
	d.detail("snapshot", value("snapshot"))
	d.detail("query", value("alertquery"))
	d.detail("runbook", value("runbook", "runbookurl"))
	return one(d)
}

func isNewRelic(o object) bool {
	return o.has("issueUrl") && o.any("state", "trigger") || o.any("issueId", "issue_id") && o.any("state", "trigger", "priority") ||
		o.any("current_state") && o.any("condition_name", "policy_name", "incident_url") || o.any("nrAccountId")
}

// newRelic reads the payload of New Relic's workflows, and of its older channels.
func newRelic(o object) ([]oncall.Signal, error) {
	d := draft{
		key:   "newrelic/" + o.str("issueId", "issue_id", "id", "incident_id", "dedup_key"),
		title: o.str("title", "annotations.title.0", "condition_name", "details"), body: o.str("details", "description", "conditionDescription"),
		link: o.str("issueUrl", "issuePageUrl", "incident_url", "url"), level: o.str("priority", "severity"),
		starts: o.str("createdAt", "activatedAt"), labels: map[string]string{},
	}
	word := o.str("state", "current_state", "status")
	d.status("state", word)
	if bare(word) == "created" || bare(o.str("trigger")) == "issuecreated" && word == "" {
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
	return one(d)
}

func firstOf(text string, others []string) string {
	if text == "" && len(others) > 0 {
		return others[0]
	}
	return text
}
