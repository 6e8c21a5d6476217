package notify_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/twiliosim"
)

// echoingServer repeats what is in a request, as some proxies do in their errors: the credentials and the
// address, and the password on its own.
func echoingServer(t *testing.T, status int, say func(request, secret string) string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, secret, basic := r.BasicAuth()
		if !basic {
			secret = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		}
		w.WriteHeader(status)
		fmt.Fprint(w, say(fmt.Sprintf("%s to %s", r.Header.Get("Authorization"), r.URL), secret))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func inJSON(name string) func(heard, secret string) string {
	return func(heard, secret string) string { // in PHP's style
		text, _ := json.Marshal(heard + " " + secret)
		return fmt.Sprintf(`{"code":20500,"%s":%s,"more_info":%s}`, name, strings.ReplaceAll(string(text), "/", `\/`), text)
	}
}

// checkNoSecret fails if a text is more than one short line, or gives away the password in any form.
func checkNoSecret(t *testing.T, name, text string, secrets ...string) {
	t.Helper()
	for _, s := range secrets {
		forms := []string{s, url.QueryEscape(s), url.PathEscape(s)}
		for _, form := range []string{s, "someone:" + s, twiliosim.Account + ":" + s, "\x00someone\x00" + s} {
			forms = append(forms, base64.RawStdEncoding.EncodeToString([]byte(form)), base64.RawURLEncoding.EncodeToString([]byte(form)))
		}
		for _, form := range forms {
			if strings.Contains(text, form) {
				t.Errorf("%s tells a secret: got %q, want it without %v", name, text, form)
			}
		}
	}
	if n := len([]rune(text)); n > 500 {
		t.Errorf("%s says %d characters, want at most 500: %q", name, n, text)
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		t.Errorf("%s says what a terminal obeys: %q", name, text)
	}
}

func withUser(t *testing.T, address, password string) string {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	u.User = url.UserPassword("someone", password)
	return u.String()
}

func twilioAt(t *testing.T, address, secret string) *notify.Twilio {
	t.Helper()
	return notify.NewTwilio(notify.TwilioConfig{
		Account: twiliosim.Account, Token: secret, From: "+12025550199", Flow: "FW1", API: address, Clock: time.Now,
	})
}

const (
	password = "gehe?m~/+&<1>\xc3\xb6"
	token    = "tkGeheimGeheimGeheim99"
)

// errorTexts returns the errors and findings of each channel for an address.
func errorTexts(t *testing.T, address string) map[string]string {
	t.Helper()
	out := map[string]string{}
	findings := func(name string, c notify.Checker) {
		for _, f := range c.Check(t.Context()) {
			out[name+", checked"] += f.Text
			checkNoSecret(t, name+", to be mended", f.Remedy, password, token)
		}
	}
	tell := func(name string, err error) {
		if err != nil {
			out[name] = err.Error()
		}
	}
	private := withUser(t, address, password)
	message := testPage("4711")
	twilio := twilioAt(t, address, token)
	findings("Twilio", twilio)
	message.To = "+12025550101"
	tell("Twilio, SMS", notify.SMS{Twilio: twilio}.Send(t.Context(), message).Err)
	tell("Twilio, calls", notify.Voice{Twilio: twilio}.Send(t.Context(), message).Err)
	_, _, err := notify.SMS{Twilio: twilio}.Listen(t.Context(), "")
	tell("Twilio, answers", err)
	message.To = "4711"
	for name, c := range map[string]interface {
		notify.Checker
		notify.Sender
	}{
		"ntfy, password": notify.NewNtfy(notify.NtfyConfig{URL: private, ReplyTopic: "replies"}),
		"ntfy, token":    notify.NewNtfy(notify.NtfyConfig{URL: address, Token: token, ReplyTopic: "replies"}),
		"Pushover":       notify.NewPushover(notify.PushoverConfig{Token: token, URL: private, Clock: time.Now}),
		"Telegram":       notify.NewTelegram(notify.TelegramConfig{Token: token, URL: private}),
	} {
		findings(name, c)
		tell(name+", sent", c.Send(t.Context(), message).Err)
	}
	message.To = private + "/topic"
	tell("ntfy, elsewhere", notify.NewNtfy(notify.NtfyConfig{URL: "http://127.0.0.1:1", Rules: loopbackRules()}).Send(t.Context(), message).Err)
	message.To = private + "/services/" + token + "?key=" + token
	tell("webhook", notify.NewWebhook(hookConfig()).Send(t.Context(), message).Err)
	return out
}

func TestErrorsHideEchoedSecrets(t *testing.T) {
	t.Parallel()
	forged := func(heard, _ string) string { return "<html>\n\x1b[2J\x1b[31mok    twilio\n\u202e\x07\xff" + heard }
	for name, say := range map[string]func(heard, secret string) string{
		"plain": forged,
		"long": func(heard, _ string) string {
			return strings.Repeat("x", 170) + " " + heard + strings.Repeat("y", 1000)
		},
		"JSON of Twilio":   inJSON("message"),
		"JSON of Telegram": inJSON("description"),
		"JSON of ntfy":     inJSON("error"),
		"the password":     func(_, secret string) string { return "no " + secret },
		"escaped": func(heard, secret string) string {
			return "no " + url.QueryEscape(secret) + ", " + url.PathEscape(secret) + ", " + url.QueryEscape(heard)
		},
	} {
		for _, status := range []int{http.StatusBadGateway, http.StatusUnauthorized, http.StatusNotFound, http.StatusOK} {
			for of, text := range errorTexts(t, echoingServer(t, status, say)) {
				checkNoSecret(t, fmt.Sprintf("%s: %s, %d", of, name, status), text, password, token)
			}
		}
	}
}

// isPeoplesServer reports whether a text is about a server that a person named, which is never quoted.
func isPeoplesServer(of string) bool { return of == "webhook" || of == "ntfy, elsewhere" }

// The credentials of a proxy are not in our settings.
func TestErrorsHideProxyPasswords(t *testing.T) {
	t.Parallel()
	basic := "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("someone:"+password))
	for of, text := range errorTexts(t, echoingServer(t, http.StatusBadGateway, func(_, _ string) string { return basic })) {
		checkNoSecret(t, of, text, password)
		if !strings.Contains(text, "Basic …") && !strings.Contains(of, "checked") && !isPeoplesServer(of) {
			t.Errorf("%s doesn't quote the answer: %s", of, text)
		}
	}
}

func TestErrorsQuoteHarmlessText(t *testing.T) {
	t.Parallel()
	const text = "Basic authentication required at bastion.example.com, see /var/log/nginx-ingress-controller.log"
	for of, text := range errorTexts(t, echoingServer(t, http.StatusBadGateway, func(_, _ string) string { return text })) {
		if !isPeoplesServer(of) && (!strings.Contains(text, "Basic authentication required at bastion.example.com") || !strings.Contains(text, "nginx-ingress-controller.log")) {
			t.Errorf("%s: got %s, want the harmless words in it", of, text)
		}
	}
}

func TestErrorsHideRedirectTargets(t *testing.T) {
	t.Parallel()
	for _, location := range []string{"/elsewhere?", ":%zz?"} { // the second is not an address
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", location+r.Header.Get("Authorization")+r.URL.String())
			w.WriteHeader(http.StatusFound)
		}))
		t.Cleanup(s.Close)
		for of, text := range errorTexts(t, s.URL) {
			checkNoSecret(t, of, text, password, token)
		}
	}
}

