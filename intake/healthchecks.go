package intake

import (
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

func isHealthchecks(o object) bool {
	return o.has("n_pings", "status") || o.has("ping_url", "status") || len(o.sub("check")) > 0 && isHealthchecks(o.sub("check"))
}

// healthchecks reads the $JSON of healthchecks.io, alone or as "check" inside another object.
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
	switch normalize(check.str("status")) {
	case "new", "started", "paused", "grace":
		d.action, d.hints = oncall.Update, nil
	}
	d.detail("last ping", check.str("last_ping"))
	d.detail("pings", check.str("n_pings"))
	return single(d)
}
