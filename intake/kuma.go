package intake

import (
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// kumaStates maps Uptime Kuma's states, by name and number. Pending and maintenance open nothing.
var kumaStates = map[string]oncall.Action{
	"down": oncall.Trigger, "up": oncall.Clear, "pending": oncall.Update, "maintenance": oncall.Update,
	"0": oncall.Trigger, "1": oncall.Clear, "2": oncall.Update, "3": oncall.Update,
}

func isKuma(o object) bool {
	if !o.has("msg") { // payloads for other services often contain its terms
		return o.any("heartbeat.monitorID") && o.any("heartbeat.status")
	}
	return o.has("heartbeat") && o.has("monitor") || len(o) == 1 && kumaSays.MatchString(o.str("msg"))
}

// kuma reads Uptime Kuma's webhook. Tests and expiring certificates come without a monitor.
func kuma(o object) ([]oncall.Signal, error) {
	msg, beat, monitor := o.str("msg"), o.sub("heartbeat"), o.sub("monitor")
	if len(beat) == 0 && len(monitor) == 0 {
		return single(kumaNotice(msg))
	}
	message := first(msg, o.str("message", "title"))
	name := first(monitor.str("pathName", "name"), kumaNotice(message).about)
	if about := stem(message); name == "" && about != trim(message) {
		name = about
	}
	name = first(name, "monitor "+beat.str("monitorID"))
	d := draft{
		key: "kuma/" + first(monitor.str("id"), beat.str("monitorID"), name), title: name + " is down",
		body: first(beat.str("msg"), msg), link: monitor.str("url"), labels: map[string]string{},
	}
	state := beat.str("status")
	action, known := kumaStates[normalize(state)]
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
	return single(d)
}

// kumaNotice reads a notification that is a single text.
func kumaNotice(msg string) draft {
	if m := kumaSays.FindStringSubmatch(msg); m != nil {
		d := draft{about: m[1], action: kumaStates[normalize(m[2])], key: hash(m[1]), title: m[1] + " is down", body: m[3]}
		if d.action == oncall.Update {
			d.title = ""
		}
		return d
	}
	d := draft{title: msg, key: hash("kuma", msg), level: "medium"}
	if strings.HasSuffix(msg, "Testing") {
		d.level = "low"
	}
	if about, _, expires := strings.Cut(msg, " will "); expires { // the number of days left changes
		d.key = hash("kuma", about)
	}
	return d
}
