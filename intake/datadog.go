package intake

import (
	"regexp"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// datadogTitle matches the beginning of an event's title.
var datadogTitle = regexp.MustCompile(`(?is)^(?:\[test\]\s*)?(?:\[(P\d)\]\s*)?\[(?:(P\d)\]\s*\[)?(Triggered|Re-?Triggered|Recovered|Warn|Re-?Warn|No ?data|Re-?No ?data|Renotify|Test)[^\]{]*(?:\{([^}]*)\})?[^\]]*\]\s*(.*)$`)

// datadogLink matches the monitor's page in the text of an event.
var datadogLink = regexp.MustCompile(`\((https://[^\s()]+/monitors[/#][^\s()]+)\)`)

func isDatadog(o object) bool {
	m := o.normalizedNames("datadog")
	return m.any("alerttransition", "alertcyclekey", "aggregkey") || m.has("eventtype", "lastupdated") && m.has("org") ||
		m.any("alertid") && m.any("alertstatus", "alertscope", "alertmetric", "alerttitle") || m.has("transition", "aggregationkey")
}

// datadog reads Datadog's webhooks: its default payload, or one built from its variables. In the
// default payload only the title says what happened.
func datadog(o object) ([]oncall.Signal, error) {
	m := o.normalizedNames("datadog")
	value := func(names ...string) string { // a variable may not have been substituted
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
		labels: tagsOf(m, firstName(m, "tags", "alerttags")),
	}
	transition, scope := value("alerttransition", "transition", "status"), value("alertscope", "scope", "scopes")
	isTest := strings.HasPrefix(strings.ToLower(d.title), "[test]")
	if t := datadogTitle.FindStringSubmatch(d.title); t != nil {
		d.level, transition = first(d.level, t[1], t[2]), first(transition, t[3])
		d.title, scope = t[5], first(scope, t[4])
	}
	d.key = value("alertcyclekey", "cyclekey", "dedupkey", "deduplicationkey", "aggregkey", "aggregationkey")
	if d.key == "" {
		d.key = hash("datadog", first(value("alertid", "monitorid"), d.title), scope)
	}
	if isTest { // a test neither opens nor resolves the monitor's alert
		d.key, d.level = hash("datadog", "test", d.key), "low"
	}
	d.status("alert_transition", first(transition, value("alerttype")))
	if t := normalize(transition); d.level == "" && (strings.Contains(t, "warn") || value("alerttype") == "warning") {
		d.level = "warning"
	}
	d.body = strings.Trim(d.body, "% \n\r")
	if m := datadogLink.FindStringSubmatch(d.body); m != nil && d.link == "" {
		d.link = m[1]
	}
	if scope != "" && d.title != "" {
		d.title += " (" + scope + ")"
	}
	d.label("hostname", value("hostname", "host"))
	d.label("metric", value("alertmetric", "metric"))
	d.detail("snapshot", value("snapshot"))
	d.detail("query", value("alertquery"))
	d.detail("runbook", value("runbook", "runbookurl"))
	return single(d)
}
