package main

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
)

// channelFlags are the settings of all channels besides Slack.
type channelFlags struct {
	twilioFlags      `embed:""`
	SMTPURL          string `name:"smtp-url" env:"WATCHBILL_SMTP_URL" placeholder:"URL" help:"Mail server: smtps://user:password@mail.example.com:465, or smtp://… with STARTTLS."`
	SMTPCAFile       string `name:"smtp-ca-file" env:"WATCHBILL_SMTP_CA_FILE" placeholder:"FILE" help:"Certificates (PEM) that vouch for the mail server, instead of the machine's."`
	MailFrom         string `env:"WATCHBILL_MAIL_FROM" placeholder:"ADDRESS" help:"Where mail comes from, such as Watchbill <oncall@example.com>."`
	NtfyURL          string `name:"ntfy-url" env:"WATCHBILL_NTFY_URL" placeholder:"URL" help:"Server of ntfy: https://ntfy.sh or your own."`
	NtfyToken        string `env:"WATCHBILL_NTFY_TOKEN" placeholder:"tk_…" help:"Access token that may publish to people's topics and read the reply topic."`
	NtfyReplyTopic   string `env:"WATCHBILL_NTFY_REPLY_TOPIC" placeholder:"TOPIC" help:"Topic to which the buttons of a push send their answer; without it there are no buttons."`
	PushoverToken    string `env:"WATCHBILL_PUSHOVER_TOKEN" placeholder:"TOKEN" help:"API token of your application at pushover.net."`
	PushoverURL      string `name:"pushover-api-url" env:"WATCHBILL_PUSHOVER_API_URL" placeholder:"URL" help:"Another address in place of Pushover's, for a proxy or a simulator."`
	TelegramURL      string `name:"telegram-api-url" env:"WATCHBILL_TELEGRAM_API_URL" placeholder:"URL" help:"Another address in place of Telegram's: a Bot API server of your own, a proxy or a simulator."`
	TelegramToken    string `env:"WATCHBILL_TELEGRAM_TOKEN" placeholder:"TOKEN" help:"Token of your Telegram bot, from @BotFather."`
	WebhookSecret    string `env:"WATCHBILL_WEBHOOK_SECRET" placeholder:"SECRET" help:"Signs outgoing webhooks."`
	WebhookPrivate   bool   `env:"WATCHBILL_WEBHOOK_PRIVATE" default:"true" negatable:"" help:"Webhooks, and other servers of ntfy, may be in private networks."`
	AlertmanagerAuth string `env:"WATCHBILL_ALERTMANAGER_AUTH" placeholder:"LIST" help:"Who silences, for each Alertmanager that asks: https://user:password@alertmanager.example.com, or https://:TOKEN@… for a bearer token; divided by commas."`
	WebhookLoopback  string `env:"WATCHBILL_WEBHOOK_LOOPBACK" placeholder:"LIST" help:"Addresses of this machine to which they may go, such as 127.0.0.1:9000, divided by commas; localhost for all."`
}

// A channel is a configured provider, which reaches people in one or two ways.
type channel struct {
	name     string                          // as the doctor prints it
	problems []string                        // with its settings; these never contain a secret
	senders  map[oncall.Method]notify.Sender // by contact method; none: the channel is not configured
}

// channels lists all channels, one entry each, in the order in which the doctor reports on them.
func (f channelFlags) channels(clock func() time.Time, public string) []channel {
	return []channel{
		f.mail(),
		f.ntfy(),
		f.pushover(clock),
		f.telegram(),
		f.twilio(clock, public),
		f.webhook(clock),
	}
}

// problems returns what is wrong with the settings, without any value that could be a secret.
func (f channelFlags) problems() []string {
	var out []string
	for _, c := range f.channels(nil, "") {
		out = append(out, c.problems...)
	}
	return append(out, f.alertmanager().Problems()...)
}

// senders returns the senders of the configured channels.
func (f channelFlags) senders(clock func() time.Time, public string) map[oncall.Method]notify.Sender {
	out := map[oncall.Method]notify.Sender{}
	for _, c := range f.channels(clock, public) {
		maps.Copy(out, c.senders)
	}
	return out
}

