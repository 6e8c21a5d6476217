package intake

import (
	"encoding/json"
	"iter"

	"github.com/watchbill/watchbill/oncall"
)

// fromObject turns a parser of objects into one of bodies.
func fromObject(read func(object) ([]oncall.Signal, error)) func([]byte) ([]oncall.Signal, error) {
	return func(body []byte) ([]oncall.Signal, error) {
		body, err := prepare(body)
		if err != nil {
			return nil, err
		}
		var o object
		if err := json.Unmarshal(body, &o); err != nil {
			return nil, notJSON(err)
		}
		return read(o)
	}
}

// A Format is what one kind of monitor sends.
type Format struct {
	Name  oncall.Format // its name in the set-up file
	Title string        // its display name
	Parse func(body []byte) ([]oncall.Signal, error)
	Limit int64 // maximum size of a body in bytes

	is   func(object) bool                     // whether a body is certainly in this format; nil: can't be told
	read func(object) ([]oncall.Signal, error) // Parse, for an object
}

const defaultLimit = 1 << 20

// Formats lists the formats an integration can have, in the order in which people see them. A body
// is recognised by the first that is certain of it.
var Formats []Format

func init() { Formats = formats() } // set in init, because a reader may call Read for a wrapped payload

func formats() []Format {
	list := []Format{
		{Name: Auto, Title: "whatever it is recognised as", Parse: auto, Limit: 16 << 20},
		{Name: "generic", Title: "generic JSON", Parse: Generic, Limit: defaultLimit},
		{Name: "alertmanager", Title: "Prometheus Alertmanager", Parse: Alertmanager, Limit: 16 << 20, is: isAlertmanager},
		{Name: "grafana", Title: "Grafana", Parse: Grafana, Limit: 16 << 20, is: isGrafana},
		{Name: "prometheus", Title: "Prometheus", Parse: Prometheus, Limit: 16 << 20},
		{Name: WatchdogFormat, Title: "Alertmanager's alert that always fires", Parse: watchdog, Limit: 16 << 20},
	}
	for _, f := range []struct {
		name  oncall.Format
		title string
		is    func(object) bool
		read  func(object) ([]oncall.Signal, error)
	}{
		{"pagerduty", "PagerDuty's Events API", isPagerDuty, pagerDuty},
		{"sns", "Amazon SNS", isSNS, sns},
		{"cloudwatch", "Amazon CloudWatch", isCloudWatch, cloudWatch},
		{"azure", "Azure Monitor", isAzure, azure},
		{"gcp", "Google Cloud Monitoring", isGCP, gcp},
		{"gitlab", "GitLab", isGitLab, gitLab},
		{"github", "GitHub", isGitHub, gitHub},
		{"sentry", "Sentry", isSentry, sentry},
		{"kuma", "Uptime Kuma", isKuma, kuma},
		{"healthchecks", "Healthchecks", isHealthchecks, healthchecks},
		{"pingdom", "Pingdom", isPingdom, pingdom},
		{"statuscake", "StatusCake", isStatusCake, statusCake},
		{"datadog", "Datadog", isDatadog, datadog},
		{"newrelic", "New Relic", isNewRelic, newRelic},
		{"zabbix", "Zabbix", isZabbix, zabbix},
		{"gatus", "Gatus", isGatus, gatus},
		{"checkmk", "Checkmk", isCheckmk, nagios},
		{"icinga", "Icinga", isIcinga, nagios},
		{"monit", "Monit", isMonit, monit},
		{"nagios", "Nagios", isMacros, nagios},
		{"alerta", "Alerta", isAlerta, alerta},
		{"opsgenie", "Opsgenie's Alert API", isOpsgenie, opsgenie},
		{"chat", "a message for Slack or Discord", isChat, chat},
	} {
		list = append(list, Format{Name: f.name, Title: f.title, Parse: fromObject(onlyIf(f.is, f.read)), Limit: limitOf(f.name), is: f.is, read: f.read})
	}
	return list
}

func limitOf(name oncall.Format) int64 {
	if name == "opsgenie" { // Alertmanager puts all alerts of a group into one text
		return 16 << 20
	}
	return defaultLimit
}

// Auto is the format that recognises each body.
const Auto = oncall.AutoFormat

func auto(body []byte) ([]oncall.Signal, error) {
	signals, _, err := Read(Auto, body)
	return signals, err
}

// onlyIf makes a reader refuse a body that is not certainly in its format.
func onlyIf(is func(object) bool, read func(object) ([]oncall.Signal, error)) func(object) ([]oncall.Signal, error) {
	return func(o object) ([]oncall.Signal, error) {
		if !is(o) {
			return o.signals()
		}
		return read(o)
	}
}

// FormatNamed returns a format by its name. An unknown name means Auto: after a rollback, signals to a
// format of the later release may still be understood.
func FormatNamed(name oncall.Format) Format {
	for _, f := range Formats {
		if f.Name == name {
			return f
		}
	}
	return Formats[0]
}

// Names returns the names of the formats.
func Names() []oncall.Format {
	names := make([]oncall.Format, len(Formats))
	for i, f := range Formats {
		names[i] = f.Name
	}
	return names
}

// Read reads a body sent to an integration of the given format, and returns the format that it was
// read as. A chosen format is tried first, but a body that is certainly in another one is read as
// that.
func Read(format oncall.Format, body []byte) ([]oncall.Signal, oncall.Format, error) {
	chosen := FormatNamed(format)
	body = trimmed(body)
	if len(body) > 0 && body[0] == '[' {
		return readList(chosen.Name, body)
	}
	body, err := prepare(body)
	if err != nil {
		return nil, "", err
	}
	var o object
	if err := json.Unmarshal(body, &o); err != nil {
		return nil, "", notJSON(err)
	}
	return read(chosen.Name, o, body)
}

