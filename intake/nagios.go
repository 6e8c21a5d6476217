package intake

import (
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// Prefixes that scripts leave on the names of macros.
var macroPrefixes = []string{"nagios", "icinga2", "icinga", "notify", "context"}

// isMacros reports whether an object has what a notification of Nagios or one of its kin has.
func isMacros(o object) bool {
	m := macros(o)
	return m.any("host") && m.any("type", "servicestate", "hoststate", "state") &&
		(m.has("type") || m.has("servicestate") || m.has("hoststate")) && m.any("type", "service", "serviceoutput", "hostoutput", "output")
}

func isCheckmk(o object) bool {
	for name := range o {
		if strings.HasPrefix(name, "NOTIFY_") {
			return isMacros(o)
		}
	}
	return o.bareNames(macroPrefixes...).has("what") && isMacros(o)
}

func isIcinga(o object) bool {
	for name := range o {
		if strings.HasPrefix(bare(name), "icinga") || strings.Contains(name, ".") && strings.HasPrefix(name, "notification") {
			return isMacros(o)
		}
	}
	m := o.bareNames(macroPrefixes...)
	return (m.has("servicename") || m.has("hostdisplayname") || m.has("servicedisplayname")) && !m.has("servicedesc") && isMacros(o)
}

// macroNames are the names of one thing with Nagios, Icinga and Checkmk, written as bare gives them.
var macroNames = map[string][]string{
	"type":         {"notificationtype", "type"},
	"host":         {"hostname", "host", "hostdisplayname", "hostalias"},
	"service":      {"servicedesc", "servicedescription", "servicename", "service", "servicedisplayname"},
	"servicestate": {"servicestate", "servicestatename"},
	"hoststate":    {"hoststate", "hoststatename"},
	"state":        {"state", "checkstate"},
	"output":       {"serviceoutput", "hostoutput", "output", "checkoutput"},
	"more":         {"longserviceoutput", "longhostoutput", "longoutput"},
	"comment":      {"notificationcomment", "comment", "serviceackcomment", "hostackcomment"},
	"author":       {"notificationauthor", "author", "notificationauthorname", "serviceackauthor", "hostackauthor"},
	"address":      {"hostaddress", "address", "hostaddress4"},
	"link":         {"serviceurl", "hosturl", "url", "link", "servicenotesurl", "hostnotesurl"},
	"runbook":      {"runbook", "runbookurl", "servicenotesurl", "hostnotesurl"},
	"level":        {"severity", "servicevarsseverity", "hostvarsseverity", "priority"},
}

// macros is an object by the names above. Objects in it, such as "host": {"name": …}, are taken apart.
func macros(o object) object {
	if len(o) > mostNames {
		return nil
	}
	flat := object{}
	for name, raw := range o.bareNames(macroPrefixes...) {
		if inner := asObject(raw); inner != nil {
			for sub, value := range inner.bareNames() {
				if _, taken := flat[name+sub]; !taken {
					flat[name+sub] = value
				}
			}
			continue
		}
		flat[name] = raw
	}
	out := object{}
	for name, others := range macroNames {
		for _, other := range others {
			if flat.str(other) != "" && !strings.HasPrefix(flat.str(other), "$") { // a macro that was not expanded
				out[name] = flat[other]
				break
			}
		}
	}
	for _, name := range []string{"serviceoutput", "hostoutput"} {
		if flat.str(name) != "" {
			out[name] = flat[name]
		}
	}
	if flat.str("what") == "HOST" {
		delete(out, "service")
		delete(out, "servicestate")
	}
	return out
}

// nagios reads what a notification command of Nagios, Icinga or Checkmk sends of its macros, under whatever names. The
// key is the host and the service, as a problem's number is gone when it is over.
func nagios(o object) ([]oncall.Signal, error) {
	m := macros(o)
	host, service := m.str("host"), m.str("service")
	state := first(m.str("servicestate"), m.str("state"), m.str("hoststate"))
	output := first(m.str("serviceoutput"), m.str("output"))
	key, about := host+"!"+service, service+" on "+host
	if service == "" {
		key, about = host, host
		state, output = first(m.str("hoststate"), m.str("state")), first(m.str("hostoutput"), m.str("output"))
	}
	d := draft{
		key: key, title: about + " is " + first(state, "in trouble"), link: m.str("link"), labels: map[string]string{},
		body:  strings.Join(filled(output, strings.ReplaceAll(m.str("more"), `\n`, "\n")), "\n"),
		level: first(m.str("level"), nagiosLevels[bare(state)]),
	}
	d.label("host", host)
	d.label("service", service)
	d.label("address", m.str("address"))
	d.detail("runbook", m.str("runbook"))
	if comment := m.str("comment"); comment != "" {
		d.note = strings.Join(filled(m.str("author"), comment), ": ")
	}
	d.action = nagiosAction(m.str("type"), state)
	if d.action != oncall.Trigger {
		d.level, d.hints = "", nil
	}
	return one(d)
}

var nagiosLevels = map[string]string{
	"critical": "critical", "crit": "critical", "down": "critical", "unreachable": "high", "unreach": "high", "unknown": "high", "warning": "medium", "warn": "medium",
}

// nagiosAction reads the type of a notification. What only says that checks are paused opens nothing; flapping is as good as
// the state.
func nagiosAction(kind, state string) oncall.Action {
	over := map[string]bool{"ok": true, "up": true, "pending": true, "0": true}[bare(state)]
	switch kind = bare(kind); {
	case strings.HasPrefix(kind, "recovery"):
		return oncall.Clear
	case strings.HasPrefix(kind, "acknowledge"):
		return oncall.AckSignal
	case strings.HasPrefix(kind, "downtime"):
		return oncall.Update
	case kind == "problem" || kind == "flappingstart":
		return oncall.Trigger
	case over && kind == "custom":
		return oncall.Update
	case over:
		return oncall.Clear
	}
	return oncall.Trigger
}

// zabbixWords are names that only Zabbix's macros have, written as bare gives them.
func isZabbix(o object) bool {
	if zabbixProblem(o) != "" {
		return true
	}
	m := o.bareNames("zabbix")
	return m.any("eventid", "problemid", "triggerid") &&
		m.any("eventvalue", "eventstatus", "eventseverity", "eventnseverity", "nseverity", "triggerstatus", "triggerseverity", "eventname", "triggername", "eventupdatestatus")
}

// zabbixProblem is the number of the problem in a message as Zabbix writes it by default.
func zabbixProblem(o object) string {
	_, after, is := strings.Cut(o.str("message", "body", "alert_message"), "Original problem ID: ")
	if !is {
		return ""
	}
	end := strings.IndexFunc(after, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		return after
	}
	return after[:end]
}

var zabbixLevels = map[string]string{"0": "low", "1": "low", "2": "medium", "3": "medium", "4": "high", "5": "critical"}

// zabbix reads what a media type of Zabbix sends of its macros. EVENT.ID is the problem's, also when it is over.
func zabbix(o object) ([]oncall.Signal, error) {
	m := o.bareNames("zabbix")
	d := draft{
		key: first(m.str("eventid", "problemid"), zabbixProblem(o), m.str("triggerid")), labels: tags(zabbixTags(m)),
		title: m.str("eventname", "triggername", "name", "alertsubject", "subject", "title"),
		body:  m.str("eventopdata", "alertmessage", "message", "triggerdescription", "description", "body"),
		link:  m.str("link", "url", "eventurl", "problemurl", "triggerurl"), level: m.str("eventnseverity", "nseverity", "triggernseverity"),
	}
	if d.level == "" {
		d.level = m.str("eventseverity", "triggerseverity", "severity")
	}
	if level, is := zabbixLevels[d.level]; is {
		d.level = level
	}
	if subject, is := strings.CutPrefix(d.title, "Problem: "); is {
		d.title = subject
	}
	host := m.str("hostname", "host", "hostvisiblename", "hosthost")
	if host != "" && !strings.Contains(d.title, host) {
		d.title = host + ": " + d.title
	}
	d.label("host", host)
	d.label("address", m.str("hostip", "hostconn"))
	d.detail("runbook", m.str("runbook", "runbookurl", "triggerurl"))
	d.action = zabbixAction(m, d.title)
	if note := m.str("eventupdatemessage", "updatemessage"); note != "" && m.str("eventupdatestatus") != "0" {
		d.note = strings.Join(filled(m.str("userfullname", "username"), note), ": ")
	}
	return one(d)
}

func zabbixTags(m object) []string {
	raw := m.str("eventtags", "tags")
	if strings.HasPrefix(raw, "[") {
		var out []string
		for _, tag := range (object{"tags": []byte(raw)}).list("tags") {
			out = append(out, tag.str("tag")+":"+tag.str("value"))
		}
		if out != nil {
			return out
		}
	}
	return m.words(firstName(m, "eventtags", "tags"))
}

// firstName returns the first of the names that has a text.
func firstName(o object, names ...string) string {
	for _, name := range names {
		if o.str(name) != "" {
			return name
		}
	}
	return ""
}

func zabbixAction(m object, subject string) oncall.Action {
	if m.str("eventupdatestatus", "updatestatus") == "1" && m.str("eventvalue", "value") != "0" {
		if text := strings.ToLower(m.str("eventupdateaction", "updateaction")); strings.Contains(text, "acknowledged") && !strings.Contains(text, "unacknowledged") {
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
	word := m.str("eventstatus", "triggerstatus", "status", "problemstatus")
	if word == "" {
		a, _ := saysItself(subject)
		return a
	}
	a, _ := readStatus("status", word)
	return a
}
