package intake

import (
	"encoding/base64"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// gcpState matches the state that Google puts before a policy's name in the subject, or the whole
// subject.
var gcpState = regexp.MustCompile(`(?i)^\[(?:ALERT|RESOLVED)[^\]]*\]\s*|^(?:ALERT|RESOLVED) - (?:no severity|critical|error|warning)\s*$`)

func isGCP(o object) bool {
	return o.any("incident.incident_id", "incident.policy_name", "incident.condition_name") || len(pubSub(o)) > 0
}

// pubSub returns the payload inside a Pub/Sub push.
func pubSub(o object) object {
	if !o.any("subscription") || !o.any("message.data") {
		return nil
	}
	raw, err := base64.StdEncoding.DecodeString(o.str("message.data"))
	if err != nil {
		return nil
	}
	return embedded(string(raw))
}

// gcp reads incidents of Google Cloud Monitoring, sent directly or through Pub/Sub.
func gcp(o object) ([]oncall.Signal, error) {
	if inner := pubSub(o); len(inner) > 0 {
		signals, _, err := read("", inner, nil)
		return signals, err
	}
	in := o.sub("incident")
	about := in.str("documentation.content")
	if !in.has("documentation.content") {
		about = in.str("documentation")
	}
	d := draft{
		key:   scopedKey("gcp", first(in.str("incident_id"), strings.Join(nonBlank(in.str("policy_name"), in.str("condition_name")), "/"))),
		title: first(gcpState.ReplaceAllString(in.str("documentation.subject"), ""), strings.Join(nonBlank(in.str("policy_name"), in.str("condition_name")), ": ")),
		body:  strings.Join(nonBlank(in.str("summary"), about), "\n\n"),
		link:  in.str("url"), starts: in.str("started_at"), ends: in.str("ended_at"), labels: map[string]string{},
	}
	d.status("incident.state", in.str("state"))
	for _, path := range []string{"policy_user_labels", "metadata.user_labels", "resource.labels", "metric.labels"} {
		for _, name := range slices.Sorted(maps.Keys(in.sub(path))) {
			d.label(name, in.sub(path).str(name))
		}
	}
	d.level = first(in.str("severity"), d.labels["severity"])
	if strings.EqualFold(d.level, "no severity") {
		d.level = ""
	}
	if o.str("version") == "test" {
		d.title, d.level = in.str("summary"), "low"
	}
	d.label("project", in.str("scoping_project_id"))
	d.label("resource", in.str("resource_display_name", "resource_name", "resource.type"))
	for _, l := range in.list("documentation.links") {
		d.links.add(l.str("displayName"), l.str("url"))
	}
	d.detail("observed value", in.str("observed_value"))
	return single(d)
}
