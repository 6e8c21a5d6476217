package intake

import (
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

func isSentry(o object) bool {
	return o.any("action") && (o.has("data", "installation") || o.has("data.metric_alert") || o.has("data.event.issue_id") || o.has("data.issue.culprit")) ||
		o.any("culprit") && o.any("project", "project_name") && o.any("url")
}

// sentryLevels are Sentry's levels, of which error is the usual one.
var sentryLevels = map[string]string{"fatal": "critical", "error": "high", "warning": "medium", "info": "low", "debug": "low", "sample": "low"}

// sentry reads the webhooks of Sentry's integrations, whatever their resource, and of its older plugin.
func sentry(o object) ([]oncall.Signal, error) {
	action := bare(o.str("action"))
	switch {
	case o.has("data.metric_alert"):
		return sentryMetric(o, action)
	case o.has("data.event"):
		return one(sentryIssue(o, o.sub("data.event"), o.str("data.event.issue_id", "data.event.issue.id")))
	case o.has("data.issue"):
		d := sentryIssue(o, o.sub("data.issue"), o.str("data.issue.id"))
		d.action = sentryActions[action]
		if d.action == "" {
			d.action, d.note = oncall.Update, "Sentry: "+strings.Join(filled(o.str("action"), o.str("actor.name")), " by ")
		}
		return one(d)
	case o.has("data"):
		return one(draft{action: oncall.Update, key: "sentry/" + first(o.str("data.issue_id"), o.str("data.error.issue_id"), action), note: o.str("data.comment")})
	}
	d := draft{
		key: "sentry/" + first(o.str("id", "event.issue_id"), o.str("url")), title: o.str("event.title", "message", "culprit"), body: o.str("culprit"),
		link: o.str("url"), level: sentryLevels[o.str("level")], labels: map[string]string{},
	}
	d.label("project", o.str("project_slug", "project", "project_name"))
	d.label("environment", o.str("event.environment"))
	return one(d)
}

var sentryActions = map[string]oncall.Action{
	"created": oncall.Trigger, "unresolved": oncall.Trigger, "resolved": oncall.Clear, "archived": oncall.Clear, "ignored": oncall.Clear,
}

func sentryIssue(o, about object, id string) draft {
	d := draft{
		action: oncall.Trigger, key: "sentry/" + first(id, about.str("web_url")), title: about.str("title", "metadata.title", "message"),
		body: strings.Join(filled(about.str("message", "metadata.value"), about.str("culprit")), "\n"),
		link: about.str("web_url", "permalink", "issue_url"), level: sentryLevels[about.str("level")], labels: map[string]string{},
	}
	d.label("project", about.str("project.slug", "project.name", "project_slug", "project"))
	d.label("environment", about.str("environment"))
	d.label("platform", about.str("platform"))
	d.label("issue", about.str("shortId"))
	d.detail("rule", o.str("data.triggered_rule"))
	return d
}

func sentryMetric(o object, action string) ([]oncall.Signal, error) {
	alert := o.sub("data.metric_alert")
	d := draft{
		key:   "sentry/metric/" + first(alert.str("alert_rule.id"), alert.str("id", "identifier")),
		title: first(o.str("data.description_title"), alert.str("alert_rule.name", "title")), body: o.str("data.description_text"),
		link: o.str("data.web_url"), level: map[string]string{"critical": "critical", "warning": "medium"}[action], labels: map[string]string{},
	}
	d.title = strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(d.title, "Critical: "), "Warning: "), "Resolved: ")
	d.status("action", action)
	d.label("project", strings.Join(alert.words("projects"), ", "))
	d.label("environment", alert.str("alert_rule.environment"))
	return one(d)
}

func isGitHub(o object) bool {
	if !o.any("repository.full_name") {
		return o.any("zen") && o.has("hook_id")
	}
	return o.has("workflow_run") || o.has("workflow_job") || o.has("check_suite") || o.has("check_run") || o.has("deployment_status") || o.has("sender")
}

