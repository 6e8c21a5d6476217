package intake

import (
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

func isGitHub(o object) bool {
	if !o.any("repository.full_name") {
		return o.any("zen") && o.has("hook_id")
	}
	return o.has("workflow_run") || o.has("workflow_job") || o.has("check_suite") || o.has("check_run") || o.has("deployment_status") || o.has("sender") || o.has("context", "state")
}

// gitHub reads GitHub's webhooks about workflows, checks and deployments. A failure outside the
// default branch is low: somebody is working there.
func gitHub(o object) ([]oncall.Signal, error) {
	repo := o.str("repository.full_name")
	for _, kind := range []string{"workflow_run", "workflow_job", "check_suite", "check_run", "deployment_status"} {
		run := o.sub(kind)
		if len(run) == 0 {
			continue
		}
		if kind == "deployment_status" {
			return single(gitHubDeployment(o, run))
		}
		name := first(run.str("name", "workflow_name", "app.name"), kind)
		branch := run.str("head_branch", "check_suite.head_branch")
		if from := run.str("head_repository.full_name"); from != "" && from != repo { // a fork may use any branch name
			branch = from + ":" + branch
		}
		d := draft{
			key: strings.Join([]string{"github", repo, name, branch}, "/"), title: name + " failed on " + branch + " of " + repo,
			body: strings.Join(nonBlank(run.str("display_title", "output.title", "description"), run.str("head_commit.message", "output.summary")), "\n"),
			link: run.str("html_url"), labels: map[string]string{},
		}
		if d.link == "" && o.any("repository.html_url") {
			d.link = o.str("repository.html_url") + "/commit/" + run.str("head_sha") + "/checks"
		}
		d.action = gitOutcome(run.str("conclusion", "state"))
		if again := strings.HasPrefix(normalize(o.str("action")), "re"); again || run.any("status") && normalize(run.str("status")) != "completed" {
			d.action = oncall.Update // queued to run again; its conclusion is the previous run's
		}
		d.level = gitLevel(branch, o.str("repository.default_branch"))
		d.label("repository", repo)
		d.label("branch", branch)
		d.label("workflow", name)
		d.detail("run", run.str("run_number"))
		d.detail("by", run.str("actor.login"))
		return single(d)
	}
	switch {
	case o.any("context") && o.any("state"):
		return single(gitHubStatus(o))
	case o.any("alert.number") && o.any("action"):
		return single(gitHubAlert(o, o.sub("alert")))
	}
	return single(draft{action: oncall.Update, key: "github/" + first(repo, "ping")})
}

// gitHubDeployment reads the status of a deployment. The commit changes every time; the environment
// stays.
func gitHubDeployment(o, run object) draft {
	repo := o.str("repository.full_name")
	where := first(run.str("environment"), o.str("deployment.environment"), "production")
	d := draft{
		key: strings.Join([]string{"github", repo, "deployment", where}, "/"), title: "Deployment to " + where + " failed, " + repo, body: run.str("description"),
		link: run.str("target_url", "log_url", "environment_url"), action: gitOutcome(run.str("state")), level: "high", labels: map[string]string{},
	}
	d.label("repository", repo)
	d.label("environment", where)
	d.detail("ref", o.str("deployment.ref"))
	return d
}

// gitHubStatus reads the status that an outside service sets on a commit.
func gitHubStatus(o object) draft {
	repo, branch := o.str("repository.full_name"), ""
	for _, one := range o.list("branches") {
		if branch == "" || one.str("name") == o.str("repository.default_branch") {
			branch = one.str("name")
		}
	}
	d := draft{
		key: strings.Join([]string{"github", repo, "status", o.str("context"), branch}, "/"), title: o.str("context") + " failed on " + first(branch, o.str("sha")) + " of " + repo,
		body: o.str("description"), link: o.str("target_url"), action: gitOutcome(o.str("state")),
		level: gitLevel(branch, o.str("repository.default_branch")), labels: map[string]string{},
	}
	d.label("repository", repo)
	d.label("branch", branch)
	return d
}

// gitHubAlert reads an alert about a dependency, a secret or code.
func gitHubAlert(o, alert object) draft {
	repo, kind := o.str("repository.full_name"), "alert"
	for _, one := range []string{"dependency", "secret_type", "tool"} {
		if alert.has(one) {
			kind = one
		}
	}
	d := draft{
		action: oncall.Trigger, key: strings.Join([]string{"github", repo, kind, alert.str("number")}, "/"), link: alert.str("html_url"),
		title: first(alert.str("security_advisory.summary", "rule.description", "secret_type_display_name", "secret_type", "affected_package_name"), "Alert "+alert.str("number")) + " in " + repo,
		body:  alert.str("security_advisory.description", "rule.full_description"), labels: map[string]string{},
		level: alert.str("security_advisory.severity", "rule.security_severity_level", "severity"),
	}
	switch normalize(o.str("action")) {
	case "fixed", "dismissed", "autodismissed", "resolved", "closedbyuser", "dismiss", "resolve":
		d.action = oncall.Clear
	case "created", "create", "reopen", "reopened", "autoreopened", "reintroduced", "appearedinbranch", "reopenedbyuser":
	default:
		d.action = oncall.Update
	}
	d.label("repository", repo)
	d.label("package", alert.str("dependency.package.name"))
	return d
}

// gitOutcome maps the conclusion of a run; one in progress or cancelled means nothing.
func gitOutcome(word string) oncall.Action {
	switch normalize(word) {
	case "failure", "failed", "timedout", "startupfailure", "error", "actionrequired":
		return oncall.Trigger
	case "success", "successful", "succeeded", "passed":
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
