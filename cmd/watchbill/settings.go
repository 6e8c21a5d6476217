package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"reflect"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/watchbill/watchbill/spool"
)

// trimmed reads flags and environment variables without surrounding white space, because mounted
// secrets usually end in a newline.
var trimmed = kong.KindMapper(reflect.String, kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
	var value string
	if err := ctx.Scan.PopValueInto("string", &value); err != nil {
		return err
	}
	target.SetString(strings.TrimSpace(value))
	return nil
}))

// spoolFlags set where signals are kept while the database is away.
type spoolFlags struct {
	Spool string `env:"WATCHBILL_SPOOL" placeholder:"DIR" help:"Directory, of this instance alone, where signals are kept while the database is away; without it they are refused meanwhile."`
}

func (f spoolFlags) problems() []string {
	if f.Spool != "" && spool.InMemory(f.Spool) {
		return []string{"WATCHBILL_SPOOL is in memory (tmpfs), where signals that were accepted would not survive a restart of the machine; name a directory on a disk"}
	}
	return nil
}

// mailInFlags set where monitors' mail is accepted.
type mailInFlags struct {
	MailIn       string `env:"WATCHBILL_MAIL_IN" placeholder:"HOST:PORT" help:"Address on which mails to KEY@DOMAIN are taken as signals, such as :25; without it none are."`
	MailInDomain string `env:"WATCHBILL_MAIL_IN_DOMAIN" placeholder:"DOMAIN" help:"The domain of these addresses, such as alerts.example.com; any where it is left out."`
	MailInCert   string `env:"WATCHBILL_MAIL_IN_CERT" placeholder:"FILE" help:"Certificate for STARTTLS, as PEM; it is read anew for each connection."`
	MailInKey    string `env:"WATCHBILL_MAIL_IN_CERT_KEY" placeholder:"FILE" help:"Its private key."`
}

func (f mailInFlags) problems() (wrong []string) {
	if f.MailIn == "" {
		return nil
	}
	wrong = listenProblems("WATCHBILL_MAIL_IN", f.MailIn)
	if f.MailInCert == "" && f.MailInKey == "" {
		return wrong
	}
	if _, err := tls.LoadX509KeyPair(f.MailInCert, f.MailInKey); err != nil {
		wrong = append(wrong, "WATCHBILL_MAIL_IN_CERT and WATCHBILL_MAIL_IN_CERT_KEY: "+err.Error())
	}
	return wrong
}

// config returns the settings of the mail server, as far as they come from flags.
func (f mailInFlags) config() mailIn {
	in := mailIn{listen: f.MailIn, domain: f.MailInDomain}
	if f.MailInCert != "" {
		in.tls = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			cert, err := tls.LoadX509KeyPair(f.MailInCert, f.MailInKey)
			return &cert, err
		}}
	}
	return in
}

// databaseFlags says where the database is.
type databaseFlags struct {
	DatabaseURL string `name:"database-url" env:"DATABASE_URL" placeholder:"URL" help:"PostgreSQL 14 or newer: postgres://user:password@host:5432/name."`
}

func (f databaseFlags) problems() []string {
	if f.DatabaseURL == "" {
		return []string{"DATABASE_URL is not set: the PostgreSQL database, such as postgres://watchbill:secret@localhost:5432/watchbill"}
	}
	if !databaseAddress(f.DatabaseURL) {
		// pgx's error could contain the password.
		return []string{"DATABASE_URL " + noAddress}
	}
	return nil
}

const noAddress = "is not a PostgreSQL address such as postgres://watchbill:secret@localhost:5432/watchbill; " +
	"a / # ? or @ in its password is percent-encoded: %2F %23 %3F %40"

// databaseAddress reports whether an address can be used. A password that isn't encoded may end early, and the
// rest of it be read as the name of the database.
func databaseAddress(address string) bool {
	if _, err := pgxpool.ParseConfig(address); err != nil {
		return false
	}
	_, rest, _ := strings.Cut(address, "://")
	ends := strings.IndexAny(rest, "/?#")
	if ends < 0 {
		return true // or in another form
	}
	before, after := rest[:ends], rest[ends:]
	if after[0] == '?' {
		return strings.Contains(before, "@") || !strings.Contains(after, "@")
	}
	name, _, _ := strings.Cut(after, "?")
	return !strings.Contains(name, "@")
}

