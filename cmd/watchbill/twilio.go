package main

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/watchbill/watchbill/api"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
)

// twilioFlags say which Twilio account sends SMS and calls.
type twilioFlags struct {
	TwilioAccountSID string `name:"twilio-account-sid" env:"TWILIO_ACCOUNT_SID" placeholder:"AC…" help:"Twilio account that sends SMS and calls."`
	TwilioAuthToken  string `env:"TWILIO_AUTH_TOKEN" placeholder:"TOKEN" help:"The account's auth token: checks Twilio's signatures, and signs in where no API key is given."`
	TwilioOtherToken string `name:"twilio-secondary-auth-token" env:"TWILIO_SECONDARY_AUTH_TOKEN" placeholder:"TOKEN" help:"A second auth token whose signatures count, while tokens are rotated."`
	TwilioAPIKey     string `name:"twilio-api-key" env:"TWILIO_API_KEY" placeholder:"SK…" help:"API key to sign in with."`
	TwilioAPISecret  string `name:"twilio-api-secret" env:"TWILIO_API_SECRET" placeholder:"SECRET" help:"Its secret."`
	TwilioFrom       string `env:"TWILIO_FROM" placeholder:"+1…" help:"Our phone number: calls and SMS come from it, and answers go to it."`
	TwilioService    string `name:"twilio-messaging-service-sid" env:"TWILIO_MESSAGING_SERVICE_SID" placeholder:"MG…" help:"Messaging Service that sends SMS instead of that number."`
	TwilioFlow       string `name:"twilio-flow-sid" env:"TWILIO_FLOW_SID" placeholder:"FW…" help:"Studio flow that calls people; watchbill twilio setup makes it."`
	TwilioEdge       string `env:"TWILIO_EDGE" placeholder:"EDGE" help:"Twilio's edge, such as dublin."`
	TwilioRegion     string `env:"TWILIO_REGION" placeholder:"REGION" help:"Twilio's region, such as ie1."`
	TwilioAPIURL     string `name:"twilio-api-url" env:"WATCHBILL_TWILIO_API_URL" placeholder:"URL" help:"Another address in place of Twilio's, for a proxy or a simulator."`
}

var (
	phoneNumber = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	twilioName  = regexp.MustCompile(`^[a-z0-9-]*$`)
)

func twilioSID(prefix, s string) bool {
	return len(s) == 34 && strings.HasPrefix(s, prefix) && regexp.MustCompile(`^[0-9a-fA-F]{32}$`).MatchString(s[2:])
}

// configured reports whether anything of Twilio is set.
func (f twilioFlags) configured() bool {
	return f.TwilioAccountSID != "" || f.TwilioAuthToken != "" || f.TwilioAPIKey != "" || f.TwilioAPISecret != "" ||
		f.TwilioFrom != "" || f.TwilioService != "" || f.TwilioFlow != ""
}

// problems never repeats a secret.
func (f twilioFlags) problems() []string {
	if !f.configured() {
		return nil
	}
	out := f.accountProblems()
	switch {
	case f.TwilioFrom == "" && f.TwilioService == "":
		out = append(out, "TWILIO_FROM is not set: the number that pages come from, such as +12025550100; or set TWILIO_MESSAGING_SERVICE_SID for SMS alone")
	case f.TwilioFrom == "" && f.TwilioFlow != "":
		out = append(out, "TWILIO_FROM is not set, but TWILIO_FLOW_SID is: calls need a number to come from, such as +12025550100")
	}
	return out
}