func TestMailErrorsHideSecrets(t *testing.T) {
	t.Parallel()
	for _, form := range []string{
		"hunter2!", base64.StdEncoding.EncodeToString([]byte("\x00someone\x00hunter2!")), base64.StdEncoding.EncodeToString([]byte("hunter2!")),
	} {
		for at, answer := range map[string]string{"AUTH": "500 unknown: \x1b[2JAUTH PLAIN ", "MAIL": "550 not for ", "RCPT": "550 no ", "DATA": "554 no "} {
			answers := map[string]string{"EHLO": "250-localhost\r\n250 AUTH PLAIN", "AUTH": "235 welcome"}
			answers[at] = answer + form
			c := scriptedMailServer(t, answers)
			c.User, c.Password = "someone", "hunter2!"
			r := notify.NewMail(c).Send(t.Context(), testPage("ann@example.com"))
			if r.Err == nil {
				t.Fatalf("%s: got %+v, want an error", at, r)
			}
			checkNoSecret(t, at, r.Err.Error(), "hunter2!")
			for _, f := range notify.NewMail(c).Check(t.Context()) {
				checkNoSecret(t, at+", checked", f.Text+f.Remedy, "hunter2!")
			}
		}
	}
}

func TestTelegramWebhookRemedyHidesTheAddress(t *testing.T) {
	t.Parallel()
	g := newTelegramServer(t)
	g.hook = "https://example.com/hook"
	f := mainFinding(t, notify.NewTelegram(notify.TelegramConfig{Token: "1:secret", URL: withUser(t, g.URL, password)}))
	wantCheck(t, "another address", f, notify.CheckResult{Text: "a webhook in place of", Remedy: "/bot$WATCHBILL_TELEGRAM_TOKEN/deleteWebhook"})
	checkNoSecret(t, "another address", f.Remedy, password)
	if strings.Contains(f.Remedy, "someone") {
		t.Errorf("it tells the user: got %s, want it without \"someone\"", f.Remedy)
	}
}

