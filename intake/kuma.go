package intake

import (
	"encoding/json"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// kumaStates are what a state of Uptime Kuma means, by its name and its number. Pending and maintenance open nothing.
var kumaStates = map[string]oncall.Action{
	"down": oncall.Trigger, "up": oncall.Clear, "pending": oncall.Update, "maintenance": oncall.Update,
	"0": oncall.Trigger, "1": oncall.Clear, "2": oncall.Update, "3": oncall.Update,
}

func isKuma(o object) bool {
	if !o.has("msg") { // what it sends to others often has its own words in it
		return o.any("heartbeat.monitorID") && o.any("heartbeat.status")
	}
	return o.has("heartbeat") && o.has("monitor") || len(o) == 1 && kumaSays.MatchString(o.str("msg"))
}

// kuma reads Uptime Kuma's webhook. Tests and expiring certificates come without a monitor.
func kuma(o object) ([]oncall.Signal, error) {
	msg, beat, monitor := o.str("msg"), o.sub("heartbeat"), o.sub("monitor")
	if len(beat) == 0 && len(monitor) == 0 {
		return one(kumaNotice(msg))
	}
	name := first(monitor.str("pathName", "name"), kumaNotice(first(msg, o.str("message", "title"))).about, "monitor "+beat.str("monitorID"))
	d := draft{
		key: "kuma/" + first(monitor.str("id"), beat.str("monitorID"), name), title: name + " is down",
		body: first(beat.str("msg"), msg), link: monitor.str("url"), labels: map[string]string{},
	}
	state := beat.str("status")
	action, known := kumaStates[bare(state)]
	if known {
		d.action = action
	} else {
		d.status("heartbeat.status", state)
	}
	if d.action == oncall.Update {
		d.title = ""
	}
	d.label("monitor", monitor.str("name"))
	d.label("type", monitor.str("type"))
	d.label("hostname", monitor.str("hostname"))
	for _, tag := range monitor.list("tags") {
		d.label(tag.str("name"), first(tag.str("value"), "true"))
	}
	d.level = first(d.labels["severity"], d.labels["priority"])
	d.detail("description", monitor.str("description"))
	return one(d)
}

// kumaNotice reads what Uptime Kuma says in one text.
func kumaNotice(msg string) draft {
	if m := kumaSays.FindStringSubmatch(msg); m != nil {
		d := draft{about: m[1], action: kumaStates[bare(m[2])], key: hash(m[1]), title: m[1] + " is down", body: m[3]}
		if d.action == oncall.Update {
			d.title = ""
		}
		return d
	}
	d := draft{title: msg, key: hash("kuma", msg), level: "medium"}
	if strings.HasSuffix(msg, "Testing") {
		d.level = "low"
	}
	if about, _, expires := strings.Cut(msg, " will "); expires { // the days that are left differ
		d.key = hash("kuma", about)
	}
	return d
}

func isGatus(o object) bool {
	return o.has("conditions", "name") && o.any("status", "alert_triggered_or_resolved") && (o.has("errors") || o.has("group"))
}

// gatus reads what Gatus sends with the body that docs/monitors.md gives.
func gatus(o object) ([]oncall.Signal, error) {
	name := o.str("name", "endpoint_name")
	if group := o.str("group", "endpoint_group"); group != "" {
		name = group + "/" + name
	}
	d := draft{
		key: first(o.str("dedup_key"), name), title: name + " is down",
		body: strings.Join(filled(o.str("description", "alert_description"), o.str("errors", "result_errors")), "\n"),
		link: o.str("url", "endpoint_url"), level: o.str("severity", "priority"), labels: map[string]string{},
	}
	d.status("status", o.str("status", "alert_triggered_or_resolved"))
	if text := o.str("conditions", "result_conditions"); !strings.Contains(text, "RESULT_CONDITIONS") { // left as it is for external endpoints
		d.detail("conditions", text)
	}
	for label, text := range o.sub("labels").texts() {
		d.label(label, text)
	}
	d.label("group", o.str("group", "endpoint_group"))
	d.detail("runbook", o.str("runbook", "runbook_url"))
	return one(d)
}

// filled returns the texts that are not blank.
func filled(texts ...string) []string {
	var out []string
	for _, s := range texts {
		if trim(s) != "" {
			out = append(out, trim(s))
		}
	}
	return out
}

func isHealthchecks(o object) bool {
	return o.has("n_pings", "status") || o.has("ping_url", "status") || len(o.sub("check")) > 0 && isHealthchecks(o.sub("check"))
}

// healthchecks reads what healthchecks.io sends as $JSON, alone or as "check" of something else.
func healthchecks(o object) ([]oncall.Signal, error) {
	check := o
	if inner := o.sub("check"); len(inner) > 0 {
		check = inner
	}
	name := first(check.str("name", "slug"), "a check without a name")
	address := check.str("ping_url")
	d := draft{
		key:   first(check.str("uuid", "unique_key"), o.str("code", "dedup_key"), address[strings.LastIndex(address, "/")+1:], name),
		title: name + " is down", body: check.str("desc"), labels: tags(strings.Fields(check.str("tags"))),
		level: o.str("severity"), link: check.str("details_url"),
	}
	d.status("status", check.str("status"))
	switch bare(check.str("status")) {
	case "new", "started", "paused", "grace":
		d.action, d.hints = oncall.Update, nil
	}
	d.detail("last ping", check.str("last_ping"))
	d.detail("pings", check.str("n_pings"))
	return one(d)
}

func isStatusCake(o object) bool {
	o = o.bareNames()
	return o.has("token", "status", "name") && (o.has("statuscode") || o.has("checkrate") || o.has("url"))
}

// statusCake reads the form that StatusCake sends.
func statusCake(o object) ([]oncall.Signal, error) {
	o = o.bareNames()
	name := first(o.str("name"), o.str("url", "ip"))
	d := draft{
		key: "statuscake/" + first(o.str("testid", "id"), name), title: name + " is down", link: o.str("url"),
		labels: tags(o.words("tags")),
	}
	d.status("Status", o.str("status"))
	d.detail("status code", o.str("statuscode"))
	d.detail("IP", o.str("ip"))
	d.detail("method", o.str("method"))
	return one(d)
}

func isPingdom(o object) bool { return o.has("check_id", "current_state") }

// pingdom reads Pingdom's webhook, of uptime and of transaction checks.
func pingdom(o object) ([]oncall.Signal, error) {
	name := first(o.str("check_name"), "check "+o.str("check_id"))
	params := o.sub("check_params")
	d := draft{
		key: "pingdom/" + o.str("check_id"), title: name + " is down", body: o.str("long_description", "description"),
		link: params.str("full_url", "url"), level: o.str("importance_level"), labels: tags(o.words("tags")),
	}
	if o.str("custom_message") != "" {
		d.body = strings.Join(filled(d.body, o.str("custom_message")), "\n")
	}
	d.status("current_state", o.str("current_state"))
	d.label("type", o.str("check_type"))
	d.label("hostname", params.str("hostname"))
	return one(d)
}

func isMonit(o object) bool {
	o = o.bareNames("monit")
	return o.any("event") && o.any("service") && o.any("host") && (o.has("description") || o.has("date"))
}

// monitFamilies are the events of Monit whose end has another name.
var monitFamilies = map[string]string{"doesnotexist": "exist", "exists": "exist", "invalidtype": "type"}

// monit reads what a script sends of Monit's environment. An event and its end have names of their own.
func monit(o object) ([]oncall.Signal, error) {
	o = o.bareNames("monit")
	event := o.str("event")
	family, known := monitFamilies[bare(event)]
	if !known {
		family = monitFamily(event)
	}
	host, service := o.str("host"), o.str("service")
	d := draft{
		key: strings.Join([]string{"monit", host, service, family}, "/"), title: service + " on " + host + ": " + event,
		body: o.str("description"), level: o.str("severity"),
	}
	d.action = monitAction(event)
	d.label("host", host)
	d.label("service", service)
	d.detail("date", o.str("date"))
	return one(d)
}

var monitEnds = []string{" succeeded", " ok", " recovery", " up", " match", " not changed"}

func monitAction(event string) oncall.Action {
	event = strings.ToLower(event)
	switch bare(event) {
	case "actiondone", "instancechanged", "monitinstancechanged", "monitinstancenotchanged":
		return oncall.Update // somebody has done something with Monit itself
	case "exists", "exist":
		return oncall.Clear
	}
	for _, end := range monitEnds {
		if strings.HasSuffix(event, end) {
			return oncall.Clear
		}
	}
	return oncall.Trigger
}

// monitFamily is an event without what has become of it: "size" of "Size failed" and "Size succeeded".
func monitFamily(event string) string {
	event = strings.ToLower(trim(event))
	for _, end := range append([]string{" failed", " exceeded", " error", " down", " matched", " changed", " doesn't match"}, monitEnds...) {
		if about, is := strings.CutSuffix(event, end); is {
			return strings.TrimSuffix(about, " not")
		}
	}
	return event
}

// embedded returns the object in a text that is JSON.
func embedded(text string) object {
	body, err := prepare([]byte(text))
	if err != nil {
		return nil
	}
	var o object
	if json.Unmarshal(body, &o) != nil {
		return nil
	}
	return o
}
