package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/api"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// twilioFlags set the Twilio account that sends SMS and makes calls.
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
	PhoneCountries   string `env:"WATCHBILL_PHONE_COUNTRIES" placeholder:"LIST" help:"Countries whose phones may be called and written to, such as US,CA,DE; without it all, and admins are told of each new one."`
	TwilioAPIURL     string `name:"twilio-api-url" env:"WATCHBILL_TWILIO_API_URL" placeholder:"URL" help:"Another address in place of Twilio's, for a proxy or a simulator."`
}

// config returns the Twilio account in these settings.
func (f twilioFlags) config(clock func() time.Time, public string) notify.TwilioConfig {
	return notify.TwilioConfig{
		Account: f.TwilioAccountSID, Token: f.TwilioAuthToken, Key: f.TwilioAPIKey, Secret: f.TwilioAPISecret,
		From: f.TwilioFrom, Service: f.TwilioService, Flow: f.TwilioFlow,
		Edge: f.TwilioEdge, Region: f.TwilioRegion, API: f.TwilioAPIURL, Public: f.hooks(public).Public, Clock: clock,
		Allowed: func(number string) error { return f.phones().Check(oncall.MethodSMS, number) },
	}
}

// phones returns the countries whose phones may be used.
func (f twilioFlags) phones() oncall.PhoneRules {
	rules, _ := oncall.ParsePhoneCountries(f.PhoneCountries) // reported by problems
	return rules
}

// twilio returns the channel for SMS and, if a number can make them, calls.
func (f twilioFlags) twilio(clock func() time.Time, public string) channel {
	config := f.config(clock, public)
	c := channel{name: "twilio", problems: append(config.Problems(), phoneProblems("TWILIO_FROM", f.TwilioFrom)...)}
	if _, err := oncall.ParsePhoneCountries(f.PhoneCountries); err != nil {
		c.problems = append(c.problems, "WATCHBILL_PHONE_COUNTRIES: "+err.Error())
	}
	if !config.Configured() {
		return c
	}
	t := notify.NewTwilio(config)
	c.senders = map[oncall.Method]notify.Sender{oncall.MethodSMS: notify.SMS{Twilio: t}}
	if f.TwilioFrom != "" {
		c.senders[oncall.MethodVoice] = notify.Voice{Twilio: t}
	}
	return c
}

// phoneProblems checks the phone number in a setting or flag.
func phoneProblems(name, number string) []string {
	if kept, err := oncall.MethodSMS.CheckAddress(number); number != "" && (err != nil || kept != number) {
		return []string{fmt.Sprintf("%s is %q; it must be a number with its country code, such as +12025550100", name, number)}
	}
	return nil
}

// hooks returns how to verify Twilio's webhooks. There are none without a public address, or
// without a token to check their signatures.
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

// twilioCmd manages the Twilio account itself.
type twilioCmd struct {
	Setup twilioSetupCmd `cmd:"" help:"Make or update the Studio flow that calls people, and print the settings."`
	Check twilioCheckCmd `cmd:"" help:"Check the account, its number and the flow; --test sends an SMS."`
}

type twilioSetupCmd struct {
	twilioFlags   `embed:""`
	databaseFlags `embed:""`
}

func (c *twilioSetupCmd) Run(p process) error {
	config := c.config(p.clock, "")
	if wrong := append(config.AccountProblems(), phoneProblems("TWILIO_FROM", c.TwilioFrom)...); len(wrong) > 0 {
		return wrongUse(wrong)
	}
	t := notify.NewTwilio(config)
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
	config.From, config.Flow = chosen, flow
	t = notify.NewTwilio(config)
	r.each("twilio", t.Check(p.ctx))
	c.countries(r, t, chosen)
	fmt.Fprintf(p.out, "\nSet these for `watchbill serve`, beside the credentials that you have used now:\n\n  TWILIO_ACCOUNT_SID=%s\n  TWILIO_FROM=%s\n  TWILIO_FLOW_SID=%s\n",
		c.TwilioAccountSID, chosen, flow)
	if r.bad > 0 {
		return fmt.Errorf("%s to fix", counted(r.bad, "problem"))
	}
	return nil
}