// manualContext is a context that expires when the test says so, however fast the machine is.
type manualContext struct {
	context.Context
	over chan struct{}
}

func (c manualContext) Done() <-chan struct{} { return c.over }

func (c manualContext) Err() error {
	select {
	case <-c.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// slowTwilio returns a Twilio that answers only some requests; for the others it calls hangs.
func slowTwilio(t *testing.T, answers map[string]string, hangs func()) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for part, answer := range answers {
			if strings.Contains(r.URL.Path, part) {
				fmt.Fprint(w, answer)
				return
			}
		}
		hangs()
		<-r.Context().Done()
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestHangingTwilioIsNotReportedAsDenied(t *testing.T) {
	t.Parallel()
	const active = `{"status":"active","type":"Full"}`
	numbers := `{"incoming_phone_numbers":[{"phone_number":"+12025550199","capabilities":{"sms":true,"voice":true}}]}`
	for name, answers := range map[string]map[string]string{
		"the account": {},
		"the numbers": {twiliosim.Account + ".json": active},
		"the flow":    {twiliosim.Account + ".json": active, "IncomingPhoneNumbers": numbers},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := manualContext{t.Context(), make(chan struct{})}
			over := sync.OnceFunc(func() { close(ctx.over) })
			found := twilioAt(t, slowTwilio(t, answers, over), token).Check(ctx)
			last := found[len(found)-1]
			wantCheck(t, name, last, notify.CheckResult{Text: name + ": Twilio has not answered in time", Remedy: "Check that this machine reaches 127.0.0.1:"})
		})
	}
	down := echoingServer(t, http.StatusBadGateway, func(_, _ string) string { return "no upstream" })
	wantCheck(t, "down", mainFinding(t, twilioAt(t, down, token)), notify.CheckResult{Text: "502: no upstream", Remedy: "try again later"})
}

// Anybody who has the link or token of a page can answer it.
func TestErrorsHideAnswerTokens(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if form, err := url.ParseQuery(string(body)); err == nil && form.Has("url") {
			body = []byte(form.Get("url"))
		}
		for _, part := range []string{token, "987654"} {
			if at := strings.Index(string(body), part); at >= 0 {
				w.WriteHeader(http.StatusBadGateway)
				fmt.Fprintf(w, "can't read %s", body[max(0, at-60):])
				return
			}
		}
		t.Errorf("nothing is there to be repeated: %s", body)
	}))
	t.Cleanup(s.Close)
	answered, verified := testPage("4711"), testPage("4711")
	answered.Token, answered.Link = token, "https://oncall.example.com/a/"+token+"?x=1&y=2"
	verified.Purpose, verified.Verify = notify.ForVerify, "987654"
	verified.Token, verified.Link = "", ""
	for name, sender := range map[string]notify.Sender{
		"ntfy":     notify.NewNtfy(notify.NtfyConfig{URL: s.URL, ReplyTopic: "replies"}),
		"Pushover": notify.NewPushover(notify.PushoverConfig{Token: "app", URL: s.URL, Clock: time.Now}),
		"Telegram": notify.NewTelegram(notify.TelegramConfig{Token: "1:secret", URL: s.URL}),
		"webhook":  notify.NewWebhook(hookConfig()),
	} {
		for _, m := range []notify.Message{answered, verified} {
			if name == "webhook" {
				m.To = s.URL
			}
			r := sender.Send(t.Context(), m)
			if r.Err == nil {
				t.Fatalf("%s: got %+v, want an error", name, r)
			}
			checkNoSecret(t, name, r.Err.Error(), token, "987654")
		}
	}
}
