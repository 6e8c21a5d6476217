package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
)

// document reads a file in the repository.
func document(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile("../../" + file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// block returns the first code block in a language from a document.
func block(t *testing.T, file, language string) string {
	t.Helper()
	m := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindStringSubmatch(document(t, file))
	if m == nil {
		t.Fatalf("%s has no block of %s", file, language)
	}
	return m[1]
}

func TestDocExamplesWork(t *testing.T) {
	t.Parallel()
	const people = "users: [{name: Ann, slack: U0ANN}, {name: Bo, slack: U0BO}, {name: Cy, slack: U0CY}, {name: Di, slack: U0DI}]\n"
	const team = "teams: [{name: payments, channel: \"#payments\", members: [Ann]}]\npolicies: [{name: payments, team: payments, steps: [{page: [team payments], wait: 5m}]}]\n" +
		"integrations: [{name: payments-prometheus, team: payments, policy: payments}]\n"
	for file, more := range map[string]string{"docs/schedules.md": "", "docs/escalation.md": "", "docs/maintenance.md": team} {
		setup, err := parseSetup([]byte(people + more + block(t, file, "yaml")))
		if err != nil {
			t.Fatal(err)
		}
		if wrong := setup.Check(intake.Names()); len(wrong) > 0 {
			t.Errorf("%s has problems, want none: %s", file, strings.Join(wrong, "\n"))
		}
	}
	if _, err := ParseCase([]byte(block(t, "docs/schedules.md", "json"))); err != nil {
		t.Errorf("docs/schedules.md: %v", err)
	}
	demo, err := parseSetup(demoSetup)
	if err != nil {
		t.Fatal(err)
	}
	if wrong := demo.Check(intake.Names()); len(wrong) > 0 {
		t.Errorf("demo.yaml has problems, want none: %s", strings.Join(wrong, "\n"))
	}
}

func TestDocumentsNameEverySetting(t *testing.T) {
	t.Parallel()
	settings := document(t, "docs/settings.md")
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`env:"([A-Z_]+)"`).FindAllSubmatch(source, -1) {
			if !strings.Contains(settings, "`"+string(m[1])+"`") {
				t.Errorf("docs/settings.md doesn't name %s", m[1])
			}
		}
	}
}

// The output of config show is passed on, so every new setting has to be classified as secret or
// not.
func TestSecretSettingsAreKnown(t *testing.T) {
	t.Parallel()
	shown := strings.Fields(`OTEL_EXPORTER_OTLP_ENDPOINT OTEL_EXPORTER_OTLP_PROTOCOL OTEL_EXPORTER_OTLP_TRACES_ENDPOINT OTEL_RESOURCE_ATTRIBUTES OTEL_SERVICE_NAME WATCHBILL_TRACE_URL WATCHBILL_ACME_CACHE WATCHBILL_ACME_CA_FILE WATCHBILL_ACME_DOMAINS WATCHBILL_ACME_LISTEN WATCHBILL_ACME_MAIL WATCHBILL_ACME_URL
		WATCHBILL_TLS_CERT_FILE WATCHBILL_TLS_KEY_FILE DATABASE_URL TWILIO_ACCOUNT_SID TWILIO_EDGE TWILIO_FLOW_SID TWILIO_FROM TWILIO_MESSAGING_SERVICE_SID
		TWILIO_REGION WATCHBILL_ADMINS WATCHBILL_API_LIMIT WATCHBILL_CANARY WATCHBILL_CONNECTIONS WATCHBILL_ORGANISATIONS WATCHBILL_JWT_AUDIENCE WATCHBILL_JWT_ISSUER WATCHBILL_JWT_SCOPE_CLAIM WATCHBILL_JWT_TEAM_CLAIM WATCHBILL_KEEP_AUDIT WATCHBILL_KEEP_INCIDENTS WATCHBILL_LISTEN WATCHBILL_LOG_LEVEL WATCHBILL_MAIL_FROM
		WATCHBILL_MAIL_IN WATCHBILL_MAIL_IN_CERT WATCHBILL_MAIL_IN_CERT_KEY WATCHBILL_MAIL_IN_DOMAIN WATCHBILL_METRICS_LISTEN
		WATCHBILL_MIGRATE WATCHBILL_NTFY_REPLY_TOPIC WATCHBILL_NTFY_URL WATCHBILL_PHONE_COUNTRIES WATCHBILL_PUBLIC_URL
		WATCHBILL_PUSHOVER_API_URL WATCHBILL_SLACK_API_URL WATCHBILL_SMTP_CA_FILE WATCHBILL_SMTP_URL WATCHBILL_SPOOL
		WATCHBILL_TELEGRAM_API_URL WATCHBILL_OIDC_CLIENT_ID WATCHBILL_OIDC_ISSUER WATCHBILL_STATUS_PAGE WATCHBILL_TRUSTED_PROXIES WATCHBILL_TWILIO_API_URL WATCHBILL_WEB WATCHBILL_WEBHOOK_LOOPBACK WATCHBILL_WEBHOOK_PRIVATE`)
	secret := strings.Fields(`OTEL_EXPORTER_OTLP_HEADERS WATCHBILL_ALERTMANAGER_AUTH SLACK_APP_TOKEN SLACK_BOT_TOKEN SLACK_USER_TOKEN TWILIO_API_KEY TWILIO_API_SECRET TWILIO_AUTH_TOKEN
		TWILIO_SECONDARY_AUTH_TOKEN WATCHBILL_HEARTBEAT_URL WATCHBILL_NTFY_TOKEN WATCHBILL_OIDC_CLIENT_SECRET WATCHBILL_PUSHOVER_TOKEN WATCHBILL_SECRET WATCHBILL_TELEGRAM_TOKEN WATCHBILL_WEBHOOK_SECRET`)
	parser, err := kong.New(&serveCmd{}, trimmed)
	if err != nil {
		t.Fatal(err)
	}
	for _, env := range variables(parser.Model.Node) {
		if hidden := secretSetting(env); !slices.Contains(map[bool][]string{false: shown, true: secret}[hidden], env) {
			t.Errorf("%s is hidden: %v; is that right?", env, hidden)
		}
	}
}

func TestDocumentsTellWhatComesWhen(t *testing.T) {
	t.Parallel()
	var all []oncall.Contact
	names := map[oncall.ContactID]string{0: "Slack"}
	for i, info := range oncall.ContactMethods() {
		c := oncall.Contact{ID: oncall.ContactID(i + 1), Method: info.Method, VerifiedAt: new(time.Now())}
		all, names[c.ID] = append(all, c), info.Name
	}
	reach := oncall.ContactSettings{Contacts: all}
	after := map[oncall.Seconds][2][]string{}
	for i, rules := range [][]oncall.Rule{reach.Rules(false), reach.Rules(true)} {
		for _, r := range rules {
			line := after[r.After]
			line[i] = append(line[i], names[r.Contact])
			after[r.After] = line
		}
	}
	var table strings.Builder
	for _, s := range slices.Sorted(maps.Keys(after)) {
		when := fmt.Sprintf("%d min", s/60)
		if s == 0 {
			when = "at once"
		}
		line := fmt.Sprintf("| %s | %s | %s |\n", when, strings.Join(after[s][0], ", "), strings.Join(after[s][1], ", "))
		table.WriteString(strings.ReplaceAll(line, "|  |", "| |"))
	}
	if !strings.Contains(document(t, "docs/contacts.md"), "\n|---|---|---|\n"+table.String()+"\n") {
		t.Errorf("docs/contacts.md should say:\n%s", table.String())
	}
}
