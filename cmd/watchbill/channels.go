package main

import (
	"crypto/x509"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
)

// channelFlags say how mail, pushes and webhooks are sent.
type channelFlags struct {
	SMTPURL        string `name:"smtp-url" env:"WATCHBILL_SMTP_URL" placeholder:"URL" help:"Mail server: smtps://user:password@mail.example.com:465, or smtp://… with STARTTLS."`
	SMTPCAFile     string `name:"smtp-ca-file" env:"WATCHBILL_SMTP_CA_FILE" placeholder:"FILE" help:"Certificates (PEM) that vouch for the mail server, instead of the machine's."`
	MailFrom       string `env:"WATCHBILL_MAIL_FROM" placeholder:"ADDRESS" help:"Where mail comes from, such as Watchbill <oncall@example.com>."`
	NtfyURL        string `name:"ntfy-url" env:"WATCHBILL_NTFY_URL" placeholder:"URL" help:"Server of ntfy: https://ntfy.sh or your own."`
	NtfyToken      string `env:"WATCHBILL_NTFY_TOKEN" placeholder:"tk_…" help:"Access token that may publish to people's topics and read the reply topic."`
	NtfyReplyTopic string `env:"WATCHBILL_NTFY_REPLY_TOPIC" placeholder:"TOPIC" help:"Topic to which the buttons of a push send their answer; without it there are no buttons."`
	PushoverToken  string `env:"WATCHBILL_PUSHOVER_TOKEN" placeholder:"TOKEN" help:"API token of your application at pushover.net."`
	PushoverURL    string `name:"pushover-api-url" env:"WATCHBILL_PUSHOVER_API_URL" placeholder:"URL" help:"Another address in place of Pushover's, for a proxy or a simulator."`
	TelegramURL    string `name:"telegram-api-url" env:"WATCHBILL_TELEGRAM_API_URL" placeholder:"URL" help:"Another address in place of Telegram's: a Bot API server of your own, a proxy or a simulator."`
	TelegramToken  string `env:"WATCHBILL_TELEGRAM_TOKEN" placeholder:"TOKEN" help:"Token of your Telegram bot, from @BotFather."`
	WebhookSecret  string `env:"WATCHBILL_WEBHOOK_SECRET" placeholder:"SECRET" help:"Signs outgoing webhooks."`
	WebhookPrivate bool   `env:"WATCHBILL_WEBHOOK_PRIVATE" default:"true" negatable:"" help:"Webhooks may go to this machine and to private networks."`
}

var (
	ntfyTopic     = regexp.MustCompile(`^[-_A-Za-z0-9]{1,64}$`)
	pushoverToken = regexp.MustCompile(`^[A-Za-z0-9]{30}$`)
	telegramToken = regexp.MustCompile(`^[0-9]+:[-_A-Za-z0-9]{30,}$`)
)

const shortestSecret = 16 // characters of the webhooks' secret

// problems never repeats a value that could be a secret.
func (f channelFlags) problems() []string {
	out := f.mailProblems()
	if f.NtfyURL != "" {
		u, err := url.Parse(f.NtfyURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
			out = append(out, "WATCHBILL_NTFY_URL is not an address such as https://ntfy.sh")
		}
	} else if f.NtfyToken != "" || f.NtfyReplyTopic != "" {
		out = append(out, "WATCHBILL_NTFY_URL is not set, but other settings of ntfy are; it is the server, such as https://ntfy.sh")
	}
	if f.NtfyToken != "" && !strings.HasPrefix(f.NtfyToken, "tk_") {
		out = append(out, "WATCHBILL_NTFY_TOKEN does not begin with tk_; `ntfy token add USER` makes one")
	}
	if f.NtfyReplyTopic != "" && !ntfyTopic.MatchString(f.NtfyReplyTopic) {
		out = append(out, "WATCHBILL_NTFY_REPLY_TOPIC is not a topic: letters, digits, - and _, 64 at most")
	}
	for name, address := range map[string]string{
		"WATCHBILL_PUSHOVER_API_URL": f.PushoverURL, "WATCHBILL_TELEGRAM_API_URL": f.TelegramURL,
	} {
		if u, err := url.Parse(address); address != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			out = append(out, name+" is not an address such as https://example.com")
		}
	}
	if f.PushoverToken != "" && !pushoverToken.MatchString(f.PushoverToken) {
		out = append(out, "WATCHBILL_PUSHOVER_TOKEN is not an API token of 30 letters and digits; it stands on your application's page at pushover.net")
	}
	if f.TelegramToken != "" && !telegramToken.MatchString(f.TelegramToken) {
		out = append(out, "WATCHBILL_TELEGRAM_TOKEN is not a bot's token such as 123456:ABC-DEF…; @BotFather gives it")
	}
	if n := len(f.WebhookSecret); n > 0 && n < shortestSecret {
		out = append(out, fmt.Sprintf("WATCHBILL_WEBHOOK_SECRET is shorter than %d characters; `openssl rand -hex 32` makes a good one", shortestSecret))
	}
	return out
}

