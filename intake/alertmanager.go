package intake

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// webhook is version 4 of Alertmanager's webhook payload. Grafana's has the same fields.
type webhook struct {
	Status          anyText        `json:"status"`
	GroupKey        anyText        `json:"groupKey"` // a number before version 4
	TruncatedAlerts anyText        `json:"truncatedAlerts"`
	Alerts          []webhookAlert `json:"alerts"`
	GroupLabels     texts          `json:"groupLabels"`
}

// truncated reports whether the list of alerts is cut short.
func (w webhook) truncated() bool { return w.TruncatedAlerts != "" && w.TruncatedAlerts != "0" }

// anyText is a text that may also come as a number or null.
type anyText string

func (t *anyText) UnmarshalJSON(data []byte) error {
	s, err := asText(data)
	*t = anyText(s)
	return err
}

// texts are labels or annotations. A value that is not a string keeps its JSON.
type texts map[string]string

func (t *texts) UnmarshalJSON(data []byte) error {
	var o object
	if string(data) == "[]" { // PHP writes an empty object this way
		return nil
	}
	if json.Unmarshal(data, (*map[string]string)(t)) == nil { // nearly all values are strings, and large ones should be read only once
		return nil
	}
	if err := json.Unmarshal(data, &o); err != nil {
		return err
	}
	*t = texts{}
	for name, raw := range o {
		s, err := asText(raw)
		if err != nil {
			return err
		}
		(*t)[name] = s
	}
	return nil
}

type webhookAlert struct {
	Status       anyText `json:"status"`
	Labels       texts   `json:"labels"`
	Annotations  texts   `json:"annotations"`
	StartsAt     anyText `json:"startsAt"`
	EndsAt       anyText `json:"endsAt"`
	GeneratorURL anyText `json:"generatorURL"`
	Fingerprint  anyText `json:"fingerprint"`

	// Grafana's
	DashboardURL anyText `json:"dashboardURL"`
	PanelURL     anyText `json:"panelURL"`
	SilenceURL   anyText `json:"silenceURL"`
	ImageURL     anyText `json:"imageURL"`
	ValueString  anyText `json:"valueString"`
}

// Alertmanager reads a webhook of Prometheus Alertmanager: one signal for each alert, then one
// Reconcile, because a payload lists everything that is firing in its group. Firing alerts come
// before resolved ones, so that an incident in which one alert replaces another is not closed and
// reopened in between.
//
// With truncatedAlerts the payload lists only some of the alerts, and its status covers only those,
// so there is no Reconcile.
func Alertmanager(body []byte) ([]oncall.Signal, error) {
	body, err := prepare(body)
	if err != nil {
		return nil, err
	}
	var o object
	if err := json.Unmarshal(body, &o); err == nil {
		switch {
		case o.isGeneric():
			return o.signals()
		case o.isSingleAlert():
			body = slices.Concat([]byte(`{"alerts":[`), body, []byte(`]}`))
		}
	}
	return parseWebhook(body)
}

func isAlertmanager(o object) bool {
	alert, ok := o.webhook()
	return ok && !o.isGrafanaWebhook(alert) || o.isSingleAlert()
}

// isSingleAlert reports whether an object is a single alert without its group, which some senders
// forward.
func (o object) isSingleAlert() bool {
	return len(o["alerts"]) == 0 && o.any("labels.alertname") && (o.has("startsAt") || o.has("annotations")) && !o.any("title", "summary", "message", "dedup_key")
}

// webhook reports whether the payload comes from Alertmanager or Grafana, whatever the integration
// expects: it lists the alerts of a group, or alerts with their fields. It returns the first alert,
// which may be large, so that it is read only once.
func (o object) webhook() (alert object, ok bool) {
	if raw := o["alerts"]; len(raw) == 0 || raw[0] != '[' {
		return nil, false
	}
	alert = o.first("alerts")
	_, grouped := o["groupKey"]
	return alert, grouped || alert.any("fingerprint") || alert.any("startsAt")
}

// isGeneric reports whether the payload can't be Alertmanager's and looks like one from a script.
func (o object) isGeneric() bool {
	_, alerts := o["alerts"]
	_, group := o["groupKey"]
	return !alerts && !group && nameOf(o, "title", "summary", "message", "dedup_key") != ""
}

func parseWebhook(body []byte) ([]oncall.Signal, error) {
	var w webhook
	if err := json.Unmarshal(body, &w); err != nil {
		return nil, notJSON(err)
	}
	resolved, _ := isResolved("status", string(w.Status), "firing")
	if len(w.Alerts) == 0 && (!resolved || w.truncated()) {
		return nil, problem("alerts", "alerts is missing or empty; send Alertmanager's webhook payload, version 4.")
	}
	if len(w.Alerts) == 0 && trim(string(w.GroupKey)) == "" {
		return nil, problem("groupKey", "groupKey is missing; a resolved group without alerts needs it.")
	}
	group := cleanKey(string(w.GroupKey))
	var firing, cleared []oncall.Signal
	reconcile := oncall.Signal{Action: oncall.Reconcile, GroupKey: group}
	for i, a := range w.Alerts {
		s := a.signal(i, w)
		s.GroupKey = group
		if s.Action == oncall.Clear {
			cleared = append(cleared, s)
			reconcile.Ended = append(reconcile.Ended, s.DedupKey)
			continue
		}
		firing = append(firing, s)
		reconcile.Present = append(reconcile.Present, s.DedupKey)
	}
	signals := slices.Concat(firing, cleared)
	if w.truncated() || group == "" {
		return signals, nil
	}
	return append(signals, reconcile), nil
}

