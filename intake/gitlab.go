package intake

import (
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

func isGitLab(o object) bool {
	return o.any("object_kind") && (o.has("object_attributes") || o.has("build_status") || o.has("project") || o.has("deployable_id"))
}

// gitLab reads GitLab's webhooks about pipelines, jobs, deployments and alerts.
func gitLab(o object) ([]oncall.Signal, error) {
	kind, a := o.str("object_kind"), o.sub("object_attributes")
	project := first(o.str("project.path_with_namespace", "project_name", "project.name"), o.str("repository.name"))
	branch := first(o.str("merge_request.source_branch"), a.str("ref"), o.str("ref"))
	d := draft{key: strings.Join([]string{"gitlab", project, kind, branch}, "/"), labels: map[string]string{}, level: gitLevel(branch, o.str("project.default_branch"))}
	switch kind {
	case "pipeline":
		d.title, d.link = "Pipeline failed on "+branch+" of "+project, a.str("url")
		d.action, d.body = gitOutcome(a.str("status", "detailed_status")), o.str("commit.title", "commit.message")
		for _, job := range o.list("builds") {
			if job.str("status") == "failed" && job.str("allow_failure") != "true" {
				d.body = strings.Join(nonBlank(d.body, "failed: "+strings.Join(nonBlank(job.str("stage"), job.str("name")), "/")), "\n")
			}
		}
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
	return single(d)
}
