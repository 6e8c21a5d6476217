package intake

import (
	"encoding/base64"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

func isSNS(o object) bool {
	return o.any("TopicArn") && o.any("Type") && o.has("Message")
}

// sns reads a message of Amazon SNS: what is in it is what counts. That a topic wants to be confirmed, or is given up,
// pages nobody.
func sns(o object) ([]oncall.Signal, error) {
	topic, text := o.str("TopicArn"), o.str("Message")
	if kind := o.str("Type"); kind == "SubscriptionConfirmation" || kind == "UnsubscribeConfirmation" {
		return one(draft{action: oncall.Update, key: "sns/" + topic, title: kind + " of " + topic})
	}
	if inner := embedded(text); inner != nil {
		if signals, _, err := read("", inner, nil); err == nil {
			return signals, nil
		}
	}
	title := o.str("Subject")
	if title == "" {
		title, _, _ = strings.Cut(text, "\n")
	}
	d := draft{key: hash("sns", topic, stem(title)), title: title, body: text, labels: map[string]string{"topic": topic[strings.LastIndex(topic, ":")+1:]}}
	d.action, _ = saysItself(title)
	return one(d)
}

func isCloudWatch(o object) bool {
	return o.any("AlarmName") && o.any("NewStateValue") || o.any("detail-type") && o.has("source", "detail")
}

// cloudWatch reads an alarm of Amazon CloudWatch, or an event of EventBridge.
func cloudWatch(o object) ([]oncall.Signal, error) {
	if o.any("detail-type") {
		return eventBridge(o)
	}
	d := draft{
		key: first(o.str("AlarmArn"), o.str("AWSAccountId")+"/"+o.str("Region")+"/"+o.str("AlarmName")), title: o.str("AlarmName"),
		body: strings.Join(filled(o.str("AlarmDescription"), o.str("NewStateReason")), "\n"), labels: map[string]string{},
	}
	d.status("NewStateValue", o.str("NewStateValue"))
	cloudWatchLevel(&d, o.str("NewStateValue"))
	d.detail("time", o.str("StateChangeTime"))
	d.label("region", o.str("Region"))
	d.label("account", o.str("AWSAccountId"))
	d.label("namespace", o.str("Trigger.Namespace"))
	d.label("metric", o.str("Trigger.MetricName"))
	for _, dimension := range o.list("Trigger.Dimensions") {
		d.label(dimension.str("name"), dimension.str("value"))
	}
	d.link = alarmLink(o.str("AlarmArn"), o.str("AlarmName"))
	return one(d)
}

// severityInName are the words of a name that can only be a severity.
var severityInName = regexp.MustCompile(`(?i)^(critical|crit|high|warning|warn|medium|low|info|p[1-5]|sev-?[0-5])$`)

// cloudWatchLevel finds a severity in the name or description, since an alarm has none.
func cloudWatchLevel(d *draft, state string) {
	if bare(state) == "insufficientdata" {
		d.level = "medium"
		return
	}
	for _, word := range strings.FieldsFunc(d.title, func(r rune) bool { return strings.ContainsRune("-_/:. []()", r) }) {
		if severityInName.MatchString(word) {
			d.level = word
			return
		}
	}
}

// alarmLink is where the console shows an alarm.
func alarmLink(arn, name string) string {
	parts := strings.Split(arn, ":")
	if len(parts) < 7 || strings.ContainsAny(parts[3], "/?#@") {
		return ""
	}
	return "https://" + parts[3] + ".console.aws.amazon.com/cloudwatch/home?region=" + parts[3] + "#alarmsV2:alarm/" + strings.ReplaceAll(name, " ", "+")
}

func eventBridge(o object) ([]oncall.Signal, error) {
	detail := o.sub("detail")
	kind, arns := o.str("detail-type"), o.words("resources")
	resource := ""
	if len(arns) > 0 {
		resource = arns[0]
	}
	d := draft{labels: map[string]string{}}
	d.label("region", o.str("region"))
	d.label("account", o.str("account"))
	d.label("source", o.str("source"))
	switch {
	case detail.any("alarmName"):
		d.key, d.title = first(resource, o.str("account")+"/"+o.str("region")+"/"+detail.str("alarmName")), detail.str("alarmName")
		d.body = strings.Join(filled(detail.str("configuration.description"), detail.str("state.reason")), "\n")
		d.status("detail.state.value", detail.str("state.value"))
		cloudWatchLevel(&d, detail.str("state.value"))
		d.link = alarmLink(resource, detail.str("alarmName"))
	default:
		d.key = hash("eventbridge", kind, first(detail.str("eventArn", "id", "findingId"), resource), detail.str("title"))
		d.title = first(detail.str("title"), detail.str("eventTypeCode"), kind+" "+resource)
		d.body = first(detail.str("description"), firstOf("", latestDescription(detail)), detail.str("message", "stoppedReason"))
		d.status("detail.statusCode", detail.str("statusCode"))
		d.level = awsLevel(detail.str("severity"))
		for _, name := range slices.Sorted(maps.Keys(detail.texts())) {
			d.detail(name, detail.str(name))
		}
	}
	return one(d)
}

func latestDescription(detail object) []string {
	var out []string
	for _, one := range detail.list("eventDescription") {
		out = append(out, one.str("latestDescription"))
	}
	return out
}

// awsLevel reads GuardDuty's numbers up to ten.
func awsLevel(text string) string {
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		return text
	case n >= 9:
		return "critical"
	case n >= 7:
		return "high"
	case n >= 4:
		return "medium"
	}
	return "low"
}