// choose returns the configured number, or the only suitable one.
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
	twilioFlags   `embed:""`
	databaseFlags `embed:""`
	Test          string `placeholder:"+1…" help:"Send an SMS to this number and wait for what becomes of it."`
}

// testReceiptTimeout is how long `twilio check --test` waits for the receipt.
const testReceiptTimeout = 30 * time.Second

func (c *twilioCheckCmd) Run(p process) error {
	config := c.config(p.clock, "")
	wrong := c.twilio(p.clock, "").problems
	if !config.Configured() {
		wrong = config.AccountProblems()
	}
	if wrong = append(wrong, phoneProblems("--test", c.Test)...); len(wrong) > 0 {
		return wrongUse(wrong)
	}
	t := notify.NewTwilio(config)
	r := &report{process: p}
	r.each("twilio", t.Check(p.ctx))
	c.countries(r, t, c.TwilioFrom, c.Test)
	if c.Test != "" && r.bad == 0 {
		c.test(r, notify.SMS{Twilio: t})
	}
	if r.bad > 0 {
		return fmt.Errorf("%s to fix", counted(r.bad, "problem"))
	}
	return nil
}

// test sends an SMS and follows its delivery.
func (c *twilioCheckCmd) test(r *report, sms notify.SMS) {
	receipt := sms.Send(r.ctx, notify.Message{
		Purpose: notify.ForTest, Key: "check " + r.clock().UTC().Format(time.RFC3339), To: c.Test, Attempt: 1, Expires: r.clock().Add(10 * time.Minute),
	})
	if receipt.Outcome != notify.Accepted {
		r.fail("test", receipt.Err.Error(), "Look the number of the error up in Twilio's documents.")
		return
	}
	for until := time.Now().Add(testReceiptTimeout); ; {
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

// countries checks whether Twilio may reach the countries of people's phones, and of these numbers.
func (f databaseFlags) countries(r *report, t *notify.Twilio, numbers ...string) {
	numbers = slices.DeleteFunc(numbers, func(n string) bool { return n == "" })
	sms, calls := slices.Clone(numbers), slices.Clone(numbers)
	if f.DatabaseURL != "" {
		ctx, cancel := context.WithTimeout(r.ctx, doctorCheckLimit)
		defer cancel()
		peopleSMS, peopleCalls, err := f.peoplesPhones(ctx)
		if err != nil {
			r.note("twilio", "could not read people's phones: "+err.Error(), "Check DATABASE_URL to have their countries checked as well.")
		}
		sms, calls = append(sms, peopleSMS...), append(calls, peopleCalls...)
	}
	r.each("twilio", t.CheckCountries(r.ctx, sms, calls))
}

// peoplesPhones returns the numbers in the database that are used to reach people.
func (f databaseFlags) peoplesPhones(ctx context.Context) (sms, calls []string, err error) {
	db, err := store.Open(ctx, f.DatabaseURL, store.Options{Log: zerolog.Nop()})
	if err != nil {
		return nil, nil, err
	}
	defer db.Close()
	directory, err := db.Directory(ctx)
	if err != nil {
		return nil, nil, err
	}
	sms, calls = phonesOf(directory)
	return sms, calls, nil
}

// phonesOf returns people's verified numbers.
func phonesOf(d *store.Directory) (sms, calls []string) {
	for _, user := range slices.Sorted(maps.Keys(d.ContactSettings)) {
		for _, c := range d.ContactSettings[user].Contacts {
			switch {
			case c.VerifiedAt == nil:
			case c.Method == oncall.MethodSMS:
				sms = append(sms, c.Address)
			case c.Method == oncall.MethodVoice:
				calls = append(calls, c.Address)
			}
		}
	}
	return sms, calls
}