// accountProblems are those that also matter before there is a number.
func (f twilioFlags) accountProblems() []string {
	var out []string
	sid := func(name, prefix, value, where string) {
		if value != "" && !twilioSID(prefix, value) {
			out = append(out, fmt.Sprintf("%s is not %s followed by 32 hexadecimal digits; it stands %s", name, prefix, where))
		}
	}
	if f.TwilioAccountSID == "" {
		out = append(out, "TWILIO_ACCOUNT_SID is not set: it begins with AC and stands on the first page of Twilio's Console")
	}
	sid("TWILIO_ACCOUNT_SID", "AC", f.TwilioAccountSID, "on the first page of Twilio's Console")
	switch {
	case f.TwilioAPIKey != "" && f.TwilioAPISecret == "":
		out = append(out, "TWILIO_API_SECRET is not set, but TWILIO_API_KEY is; Twilio showed the secret once, when the key was made")
	case f.TwilioAPIKey == "" && f.TwilioAPISecret != "":
		out = append(out, "TWILIO_API_KEY is not set, but TWILIO_API_SECRET is; the key begins with SK")
	case f.TwilioAPIKey == "" && f.TwilioAuthToken == "":
		out = append(out, "neither TWILIO_API_KEY with TWILIO_API_SECRET nor TWILIO_AUTH_TOKEN is set: Twilio wants one of them to sign in")
	}
	sid("TWILIO_API_KEY", "SK", f.TwilioAPIKey, "in Twilio's Console under API keys & tokens")
	sid("TWILIO_MESSAGING_SERVICE_SID", "MG", f.TwilioService, "in Twilio's Console under Messaging, Services")
	sid("TWILIO_FLOW_SID", "FW", f.TwilioFlow, "in what `watchbill twilio setup` prints")
	if f.TwilioFrom != "" && !phoneNumber.MatchString(f.TwilioFrom) {
		out = append(out, fmt.Sprintf("TWILIO_FROM is %q; it must be a number with its country code, such as +12025550100", f.TwilioFrom))
	}
	for name, value := range map[string]string{"TWILIO_EDGE": f.TwilioEdge, "TWILIO_REGION": f.TwilioRegion} {
		if !twilioName.MatchString(value) {
			out = append(out, name+" is not one of Twilio's names, such as dublin and ie1; mostly it is left out")
		}
	}
	if f.TwilioAPIURL != "" {
		u, err := url.Parse(f.TwilioAPIURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.User != nil {
			out = append(out, "WATCHBILL_TWILIO_API_URL is not an address such as https://twilio-proxy.example.com")
		}
	}
	return out
}

// account is the Twilio account of these settings.
func (f twilioFlags) account(clock func() time.Time, public string) notify.TwilioConfig {
	c := notify.TwilioConfig{
		Account: f.TwilioAccountSID, Key: f.TwilioAPIKey, Secret: f.TwilioAPISecret,
		From: f.TwilioFrom, Service: f.TwilioService, Flow: f.TwilioFlow,
		Edge: f.TwilioEdge, Region: f.TwilioRegion, Public: f.hooks(public).Public, Clock: clock,
	}
	if c.Key == "" {
		c.Key, c.Secret = f.TwilioAccountSID, f.TwilioAuthToken
	}
	if f.TwilioAPIURL != "" {
		c.API, _ = url.Parse(f.TwilioAPIURL) // checked above
	}
	return c
}

// senders are the channels that these settings give.
func (f twilioFlags) senders(clock func() time.Time, public string) map[string]notify.Sender {
	out := map[string]notify.Sender{}
	if !f.configured() {
		return out
	}
	t := notify.NewTwilio(f.account(clock, public))
	out[oncall.MethodSMS] = notify.SMS{Twilio: t}
	if f.TwilioFrom != "" {
		out[oncall.MethodVoice] = notify.Voice{Twilio: t}
	}
	return out
}

// hooks say how Twilio's calls of us are known; it makes none without a public address,
// or where nobody can check its signature.
func (f twilioFlags) hooks(public string) api.Twilio {
	if f.TwilioAuthToken == "" || !strings.HasPrefix(public, "https://") {
		return api.Twilio{}
	}
	h := api.Twilio{Tokens: []string{f.TwilioAuthToken}, Public: strings.TrimSuffix(public, "/")}
	if f.TwilioOtherToken != "" {
		h.Tokens = append(h.Tokens, f.TwilioOtherToken)
	}
	return h
}

// twilioCmd is about the Twilio account itself.
type twilioCmd struct {
	Setup twilioSetupCmd `cmd:"" help:"Make or update the Studio flow that calls people, and print the settings."`
	Check twilioCheckCmd `cmd:"" help:"Check the account, its number and the flow; --test sends an SMS."`
}

type twilioSetupCmd struct {
	twilioFlags `embed:""`
}

func (c *twilioSetupCmd) Run(p process) error {
	if wrong := c.accountProblems(); len(wrong) > 0 {
		return wrongUse(wrong)
	}
	t := notify.NewTwilio(c.account(p.clock, ""))
	numbers, err := t.Numbers(p.ctx)
	if err != nil {
		return err
	}
	chosen, err := c.choose(numbers)
	if err != nil {
		return err
	}
	flow, created, err := t.SetUpFlow(p.ctx)
	if err != nil {
		return err
	}
	r := &report{process: p}
	if created {
		r.ok("flow", "made "+flow)
	} else {
		r.ok("flow", "updated "+flow)
	}
	after := c.twilioFlags
	after.TwilioFrom, after.TwilioFlow = chosen, flow
	r.each("twilio", notify.NewTwilio(after.account(p.clock, "")).Check(p.ctx))
	fmt.Fprintf(p.out, "\nSet these for `watchbill serve`, beside the credentials that you have used now:\n\n  TWILIO_ACCOUNT_SID=%s\n  TWILIO_FROM=%s\n  TWILIO_FLOW_SID=%s\n",
		c.TwilioAccountSID, chosen, flow)
	if r.bad > 0 {
		return fmt.Errorf("%d to mend", r.bad)
	}
	return nil
}

// choose takes the number that is set, or the only one that fits.
func (c *twilioSetupCmd) choose(numbers []notify.TwilioNumber) (string, error) {
	if c.TwilioFrom != "" {
		return c.TwilioFrom, nil
	}
	var fit []string
	for _, n := range numbers {
		if n.SMS && n.Voice {
			fit = append(fit, n.Number)
		}
	}
	switch len(fit) {
	case 0:
		return "", errors.New("the account has no number that can send SMS and make calls; buy one in Twilio's Console")
	case 1:
		return fit[0], nil
	}
	return "", wrongUse{"the account has several numbers: set TWILIO_FROM to one of " + strings.Join(fit, ", ")}
}

type twilioCheckCmd struct {
	twilioFlags `embed:""`
	Test        string `placeholder:"+1…" help:"Send an SMS to this number and wait for what becomes of it."`
}

// testPatience is how long `twilio check --test` waits for a receipt.
const testPatience = 30 * time.Second

func (c *twilioCheckCmd) Run(p process) error {
	wrong := c.problems()
	if !c.configured() {
		wrong = c.accountProblems()
	}
	if c.Test != "" && !phoneNumber.MatchString(c.Test) {
		wrong = append(wrong, fmt.Sprintf("--test is %q; it must be a number with its country code, such as +12025550100", c.Test))
	}
	if len(wrong) > 0 {
		return wrongUse(wrong)
	}
	t := notify.NewTwilio(c.account(p.clock, ""))
	r := &report{process: p}
	r.each("twilio", t.Check(p.ctx))
	if c.Test != "" && r.bad == 0 {
		c.test(r, notify.SMS{Twilio: t})
	}
	if r.bad > 0 {
		return fmt.Errorf("%d to mend", r.bad)
	}
	return nil
}

// test sends an SMS and follows it.
func (c *twilioCheckCmd) test(r *report, sms notify.SMS) {
	receipt := sms.Send(r.ctx, notify.Message{
		Purpose: notify.ForTest, Key: "check " + r.clock().UTC().Format(time.RFC3339), To: c.Test, Attempt: 1, Expires: r.clock().Add(10 * time.Minute),
	})
	if receipt.Outcome != notify.Accepted {
		r.fail("test", receipt.Err.Error(), "Look the number of the error up in Twilio's documents.")
		return
	}
	for until := time.Now().Add(testPatience); ; {
		track, err := sms.Track(r.ctx, receipt.Reference)
		switch {
		case err != nil:
			r.fail("test", err.Error(), "Look for "+receipt.Reference+" in Twilio's Console.")
			return
		case track.State == notify.Failed:
			r.fail("test", track.Err.Error(), "Look for "+receipt.Reference+" in Twilio's Console.")
			return
		case track.State == notify.Delivered:
			r.ok("test", "the SMS was delivered")
			return
		case track.Final || time.Now().After(until):
			r.note("test", "the SMS was sent; its carrier has given no receipt", "Look at the phone. Many carriers give none.")
			return
		}
		select {
		case <-r.ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}
