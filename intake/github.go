package intake

import (
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

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
