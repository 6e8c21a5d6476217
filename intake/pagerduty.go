package intake

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

func isPagerDuty(o object) bool {
	return o.any("routing_key", "service_key") || o.has("event_action", "payload") || o.has("event_type", "incident_key")
}

// PagerDuty reads an event of PagerDuty's Events API: version 2, a change event, or version 1.
// Without a dedup_key one is derived from the content, so that sending an event twice opens one
// alert.
func PagerDuty(body []byte) ([]oncall.Signal, error) { return fromObject(pagerDuty)(body) }

func pagerDuty(o object) ([]oncall.Signal, error) {
	if o.any("event_type") && !o.has("payload") || o.has("service_key") {
		return pagerDutyV1(o)
	}
	p := o.sub("payload")
	d := draft{
		key: o.str("dedup_key"), title: p.str("summary"), link: o.str("client_url"), level: p.str("severity"), labels: map[string]string{},
	}
	if d.title == "" {
		d.title = o.str("summary", "description")
	}
	if !o.any("event_action") && p.any("summary") { // a change event, which pages nobody
		return []oncall.Signal{draft{action: oncall.Update, key: "pagerduty/change/" + hash(d.title, p.str("timestamp")), title: d.title}.signal()}, nil
	}
	d.status("event_action", o.str("event_action"))
	if d.key == "" && d.title == "" {
		return nil, problem("payload.summary", "payload.summary is missing; an event needs it, or a dedup_key.")
	}
	if d.key == "" {
		d.key = hash("pagerduty", stem(d.title), p.str("source"), p.str("component"), p.str("group"), p.str("class"))
	}
	d.body = pagerDutyText(&d, p.at("custom_details"))
	for _, name := range []string{"source", "component", "group", "class"} {
		d.label(name, p.str(name))
	}
	d.detail("timestamp", p.str("timestamp"))
	pagerDutyLinks(&d, o)
	return single(d)
}

// pagerDutyLinks reads links, images and the client.
func pagerDutyLinks(d *draft, o object) {
	for _, l := range o.list("links") {
		d.links.add(first(l.str("text"), "Link"), l.str("href"))
	}
	for _, image := range o.list("images") {
		d.links.add(first(image.str("alt"), "image"), first(image.str("href"), image.str("src")))
	}
	for _, c := range o.list("contexts") {
		d.links.add(first(c.str("text", "alt"), c.str("type")), c.str("href", "src"))
	}
	if d.link == "" && len(d.links) > 0 {
		d.link = d.links[len(d.links)-1].URL
		for _, l := range d.links {
			if l.Text != runbook {
				d.link = l.URL
				break
			}
		}
	}
	d.detail("client", o.str("client"))
}

// pagerDutyText adds details of any type to the draft, and returns the part that serves as text.
func pagerDutyText(d *draft, raw json.RawMessage) string {
	details := asObject(raw)
	if len(details) == 0 {
		text, _ := asText(raw)
		return strings.TrimPrefix(text, "{}")
	}
	text := ""
	for _, name := range slices.Sorted(maps.Keys(details)) {
		value, err := asText(details[name])
		if list := (object{name: details[name]}).list(name); len(list) > 0 && list[0].has("labels") {
			value = pagerDutyAlerts(d, list)
		}
		switch {
		case err != nil || value == "[]":
		case text == "" && slices.Contains([]string{"description", "body", "message", "details", "firing"}, strings.ToLower(name)):
			text = value
		default:
			d.detail(name, value)
		}
	}
	return text
}

// pagerDutyAlerts reads the alerts that a recent Alertmanager lists in an event, one line each.
// What they all share becomes labels of the event.
func pagerDutyAlerts(d *draft, list []object) string {
	var lines []string
	common := list[0].sub("labels").texts()
	for _, alert := range list {
		labels := alert.sub("labels").texts()
		maps.DeleteFunc(common, func(name, value string) bool { return labels[name] != value })
		about := first(alert.str("annotations.summary", "annotations.title"), labels["alertname"])
		delete(labels, "alertname")
		if which := nameFromLabels(labels); which != "" {
			about = strings.TrimSpace(about + " (" + which + ")")
		}
		lines = append(lines, strings.Join(nonBlank(about, alert.str("annotations.description", "annotations.message")), ": "))
		d.links.add("runbook", alert.str("annotations.runbook_url"))
	}
	for name, value := range common {
		d.label(name, value)
	}
	return strings.Join(lines, "\n")
}

func pagerDutyV1(o object) ([]oncall.Signal, error) {
	d := draft{key: o.str("incident_key"), title: o.str("description"), link: o.str("client_url"), labels: map[string]string{}}
	d.status("event_type", o.str("event_type"))
	if d.key == "" && d.title == "" {
		return nil, problem("description", "description is missing; an event needs it, or an incident_key.")
	}
	if d.key == "" {
		d.key = hash("pagerduty", stem(d.title))
	}
	d.level = o.str("details.severity", "details.priority")
	d.body = pagerDutyText(&d, o.at("details"))
	pagerDutyLinks(&d, o)
	return single(d)
}
