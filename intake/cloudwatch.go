package intake

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

func isCloudWatch(o object) bool {
	return o.any("AlarmName") && o.any("NewStateValue") || o.any("detail-type") && o.has("source", "detail") || o.any("alarmData.alarmName")
}

// cloudWatch reads an alarm of Amazon CloudWatch, or an event of EventBridge.
func cloudWatch(o object) ([]oncall.Signal, error) {
	switch {
	case o.any("detail-type"):
		return eventBridge(o)
	case o.any("alarmData.alarmName"): // the payload of a function that an alarm calls
		d := draft{labels: map[string]string{}}
		d.label("region", o.str("region"))
		d.label("account", o.str("accountId"))
		eventBridgeAlarm(&d, o.sub("alarmData"), o.str("alarmArn"))
		return single(d)
	}
	d := draft{
		key: first(o.str("AlarmArn"), o.str("AWSAccountId")+"/"+o.str("Region")+"/"+o.str("AlarmName")), title: o.str("AlarmName"),
		body: strings.Join(nonBlank(o.str("AlarmDescription"), o.str("NewStateReason")), "\n"), labels: map[string]string{},
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
	for _, metric := range o.list("Trigger.Metrics") { // an alarm on a metric expression
		d.label("metric", metric.str("MetricStat.Metric.MetricName"))
		d.label("namespace", metric.str("MetricStat.Metric.Namespace"))
		for _, dimension := range metric.list("MetricStat.Metric.Dimensions") {
			d.label(dimension.str("name"), dimension.str("value"))
		}
	}
	var children []string
	for _, child := range o.list("TriggeringChildren") { // a composite alarm
		children = append(children, child.str("Arn")[strings.LastIndex(child.str("Arn"), ":")+1:])
	}
	d.detail("alarms", strings.Join(nonBlank(children...), ", "))
	d.link = alarmLink(o.str("AlarmArn"), o.str("AlarmName"))
	return single(d)
}

// severityInName matches words in a name that can only be a severity.
var severityInName = regexp.MustCompile(`(?i)^(critical|crit|high|warning|warn|medium|low|info|p[1-5]|sev-?[0-5])$`)

// cloudWatchLevel looks for a severity in the name or description, since alarms have none.
func cloudWatchLevel(d *draft, state string) {
	if normalize(state) == "insufficientdata" {
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

// alarmLink returns the address of an alarm in the console.
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
	switch kind {
	case "CloudWatch Alarm State Change":
		eventBridgeAlarm(&d, detail, first(resource, o.str("account")+"/"+o.str("region")+"/"+detail.str("alarmName")))
		return single(d)
	case "AWS Health Event":
		d.title = strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(detail.str("eventTypeCode"), "AWS_"+detail.str("service")+"_"), "_", " "))
		d.title = detail.str("service") + ": " + d.title + " in " + first(detail.str("eventRegion"), o.str("region"))
		if category := detail.str("eventTypeCategory"); category != "" && category != "issue" && category != "investigation" { // planned work or an announcement
			d.level = "low"
		}
		d.label("service", detail.str("service"))
	default:
		name := first(detail.str("pipeline", "project-name", "jobName", "group", "name"), resource[strings.LastIndexAny(resource, ":/")+1:])
		d.title = first(detail.str("title"), detail.str("eventTypeCode"), strings.Join(nonBlank(kind, name), ": "))
		d.level = awsLevel(detail.str("severity"))
	}
	about, action := eventOutcome(kind, detail)
	which := first(detail.str("eventArn", "id", "findingId", "project-name"), resource)
	if stage := strings.Join(nonBlank(detail.str("stage"), detail.str("action")), "/"); stage != "" { // a pipeline
		which += "/" + stage
	}
	d.key = hash("eventbridge", about, which, detail.str("title"))
	d.body = first(detail.str("description"), firstOf("", latestDescription(detail)), detail.str("message", "stoppedReason", "StatusMessage"))
	if d.action = action; action == "" {
		d.status("detail.statusCode", detail.str("statusCode"))
	}
	for _, name := range slices.Sorted(maps.Keys(detail.texts())) {
		d.detail(name, detail.str(name))
	}
	return single(d)
}

// ec2States maps the states of an EC2 instance to what they mean.
var ec2States = map[string]oncall.Action{"running": oncall.Clear, "pending": oncall.Update, "stopping": oncall.Update, "shuttingdown": oncall.Update}

// eventOutcome returns the resource that an event is about and whether it failed or recovered.
func eventOutcome(kind string, detail object) (about string, action oncall.Action) {
	for end, action := range map[string]oncall.Action{" Successful": oncall.Clear, " Unsuccessful": oncall.Trigger} { // an autoscaling group
		if about, ok := strings.CutSuffix(kind, end); ok {
			return about, action
		}
	}
	word := detail.str("state", "build-status", "completed-phase-status", "status")
	plain := normalize(kind)
	switch {
	case word == "" || !strings.Contains(plain, "statechange") && !strings.Contains(plain, "phasechange"):
		return kind, ""
	case strings.HasPrefix(plain, "ec2instancestate"):
		return kind, ec2States[normalize(word)]
	case strings.HasPrefix(kind, "Code"): // a run still in progress means nothing yet
		return kind, gitOutcome(word)
	}
	if action = gitOutcome(word); action == oncall.Update {
		action = ""
	}
	return kind, action
}

// eventBridgeAlarm reads an alarm wrapped in an EventBridge event.
func eventBridgeAlarm(d *draft, alarm object, arn string) {
	d.key, d.title = arn, alarm.str("alarmName")
	d.body = strings.Join(nonBlank(alarm.str("configuration.description"), alarm.str("state.reason")), "\n")
	d.status("state.value", alarm.str("state.value"))
	cloudWatchLevel(d, alarm.str("state.value"))
	d.link = alarmLink(arn, alarm.str("alarmName"))
	for _, metric := range alarm.list("configuration.metrics") {
		for name, value := range metric.sub("metricStat.metric.dimensions").texts() {
			d.label(name, value)
		}
		d.label("metric", metric.str("metricStat.metric.name"))
	}
}

func latestDescription(detail object) []string {
	var out []string
	for _, one := range detail.list("eventDescription") {
		out = append(out, one.str("latestDescription"))
	}
	return out
}

// awsLevel reads GuardDuty's severities, which are numbers up to ten.
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
