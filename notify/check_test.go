package notify_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/notify/notifytest"
	"github.com/watchbill/watchbill/twiliosim"
)

// mainFinding runs a check and returns the finding that matters: the first that isn't OK, or else all of
// them.
func mainFinding(t *testing.T, c notify.Checker) notify.CheckResult {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	var fine []string
	for _, f := range c.Check(ctx) {
		if !f.OK {
			return f
		}
		fine = append(fine, f.Text)
	}
	return notify.CheckResult{OK: true, Text: strings.Join(fine, ", ")}
}

func wantCheck(t *testing.T, name string, f notify.CheckResult, want notify.CheckResult, secrets ...string) {
	t.Helper()
	if f.OK != want.OK || f.Note != want.Note {
		t.Errorf("%s: got OK %t and Note %t, want %t and %t: %+v", name, f.OK, f.Note, want.OK, want.Note, f)
	}
	if !strings.Contains(f.Text, want.Text) {
		t.Errorf("%s: got the text %q, want it with %q", name, f.Text, want.Text)
	}
	if !strings.Contains(f.Remedy, want.Remedy) || !f.OK && f.Remedy == "" {
		t.Errorf("%s: got the remedy %q, want some with %q", name, f.Remedy, want.Remedy)
	}
	for _, s := range secrets {
		if strings.Contains(f.Text+f.Remedy, s) {
			t.Errorf("%s tells a secret: got %+v, want it without %v", name, f, s)
		}
	}
}

func TestMailIsCheckedWithoutSending(t *testing.T) {
	t.Parallel()
	plain := func(answers map[string]string, change func(*notify.MailConfig)) notify.MailConfig {
		c := scriptedMailServer(t, answers)
		if change != nil {
			change(&c)
		}
		return c
	}
	var office notifytest.MailServer
	start, only := openMailServer(t, &office, notify.MailStartTLS), openMailServer(t, &notifytest.MailServer{}, notify.MailTLSOnly)
	with := func(c notify.MailConfig, change func(*notify.MailConfig)) notify.MailConfig {
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		config notify.MailConfig
		want   notify.CheckResult
	}{
		"STARTTLS":          {start, notify.CheckResult{OK: true, Text: "lets us in, with STARTTLS"}},
		"TLS":               {only, notify.CheckResult{OK: true, Text: "lets us in, with TLS"}},
		"plain":             {plain(nil, nil), notify.CheckResult{OK: true, Text: "without encryption and without a password"}},
		"wrong password":    {with(start, func(c *notify.MailConfig) { c.Password = "hunter2!" }), notify.CheckResult{Text: "535", Remedy: "Check user and password in WATCHBILL_SMTP_URL"}},
		"unknown authority": {with(start, func(c *notify.MailConfig) { c.RootCAs = x509.NewCertPool() }), notify.CheckResult{Text: "certificate", Remedy: "WATCHBILL_SMTP_CA_FILE"}},
		"another name":      {with(start, func(c *notify.MailConfig) { c.Host = "127.0.0.1" }), notify.CheckResult{Text: "127.0.0.1", Remedy: "as its certificate has it"}},
		"no STARTTLS":       {plain(nil, func(c *notify.MailConfig) { c.TLS = notify.MailStartTLS }), notify.CheckResult{Text: "STARTTLS", Remedy: "Use smtps://"}},
		"STARTTLS refused": {
			plain(map[string]string{"EHLO": "250-localhost\r\n250 STARTTLS", "STARTTLS": "454 TLS not available"}, func(c *notify.MailConfig) { c.TLS = notify.MailStartTLS }),
			notify.CheckResult{Text: "454", Remedy: "try again later"},
		},
		"no TLS at all":    {with(start, func(c *notify.MailConfig) { c.TLS = notify.MailTLSOnly }), notify.CheckResult{Text: "TLS", Remedy: "Use smtp://"}},
		"no way to log in": {plain(nil, func(c *notify.MailConfig) { c.User = "watchbill" }), notify.CheckResult{Text: "AUTH", Remedy: "leave user and password out"}},
		"an echo": {
			plain(map[string]string{"EHLO": "250-localhost\r\n250 AUTH PLAIN", "AUTH": "535 hunter2! is wrong"}, func(c *notify.MailConfig) { c.User, c.Password = "watchbill", "hunter2!" }),
			notify.CheckResult{Text: `535 "… is wrong"`, Remedy: "Check user and password"},
		},
		"nobody listens": {with(start, func(c *notify.MailConfig) { c.Port = 1 }), notify.CheckResult{Text: "connect to localhost:1", Remedy: "Check host and port in WATCHBILL_SMTP_URL"}},
		"unwelcome":      {plain(map[string]string{"greeting": "554 go away"}, nil), notify.CheckResult{Text: "554", Remedy: "Ask who runs the server"}},
		"busy":           {plain(map[string]string{"greeting": "421 too many connections"}, nil), notify.CheckResult{Text: "421", Remedy: "try again later"}},
		"cut":            {plain(map[string]string{"greeting": "cut"}, nil), notify.CheckResult{Text: "EOF", Remedy: "Check host and port"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantCheck(t, name, mainFinding(t, notify.NewMail(c.config)), c.want, "hunter2!")
		})
	}
	t.Cleanup(func() {
		if n := len(office.Mails()); n > 0 {
			t.Errorf("%d mails were sent, want none", n)
		}
	})
}