// gitHub reads GitHub's webhooks about workflows, checks and deployments. A failure of another branch than the default one
// is low: somebody is working there.
func gitHub(o object) ([]oncall.Signal, error) {
	repo := o.str("repository.full_name")
	for _, kind := range []string{"workflow_run", "workflow_job", "check_suite", "check_run", "deployment_status"} {
		run := o.sub(kind)
		if len(run) == 0 {
			continue
		}
		name := first(run.str("name", "workflow_name", "app.name", "environment"), o.str("deployment.environment"), kind)
		branch := first(run.str("head_branch", "check_suite.head_branch"), o.str("deployment.ref"))
		d := draft{
			key: strings.Join([]string{"github", repo, name, branch}, "/"), title: name + " failed on " + branch + " of " + repo,
			body: strings.Join(filled(run.str("display_title", "output.title", "description"), run.str("head_commit.message", "output.summary")), "\n"),
			link: run.str("html_url", "target_url", "log_url", "url"), labels: map[string]string{},
		}
		d.action = gitOutcome(run.str("conclusion", "state"))
		d.level = gitLevel(branch, o.str("repository.default_branch"))
		d.label("repository", repo)
		d.label("branch", branch)
		d.label("workflow", name)
		d.detail("run", run.str("run_number"))
		d.detail("by", run.str("actor.login"))
		return one(d)
	}
	return one(draft{action: oncall.Update, key: "github/" + first(repo, "ping")})
}

// gitOutcome says what the end of a run means; one that goes on or was given up says nothing.
func gitOutcome(word string) oncall.Action {
	switch bare(word) {
	case "failure", "failed", "timedout", "startupfailure", "error", "actionrequired":
		return oncall.Trigger
	case "success", "successful", "passed":
		return oncall.Clear
	}
	return oncall.Update
}

func gitLevel(branch, main string) string {
	if main != "" && branch != main {
		return "low"
	}
	return "high"
}

func isGitLab(o object) bool {
	return o.any("object_kind") && (o.has("object_attributes") || o.has("build_status") || o.has("project") || o.has("deployable_id"))
}

// gitLab reads GitLab's webhooks about pipelines, jobs, deployments and alerts.
func gitLab(o object) ([]oncall.Signal, error) {
	kind, a := o.str("object_kind"), o.sub("object_attributes")
	project := first(o.str("project.path_with_namespace", "project_name", "project.name"), o.str("repository.name"))
	branch := first(a.str("ref"), o.str("ref"))
	d := draft{key: strings.Join([]string{"gitlab", project, kind, branch}, "/"), labels: map[string]string{}, level: gitLevel(branch, o.str("project.default_branch"))}
	switch kind {
	case "pipeline":
		d.title, d.link = "Pipeline failed on "+branch+" of "+project, a.str("url")
		d.action, d.body = gitOutcome(a.str("status", "detailed_status")), o.str("commit.title", "commit.message")
		if d.link == "" && o.any("project.web_url") {
			d.link = o.str("project.web_url") + "/-/pipelines/" + a.str("id")
		}
	case "build":
		d.key += "/" + o.str("build_name")
		d.title, d.body = o.str("build_name")+" failed on "+branch+" of "+project, o.str("build_failure_reason")
		d.action = gitOutcome(o.str("build_status"))
		if o.str("build_allow_failure") == "true" && d.action == oncall.Trigger {
			d.action = oncall.Update
		}
		if o.any("repository.homepage") {
			d.link = o.str("repository.homepage") + "/-/jobs/" + o.str("build_id")
		}
	case "deployment":
		d.key += "/" + o.str("environment")
		d.title, d.link, d.action = "Deployment to "+o.str("environment")+" failed, "+project, o.str("deployable_url"), gitOutcome(o.str("status"))
	case "alert":
		d.key, d.title, d.link = "gitlab/alert/"+project+"/"+a.str("iid", "id"), a.str("title"), a.str("url")
		d.level, d.body = a.str("severity"), a.str("description")
		d.status("object_attributes.status", a.str("status"))
	default:
		d.action = oncall.Update
	}
	d.label("project", project)
	d.label("branch", branch)
	return one(d)
}
