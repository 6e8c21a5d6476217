package intake

import (
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

func isAzure(o object) bool {
	schema := strings.ToLower(o.str("schemaId"))
	return o.has("data.essentials") || o.has("data") && (strings.Contains(schema, "azure") || strings.HasPrefix(schema, "microsoft.") || strings.HasPrefix(schema, "aip")) ||
		o.has("status", "context") && o.any("context.resourceId", "context.resourceName", "context.activityLog.resourceId", "context.subscriptionId") ||
		o.any("AlertRuleName") && o.has("SearchQuery", "SearchIntervalInSeconds")
}

// azureLevels are Azure's severities.
var azureLevels = map[string]string{"sev0": "critical", "sev1": "high", "sev2": "medium", "sev3": "low", "sev4": "low", "0": "critical", "1": "high", "2": "medium", "3": "low", "4": "low"}

// azure reads Azure Monitor's alerts, in the common schema or one of the older ones.
func azure(o object) ([]oncall.Signal, error) {
	e, c := o.sub("data.essentials"), o.sub("data.alertContext")
	if len(e) == 0 {
		return azureOlder(o)
	}
	d := draft{
		key: first(e.str("alertId"), e.str("originAlertId"), e.str("alertRule")), title: first(c.str("annotations.summary"), e.str("alertRule")), body: e.str("description"),
		level: azureLevels[normalize(e.str("severity"))], starts: e.str("firedDateTime"), ends: e.str("resolvedDateTime"), labels: map[string]string{},
		link: e.str("investigationLink"),
	}
	d.status("data.essentials.monitorCondition", e.str("monitorCondition"))
	if d.link == "" && strings.HasPrefix(e.str("alertId"), "/") {
		d.link = "https://portal.azure.com/#view/Microsoft_Azure_Monitoring_Alerts/AlertDetails.ReactView/alertId/" + strings.ReplaceAll(e.str("alertId"), "/", "%2F")
	}
	d.label("resource", strings.Join(e.words("configurationItems"), ", "))
	d.label("signal", e.str("signalType"))
	d.label("monitoring", e.str("monitoringService"))
	target := firstOf("", e.words("alertTargetIDs"))
	d.detail("target", target)
	if _, group, ok := strings.Cut(strings.ToLower(target), "/resourcegroups/"); ok {
		group, _, _ = strings.Cut(group, "/")
		d.label("resource_group", group)
	}
	for _, path := range []string{"data.customProperties", "data.alertContext.properties"} {
		if !c.any("operationName") || path == "data.customProperties" { // the operation's own properties are read below
			for name, text := range o.sub(path).texts() {
				d.detail(name, text)
			}
		}
	}
	for name, text := range c.sub("labels").texts() { // Azure's Prometheus
		d.label(name, text)
	}
	azureCondition(&d, c)
	azureBudget(&d, c.sub("AlertData"))
	if c.any("operationName") {
		azureActivity(&d, c, first(target, e.str("alertRule")))
	}
	return single(d)
}

// azureCondition reads which metric was measured, and on what.
func azureCondition(d *draft, c object) {
	for _, measured := range c.list("condition.allOf") {
		d.detail("condition", strings.Join(nonBlank(first(measured.str("metricName"), measured.str("searchQuery")), measured.str("operator"), measured.str("threshold"), measured.str("metricValue")), " "))
		d.links.add("results", measured.str("linkToFilteredSearchResultsUI", "linkToSearchResultsUI"))
		for _, dimension := range measured.list("dimensions") {
			d.label(dimension.str("name"), dimension.str("value"))
		}
	}
	for _, dimension := range c.list("Dimensions") {
		d.label(dimension.str("name"), dimension.str("value"))
	}
	d.detail("query", c.str("SearchQuery"))
	d.detail("results", c.str("ResultCount"))
	d.detail("detected", strings.Join(nonBlank(c.str("DetectionSummary"), c.str("DetectedValue"), c.str("NormalValue")), ", "))
	d.links.add("results", c.str("LinkToFilteredSearchResultsUI", "LinkToSearchResults"))
}

// azureBudget names the budget, because the rules of budget alerts have no name.
func azureBudget(d *draft, budget object) {
	if name := budget.str("BudgetName"); name != "" {
		d.title = "Budget " + name + ": " + first(budget.str("SpentAmount"), "more") + " spent of " + first(budget.str("BudgetThreshold"), "what was planned")
		d.detail("scope", budget.str("Scope"))
		d.detail("forecast", budget.str("ForecastedTotalForPeriod"))
	}
}

// azureHealth maps the levels of the activity log. The severity of the alert itself is always the
// lowest and carries no information.
var azureHealth = map[string]string{"critical": "critical", "1": "critical", "error": "high", "2": "high", "warning": "medium", "3": "medium"}

// azureActivity reads an entry of the activity log. Two kinds end with an alert of their own:
// incidents of Azure's services, which keep their number, and changes of a resource's health.
func azureActivity(d *draft, log object, resource string) {
	p := log.sub("properties")
	switch {
	case p.any("trackingId"):
		d.key, d.title = "azure/health/"+p.str("trackingId"), p.str("title")
		d.body, d.level = withoutTags(p.str("communication")), azureHealth[normalize(log.str("level"))]
		if kind := normalize(p.str("incidentType")); kind != "" && kind != "incident" { // planned work or an announcement
			d.level = "low"
		}
		d.action, d.hints = oncall.Trigger, nil
		switch {
		case normalize(p.str("IsSynthetic")) == "true": // a test of the action group; the sample incident is already over
			d.key, d.level = "azure/health/test", "low"
		case slices.Contains([]string{"resolved", "complete", "completed", "canceled", "rca"}, normalize(p.str("stage"))):
			d.action = oncall.Clear
		}
		d.label("service", p.str("service"))
		d.label("region", p.str("region"))
	case p.any("currentHealthStatus"):
		d.key = "azure/health/" + strings.ToLower(resource)
		d.title = resource[strings.LastIndex(resource, "/")+1:] + " is " + strings.ToLower(p.str("currentHealthStatus"))
		d.body, d.level = strings.Join(nonBlank(p.str("title"), p.str("details"), d.body), "\n"), azureHealth[normalize(log.str("level"))]
		d.action, d.hints = oncall.Trigger, nil
		if normalize(p.str("currentHealthStatus")) == "available" || normalize(log.str("status")) == "resolved" {
			d.action = oncall.Clear
		}
		d.label("cause", p.str("cause"))
	default:
		d.detail("operation", log.str("operationName"))
		d.detail("status", log.str("status"))
		d.detail("caller", log.str("caller"))
		azureFinding(d, log, p)
	}
}

// azureFinding reads findings of Azure's security center and advisor, which have severity words of
// their own.
func azureFinding(d *draft, log, p object) {
	source := normalize(log.str("eventSource"))
	if source != "security" && source != "recommendation" {
		return
	}
	about, _, _ := strings.Cut(log.str("description"), ". ")
	if entity := p.str("compromisedEntity"); entity != "" {
		d.label("host", entity)
		about = first(about, p.str("category", "alertDisplayName")) + " on " + entity
	}
	d.title = first(p.str("recommendationName"), about, d.title)
	d.level = first(p.str("severity"), p.str("recommendationImpact"))
	d.links.add("recommendation", p.str("recommendationResourceLink"))
	for name, text := range p.texts() {
		d.detail(name, text)
	}
}

func azureOlder(o object) ([]oncall.Signal, error) {
	data := o.sub("data")
	if len(data) == 0 {
		data = o
	}
	c := data.sub("context")
	log := c.sub("activityLog")
	d := draft{
		key:   first(azureMetric(c), log.str("correlationId"), azureSearch(data, c)),
		title: first(c.str("name"), data.str("AlertRuleName", "BudgetName"), o.str("schemaId")),
		body:  first(c.str("description"), log.str("description"), data.str("Description", "SearchQuery")),
		level: first(c.str("severity"), data.str("Severity")), link: c.str("portalLink"), labels: map[string]string{},
	}
	if level, numbered := azureLevels[normalize(d.level)]; numbered {
		d.level = level
	}
	if operation := log.str("operationName"); operation != "" {
		d.title = strings.TrimSuffix(operation+" on "+log.str("resourceId")[strings.LastIndex(log.str("resourceId"), "/")+1:], " on ")
	}
	d.status("data.status", data.str("status", "MonitorCondition"))
	d.label("resource", first(c.str("resourceName"), log.str("resourceId"), data.str("ResourceId")))
	d.label("resource_group", first(c.str("resourceGroupName"), log.str("resourceGroupName")))
	azureCondition(&d, c)
	azureCondition(&d, data)
	if o.any("operation") && c.any("newCapacity") { // autoscaling
		d.title, d.body, d.level = d.title+": "+o.str("operation"), first(d.body, c.str("details")), "low"
	}
	if len(log) > 0 {
		azureActivity(&d, log, first(log.str("resourceId"), d.title))
	}
	if d.link == "" && len(d.links) > 0 {
		d.link = d.links[0].URL
	}
	return single(d)
}

// azureSearch identifies an alert of a search rule, which fires separately for each combination of
// dimension values.
func azureSearch(data, c object) string {
	parts := []string{"azure", data.str("AlertRuleName", "BudgetName"), c.str("name", "resourceName")}
	for _, dimension := range data.list("Dimensions") {
		parts = append(parts, dimension.str("name"), dimension.str("value"))
	}
	return hash(parts...)
}

// azureMetric identifies an alert of a metric rule, which fires separately for each resource and
// each combination of dimension values.
func azureMetric(c object) string {
	if !c.any("id") {
		return ""
	}
	parts := []string{c.str("id"), strings.ToLower(c.str("resourceId"))}
	for _, measured := range c.list("condition.allOf") {
		for _, dimension := range measured.list("dimensions") {
			parts = append(parts, dimension.str("name"), dimension.str("value"))
		}
	}
	return hash(parts...)
}