func (a webhookAlert) signal(i int, w webhook) oncall.Signal {
	resolved, hints := isResolved(fmt.Sprintf("alerts[%d].status", i), string(a.Status), string(w.Status))
	title := clean(first(a.Annotations["summary"], a.Annotations["title"], a.Labels["alertname"],
		w.GroupLabels["alertname"], nameFromLabels(a.Labels), nameFromLabels(w.GroupLabels), "Alert without a name"), maxTitle)
	body := first(a.Annotations["description"], a.Annotations["message"])
	if what, ok := evaluationAlerts[a.Labels["alertname"]]; ok && a.Labels["rulename"] != "" {
		title = clean(a.Labels["rulename"]+": "+what, maxTitle)
		body = strings.Join(nonBlank(first(a.Annotations["summary"], a.Annotations["title"]), body), "\n")
	}
	key := cleanKey(string(a.Fingerprint))
	switch {
	case key != "":
	case len(a.Labels) > 0:
		key = fingerprint(a.Labels)
	default: // only its name is left
		key = hash(string(w.GroupKey), title)
	}
	sev, unknown := readSeverity(fmt.Sprintf("alerts[%d].labels.severity", i), a.Labels["severity"])
	shown, details := a.extras()
	signal := oncall.Signal{
		Action:   oncall.Trigger,
		DedupKey: key,
		Title:    title,
		Body:     cutMarked(body, maxBody),
		Link:     cleanLink(string(a.GeneratorURL), a.Annotations["runbook_url"], string(a.PanelURL), string(a.DashboardURL)),
		Links:    shown,
		Details:  details,
		Severity: sev,
		Labels:   cleanLabels(a.Labels),
		StartsAt: parseInstant(string(a.StartsAt)),
		EndsAt:   parseInstant(string(a.EndsAt)),
		Hints:    append(hints, unknown...),
	}
	if resolved {
		signal.Action = oncall.Clear
	}
	return signal
}

// evaluationAlerts are the names of Grafana's alerts about a rule that could not be evaluated. Their
// texts come from the rule and describe something that did not happen.
var evaluationAlerts = map[string]string{"DatasourceNoData": "no data", "DatasourceError": "can't be evaluated"}

// extras returns the links of an alert, and the annotations other than its title and text.
func (a webhookAlert) extras() ([]oncall.Link, map[string]string) {
	var l links
	texts := maps.Clone(map[string]string(a.Annotations))
	for _, names := range [][]string{{"summary", "title"}, {"description", "message"}} {
		for _, name := range names {
			if trim(texts[name]) != "" {
				delete(texts, name) // already shown
				break
			}
		}
	}
	if a.ValueString != "" {
		if texts == nil {
			texts = map[string]string{}
		}
		texts["values"] = string(a.ValueString)
	}
	details := cleanDetails(l.take(texts))
	l.runbooks(a.Labels)
	for _, one := range []struct {
		name    string
		address anyText
	}{
		{"dashboard", a.DashboardURL}, {"panel", a.PanelURL}, {"silence", a.SilenceURL}, {"image", a.ImageURL},
	} {
		l.add(one.name, string(one.address))
	}
	return l, details
}

// isResolved reads a status. The argument otherwise is the status to assume if it is blank.
func isResolved(field, status, otherwise string) (bool, []oncall.Hint) {
	word := trim(first(status, otherwise))
	if word == "" {
		return false, nil
	}
	a, hints := readStatus(field, word)
	return a == oncall.Clear, hints
}

// maxNameLabels is how many labels make up the name of a nameless alert.
const maxNameLabels = 4

// nameFromLabels names an alert after its labels, if it has no name.
func nameFromLabels(labels map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if value := trim(labels[name]); value != "" && name != "severity" && len(parts) < maxNameLabels {
			parts = append(parts, name+"="+value)
		}
	}
	return strings.Join(parts, ", ")
}

// fingerprint makes a fingerprint for senders that leave it out.
func fingerprint(labels map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, name, labels[name])
	}
	return hash(parts...)
}

// parseInstant reads a time and truncates it to microseconds, as the database does, so that an
// episode's start stays the same when it is stored. Text that is not a time becomes the zero time, and
// so does Go's zero time, which senders use for "none".
func parseInstant(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Year() < 1970 {
		return time.Time{}
	}
	t = t.UTC()
	if t.Year() < 1 || t.Year() > 9999 {
		return time.Time{} // the zone moved it out of RFC 3339's range, and no alert began then
	}
	return t.Truncate(time.Microsecond)
}
