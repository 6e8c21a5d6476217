package intake

import (
	"regexp"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// macroPrefixes are the prefixes that scripts leave on macro names; the last is that of variables in Icinga's bundled
// commands.
var macroPrefixes = []string{"nagios", "icinga2", "icinga", "notify", "context", "notification"}

// isMacros reports whether an object has the macros of a notification of Nagios or a relative.
func isMacros(o object) bool {
	m := macros(o)
	if !m.any("host") {
		return false
	}
	return macroTypes.MatchString(m.str("type")) || m.any("servicestate", "hoststate") && m.any("service", "serviceoutput", "hostoutput", "output")
}

// macroTypes matches the types of notifications; other senders use "type" for other things.
var macroTypes = regexp.MustCompile(`(?i)^(?:problem|recovery|custom|acknowledge\w*|flapping\w*|downtime\w*|alerthandler.*)(?: \(.*\))?$`)

// macroNames maps each macro to its names in Nagios, Icinga and Checkmk, normalized.
var macroNames = map[string][]string{
	"type":         {"notificationtype", "type"},
	"host":         {"hostname", "host", "hostdisplayname", "hostalias"},
	"service":      {"servicedesc", "servicedescription", "servicename", "service", "servicedisplayname"},
	"servicestate": {"servicestate", "servicestatename", "serviceshortstate"},
	"hoststate":    {"hoststate", "hoststatename", "hostshortstate"},
	"state":        {"state", "checkstate", "status"},
	"output":       {"serviceoutput", "hostoutput", "output", "checkoutput"},
	"more":         {"longserviceoutput", "longhostoutput", "longoutput"},
	"comment":      {"notificationcomment", "comment", "serviceackcomment", "hostackcomment"},
	"author":       {"notificationauthor", "author", "notificationauthorname", "authorname", "serviceackauthor", "hostackauthor"},
	"address":      {"hostaddress", "address", "hostaddress4"},
	"link":         {"serviceurl", "hosturl", "url", "link", "servicenotesurl", "hostnotesurl"},
	"runbook":      {"runbook", "runbookurl", "servicenotesurl", "hostnotesurl"},
	"level":        {"severity", "servicevarsseverity", "hostvarsseverity", "priority"},
}

// macros renames an object's fields to the names above and flattens nested objects, such as "host":
// {"name": …}.
func macros(o object) object {
	if len(o) > maxNames {
		return nil
	}
	flat := object{}
	for name, raw := range o.normalizedNames(macroPrefixes...) {
		if inner := asObject(raw); inner != nil {
			for sub, value := range inner.normalizedNames() {
				if _, used := flat[name+sub]; !used {
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
			if flat.str(other) != "" && !strings.HasPrefix(flat.str(other), "$") { // skip a macro that was not expanded
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

// nagios reads the macros that a notification command of Nagios, Icinga or Checkmk sends, under any
// of their names. The key is the host and service, since a problem's number is gone once it is
// resolved.
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
		body:  strings.Join(nonBlank(output, strings.ReplaceAll(m.str("more"), `\n`, "\n")), "\n"),
		level: first(m.str("level"), nagiosLevels[normalize(state)]),
	}
	if okWords[normalize(d.level)] { // from the state, which is blank for a host that is down
		d.level = nagiosLevels[normalize(state)]
	}
	d.label("host", host)
	d.label("service", service)
	d.label("address", m.str("address"))
	d.detail("runbook", m.str("runbook"))
	if comment := m.str("comment"); comment != "" {
		d.note = strings.Join(nonBlank(m.str("author"), comment), ": ")
	}
	d.action = nagiosAction(m.str("type"), state)
	if d.action != oncall.Trigger {
		d.level, d.hints = "", nil
	}
	return single(d)
}

var nagiosLevels = map[string]string{
	"critical": "critical", "crit": "critical", "down": "critical", "unreachable": "high", "unreach": "high", "unknown": "high", "unkn": "high", "warning": "medium", "warn": "medium",
}

// nagiosAction reads the type of a notification. Those that only pause checks open nothing;
// flapping counts as its state does.
func nagiosAction(kind, state string) oncall.Action {
	over := map[string]bool{"ok": true, "up": true, "pending": true, "0": true}[normalize(state)]
	switch kind = normalize(kind); {
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
