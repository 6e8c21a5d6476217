package main

import (
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/watchbill/watchbill/store"
)

// processSettings belong to the process that serves the organisations. No organisation can have its
// own.
var processSettings = []string{
	"WATCHBILL_LISTEN", "WATCHBILL_METRICS_LISTEN", "WATCHBILL_TRUSTED_PROXIES", "WATCHBILL_SPOOL", "WATCHBILL_MIGRATE", "WATCHBILL_LOG_LEVEL",
	"WATCHBILL_ORGANISATIONS", "WATCHBILL_CONNECTIONS", "WATCHBILL_TLS_CERT_FILE", "WATCHBILL_TLS_KEY_FILE", "WATCHBILL_ACME_DOMAINS", "WATCHBILL_ACME_MAIL",
	"WATCHBILL_ACME_URL", "WATCHBILL_ACME_CA_FILE", "WATCHBILL_ACME_CACHE", "WATCHBILL_ACME_LISTEN", "WATCHBILL_MAIL_IN",
	"WATCHBILL_MAIL_IN_DOMAIN", "WATCHBILL_MAIL_IN_CERT", "WATCHBILL_MAIL_IN_CERT_KEY", "WATCHBILL_WEBHOOK_PRIVATE", "WATCHBILL_WEBHOOK_LOOPBACK",
}

// sharedSettings belong to the process, but an organisation may have its own instead.
var sharedSettings = []string{
	"WATCHBILL_API_LIMIT", "WATCHBILL_CANARY", "WATCHBILL_KEEP_INCIDENTS", "WATCHBILL_KEEP_AUDIT", "WATCHBILL_PHONE_COUNTRIES",
	"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_PROTOCOL",
	"OTEL_RESOURCE_ATTRIBUTES", "OTEL_SERVICE_NAME", "WATCHBILL_TRACE_URL",
	"WATCHBILL_SLACK_API_URL", "WATCHBILL_PUSHOVER_API_URL", "WATCHBILL_TELEGRAM_API_URL", "WATCHBILL_TWILIO_API_URL", "WATCHBILL_SMTP_CA_FILE",
}

// ownSetting reports whether each organisation has its own value for a setting, such as its Slack app
// and its secret.
func ownSetting(env string) bool {
	return env != "DATABASE_URL" && env != "WATCHBILL_SECRET" && !slices.Contains(processSettings, env) && !slices.Contains(sharedSettings, env)
}

// hostProblems returns what is wrong with the settings of a process that serves organisations.
func (c *serveCmd) hostProblems() (wrong []string) {
	if c.Secret == "" {
		wrong = append(wrong, "WATCHBILL_SECRET is not set: it encrypts the settings of the organisations")
	}
	if c.Connections < orgConns+orgIntakeConns+orgSessions {
		wrong = append(wrong, fmt.Sprintf("WATCHBILL_CONNECTIONS is %d, and one organisation alone may need %d", c.Connections, orgConns+orgIntakeConns+orgSessions))
	}
	return wrong
}

// misplaced names settings of this process that belong to an organisation.
func misplaced(flags []*kong.Flag) (wrong []string) {
	for _, f := range flags {
		if len(f.Envs) > 0 && ownSetting(f.Envs[0]) && fmt.Sprint(f.Target.Interface()) != f.Default {
			if value := fmt.Sprint(f.Target.Interface()); value != "" && value != "false" {
				wrong = append(wrong, f.Envs[0]+" belongs to an organisation and not to the process that serves them all: give it to `watchbill org add` or `org set`")
			}
		}
	}
	return wrong
}

