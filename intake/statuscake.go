package intake

import "github.com/watchbill/watchbill/oncall"

func isStatusCake(o object) bool {
	o = o.normalizedNames()
	return o.has("token", "status", "name") && (o.has("statuscode") || o.has("checkrate") || o.has("url")) ||
		o.has("status", "name", "statuscode", "url") && (o.has("checkrate") || o.has("contactgroup"))
}

// statusCake reads the form that StatusCake sends.
func statusCake(o object) ([]oncall.Signal, error) {
	o = o.normalizedNames()
	name := first(o.str("name"), o.str("url", "ip"))
	d := draft{
		key: "statuscake/" + first(o.str("testid", "id"), name), title: name + " is down", link: o.str("url"),
		labels: tags(o.words("tags")),
	}
	d.status("Status", o.str("status"))
	d.detail("status code", o.str("statuscode"))
	d.detail("IP", o.str("ip"))
	d.detail("method", o.str("method"))
	return single(d)
}
