package intake

import "github.com/watchbill/watchbill/oncall"

// dialects were written from each sender's documentation or fixtures. A sender's more specific
// dialects come first. The payloads are testdata/generic-SENDER-*.json.
var dialects = []dialect{
	{ // AppDynamics, by the template of Grafana OnCall
		has: "event.eventType event.summaryMessage event.application", key: "appdynamics/{event.application.name}/{event.node.name|event.tier.name}",
		title: "{event.summaryMessage|event.displayName}", status: "{event.eventType}", body: "{event.displayName}", link: "{event.deepLink}",
		level:  "{event.severity}",
		labels: map[string]string{"application": "event.application.name", "node": "event.node.name", "tier": "event.tier.name"},
	},
	{ // BelowWorst Stack
		has: "data.attributes.cause data.id", key: "betterstack/{data.id}", title: "{data.attributes.name|data.attributes.url}: {data.attributes.cause}",
		status: "{data.attributes.status}", link: "{data.attributes.origin_url|data.attributes.url}", over: "data.attributes.resolved_at",
	},
	{ // Bugsnag
		has: "error.exceptionClass project.name", where: matching("trigger.type", "(?i)comment|assigned"), others: mention,
		key: "bugsnag/{error.errorId|error.id}", status: "{trigger.type}",
	},
	{
		has: "error.exceptionClass project.name", key: "bugsnag/{error.errorId|error.id}", title: "{error.exceptionClass}: {error.message}",
		status: "{error.status}", body: "{error.context}", link: "{error.url}", level: "{error.severity}",
		labels: map[string]string{"project": "project.name", "environment": "error.app.releaseStage", "host": "error.device.hostname"},
		words:  map[string]oncall.Action{"ignored": closes, "snoozed": mention}, others: opens,
	},
	{ // Checkmate
		has: "text monitor.id monitor.name monitor.status", where: matching("type", "^monitor_(down|up)$"), key: "checkmate/{monitor.id}",
		title: "{monitor.name} is down", status: "{monitor.status}", body: "{text}", link: "{monitor.url}", level: "{severity}",
	},
	{ // Checkly
		has: "alert_type check_name", where: matching("alert_type", "^ALERT_SSL"), key: "checkly/{check_id|check_name}/ssl",
		title: "{check_name}: its certificate expires", body: "{event|alert_title}", link: "{link|result_link}", level: "medium", status: "triggered",
	},
	{
		has: "alert_type check_name", where: matching("alert_type", "^ALERT_"), key: "checkly/{check_id|check_name}", title: "{check_name} fails",
		status: "{alert_type}", body: "{check_error_message|event|alert_title}", link: "{link|result_link}", level: "{alert_type}",
		labels: map[string]string{"group": "group_name", "location": "run_location"},
		words:  map[string]oncall.Action{"alertrecovery": closes, "alertdegradedrecovery": closes}, others: opens,
		levels: map[string]string{"ALERT_DEGRADED": "medium", "ALERT_DEGRADED_REMAIN": "medium", "ALERT_FAILURE_DEGRADED": "medium", "": ""},
	},
	{ // Cronitor
		has: "monitor type rule", where: matching("type", "(?i)^(alert|recovery)"), key: "cronitor/{id|monitor}/{environment}",
		title: "{monitor} fails: {rule}", status: "{type}", body: "{description}", link: "{issue_url|monitor_url}",
		labels: map[string]string{"environment": "environment", "group": "group"},
	},
	{ // Dead Man's Snitch
		has: "data.snitch.token", key: "snitch/{data.snitch.href|data.snitch.name}", title: "{data.snitch.name} has not reported", status: "{data.snitch.status}",
		body: "{data.snitch.notes}", link: "{data.snitch.href}", words: map[string]oncall.Action{"pending": mention, "paused": mention, "errored": opens},
	},
	{ // Dynatrace
		has: "ProblemTitle State", key: "dynatrace/{PID|ProblemID|ProblemTitle}", title: "{ProblemTitle}", status: "{State}", body: "{ProblemDetailsText|ProblemDetails}",
		link: "{ProblemURL|Problem URL}", level: "{ProblemSeverity}", labels: map[string]string{"entity": "ImpactedEntity", "impact": "ProblemImpact"},
		words:  map[string]oncall.Action{"merged": closes},
		levels: map[string]string{"AVAILABILITY": "critical", "ERROR": "high", "PERFORMANCE": "medium", "RESOURCE_CONTENTION": "medium", "": ""},
	},
	{ // Freshstatus
		has: "incident_id incident_status event_data", key: "freshstatus/{incident_id}", title: "{title}", status: "{incident_status}", body: "{message|description}",
	},
	{ // Google Cloud's Error Reporting
		has: "subject group_info.detail_link", key: "gcp/error/{group_info.detail_link}", title: "{subject|exception_info.message}", status: "triggered",
		body: "{exception_info.type}: {exception_info.message|event_info.log_message}", link: "{group_info.detail_link}",
		labels: map[string]string{"project": "group_info.project_id", "service": "event_info.service", "version": "event_info.version"},
	},
	{ // Grafana OnCall's outgoing webhooks
		has: "alert_group.id alert_group.title", key: "oncall/{alert_group.id}", title: "{alert_group.title}", status: "{alert_group.state}",
		link: "{alert_group.permalinks.web}", body: "{alert_payload.message}", words: map[string]oncall.Action{"silenced": mention},
	},
	{ // Graylog
		has: "event_definition_title event.message", key: "graylog/{event_definition_id|event_definition_title}/{event.key}", title: "{event.message|event_definition_title}",
		body: "{event_definition_description}", level: "{event.priority}", labels: map[string]string{"source": "event.source", "definition": "event_definition_title"},
		levels: map[string]string{"1": "low", "2": "medium", "3": "high", "4": "critical"}, status: "triggered", link: "{event.replay_info.url}",
	},
	{ // Honeybadger
		has: "event fault.klass", key: "honeybadger/{fault.id}", title: "{fault.klass}: {fault.message}", status: "{event}", body: "{message}", link: "{fault.url|fault.links.web}",
		labels: map[string]string{"project": "project.name", "environment": "fault.environment"},
		words:  map[string]oncall.Action{"rateexceeded": opens, "escalated": opens, "occurred": opens, "resolved": closes, "unresolved": opens}, others: mention,
	},
	{
		has: "event site.name", where: matching("event", "^(down|up)$"), key: "honeybadger/site/{site.id|site.name}", title: "{site.name} is down",
		status: "{event}", body: "{outage.reason|message}", link: "{outage.details_url|site.links.web|site.url}", labels: map[string]string{"project": "project.name"},
	},
	{
		has: "event check_in.name", key: "honeybadger/check-in/{check_in.id|check_in.name}", title: "{check_in.name} has not reported", status: "{event}",
		body: "{message}", link: "{check_in.details_url}", labels: map[string]string{"project": "project.name"},
	},
	{
		has: "event alarm.name", where: matching("event", "^alarm_"), key: "honeybadger/alarm/{alarm.id|alarm.name}", title: "{alarm.name}", status: "{event}",
		body: "{message}", link: "{alarm.url|alarm.links.web}", labels: map[string]string{"project": "project.name"},
	},
	{ // Honeycomb
		has: "trigger_url status name", key: "honeycomb/{id|name}", title: "{name}", status: "{status}", body: "{description|summary}", link: "{result_url|trigger_url}",
	},
	{ // InfluxDB
		has: "_check_id _level _message", key: "influxdb/{_check_id}", tags: true, title: "{_message|_check_name}", status: "{_level}", level: "{_level}",
		labels: map[string]string{"check": "_check_name", "host": "host"}, words: map[string]oncall.Action{"info": opens},
	},
	{ // Jenkins' Notification plugin
		has: "build.phase build.number name", key: "jenkins/{url|name}", title: "{display_name|name} failed", status: "{build.status}", link: "{build.full_url}",
		body: "{build.notes|build.scm.commit}", level: "{build.status}", labels: map[string]string{"job": "name", "branch": "build.scm.branch"},
		words: map[string]oncall.Action{"success": closes, "failure": opens, "unstable": opens}, others: mention, levels: map[string]string{"UNSTABLE": "medium", "": ""},
	},
	{ // Jira
		has: "webhookEvent issue.key issue.fields", key: "jira/{issue.key}", title: "{issue.key}: {issue.fields.summary}",
		status: "{webhookEvent} {issue.fields.status.statusCategory.key}", body: "{issue.fields.description}", link: "{issue.self:site}/browse/{issue.key}",
		level:  "{issue.fields.priority.name}",
		labels: map[string]string{"project": "issue.fields.project.key", "type": "issue.fields.issuetype.name", "status": "issue.fields.status.name"},
		words: map[string]oncall.Action{
			"jiraissuecreated": opens, "jiraissuecreatednew": opens, "jiraissuecreatedundefined": opens, "jiraissuecreatedindeterminate": opens,
			"jiraissueupdatedindeterminate": acks, "jiraissueupdateddone": closes, "jiraissuecreateddone": closes, "jiraissuedeleted": closes,
			"jiraissuedeletednew": closes, "jiraissuedeletedindeterminate": closes, "jiraissuedeleteddone": closes,
		}, others: mention, levels: map[string]string{"Highest": "critical", "Lowest": "low"},
	},
	{ // Kapacitor
		has: "id level previousLevel", key: "kapacitor/{id}", title: "{message|id}", status: "{level}", level: "{level}", body: "{details}",
		words: map[string]oncall.Action{"info": opens},
	},
	{ // Kibana, by the names of its variables
		has: "rule.name alert.actionGroup", key: "kibana/{rule.id|rule.name}/{alert.id}", title: "{rule.name}: {context.reason|context.title|alert.id}",
		status: "{alert.actionGroup}", link: "{context.alertDetailsUrl|rule.url|kibanaBaseUrl}", words: map[string]oncall.Action{"recovered": closes}, others: opens,
	},
	{ // Librato
		has: "alert.name trigger_time account", key: "librato/{alert.id|alert.name}", title: "{alert.name}", body: "{alert.description}", link: "{alert.runbook_url}",
		over: "clear", status: "triggered",
	},
	{ // LibreNMS, by the names of its templates
		has: "sysName rule state", key: "librenms/{hostname|sysName}/{rule}", title: "{rule|name} on {sysName|hostname}", status: "{state}", body: "{title|msg}",
		level: "{severity}", labels: map[string]string{"host": "hostname", "address": "ip", "location": "location"},
		words: map[string]oncall.Action{"0": closes, "1": opens, "2": acks, "3": opens, "4": opens},
	},
	{ // ntfy
		has: "topic message priority", where: matching("priority", "^[1-5]$"), title: "{title|message}", status: "{status|state}", body: "{message}",
		link: "{click}", level: "{priority}", labels: map[string]string{"topic": "topic"},
		levels: map[string]string{"1": "low", "2": "low", "3": "medium", "4": "high", "5": "critical"},
	},
	{ // PagerDuty's outgoing webhooks
		has: "event.event_type event.data.id event.data.title", key: "pagerduty/{event.data.id}", title: "{event.data.title}", status: "{event.event_type}",
		link: "{event.data.html_url}", level: "{event.data.priority.summary|event.data.urgency}", labels: map[string]string{"service": "event.data.service.summary"},
		words: map[string]oncall.Action{
			"incidenttriggered": opens, "incidentreopened": opens, "incidentunacknowledged": opens, "incidentescalated": opens,
			"incidentacknowledged": acks, "incidentresolved": closes,
		}, others: mention,
	},
	{ // Papertrail
		has: "saved_search.name events", key: "papertrail/{saved_search.id|saved_search.name}", title: "{saved_search.name}: {events.0.message}",
		link: "{saved_search.html_search_url}", body: "{saved_search.query}", labels: map[string]string{"host": "events.0.hostname", "program": "events.0.program"},
		status: "triggered",
	},
	{ // PRTG, by the names of its variables
		has: "sensorid device", key: "prtg/{sensorid}", title: "{name|sensor|shortname} on {device}", status: "{status|laststatus}", body: "{message|lastmessage}",
		link: "{linksensor}", labels: map[string]string{"host": "host", "device": "device", "group": "group", "probe": "probe"}, level: "{priority}",
		levels: map[string]string{"": ""},
	},
	{ // Raygun
		has: "eventType error.url application.name", where: matching("event", "error_notification"), key: "raygun/{error.url}",
		title: "{error.message|eventType} in {application.name}", link: "{error.url}", labels: map[string]string{"application": "application.name"}, status: "triggered",
	},
	{ // Rollbar
		has: "event_name data.item.id", key: "rollbar/{data.item.id}", title: "{data.item.title}", status: "{event_name}", level: "{data.item.level|data.item.last_occurrence.level}",
		labels: map[string]string{"environment": "data.item.environment"}, levels: map[string]string{"10": "low", "20": "low", "30": "medium", "40": "high", "50": "critical"},
		words: map[string]oncall.Action{"resolveditem": closes}, others: opens,
	},
	{ // Rundeck
		has: "execution.job executionId", key: "rundeck/{execution.project}/{execution.job.id}", title: "{execution.job.name} failed",
		status: "{status|execution.status}", body: "{execution.description}", link: "{execution.permalink|execution.href}", others: mention,
		labels: map[string]string{"project": "execution.project", "group": "execution.job.group", "user": "execution.user"},
		words:  map[string]oncall.Action{"failed": opens, "timedout": opens, "failedwithretry": mention, "succeeded": closes},
	},
	{ // Site24x7
		has: "MONITORNAME STATUS", key: "site24x7/{MONITOR_ID|MONITORNAME}", title: "{MONITORNAME} is {STATUS}", status: "{STATUS}", body: "{INCIDENT_REASON}",
		link: "{RCA_LINK|MONITOR_DASHBOARD_LINK|MONITORURL}", level: "{STATUS}", levels: map[string]string{"CRITICAL": "critical", "TROUBLE": "medium", "": ""},
		labels: map[string]string{"type": "MONITORTYPE", "group": "GROUP_TAGS"},
	},
	{ // Splunk
		has: "search_name sid", key: "splunk/{app}/{search_name}/{result.host}", title: "{search_name}", body: "{result._raw}", link: "{results_link}",
		labels: map[string]string{"host": "result.host", "source": "result.source", "app": "app"}, status: "triggered",
	},
	{ // Squadcast's incoming webhook, in whose format others send
		has: "event_id status", where: matching("status", "^(trigger|acknowledge|resolve)$"), key: "{event_id}", title: "{message|title|summary}",
		status: "{status}", body: "{description}", level: "{priority|severity}",
	},
	{ // Statuspage
		has: "page.id incident.name incident.id", key: "statuspage/{incident.id}", title: "{incident.name}", status: "{incident.status}",
		body: "{incident.incident_updates.0.body}", link: "{incident.shortlink}", level: "{incident.impact}",
		words:  map[string]oncall.Action{"scheduled": mention, "inprogress": mention, "verifying": mention},
		levels: map[string]string{"critical": "critical", "major": "high", "minor": "medium", "": "low"},
	},
	{
		has: "page.id component.name component_update", key: "statuspage/component/{component.id|component.name}",
		title: "{component.name}: {component_update.new_status|component.status}", status: "{component_update.new_status|component.status}",
		words: map[string]oncall.Action{"undermaintenance": mention}, level: "{component_update.new_status}",
		levels: map[string]string{"major_outage": "critical", "partial_outage": "high", "degraded_performance": "medium", "": ""},
	},
	{ // updown
		has: "event check.token", where: matching("event", `^check\.(down|up)$`), key: "updown/{check.url|check.alias}", title: "{check.alias|check.url} is down",
		status: "{event}", body: "{downtime.error|check.error}", link: "{check.url}",
	},
	{
		has: "event check.token", where: matching("event", `^check\.ssl_`), key: "updown/{check.url|check.alias}/ssl", title: "{check.alias|check.url}: its certificate",
		status: "{event}", body: "{ssl.error}", link: "{check.url}", level: "medium",
		words: map[string]oncall.Action{"checksslvalid": closes, "checksslrenewed": closes}, others: opens,
	},
	{ // UptimeRobot, whose names come in two spellings
		has: "monitorfriendlyname alerttype", where: matching("alerttype", "^3$"), key: "uptimerobot/{monitorid|monitorurl|monitorfriendlyname}/ssl",
		title: "{monitorfriendlyname}: its certificate expires", status: "triggered", body: "{alertdetails}", link: "{monitorurl}", level: "medium",
	},
	{
		has: "monitorfriendlyname alertdetails", key: "uptimerobot/{monitorid|monitorurl|monitorfriendlyname}", title: "{monitorfriendlyname|monitorurl} is down",
		status: "{alerttype|alerttypefriendlyname}", body: "{alertdetails}", link: "{monitorurl}",
		words: map[string]oncall.Action{"1": opens, "2": closes},
	},
}