func isAzure(o object) bool {
	schema := strings.ToLower(o.str("schemaId"))
	return o.has("data.essentials") || o.has("data") && (strings.Contains(schema, "azure") || strings.HasPrefix(schema, "microsoft.") || strings.HasPrefix(schema, "aip")) ||
		o.has("status", "context") && o.any("context.resourceId", "context.resourceName", "context.activityLog.resourceId", "context.subscriptionId")
}

// azureLevels are Azure's severities.
var azureLevels = map[string]string{"sev0": "critical", "sev1": "high", "sev2": "medium", "sev3": "low", "sev4": "low", "0": "critical", "1": "high", "2": "medium", "3": "low", "4": "low"}

// azure reads alerts of Azure Monitor, by the common schema or one of the older ones.
func azure(o object) ([]oncall.Signal, error) {
	e := o.sub("data.essentials")
	if len(e) == 0 {
		return azureOlder(o)
	}
	d := draft{
		key: first(e.str("alertId"), e.str("originAlertId"), e.str("alertRule")), title: e.str("alertRule"), body: e.str("description"),
		level: azureLevels[bare(e.str("severity"))], starts: e.str("firedDateTime"), ends: e.str("resolvedDateTime"), labels: map[string]string{},
		link: e.str("investigationLink"),
	}
	d.status("data.essentials.monitorCondition", e.str("monitorCondition"))
	if d.link == "" && strings.HasPrefix(e.str("alertId"), "/") {
		d.link = "https://portal.azure.com/#view/Microsoft_Azure_Monitoring_Alerts/AlertDetails.ReactView/alertId/" + strings.ReplaceAll(e.str("alertId"), "/", "%2F")
	}
	d.label("resource", strings.Join(e.words("configurationItems"), ", "))
	d.label("signal", e.str("signalType"))
	d.label("monitoring", e.str("monitoringService"))
	targets := e.words("alertTargetIDs")
	if len(targets) > 0 {
		d.detail("target", targets[0])
		if _, group, is := strings.Cut(strings.ToLower(targets[0]), "/resourcegroups/"); is {
			group, _, _ = strings.Cut(group, "/")
			d.label("resource_group", group)
		}
	}
	for name, text := range o.sub("data.customProperties").texts() {
		d.detail(name, text)
	}
	d.detail("links to results", o.str("data.alertContext.condition.allOf.0.linkToSearchResultsUI"))
	for _, c := range o.list("data.alertContext.condition.allOf") {
		d.detail("condition", strings.Join(filled(c.str("metricName"), c.str("operator"), c.str("threshold"), c.str("metricValue")), " "))
		d.links.add("results", c.str("linkToSearchResultsUI"))
	}
	return one(d)
}

func azureOlder(o object) ([]oncall.Signal, error) {
	data := o.sub("data")
	if len(data) == 0 {
		data = o
	}
	c := data.sub("context")
	log := c.sub("activityLog")
	d := draft{
		key:   first(c.str("id"), log.str("properties.trackingId", "correlationId"), hash("azure", data.str("AlertRuleName", "alertRuleName", "BudgetName"), c.str("name", "resourceName"))),
		title: first(c.str("name"), log.str("properties.title", "operationName"), data.str("AlertRuleName", "BudgetName"), o.str("schemaId")),
		body:  first(c.str("description"), log.str("properties.communication", "description"), data.str("Description", "SearchQuery")),
		level: azureLevels[bare(first(c.str("severity"), data.str("Severity")))], link: first(c.str("portalLink"), data.str("LinkToSearchResults")), labels: map[string]string{},
	}
	word := first(log.str("properties.stage"), data.str("status", "MonitorCondition"))
	d.status("data.status", word)
	if log.str("status") == "Succeeded" || log.str("status") == "Started" {
		d.detail("operation", log.str("operationName"))
	}
	d.label("resource", first(c.str("resourceName"), log.str("resourceId")))
	d.label("resource_group", first(c.str("resourceGroupName"), log.str("resourceGroupName")))
	return one(d)
}

func isGCP(o object) bool {
	return o.any("incident.incident_id", "incident.policy_name", "incident.condition_name") || len(pubSub(o)) > 0
}

// pubSub returns what a push of Google's Pub/Sub carries.
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

// gcp reads incidents of Google Cloud Monitoring, as they come or by Pub/Sub.
func gcp(o object) ([]oncall.Signal, error) {
	if inner := pubSub(o); len(inner) > 0 {
		signals, _, err := read("", inner, nil)
		return signals, err
	}
	in := o.sub("incident")
	d := draft{
		key:   "gcp/" + first(in.str("incident_id"), in.str("policy_name")+"/"+in.str("condition_name")),
		title: strings.Join(filled(in.str("policy_name"), in.str("condition_name")), ": "),
		body:  strings.Join(filled(in.str("summary"), in.str("documentation.content", "documentation")), "\n\n"),
		link:  in.str("url"), starts: in.str("started_at"), ends: in.str("ended_at"), labels: map[string]string{},
	}
	d.status("incident.state", in.str("state"))
	for _, path := range []string{"policy_user_labels", "resource.labels", "metric.labels"} {
		for _, name := range slices.Sorted(maps.Keys(in.sub(path))) {
			d.label(name, in.sub(path).str(name))
		}
	}
	d.level = first(in.str("severity"), d.labels["severity"])
	if strings.EqualFold(d.level, "no severity") {
		d.level = ""
	}
	d.label("project", in.str("scoping_project_id"))
	d.label("resource", in.str("resource_display_name", "resource_name", "resource.type"))
	for _, l := range in.list("documentation.links") {
		d.links.add(l.str("displayName"), l.str("url"))
	}
	d.detail("observed value", in.str("observed_value"))
	return one(d)
}
