package intake

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

var opsgeniePriority = regexp.MustCompile(`^P[1-5]$`)

func isOpsgenie(o object) bool {
	if o.any("action") && o.any("alert.alertId", "alert.alias") { // Opsgenie's own webhook
		return true
	}
	return o.any("message") && (o.has("responders") || o.has("alias") || opsgeniePriority.MatchString(o.str("priority")) && !o.any("title"))
}

// opsgenie reads an alert as sent to Opsgenie's Alert API, or by its webhook.
func opsgenie(o object) ([]oncall.Signal, error) {
	alert := o.sub("alert")
	if len(alert) == 0 {
		s, err := OpsgenieCreate(o)
		return []oncall.Signal{s}, err
	}
	signal, err := OpsgenieCreate(alert)
	if signal.DedupKey = cleanKey(alert.str("alias", "alertId")); signal.DedupKey == "" {
		return nil, problem("alert.alias", "alert.alias is missing.")
	}
	switch action := normalize(o.str("action")); action {
	case "create", "":
		return []oncall.Signal{signal}, err
	case "close", "delete":
		signal.Action = oncall.Clear
	case "acknowledge":
		signal.Action = oncall.AckSignal
	default:
		signal = oncall.Signal{Action: oncall.Update, DedupKey: signal.DedupKey, Note: clean(strings.Join(nonBlank("Opsgenie: "+o.str("action"), alert.str("note")), ": "), maxDetail)}
	}
	return []oncall.Signal{signal}, nil
}

// ParseObject parses one JSON object; an empty body is an empty object.
func ParseObject(body []byte) (map[string]json.RawMessage, error) {
	if len(trim(string(body))) == 0 {
		return object{}, nil
	}
	body, err := prepare(body)
	if err != nil {
		return nil, err
	}
	var o object
	if err := json.Unmarshal(body, &o); err != nil {
		return nil, notJSON(err)
	}
	return o, nil
}

// OpsgenieCreate reads a request that creates an alert. Without an alias, one is derived from its
// content.
func OpsgenieCreate(fields map[string]json.RawMessage) (oncall.Signal, error) {
	o := object(fields)
	d := draft{
		action: oncall.Trigger, key: o.str("alias"), title: o.str("message"), body: o.str("description"),
		level: first(o.str("priority"), "P3"), labels: map[string]string{}, note: o.str("note"),
	}
	if d.title == "" && d.key == "" {
		return oncall.Signal{}, problem("message", "Message can not be empty.")
	}
	if d.key == "" {
		d.key = hash("opsgenie", stem(d.title), o.str("entity"), o.str("source"))
	}
	maps.Copy(d.labels, o.sub("details").texts())
	for _, tag := range o.words("tags") {
		if name, value, ok := strings.Cut(tag, ":"); ok {
			d.label(name, value)
		}
	}
	d.label("entity", o.str("entity"))
	d.detail("tags", strings.Join(o.words("tags"), ", "))
	d.detail("source", o.str("source"))
	if source := cleanLink(o.str("source")); source != "" {
		d.link = source
	}
	return d.signal(), nil
}

// OpsgenieAct reads a request about an existing alert; verb is the last segment of its path. Fields
// without a counterpart are shown in the incident.
func OpsgenieAct(verb, alias string, fields map[string]json.RawMessage) oncall.Signal {
	o := object(fields)
	d := draft{action: oncall.Update, key: alias}
	by := ""
	if who := o.str("user", "source"); who != "" {
		by = " (" + who + ")"
	}
	switch verb {
	case "close", "delete":
		d.action, d.note = oncall.Clear, o.str("note")
	case "acknowledge":
		d.action, d.note = oncall.AckSignal, o.str("note")
	case "notes":
		d.note = o.str("note") + by
	case "message":
		d.title = o.str("message")
	case "description":
		d.body = o.str("description")
	case "priority":
		d.level = o.str("priority")
	case "details":
		d.details = o.sub("details").texts()
	case "tags":
		d.note = fmt.Sprintf("Tags: %s%s", strings.Join(o.words("tags"), ", "), by)
	default:
		d.note = clean(fmt.Sprintf("Asked for by Opsgenie's API, and not done: %s%s", verb, by), maxDetail)
	}
	return d.signal()
}