// slackFlags says which Slack app we are.
type slackFlags struct {
	SlackBotToken  string `env:"SLACK_BOT_TOKEN" placeholder:"xoxb-…" help:"Bot token, from the app's page \"OAuth & Permissions\"."`
	SlackAppToken  string `env:"SLACK_APP_TOKEN" placeholder:"xapp-…" help:"App-level token with connections:write, from \"Basic Information\"."`
	SlackUserToken string `env:"SLACK_USER_TOKEN" placeholder:"xoxp-…" help:"An admin's token, only for user groups where the workspace doesn't let apps change them."`
	SlackAPIURL    string `name:"slack-api-url" env:"WATCHBILL_SLACK_API_URL" placeholder:"URL" help:"Another address of Slack's Web API, for a proxy or a simulator; ends with /."`
}

func (f slackFlags) problems() []string {
	var out []string
	check := func(name, value, prefix, where string) {
		switch {
		case value == "":
			out = append(out, fmt.Sprintf("%s is not set: it begins with %s and stands on the Slack app's page %q", name, prefix, where))
		case !strings.HasPrefix(value, prefix):
			out = append(out, fmt.Sprintf("%s does not begin with %s; the right one stands on the Slack app's page %q", name, prefix, where))
		case placeholder(value):
			out = append(out, fmt.Sprintf("%s is still the example; the right one stands on the Slack app's page %q", name, where))
		}
	}
	check("SLACK_BOT_TOKEN", f.SlackBotToken, "xoxb-", "OAuth & Permissions")
	check("SLACK_APP_TOKEN", f.SlackAppToken, "xapp-", "Basic Information")
	if f.SlackUserToken != "" && !strings.HasPrefix(f.SlackUserToken, "xoxp-") {
		out = append(out, "SLACK_USER_TOKEN does not begin with xoxp-; leave it out unless user groups need an admin's token")
	}
	if placeholder(f.SlackUserToken) {
		out = append(out, "SLACK_USER_TOKEN is still the example; leave it out unless user groups need an admin's token")
	}
	if f.SlackAPIURL != "" {
		u, err := url.Parse(f.SlackAPIURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || !strings.HasSuffix(f.SlackAPIURL, "/") {
			out = append(out, "WATCHBILL_SLACK_API_URL is not an address such as https://slack.com/api/ (the / at the end counts)")
		}
	}
	return out
}

// placeholder reports whether a token is an example's, such as xoxb-…
func placeholder(token string) bool {
	return strings.Contains(token, "…") || strings.Contains(token, "...")
}

// logFlags says what to log.
type logFlags struct {
	LogLevel string `env:"WATCHBILL_LOG_LEVEL" default:"info" help:"debug, info, warn or error."`
}

func (f logFlags) problems() []string {
	switch f.LogLevel {
	case "debug", "info", "warn", "error":
		return nil
	}
	return []string{fmt.Sprintf("WATCHBILL_LOG_LEVEL is %q; it may be debug, info, warn or error", f.LogLevel)}
}

// listenProblems checks an address to listen on.
func listenProblems(name, addr string) []string {
	if _, port, err := net.SplitHostPort(addr); err != nil || port == "" {
		return []string{fmt.Sprintf("%s is %q; it must be an address and port such as :8080 or 127.0.0.1:8080", name, addr)}
	}
	return nil
}

// publicURLProblems checks the address at which others reach Watchbill.
func publicURLProblems(address string) []string {
	if address == "" {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
		return []string{fmt.Sprintf("WATCHBILL_PUBLIC_URL is %q; it must be an address such as https://watchbill.example.com", address)}
	}
	return nil
}

// adminList splits the list of admins.
func adminList(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

var adminName = regexp.MustCompile(`^([UW][A-Z0-9]+|[^@\s<>()\[\]{}"':;]+@[^@\s<>()\[\]{}"':;]+)$`)

// adminProblems names admins who are neither an id nor an address, and so would be nobody.
func adminProblems(list string) (wrong []string) {
	for _, name := range adminList(list) {
		if !adminName.MatchString(name) {
			wrong = append(wrong, fmt.Sprintf("WATCHBILL_ADMINS has %q, which is neither a Slack id such as U0123456789 nor an e-mail address", name))
		}
	}
	return wrong
}