func (f channelFlags) mailProblems() []string {
	if f.SMTPURL == "" {
		if f.MailFrom != "" || f.SMTPCAFile != "" {
			return []string{"WATCHBILL_SMTP_URL is not set, but other settings of mail are; it is the mail server, such as smtps://user:password@mail.example.com:465"}
		}
		return nil
	}
	_, err := f.mail()
	if err != nil {
		return []string{err.Error()}
	}
	return nil
}

// mail reads the settings of mail.
func (f channelFlags) mail() (notify.MailConfig, error) {
	c, err := mailServer(f.SMTPURL)
	if err != nil {
		return c, err
	}
	if f.MailFrom == "" {
		return c, fmt.Errorf("WATCHBILL_MAIL_FROM is not set: the address that mail comes from, such as Watchbill <oncall@example.com>")
	}
	from, err := mail.ParseAddress(f.MailFrom)
	if err != nil {
		return c, fmt.Errorf("WATCHBILL_MAIL_FROM is %q; it must be an address such as Watchbill <oncall@example.com>", f.MailFrom)
	}
	c.From = *from
	if f.SMTPCAFile == "" {
		return c, nil
	}
	text, err := os.ReadFile(f.SMTPCAFile)
	if err != nil {
		return c, fmt.Errorf("WATCHBILL_SMTP_CA_FILE can't be read: %w", err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(text) {
		return c, fmt.Errorf("WATCHBILL_SMTP_CA_FILE has no certificate in it (PEM)")
	}
	return c, nil
}

// mailServer reads WATCHBILL_SMTP_URL.
func mailServer(address string) (notify.MailConfig, error) {
	u, err := url.Parse(address)
	wrong := fmt.Errorf("WATCHBILL_SMTP_URL is not an address such as smtps://user:password@mail.example.com:465 or smtp://user:password@mail.example.com:587; in a password, %%40 is @ and %%2F is /")
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return notify.MailConfig{}, wrong
	}
	c := notify.MailConfig{Host: u.Hostname(), User: u.User.Username()}
	c.Password, _ = u.User.Password()
	switch u.Scheme {
	case "smtps":
		c.TLS, c.Port = notify.MailTLSOnly, 465
	case "smtp":
		c.TLS, c.Port = notify.MailStartTLS, 587
	case "smtp+insecure":
		c.TLS, c.Port = notify.MailPlain, 25
		if ip := net.ParseIP(c.Host); c.Host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return c, fmt.Errorf("WATCHBILL_SMTP_URL is smtp+insecure, which encrypts nothing and is only for a mail server on this machine; use smtp:// (STARTTLS) or smtps://")
		}
	default:
		return c, wrong
	}
	if u.Port() != "" {
		if c.Port, err = strconv.Atoi(u.Port()); err != nil || c.Port < 1 || c.Port > 65535 {
			return c, wrong
		}
	}
	return c, nil
}

// senders are the channels that these settings give. Webhooks need none.
func (f channelFlags) senders(clock func() time.Time) map[string]notify.Sender {
	out := map[string]notify.Sender{oncall.MethodWebhook: notify.NewWebhook(notify.WebhookConfig{
		Secret: f.WebhookSecret, PublicOnly: !f.WebhookPrivate, Clock: clock,
	})}
	if c, err := f.mail(); f.SMTPURL != "" && err == nil {
		out[oncall.MethodEmail] = notify.NewMail(c)
	}
	if f.NtfyURL != "" {
		out[oncall.MethodNtfy] = notify.NewNtfy(notify.NtfyConfig{URL: f.NtfyURL, Token: f.NtfyToken, ReplyTopic: f.NtfyReplyTopic})
	}
	if f.PushoverToken != "" {
		out[oncall.MethodPushover] = notify.NewPushover(notify.PushoverConfig{Token: f.PushoverToken, URL: strings.TrimRight(f.PushoverURL, "/"), Clock: clock})
	}
	if f.TelegramToken != "" {
		out[oncall.MethodTelegram] = notify.NewTelegram(notify.TelegramConfig{Token: f.TelegramToken, URL: strings.TrimRight(f.TelegramURL, "/")})
	}
	return out
}
