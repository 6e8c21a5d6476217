package intake

import (
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

func isPingdom(o object) bool { return o.has("check_id", "current_state") }

// pingdom reads Pingdom's webhook, for uptime and transaction checks.
func pingdom(o object) ([]oncall.Signal, error) {
	name := first(o.str("check_name"), "check "+o.str("check_id"))
	params := o.sub("check_params")
	d := draft{
		key: scopedKey("pingdom", o.str("check_id")), title: name + " is down", body: o.str("long_description", "description"),
		link: params.str("full_url", "url"), level: o.str("importance_level"), labels: tags(o.words("tags")),
	}
	if o.str("custom_message") != "" {
		d.body = strings.Join(nonBlank(d.body, o.str("custom_message")), "\n")
	}
	d.status("current_state", o.str("current_state"))
	d.detail("seen from", strings.Join(nonBlank(o.str("first_probe.location"), o.str("second_probe.location")), "; "))
	d.label("type", o.str("check_type"))
	d.label("hostname", params.str("hostname"))
	return single(d)
}
