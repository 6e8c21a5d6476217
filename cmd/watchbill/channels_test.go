package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWrongSettingsOfChannelsAreSaid(t *testing.T) {
	t.Parallel()
	noPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(noPEM, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	mail := channelFlags{SMTPURL: "smtps://u:hidden@mail.example.com", MailFrom: "oncall@example.com"}
	with := func(change func(*channelFlags)) channelFlags {
		f := mail
		change(&f)
		return f
	}
	for name, c := range map[string]struct {
		flags channelFlags
		want  string
	}{
		"nothing":          {channelFlags{}, ""},
		"mail":             {mail, ""},
		"mail with a name": {with(func(f *channelFlags) { f.MailFrom = "Watchbill <oncall@example.com>" }), ""},
		"no sender":        {with(func(f *channelFlags) { f.MailFrom = "" }), "WATCHBILL_MAIL_FROM is not set"},
		"bad sender":       {with(func(f *channelFlags) { f.MailFrom = "oncall" }), `WATCHBILL_MAIL_FROM is "oncall"`},
		"sender only":      {channelFlags{MailFrom: "oncall@example.com"}, "WATCHBILL_SMTP_URL is not set"},
		"no host":          {with(func(f *channelFlags) { f.SMTPURL = "smtps://u:hidden@:465" }), "WATCHBILL_SMTP_URL is not an address"},
		"raw password":     {with(func(f *channelFlags) { f.SMTPURL = "smtps://u:hid/den@mail.example.com" }), "%2F is /"},
		"bad port":         {with(func(f *channelFlags) { f.SMTPURL = "smtps://u:hidden@mail.example.com:99999" }), "WATCHBILL_SMTP_URL is not an address"},
		"another scheme":   {with(func(f *channelFlags) { f.SMTPURL = "https://u:hidden@mail.example.com" }), "WATCHBILL_SMTP_URL is not an address"},
		"unencrypted":      {with(func(f *channelFlags) { f.SMTPURL = "smtp+insecure://u:hidden@mail.example.com" }), "only for a mail server on this machine"},
		"unencrypted here": {with(func(f *channelFlags) { f.SMTPURL = "smtp+insecure://127.0.0.1" }), ""},
		"no CA file":       {with(func(f *channelFlags) { f.SMTPCAFile = noPEM + "x" }), "WATCHBILL_SMTP_CA_FILE can't be read"},
		"not a CA file":    {with(func(f *channelFlags) { f.SMTPCAFile = noPEM }), "WATCHBILL_SMTP_CA_FILE has no certificate"},
		"ntfy":             {channelFlags{NtfyURL: "https://ntfy.sh", NtfyToken: "tk_hidden", NtfyReplyTopic: "watchbill-replies"}, ""},
		"ntfy elsewhere":   {channelFlags{NtfyURL: "ntfy.sh"}, "WATCHBILL_NTFY_URL is not an address"},
		"ntfy without URL": {channelFlags{NtfyToken: "tk_hidden"}, "WATCHBILL_NTFY_URL is not set"},
		"ntfy's password":  {channelFlags{NtfyURL: "https://ntfy.sh", NtfyToken: "hidden"}, "does not begin with tk_"},
		"ntfy's topic":     {channelFlags{NtfyURL: "https://ntfy.sh", NtfyReplyTopic: "a/b"}, "WATCHBILL_NTFY_REPLY_TOPIC is not a topic"},
		"Pushover":         {channelFlags{PushoverToken: "azGDORePK8gMaC0QOYAMyEEuzJnyUi"}, ""},
		"Pushover's user":  {channelFlags{PushoverToken: "hidden"}, "WATCHBILL_PUSHOVER_TOKEN is not"},
		"Telegram":         {channelFlags{TelegramToken: "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"}, ""},
		"Telegram's name":  {channelFlags{TelegramToken: "@hidden_bot"}, "WATCHBILL_TELEGRAM_TOKEN is not"},
		"a short secret":   {channelFlags{WebhookSecret: "hidden"}, "WATCHBILL_WEBHOOK_SECRET is shorter than 16"},
	} {
		got := strings.Join(c.flags.problems(), "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) || strings.Contains(got, "hidden") {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestChannelsComeFromTheSettings(t *testing.T) {
	t.Parallel()
	names := func(f channelFlags) string {
		return strings.Join(slices.Sorted(maps.Keys(f.senders(time.Now, ""))), " ")
	}
	if got := names(channelFlags{}); got != "webhook" {
		t.Errorf("without settings: %s", got)
	}
	all := channelFlags{
		twilioFlags: twilioFlags{TwilioAccountSID: "AC" + strings.Repeat("a", 32), TwilioAuthToken: "hidden", TwilioFrom: "+12025550100"},
		SMTPURL:     "smtps://mail.example.com", MailFrom: "oncall@example.com", NtfyURL: "https://ntfy.sh",
		PushoverToken: "azGDORePK8gMaC0QOYAMyEEuzJnyUi", TelegramToken: "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11",
	}
	if got := names(all); got != "email ntfy pushover sms telegram voice webhook" {
		t.Errorf("with all: %s", got)
	}
}