func TestNtfyIsCheckedWithoutSending(t *testing.T) {
	t.Parallel()
	p, open := newNtfyServer(t), newNtfyServer(t)
	open.Open = true
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Welcome, %s, to another site", r.Header.Get("Authorization"))
	}))
	t.Cleanup(site.Close)
	for name, c := range map[string]struct {
		config notify.NtfyConfig
		want   notify.CheckResult
	}{
		"all well":          {notify.NtfyConfig{URL: p.URL, Token: notifytest.NtfyToken, ReplyTopic: "replies"}, notify.CheckResult{OK: true, Text: "takes the token of the user watchbill, answers can be read"}},
		"no token":          {notify.NtfyConfig{URL: p.URL}, notify.CheckResult{OK: true, Text: "the server is there"}},
		"closed to nobody":  {notify.NtfyConfig{URL: p.URL, ReplyTopic: "replies"}, notify.CheckResult{Text: "may not read the reply topic", Remedy: "Set WATCHBILL_NTFY_TOKEN"}},
		"wrong token":       {notify.NtfyConfig{URL: p.URL, Token: "tk_wrong", ReplyTopic: "replies"}, notify.CheckResult{Text: "401", Remedy: "ntfy token add watchbill"}},
		"no users there":    {notify.NtfyConfig{URL: open.URL, Token: "tk_wrong", ReplyTopic: "replies"}, notify.CheckResult{Note: true, Text: "no notice of the token", Remedy: "auth-file"}},
		"foreign replies":   {notify.NtfyConfig{URL: p.URL, Token: notifytest.NtfyToken, ReplyTopic: "of-somebody-else"}, notify.CheckResult{Text: "may not read the reply topic: ntfy answered 403", Remedy: "ntfy access watchbill of-somebody-else rw"}},
		"another site":      {notify.NtfyConfig{URL: site.URL, Token: "tk_wrong"}, notify.CheckResult{Text: "ntfy answered 200: Welcome, Bearer …, to", Remedy: "Check WATCHBILL_NTFY_URL: something else answers there"}},
		"another, no token": {notify.NtfyConfig{URL: site.URL}, notify.CheckResult{Text: "ntfy answered 200: Welcome", Remedy: "Check WATCHBILL_NTFY_URL"}},
		"a topic's address": {notify.NtfyConfig{URL: p.URL + "/topic"}, notify.CheckResult{Text: "404", Remedy: "Check WATCHBILL_NTFY_URL"}},
		"nobody listens":    {notify.NtfyConfig{URL: "http://127.0.0.1:1"}, notify.CheckResult{Text: "refused", Remedy: "reaches 127.0.0.1:1. Check WATCHBILL_NTFY_URL"}},
	} {
		wantCheck(t, name, mainFinding(t, notify.NewNtfy(c.config)), c.want, "tk_")
	}
	for _, topic := range []string{"replies", "of-somebody-else"} {
		if got := p.Topic(topic); len(got) > 0 {
			t.Errorf("got %+v sent, want nothing", got)
		}
	}
}

