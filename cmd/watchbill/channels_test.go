package main

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/notify/notifytest"
	"github.com/watchbill/watchbill/oncall"
)

func TestChannelSettingsProblems(t *testing.T) {
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
		"no countries":     {channelFlags{twilioFlags: twilioFlags{PhoneCountries: " , "}}, "WATCHBILL_PHONE_COUNTRIES: \" , \" names no country"},
		"no country":       {channelFlags{twilioFlags: twilioFlags{PhoneCountries: "US,Germany"}}, "WATCHBILL_PHONE_COUNTRIES: \"Germany\" is not a country's code"},
		"ntfy":             {channelFlags{NtfyURL: "https://ntfy.sh", NtfyToken: "tk_hidden", NtfyReplyTopic: "watchbill-replies"}, ""},
		"ntfy elsewhere":   {channelFlags{NtfyURL: "ntfy.sh"}, "WATCHBILL_NTFY_URL is not an address"},
		"ntfy without URL": {channelFlags{NtfyToken: "tk_hidden"}, "WATCHBILL_NTFY_URL is not set"},
		"ntfy's password":  {channelFlags{NtfyURL: "https://ntfy.sh", NtfyToken: "hidden"}, "does not begin with tk_"},
		"ntfy's topic":     {channelFlags{NtfyURL: "https://ntfy.sh", NtfyReplyTopic: "a/b"}, "WATCHBILL_NTFY_REPLY_TOPIC is not a topic"},
		"Pushover":         {channelFlags{PushoverToken: "azGDORePK8gMaC0QOYAMyEEuzJnyUi"}, ""},
		"Pushover's user":  {channelFlags{PushoverToken: "hidden"}, "WATCHBILL_PUSHOVER_TOKEN is not"},
		"Telegram":         {channelFlags{TelegramToken: "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"}, ""},
		"Telegram's name":  {channelFlags{TelegramToken: "@hidden_bot"}, "WATCHBILL_TELEGRAM_TOKEN is not"},
		"Alertmanager":     {channelFlags{AlertmanagerAuth: "https://alertmanager.example.com"}, "WATCHBILL_ALERTMANAGER_AUTH: the address number 1 is not such as"},
		"not here":         {channelFlags{WebhookLoopback: "127.0.0.1,10.0.0.1:80"}, `WATCHBILL_WEBHOOK_LOOPBACK: "10.0.0.1:80" is not an address of this machine`},
		"everywhere":       {channelFlags{WebhookLoopback: "0.0.0.0/0"}, "is not an address of this machine"},
		"no port":          {channelFlags{WebhookLoopback: "127.0.0.1:http"}, "has no port"},
		"a short secret":   {channelFlags{WebhookSecret: "hidden"}, "WATCHBILL_WEBHOOK_SECRET is shorter than 16"},
	} {
		got := strings.Join(c.flags.problems(), "\n")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got the problems %q, want %q", name, got, c.want)
		}
		if strings.Contains(got, "hidden") {
			t.Errorf("%s: the problems tell the secret: %q", name, got)
		}
	}
}

// everything configures every channel, with all of its settings.
func everything(t *testing.T) channelFlags {
	t.Helper()
	_, certificate, _, err := notifytest.NewCertificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	id := strings.Repeat("a", 32)
	return channelFlags{
		twilioFlags: twilioFlags{
			TwilioAccountSID: "AC" + id, TwilioAuthToken: "one", TwilioOtherToken: "two", TwilioAPIKey: "SK" + id, TwilioAPISecret: "three",
			TwilioFrom: "+12025550100", TwilioService: "MG" + id, TwilioFlow: "FW" + id, TwilioEdge: "dublin", TwilioRegion: "ie1",
			PhoneCountries: "US, DE", TwilioAPIURL: "https://twilio.example.com",
		},
		SMTPURL: "smtps://mail.example.com", SMTPCAFile: file, MailFrom: "oncall@example.com",
		NtfyURL: "https://ntfy.sh", NtfyToken: "tk_four", NtfyReplyTopic: "replies",
		PushoverToken: storyPushover, PushoverURL: "https://pushover.example.com",
		TelegramToken: storyTelegram, TelegramURL: "https://telegram.example.com",
		WebhookSecret: "a secret of sixteen", WebhookPrivate: true, WebhookLoopback: "127.0.0.1:9000, localhost",
		AlertmanagerAuth: "https://watchbill:five@alertmanager.example.com, https://:six@am.example.com",
	}
}

func TestChannelsComeFromTheSettings(t *testing.T) {
	t.Parallel()
	if got := slices.Collect(maps.Keys(channelFlags{}.senders(time.Now, ""))); !slices.Equal(got, []oncall.Method{oncall.MethodWebhook}) {
		t.Errorf("without settings: %q, want %q", got, []oncall.Method{oncall.MethodWebhook})
	}
	all := everything(t)
	if wrong := all.problems(); len(wrong) > 0 {
		t.Errorf("with all: %q, want none", wrong)
	}
	for setting, value := range settingsOf(all) {
		if value.IsZero() {
			t.Errorf("everything doesn't set %s", setting)
		}
	}
}

// settingsOf returns the values of flags by the names of their settings.
func settingsOf(flags channelFlags) map[string]reflect.Value {
	out, all := map[string]reflect.Value{}, reflect.ValueOf(flags)
	for _, field := range reflect.VisibleFields(all.Type()) {
		if setting := field.Tag.Get("env"); setting != "" {
			out[setting] = all.FieldByIndex(field.Index)
		}
	}
	return out
}

// Every contact method needs a row in the table, a sender, a setting, a line in the documents, and
// a provider at which `make crash` kills us.
func TestNoContactMethodIsForgotten(t *testing.T) {
	t.Parallel()
	all := everything(t)
	senders := all.senders(time.Now, "")
	what, answers, _ := strings.Cut(document(t, "docs/contacts.md"), "## How to answer")
	admins, phones := document(t, "docs/channels.md"), document(t, "docs/phones.md")
	settings := settingsOf(all)
	for _, info := range oncall.ContactMethods() {
		if senders[info.Method] == nil {
			t.Errorf("%s has no sender", info.Method)
		}
		delete(senders, info.Method)
		if !strings.Contains(what, "\n| "+info.Title+" |") {
			t.Errorf("docs/contacts.md doesn't say what to type for %s, want what to contain %q", info.Title, "\n| "+info.Title+" |")
		}
		if !info.Programs && !regexp.MustCompile(`\n\| [^|]*`+info.Title+`[^|]* \|`).MatchString(answers) {
			t.Errorf("docs/contacts.md doesn't say how %s is answered", info.Title)
		}
		if !slices.ContainsFunc(crashChannels(), func(c crashChannel) bool { return c.method == info.Method }) {
			t.Errorf("make crash doesn't send by %s", info.Method)
		}
		if _, ok := settings[info.Setting]; info.Setting != "" && !ok {
			t.Errorf("%s is switched on by %s, which is not a setting", info.Method, info.Setting)
		}
		switch {
		case info.Provider == "Twilio":
			if !strings.Contains(phones, info.Setting) {
				t.Errorf("docs/phones.md doesn't say how %s is switched on, want phones to contain %q", info.Method, info.Setting)
			}
		case !regexp.MustCompile(`\n\| ` + info.Name + ` \|.*` + info.Setting).MatchString(admins):
			t.Errorf("docs/channels.md doesn't say how %s is switched on", info.Method)
		}
	}
	if len(senders) > 0 {
		t.Errorf("no rows for %q", slices.Collect(maps.Keys(senders)))
	}
}
