package intake

import (
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

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