func TestPushoverIsCheckedWithoutSending(t *testing.T) {
	t.Parallel()
	o, empty := newPushoverServer(t), newPushoverServer(t)
	empty.left = 0
	down := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		fmt.Fprint(w, "no upstream for ", r.URL)
	}))
	t.Cleanup(down.Close)
	for name, c := range map[string]struct {
		token, url string
		want       notify.CheckResult
	}{
		"all well":       {"app", o.URL, notify.CheckResult{OK: true, Text: "the token is good, with 7496 of 10000 messages left this month"}},
		"wrong token":    {"hidden", o.URL, notify.CheckResult{Text: "application token is invalid", Remedy: "WATCHBILL_PUSHOVER_TOKEN"}},
		"used up":        {"app", empty.URL, notify.CheckResult{Text: "used up", Remedy: "Buy more"}},
		"down":           {"hidden", down.URL, notify.CheckResult{Text: "502: no upstream for /1/apps/limits.json?token=…", Remedy: "try again later"}},
		"nobody listens": {"hidden", "http://127.0.0.1:1", notify.CheckResult{Text: "refused", Remedy: "reaches 127.0.0.1:1"}},
	} {
		p := notify.NewPushover(notify.PushoverConfig{Token: c.token, URL: c.url, Clock: time.Now})
		wantCheck(t, name, mainFinding(t, p), c.want, "hidden")
	}
	if len(o.messages) > 0 {
		t.Errorf("got %v sent, want nothing", o.messages)
	}
}

func TestTelegramIsCheckedWithoutSending(t *testing.T) {
	t.Parallel()
	g, hooked := newTelegramServer(t), newTelegramServer(t)
	hooked.hook = "https://example.com/secret-path"
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, "Cannot %s %s", r.Method, r.URL)
	}))
	t.Cleanup(proxy.Close)
	for name, c := range map[string]struct {
		token, url string
		want       notify.CheckResult
	}{
		"all well":          {"1:secret", g.URL, notify.CheckResult{OK: true, Text: "the bot is @watchbill_bot"}},
		"wrong token":       {"1:secrets", g.URL, notify.CheckResult{Text: "404", Remedy: "@BotFather"}},
		"another's webhook": {"1:secret", hooked.URL, notify.CheckResult{Text: "a webhook in place of Watchbill", Remedy: "/bot$WATCHBILL_TELEGRAM_TOKEN/deleteWebhook"}},
		"a proxy":           {"1:secret", proxy.URL, notify.CheckResult{Text: "Telegram answered 404: Cannot POST /bot…/getMe", Remedy: "WATCHBILL_TELEGRAM_API_URL"}},
		"nobody listens":    {"1:secret", "http://127.0.0.1:1", notify.CheckResult{Text: "refused", Remedy: "reaches 127.0.0.1:1"}},
	} {
		wantCheck(t, name, mainFinding(t, notify.NewTelegram(notify.TelegramConfig{Token: c.token, URL: c.url})), c.want, "secret")
	}
	if len(g.messages) > 0 {
		t.Errorf("got %+v sent, want nothing", g.messages)
	}
}