func (f channelFlags) mail() channel {
	c := channel{name: "mail"}
	if f.SMTPURL == "" {
		if f.MailFrom != "" || f.SMTPCAFile != "" {
			c.problems = []string{"WATCHBILL_SMTP_URL is not set, but other settings of mail are; it is the mail server, such as smtps://user:password@mail.example.com:465"}
		}
		return c
	}
	config, err := notify.NewMailConfig(f.SMTPURL, f.MailFrom)
	if err == nil && f.SMTPCAFile != "" {
		err = trust(&config, f.SMTPCAFile)
	}
	if err != nil {
		c.problems = []string{err.Error()}
		return c
	}
	c.senders = map[oncall.Method]notify.Sender{oncall.MethodEmail: notify.NewMail(config)}
	return c
}

// trust adds the certificates in a file to those trusted for the mail server.
func trust(c *notify.MailConfig, file string) error {
	certificates, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("WATCHBILL_SMTP_CA_FILE can't be read: %w", err)
	}
	if !c.Trust(certificates) {
		return fmt.Errorf("WATCHBILL_SMTP_CA_FILE has no certificate in it (PEM)")
	}
	return nil
}

func (f channelFlags) ntfy() channel {
	rules, _ := f.addressRules() // errors are reported with the webhooks
	config := notify.NtfyConfig{URL: f.NtfyURL, Token: f.NtfyToken, ReplyTopic: f.NtfyReplyTopic, Rules: rules}
	c := channel{name: "ntfy", problems: config.Problems()}
	// Only a topic on our own server, not the full address of another one.
	if _, err := oncall.MethodNtfy.CheckAddress(f.NtfyReplyTopic); f.NtfyReplyTopic != "" && (err != nil || strings.Contains(f.NtfyReplyTopic, "/")) {
		c.problems = append(c.problems, "WATCHBILL_NTFY_REPLY_TOPIC is not a topic: letters, digits, - and _, 64 at most")
	}
	if f.NtfyURL != "" {
		c.senders = map[oncall.Method]notify.Sender{oncall.MethodNtfy: notify.NewNtfy(config)}
	}
	return c
}

func (f channelFlags) pushover(clock func() time.Time) channel {
	config := notify.PushoverConfig{Token: f.PushoverToken, URL: f.PushoverURL, Clock: clock}
	c := channel{name: "pushover", problems: config.Problems()}
	if f.PushoverToken != "" {
		c.senders = map[oncall.Method]notify.Sender{oncall.MethodPushover: notify.NewPushover(config)}
	}
	return c
}

func (f channelFlags) telegram() channel {
	config := notify.TelegramConfig{Token: f.TelegramToken, URL: f.TelegramURL}
	c := channel{name: "telegram", problems: config.Problems()}
	if f.TelegramToken != "" {
		c.senders = map[oncall.Method]notify.Sender{oncall.MethodTelegram: notify.NewTelegram(config)}
	}
	return c
}

// outbound makes calls to addresses in messages, by the same rules.
func (f channelFlags) outbound() http.RoundTripper {
	rules, _ := f.addressRules() // errors are reported with the webhooks
	return rules.Transport()
}

// webhooks returns the caller of outgoing webhooks.
func (f channelFlags) webhooks() *notify.Hooks {
	rules, _ := f.addressRules() // errors are reported with the webhooks
	return notify.NewHooks(rules)
}

// calendars reads those of people.
func (f channelFlags) calendars() *notify.Calendars {
	rules, _ := f.addressRules() // its problems are the webhooks'
	return notify.NewCalendars(rules)
}

// alertmanager returns the settings for silencing in Alertmanager.
func (f channelFlags) alertmanager() notify.AlertmanagerConfig {
	rules, _ := f.addressRules() // errors are reported with the webhooks
	return notify.AlertmanagerConfig{Auth: f.AlertmanagerAuth, Rules: rules}
}

// addressRules returns the rules for addresses that people enter.
func (f channelFlags) addressRules() (notify.AddressRules, error) {
	listed, err := notify.ParseLoopback(f.WebhookLoopback)
	if err != nil {
		err = fmt.Errorf("WATCHBILL_WEBHOOK_LOOPBACK: %w", err)
	}
	return notify.AddressRules{Private: f.WebhookPrivate, Loopback: listed}, err
}

// webhook needs no settings.
func (f channelFlags) webhook(clock func() time.Time) channel {
	rules, err := f.addressRules()
	config := notify.WebhookConfig{Secret: f.WebhookSecret, Rules: rules, Clock: clock}
	problems := config.Problems()
	if err != nil {
		problems = append(problems, err.Error())
	}
	return channel{
		name: "webhook", problems: problems,
		senders: map[oncall.Method]notify.Sender{oncall.MethodWebhook: notify.NewWebhook(config)},
	}
}