// read looks for a title in the usual fields, of the object and of those nested in it, before it
// settles for a field that only resembles one.
func read(format oncall.Format, o object, body []byte) ([]oncall.Signal, oncall.Format, error) {
	chosen := FormatNamed(format)
	if chosen.Name == WatchdogFormat && isAlertmanager(o) { // otherwise recognised as Alertmanager's
		signals, err := chosen.of(o, body)
		return signals, chosen.Name, err
	}
	signals, from, err := readRecognised(chosen, o, body)
	if err == nil {
		return signals, from, nil
	}
	if signals, found := readLoosely(o); found {
		return signals, "generic", nil
	}
	if chosen.Name != Auto && chosen.Name != "generic" { // its error is more precise
		if signals, other := chosen.of(o, body); other == nil {
			return signals, chosen.Name, nil
		} else if chosen.is == nil || chosen.read == nil {
			err = other
		}
	}
	return nil, "", err
}

// readRecognised reads a body that is certainly one monitor's, and generic JSON.
func readRecognised(chosen Format, o object, body []byte) ([]oncall.Signal, oncall.Format, error) {
	if chosen.is != nil && chosen.is(o) {
		if signals, err := chosen.of(o, body); err == nil {
			return signals, chosen.Name, nil
		}
	}
	if chosen.Name != "generic" || !o.isGenericAlert() {
		for _, f := range Formats {
			if f.is == nil || f.Name == chosen.Name || !f.is(o) {
				continue
			}
			if signals, err := f.of(o, body); err == nil {
				return signals, f.Name, nil
			}
		}
	}
	signals, err := o.signals()
	if err == nil {
		return signals, "generic", nil
	}
	for inner := range o.nested() {
		if signals, from, err := readRecognised(chosen, inner, nil); err == nil {
			return signals, from, nil
		}
	}
	return nil, "", err
}

// readLoosely reads a body with at least a name or a text.
func readLoosely(o object) ([]oncall.Signal, bool) {
	for inner := range o.nested() {
		if signals, found := readLoosely(inner); found {
			return signals, true
		}
	}
	title := o.lastTitle()
	if title == "" {
		return nil, false
	}
	o["title"], _ = json.Marshal(title)
	signals, err := o.signals()
	return signals, err == nil
}

// of reads an object; body may be its JSON.
func (f Format) of(o object, body []byte) ([]oncall.Signal, error) {
	if f.read != nil {
		return f.read(o)
	}
	if body == nil {
		var err error
		if body, err = json.Marshal(o); err != nil {
			return nil, notJSON(err)
		}
	}
	return f.Parse(body)
}

// isGenericAlert reports whether an object has a title and a key in generic JSON's fields.
func (o object) isGenericAlert() bool {
	return o.any("dedup_key") && o.any("title", "summary", "message")
}

// wrapperFields are the fields in which senders wrap their payload.
var wrapperFields = []string{
	"alert", "incident", "event", "data", "payload", "body", "detail", "issue", "problem", "monitor", "notification", "webhook", "json",
	"check", "error", "fault", "item", "attributes", "execution", "job", "component", "rule", "trigger", "test", "entity", "context", "resource", "service", "host", "site",
}

// nested yields the objects nested in the object or in one of its texts, each with what the outer
// one adds.
func (o object) nested() iter.Seq[object] {
	return func(yield func(object) bool) {
		var outer []string
		for _, name := range wrapperFields {
			inner := o.sub(name)
			if inner == nil {
				inner = embedded(o.str(name))
			}
			if len(inner) == 0 {
				continue
			}
			if outer == nil {
				outer = genericFields(o)
			}
			o.inherit(inner, outer[actionField])
			if !yield(inner) {
				return
			}
		}
	}
}

// inherit copies into a nested object what it lacks itself: the action, from the field given, and
// further facts worth showing.
func (o object) inherit(inner object, status string) {
	if status != "" && genericFields(inner)[actionField] == "" { // the action is often outside
		inner["event_action"] = o[status]
	}
	if len(inner)+len(o) > maxNames {
		return
	}
	for name, raw := range o {
		if _, has := inner[name]; !has && name != status && len(raw) > 0 && raw[0] != '{' && raw[0] != '[' {
			inner[name] = raw
		}
	}
}

// maxListed is how many objects of a list are read.
const maxListed = 1_000

// readList reads a list: Prometheus' alerts, or any objects one by one.
func readList(format oncall.Format, body []byte) ([]oncall.Signal, oncall.Format, error) {
	list, err := asList(body)
	if err != nil {
		return nil, "", err
	}
	if isPrometheus(list) {
		signals, err := Prometheus(body)
		return signals, "prometheus", err
	}
	switch {
	case len(list) == 0:
		return nil, "", problem("", "The body is an empty list; send one JSON object.")
	case len(list) > maxListed:
		return nil, "", tooCostly("The body is a list of more than %d objects; send fewer alerts at once.", maxListed)
	}
	var all []oncall.Signal
	var took oncall.Format
	for _, o := range list {
		signals, from, err := read(format, o, nil)
		if err != nil {
			return nil, "", err
		}
		all, took = append(all, signals...), from
	}
	return all, took, nil
}
