package intake

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// isZabbix reports whether an object has names that only Zabbix's macros have, normalized.
func isZabbix(o object) bool {
	if zabbixProblem(o) != "" || zabbixUpdated.MatchString(o.str("subject", "title", "alert_subject")) || zabbixIsUpdate(o.str("message")) {
		return true
	}
	m := o.normalizedNames("zabbix")
	if m.any("trigger") && m.any("hostname") && m.any("severity") && m.any("status") && m.any("item", "link") {
		return true
	}
	return m.any("eventid", "problemid", "triggerid") &&
		m.any("eventvalue", "eventstatus", "eventseverity", "eventnseverity", "nseverity", "triggerstatus", "triggerseverity", "eventname", "triggername", "eventupdatestatus")
}

// zabbixProblem finds the problem's number in a default message of Zabbix's.
func zabbixProblem(o object) string {
	_, after, ok := strings.Cut(o.str("message", "body", "alert_message"), "Original problem ID: ")
	if !ok {
		return ""
	}
	end := strings.IndexFunc(after, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		return after
	}
	return after[:end]
}

// zabbixSubject matches what surrounds the problem's name in default subjects and those of Grafana
// OnCall's script.
var zabbixSubject = regexp.MustCompile(`^(?:Problem|Resolved(?: in [\w ]+)?): |\s*ONCALL_GROUP: \S+`)

// zabbixUpdated begins the default subject of updates by people, whose messages lack the problem's
// number.
var zabbixUpdated = regexp.MustCompile(`^Updated problem in [\w ]+: `)

// zabbixIsUpdate reports whether a default message is about an update by a person.
func zabbixIsUpdate(message string) bool {
	return strings.Contains(message, "\nCurrent problem status is ") && strings.Contains(message, ", acknowledged: ")
}

// zabbixLine returns the value of a "name: value" line in the default message.
func zabbixLine(message, name string) string {
	for line := range strings.SplitSeq(message, "\n") {
		if value, ok := strings.CutPrefix(trim(line), name+": "); ok {
			return trim(value)
		}
	}
	return ""
}

// zabbixTrigger extracts the trigger's number from the event's address.
func zabbixTrigger(m object) string {
	address, err := url.Parse(m.str("link", "url"))
	if err != nil || address.Query().Get("triggerid") == "" {
		return ""
	}
	return "trigger/" + address.Query().Get("triggerid")
}

var zabbixLevels = map[string]string{"0": "low", "1": "low", "2": "medium", "3": "medium", "4": "high", "5": "critical"}

// zabbix reads the macros that a media type of Zabbix sends. EVENT.ID stays the problem's when it
// is resolved.
func zabbix(o object) ([]oncall.Signal, error) {
	m := o.normalizedNames("zabbix")
	d := draft{
		key: first(m.str("eventid", "problemid"), zabbixProblem(o), m.str("alertuid", "triggerid"), zabbixTrigger(m)), labels: tags(zabbixTags(m)),
		title: m.str("eventname", "triggername", "name", "alertsubject", "subject", "title", "trigger"),
		body:  m.str("eventopdata", "alertmessage", "message", "triggerdescription", "description", "body"),
		link:  m.str("link", "url", "eventurl", "problemurl", "triggerurl", "linktoupstreamdetails"), level: m.str("eventnseverity", "nseverity", "triggernseverity"),
	}
	if d.level == "" {
		d.level = m.str("eventseverity", "triggerseverity", "severity")
	}
	if level, ok := zabbixLevels[d.level]; ok {
		d.level = level
	}
	d.action = zabbixAction(m, d.title)
	d.title = trim(zabbixSubject.ReplaceAllString(d.title, ""))
	host := first(m.str("hostname", "host", "hostvisiblename", "hosthost"), zabbixLine(d.body, "Host"))
	if d.level == "" {
		d.level = zabbixLine(d.body, "Severity")
	}
	if host != "" && !strings.Contains(d.title, host) {
		d.title = host + ": " + d.title
	}
	d.label("host", host)
	d.label("address", m.str("hostip", "hostconn"))
	d.detail("runbook", m.str("runbook", "runbookurl", "triggerurl"))
	if note := m.str("eventupdatemessage", "updatemessage"); note != "" && m.str("eventupdatestatus") != "0" {
		d.note = strings.Join(nonBlank(m.str("userfullname", "username"), note), ": ")
	}
	return single(d)
}

func zabbixTags(m object) []string {
	raw := m.str("eventtags", "tags")
	if strings.HasPrefix(raw, "[") {
		var out []string
		for _, tag := range (object{"tags": []byte(raw)}).list("tags") {
			out = append(out, tag.str("tag")+":"+tag.str("value"))
		}
		return out
	}
	return m.words(firstName(m, "eventtags", "tags"))
}

func zabbixAction(m object, subject string) oncall.Action {
	if m.str("eventupdatestatus", "updatestatus") == "1" && m.str("eventvalue", "value") != "0" {
		if text := strings.ToLower(m.str("eventupdateaction", "updateaction")); strings.Contains(text, "acknowledged") && !strings.Contains(text, "unacknowledged") {
			return oncall.AckSignal
		}
		return oncall.Update
	}
	if message := m.str("message"); zabbixUpdated.MatchString(subject) || zabbixIsUpdate(message) {
		if strings.Contains(before(message, "\n"), " acknowledged problem") {
			return oncall.AckSignal
		}
		return oncall.Update
	}
	switch m.str("eventvalue", "value") {
	case "0":
		return oncall.Clear
	case "1":
		return oncall.Trigger
	}
	word := m.str("eventstatus", "triggerstatus", "status", "problemstatus", "state")
	if word == "" {
		a, _ := actionInTitle(subject)
		return a
	}
	a, _ := readStatus("status", word)
	return a
}
