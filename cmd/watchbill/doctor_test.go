package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/notify/notifytest"
	"github.com/watchbill/watchbill/oncall"
)

// The tokens that the fake Pushover and Telegram accept.
const (
	storyPushover = "azGDORePK8gMaC0QOYAMyEEuzJnyUi"
	storyTelegram = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"
)

// appservers: starts the parts of Pushover and Telegram that the doctor uses.
func (s *story) appServers(ts *testscript.TestScript, _ bool, _ []string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.RequestURI() {
		case "/1/apps/limits.json?token=" + storyPushover:
			fmt.Fprint(w, `{"limit":10000,"remaining":7496,"reset":1393653600,"status":1}`)
		case "/bot" + storyTelegram + "/getMe":
			fmt.Fprint(w, `{"ok":true,"result":{"id":123456,"is_bot":true,"username":"watchbill_bot"}}`)
		case "/bot" + storyTelegram + "/getWebhookInfo":
			fmt.Fprint(w, `{"ok":true,"result":{"url":""}}`)
		default:
			if strings.HasPrefix(r.URL.Path, "/bot") {
				w.WriteHeader(http.StatusUnauthorized)
				fmt.Fprint(w, `{"ok":false,"error_code":401,"description":"Unauthorized"}`)
				return
			}
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"token":"invalid","errors":["application token is invalid"],"status":0}`)
		}
	}))
	ts.Defer(server.Close)
	for name, value := range map[string]string{
		"WATCHBILL_PUSHOVER_TOKEN": storyPushover, "WATCHBILL_PUSHOVER_API_URL": server.URL,
		"WATCHBILL_TELEGRAM_TOKEN": storyTelegram, "WATCHBILL_TELEGRAM_API_URL": server.URL,
	} {
		ts.Setenv(name, value)
	}
}

func TestDoctorChecksInParallel(t *testing.T) {
	t.Parallel()
	hung := notifytest.SilentListener(t).Addr().String()
	address := "http://" + hung
	f := channelFlags{
		twilioFlags: twilioFlags{TwilioAccountSID: "AC" + strings.Repeat("a", 32), TwilioAuthToken: "hidden", TwilioFrom: "+12025550100", TwilioAPIURL: address},
		SMTPURL:     "smtps://watchbill:hidden@" + hung, MailFrom: "oncall@example.com", NtfyURL: address, NtfyToken: "tk_hidden",
		PushoverToken: storyPushover, PushoverURL: address, TelegramToken: storyTelegram, TelegramURL: address,
	}
	c := doctorCmd{
		databaseFlags{"postgres://watchbill:hidden@" + hung + "/watchbill?sslmode=disable"},
		slackFlags{SlackBotToken: "xoxb-hidden", SlackAppToken: "xapp-hidden", SlackUserToken: "xoxp-hidden", SlackAPIURL: address + "/"},
		f,
		spoolFlags{},
		retentionFlags{},
		secretFlags{},
		watchingFlags{},
		webFlags{},
		jwtFlags{},
		"",
		"",
		false,
		false,
	}
	var out bytes.Buffer
	r := &report{process: process{ctx: t.Context(), out: &out, clock: time.Now}}
	const limit = 8 * time.Second // one after the other they would take three times as long
	began := time.Now()
	c.look(r, limit)
	if took := time.Since(began); took >= 2*limit {
		t.Errorf("it took %s, want less than %s", took, 2*limit)
	}
	if got := regexp.MustCompile(`(?m)^FAIL  (\w+)`).FindAllString(out.String(), -1); !slices.Equal(got, []string{
		"FAIL  database", "FAIL  mail", "FAIL  ntfy", "FAIL  pushover", "FAIL  telegram", "FAIL  twilio", "FAIL  slack",
	}) {
		t.Errorf("the faults are %q, want the database and every provider", got)
	}
	if !strings.Contains(out.String(), "FAIL  database  the database has not answered in time\n") {
		t.Errorf("nothing says that the database hangs:\n%s", out.String())
	}
	if r.bad != 7 {
		t.Errorf("%d faults were counted, want 7:\n%s", r.bad, out.String())
	}
	for _, secret := range []string{"hidden", storyPushover, storyTelegram} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the output tells the secret %s:\n%s", secret, out.String())
		}
	}
	if t.Failed() {
		t.Log(out.String())
	}
}

// unchecked is a channel that cannot be checked.
type unchecked struct{ notify.Sender }

func TestDoctorSkipsUncheckedChannels(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	lookAtChannels(t.Context(), []channel{{name: "mail", senders: map[oncall.Method]notify.Sender{"email": unchecked{}}}, {name: "ntfy"}}, time.Second)(&report{process: process{out: &out}})
	if out.Len() > 0 {
		t.Errorf("printed %s, want nothing", out.String())
	}
}

// loud is a channel whose service returns hostile text.
type loud struct{ notify.Sender }

func (loud) Check(context.Context) []notify.CheckResult {
	return []notify.CheckResult{{Text: "odd\nok    twilio\x1b[2J the account\t\u202eis \xffactive", Remedy: "Look\r\nthere."}}
}

func TestDoctorPrintsNoForgedLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := &report{process: process{ctx: t.Context(), out: &out}}
	lookAtChannels(r.ctx, []channel{{name: "mail", senders: map[oncall.Method]notify.Sender{"email": loud{}}}}, time.Minute)(r)
	r.ok("people", "Ann\nok    database")
	r.note("people", "Bo\x07", "\x1b[31mAsk\nthem.")
	if want := "FAIL  mail      odd ok twilio[2J the account is active\n                Look there.\n" +
		"ok    people    Ann ok database\nnote  people    Bo\n                [31mAsk them.\n"; out.String() != want {
		t.Errorf("printed %q, want it without control characters", out.String())
	}
}

func TestDoctorHidesSecretsInAnswers(t *testing.T) {
	t.Parallel()
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		fmt.Fprintf(w, "<html>\n\x1b[2Jok    twilio\n%s %s", r.Header.Get("Authorization"), r.URL)
	}))
	t.Cleanup(echo.Close)
	private := strings.Replace(echo.URL, "http://", "http://someone:hidden@", 1)
	account := "AC" + strings.Repeat("a", 32)
	flags := channelFlags{
		twilioFlags: twilioFlags{TwilioAccountSID: account, TwilioAuthToken: "hidden", TwilioFrom: "+12025550100", TwilioAPIURL: echo.URL},
		NtfyURL:     echo.URL, NtfyToken: "tk_hidden", PushoverToken: storyPushover, PushoverURL: private, TelegramToken: storyTelegram, TelegramURL: private,
	}
	var out bytes.Buffer
	r := &report{process: process{ctx: t.Context(), out: &out}}
	lookAtChannels(r.ctx, flags.channels(time.Now, ""), time.Minute)(r)
	if r.bad != 4 || strings.Count(out.String(), "\n") != 8 || strings.Contains(out.String(), "\x1b") {
		t.Errorf("%d faults:\n%q; want 4 in 8 lines, without colours", r.bad, out.String())
	}
	for _, secret := range []string{
		"hidden", storyPushover, storyTelegram, base64.StdEncoding.EncodeToString([]byte("someone:hidden")), base64.StdEncoding.EncodeToString([]byte(account + ":hidden")),
	} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("it tells %s:\n%s", secret, out.String())
		}
	}
}