// processValues returns the settings of this process that also apply to its organisations, by
// variable.
func processValues(flags []*kong.Flag) map[string]string {
	values := map[string]string{}
	for _, f := range flags {
		if len(f.Envs) > 0 && f.Envs[0] != "DATABASE_URL" && f.Envs[0] != "WATCHBILL_SECRET" && !ownSetting(f.Envs[0]) {
			values[f.Envs[0]] = fmt.Sprint(f.Target.Interface())
		}
	}
	for _, env := range []string{ // what the process does for all of them
		"WATCHBILL_LISTEN", "WATCHBILL_METRICS_LISTEN", "WATCHBILL_SPOOL", "WATCHBILL_ORGANISATIONS", "WATCHBILL_TLS_CERT_FILE", "WATCHBILL_TLS_KEY_FILE",
		"WATCHBILL_ACME_DOMAINS", "WATCHBILL_ACME_MAIL", "WATCHBILL_ACME_URL", "WATCHBILL_ACME_CA_FILE", "WATCHBILL_ACME_CACHE", "WATCHBILL_ACME_LISTEN",
		"WATCHBILL_MAIL_IN", "WATCHBILL_MAIL_IN_DOMAIN", "WATCHBILL_MAIL_IN_CERT", "WATCHBILL_MAIL_IN_CERT_KEY",
	} {
		delete(values, env)
	}
	return values
}

// parseCommand parses a command line with the given settings, by variable, and no others.
func parseCommand(values map[string]string, args []string, parsed *cli, options ...kong.Option) (*kong.Context, error) {
	sources := &settingSources{getenv: func(string) string { return "" }, found: map[*kong.Value]string{}, file: values, name: "its settings"}
	options = append([]kong.Option{
		kong.Name("watchbill"), trimmed, kong.Resolvers(sources), kong.Bind(sources), kong.Writers(io.Discard, io.Discard), kong.Exit(func(int) {}),
	}, options...)
	parser, err := kong.New(parsed, options...)
	if err != nil {
		return nil, err
	}
	sources.known = variables(parser.Model.Node)
	ignoreEnvironment(parser.Model.Node)
	return parser.Parse(args)
}

// ignoreEnvironment keeps kong from reading this process's environment.
func ignoreEnvironment(n *kong.Node) {
	for _, f := range n.Flags {
		f.Tag.Envs = nil
	}
	for _, below := range n.Children {
		ignoreEnvironment(below)
	}
}

// parseServe returns serve with the given settings, by variable, and no others.
func parseServe(values map[string]string) (*serveCmd, error) {
	var parsed cli
	if _, err := parseCommand(values, []string{"serve"}, &parsed); err != nil {
		return nil, err
	}
	return &parsed.Serve, nil
}

var organisationName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// readSettings reads an organisation's settings from a file and reports settings that an organisation
// can't have.
func readSettings(name string, known []string) (map[string]string, error) {
	if name == "" {
		return map[string]string{}, nil
	}
	if name == "-" {
		name = os.Stdin.Name()
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	values, err := readConfig(data, known)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var wrong []string
	for _, env := range slices.Sorted(maps.Keys(values)) {
		plain, isFile := strings.CutSuffix(env, "_FILE")
		if isFile && slices.Contains(known, plain) && !slices.Contains(known, env) {
			value, err := readSetting(values[env])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", configKey(env), err)
			}
			delete(values, env)
			values[plain], env = value, plain
		}
		if slices.Contains(processSettings, env) {
			wrong = append(wrong, configKey(env)+" is one of the process that serves all organisations, so none has its own")
		}
	}
	if len(wrong) > 0 {
		return nil, wrongUse(wrong)
	}
	return values, nil
}

// hostOfAddress returns the host of an organisation's public address; "" if it has none.
func hostOfAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// databaseNamed describes where an organisation's database is, without its password.
func databaseNamed(o store.Organisation) string {
	cfg, err := pgxpool.ParseConfig(o.Settings["DATABASE_URL"])
	if err != nil {
		return "unknown"
	}
	text := strings.Join(store.Hosts(cfg), ",") + "/" + cfg.ConnConfig.Database
	if schema := cfg.ConnConfig.RuntimeParams["search_path"]; schema != "" {
		text += ", schema " + schema
	}
	return text
}