// Twilio's other findings are tested with `watchbill twilio check`.
func TestTwilioIsCheckedWithoutSending(t *testing.T) {
	t.Parallel()
	sim := twiliosim.New(twiliosim.Options{Now: time.Now})
	t.Cleanup(func() { sim.Close() })
	base, err := sim.Start("127.0.0.1:0")
	must(t, err)
	account := func(secret string) notify.Checker {
		return notify.SMS{Twilio: notify.NewTwilio(notify.TwilioConfig{
			Account: twiliosim.Account, Token: secret, From: "+12025550199", API: base, Clock: time.Now,
		})}
	}
	if f := account(twiliosim.Token).Check(t.Context())[0]; !f.OK || f.Text != "the account is active" {
		t.Errorf("the account: %+v, want it active", f)
	}
	byKey := func(secret string) notify.Checker {
		return notify.SMS{Twilio: notify.NewTwilio(notify.TwilioConfig{
			Account: twiliosim.Account, Key: twiliosim.Key, Secret: secret, From: "+12025550199", API: base, Clock: time.Now,
		})}
	}
	for i, f := range byKey(twiliosim.Secret).Check(t.Context()) {
		if !f.OK && !f.Note || i == 0 && !strings.Contains(f.Text, "can't see whether the account is on trial") {
			t.Errorf("with a Standard key: got %+v, want a note that the trial can't be seen", f)
		}
	}
	wantCheck(t, "wrong secret", mainFinding(t, byKey("nonsense")), notify.CheckResult{Text: "20003", Remedy: "Check TWILIO_ACCOUNT_SID"}, "nonsense")
	wantCheck(t, "wrong token", mainFinding(t, account("nonsense")), notify.CheckResult{Text: "20003", Remedy: "Check TWILIO_ACCOUNT_SID"}, "nonsense")
}

func TestChecksEndWithTheirContext(t *testing.T) {
	t.Parallel()
	l := notifytest.SilentListener(t)
	address := "http://" + l.Addr().String()
	hanging := func(at string) notify.Checker {
		return notify.NewMail(scriptedMailServer(t, map[string]string{at: "hang"}))
	}
	for name, c := range map[string]notify.Checker{
		"mail, at the greeting": hanging("greeting"), "mail, at EHLO": hanging("EHLO"),
		"mail, in TLS":      notify.NewMail(configOf(l, notify.MailTLSOnly, nil)),
		"ntfy":              notify.NewNtfy(notify.NtfyConfig{URL: address}),
		"ntfy with a token": notify.NewNtfy(notify.NtfyConfig{URL: address, Token: "tk_secret"}),
		"Pushover":          notify.NewPushover(notify.PushoverConfig{Token: "secret", URL: address, Clock: time.Now}),
		"Telegram":          notify.NewTelegram(notify.TelegramConfig{Token: "1:secret", URL: address}),
		"Twilio": notify.SMS{Twilio: notify.NewTwilio(notify.TwilioConfig{
			Account: twiliosim.Account, Token: "secret", API: address, Clock: time.Now,
		})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			began := time.Now()
			found := c.Check(ctx)
			if took := time.Since(began); took >= min(notify.MailLimit, notify.WebLimit, notify.TwilioLimit) {
				t.Errorf("it took %s, as if nothing had ended", took)
			}
			wantCheck(t, name, found[0], notify.CheckResult{Text: "not answered in time", Remedy: "Check "}, "secret")
		})
	}
}

func TestErrorsHideAnEchoedToken(t *testing.T) {
	t.Parallel()
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, "%s%s", strings.Repeat("x", 170), r.URL) // so that an excerpt would cut the token
	}))
	t.Cleanup(echo.Close)
	r := notify.NewTelegram(notify.TelegramConfig{Token: "1:secret-secret-secret", URL: echo.URL}).Send(t.Context(), testPage("4711"))
	if r.Err == nil || strings.Contains(r.Err.Error(), "secret") {
		t.Errorf("the receipt is %+v, want an error without the token", r)
	}
}
