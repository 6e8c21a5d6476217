package intake

import (
	"encoding/json"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

func isSentry(o object) bool {
	return o.any("action") && (o.has("data", "installation") || o.has("data.metric_alert") || o.has("data.event.issue_id") || o.has("data.issue.culprit")) ||
		o.any("culprit") && o.any("project", "project_name") && o.any("url")
}

// sentryLevels are Sentry's levels, of which error is the usual one.
var sentryLevels = map[string]string{"fatal": "critical", "error": "high", "warning": "medium", "info": "low", "debug": "low", "sample": "low"}

// sentry reads the webhooks of Sentry's integrations, for any resource, and of its legacy plugin.
func sentry(o object) ([]oncall.Signal, error) {
	action := normalize(o.str("action"))
	switch {
	case o.has("data.metric_alert"):
		return sentryMetric(o, action)
	case o.has("data.event"):
		return single(sentryIssue(o, o.sub("data.event"), o.str("data.event.issue_id", "data.event.issue.id")))
	case o.has("data.error"):
		return single(sentryIssue(o, o.sub("data.error"), o.str("data.error.issue_id")))
	case o.has("data.issue"):
		d := sentryIssue(o, o.sub("data.issue"), o.str("data.issue.id"))
		d.action = sentryActions[action]
		if d.action == "" {
			d.action, d.note = oncall.Update, "Sentry: "+strings.Join(nonBlank(o.str("action"), o.str("actor.name")), " by ")
		}
		return single(d)
	case o.has("data"):
		return single(draft{action: oncall.Update, key: "sentry/" + first(o.str("data.issue_id"), action), note: o.str("data.comment")})
	}
	d := draft{
		key: scopedKey("sentry", first(o.str("id", "event.issue_id"), o.str("url"))), title: o.str("event.title", "message", "culprit"), body: o.str("culprit"),
		link: o.str("url"), level: sentryLevels[o.str("level")], labels: map[string]string{},
	}
	d.label("project", o.str("project_slug", "project", "project_name"))
	d.label("environment", o.str("event.environment"))
	return single(d)
}

var sentryActions = map[string]oncall.Action{
	"created": oncall.Trigger, "unresolved": oncall.Trigger, "resolved": oncall.Clear, "archived": oncall.Clear, "ignored": oncall.Clear,
}

func sentryIssue(o, about object, id string) draft {
	if _, after, ok := strings.Cut(about.str("issue_url", "web_url"), "/issues/"); ok && id == "" { // an event alert
		id, _, _ = strings.Cut(after, "/")
	}
	d := draft{
		action: oncall.Trigger, key: scopedKey("sentry", first(id, about.str("web_url"))), title: about.str("title", "metadata.title", "message"),
		body: strings.Join(nonBlank(about.str("message", "metadata.value"), about.str("culprit")), "\n"),
		link: about.str("web_url", "permalink", "issue_url"), level: sentryLevels[about.str("level")], labels: map[string]string{},
	}
	d.label("project", about.str("project.slug", "project.name", "project_slug", "project"))
	d.label("environment", first(about.str("environment"), sentryTag(about, "environment")))
	d.label("server", sentryTag(about, "server_name"))
	d.label("platform", about.str("platform"))
	d.label("issue", about.str("shortId"))
	d.detail("rule", o.str("data.triggered_rule"))
	return d
}

// sentryTag returns the value of one of an event's tags, which are pairs.
func sentryTag(event object, name string) string {
	var tags [][]json.RawMessage
	if json.Unmarshal(event.at("tags"), &tags) != nil {
		return ""
	}
	for _, tag := range tags {
		if len(tag) != 2 {
			continue
		}
		if is, err := asText(tag[0]); err == nil && is == name {
			value, _ := asText(tag[1])
			return value
		}
	}
	return ""
}

func sentryMetric(o object, action string) ([]oncall.Signal, error) {
	alert := o.sub("data.metric_alert")
	d := draft{
		key:   "sentry/metric/" + first(alert.str("id", "identifier"), alert.str("alert_rule.id")),
		title: first(o.str("data.description_title"), alert.str("alert_rule.name", "title")), body: o.str("data.description_text"),
		link: o.str("data.web_url"), level: map[string]string{"critical": "critical", "warning": "medium"}[action], labels: map[string]string{},
	}
	for _, state := range []string{"Critical: ", "Warning: ", "Resolved: ", "Open: "} {
		d.title = strings.TrimPrefix(d.title, state)
	}
	d.status("action", action)
	d.label("project", strings.Join(alert.words("projects"), ", "))
	d.label("environment", alert.str("alert_rule.environment"))
	return single(d)
}
