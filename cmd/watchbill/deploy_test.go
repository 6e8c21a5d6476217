package main

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// The table in docs/kubernetes.md lists the chart's values, all of them and no others.
func TestChartsValuesAreDocumented(t *testing.T) {
	t.Parallel()
	var values map[string]any
	if err := yaml.Unmarshal([]byte(document(t, "deploy/helm/watchbill/values.yaml")), &values); err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(document(t, "docs/kubernetes.md"), "\n| --- | --- | --- |\n")
	var named []string
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "| ") {
			break
		}
		cell, _, _ := strings.Cut(line[2:], " | ")
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cell, -1) {
			named = append(named, m[1])
		}
	}
	var there []string
	for name, v := range values {
		below, ok := v.(map[string]any)
		if !ok || len(below) == 0 || name == "resources" { // these keys are Kubernetes' own
			there = append(there, name)
			continue
		}
		for key := range below {
			there = append(there, name+"."+key)
		}
	}
	slices.Sort(named)
	slices.Sort(there)
	if !slices.Equal(named, there) {
		t.Errorf("docs/kubernetes.md names\n%q\nwant the chart's\n%q", named, there)
	}
}

// The chart's schema knows its values, all of them and no others, so that a typo is refused.
func TestChartsSchemaHasItsValues(t *testing.T) {
	t.Parallel()
	type object struct {
		AdditionalProperties any               `json:"additionalProperties"`
		Properties           map[string]object `json:"properties"`
	}
	var schema object
	if err := json.Unmarshal([]byte(document(t, "deploy/helm/watchbill/values.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := yaml.Unmarshal([]byte(document(t, "deploy/helm/watchbill/values.yaml")), &values); err != nil {
		t.Fatal(err)
	}
	delete(schema.Properties, "global") // Helm's own
	var same func(path string, is object, want map[string]any)
	same = func(path string, is object, want map[string]any) {
		if is.AdditionalProperties != false {
			t.Errorf("values.schema.json lets any key through in %q, want only those there are", path)
		}
		if got, want := slices.Sorted(maps.Keys(is.Properties)), slices.Sorted(maps.Keys(want)); !slices.Equal(got, want) {
			t.Errorf("values.schema.json has in %q\n%q\nwant\n%q", path, got, want)
		}
		for name, below := range is.Properties {
			if values, ok := want[name].(map[string]any); ok && len(below.Properties) > 0 {
				same(path+name+".", below, values)
			}
		}
	}
	same("", schema, values)
}

// Every setting named in the chart, the unit and the compose file exists.
func TestDeployFilesNameExistingSettings(t *testing.T) {
	t.Parallel()
	settings := document(t, "docs/settings.md")
	for _, file := range []string{
		"compose.yaml", "deploy/systemd/watchbill.service", "deploy/helm/watchbill/templates/statefulset.yaml", "deploy/helm/watchbill/templates/_helpers.tpl",
		"deploy/helm/values/all.yaml", "docs/install.md", "docs/kubernetes.md", "deploy/kubernetes/watchbill.yaml",
	} {
		for _, name := range regexp.MustCompile(`\b(WATCHBILL_[A-Z_]+|SLACK_[A-Z_]+|DATABASE_URL)\b`).FindAllString(document(t, file), -1) {
			if name == "WATCHBILL_DOMAIN" || name == "WATCHBILL_BIND" { // used only by the compose file
				continue
			}
			if !strings.Contains(settings, "`"+name+"`") {
				t.Errorf("%s: there is no setting %s, want settings to contain %q", file, name, "`"+name+"`")
			}
		}
	}
}

// Each recipe waits until something runs, asks the doctor, and only then applies a set-up.
func TestRecipesAskTheDoctorFirst(t *testing.T) {
	t.Parallel()
	for file, recipes := range map[string]int{"docs/install.md": 2, "docs/kubernetes.md": 1, "deploy/helm/watchbill/templates/NOTES.txt": 1} {
		found := 0
		for _, recipe := range regexp.MustCompile(`(?m)(?:^ {2,}\S.*\n)+`).FindAllString(document(t, file), -1) {
			apply := strings.Index(recipe, "watchbill apply")
			if apply < 0 {
				continue
			}
			found++
			doctor := strings.Index(recipe, "watchbill doctor")
			runs := max(strings.Index(recipe, "up -d --wait"), strings.Index(recipe, "rollout status"), strings.Index(recipe, "enable --now"))
			if runs < 0 || doctor < runs || apply < doctor {
				t.Errorf("%s has\n%s\nwant a wait, then watchbill doctor, then watchbill apply", file, recipe)
			}
		}
		if found != recipes {
			t.Errorf("%s has %d recipes that apply a set-up, want %d", file, found, recipes)
		}
	}
}

// What docs/backup.md does with compose names services of compose.yaml.
func TestComposeRestoreNamesServices(t *testing.T) {
	t.Parallel()
	services := readCompose(t).Services
	_, section, _ := strings.Cut(document(t, "docs/backup.md"), "### With compose\n")
	steps := regexp.MustCompile(`docker compose (?:exec|stop|run --rm|cp \S+|cp) ([a-z]+)\b`).FindAllStringSubmatch(section, -1)
	if len(steps) < 6 {
		t.Fatalf("docs/backup.md has %d steps with services, want more\n%s", len(steps), section)
	}
	for _, step := range steps {
		if _, ok := services[step[1]]; !ok {
			t.Errorf("docs/backup.md has %q; there is no such service", step[0])
		}
	}
}
