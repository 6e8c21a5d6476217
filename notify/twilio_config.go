package notify

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// TwilioConfig is what we need to know about the account.
type TwilioConfig struct {
	Account string // its SID, AC…
	Token   string // its auth token, for signing in if there is no API key
	Key     string // an API key's SID, SK…
	Secret  string // the API key's secret
	From    string // our number, in E.164
	Service string // a Messaging Service, MG…, that sends SMS instead of From; may be empty
	Flow    string // the Studio flow that calls people, FW…; empty: calls that nobody can answer

	Edge, Region string // as in Twilio's own clients; usually empty
	API          string // an address to use instead of Twilio's; empty: Twilio's
	Public       string // where Twilio reaches us, without a trailing slash; empty: nowhere
	Clock        func() time.Time

	Allowed func(number string) error // says why a number may not be called or written to; nil: all may
}

// forbidden returns the receipt for a message to a number that may not be called or texted, or nil.
func (c TwilioConfig) forbidden(number string) *Receipt {
	if c.Allowed == nil {
		return nil
	}
	if err := c.Allowed(number); err != nil {
		return &Receipt{Outcome: Rejected, Dead: true, Err: err}
	}
	return nil
}

// Configured reports whether any setting for Twilio is set.
func (c TwilioConfig) Configured() bool {
	return c.Account+c.Token+c.Key+c.Secret+c.From+c.Service+c.Flow != ""
}

// Problems says what is wrong with the settings, by their names and without secrets.
func (c TwilioConfig) Problems() []string {
	if !c.Configured() {
		return nil
	}
	out := c.AccountProblems()
	switch {
	case c.From == "" && c.Service == "":
		out = append(out, "TWILIO_FROM is not set: the number that pages come from, such as +12025550100; or set TWILIO_MESSAGING_SERVICE_SID for SMS alone")
	case c.From == "" && c.Flow != "":
		out = append(out, "TWILIO_FROM is not set, but TWILIO_FLOW_SID is: calls need a number to come from, such as +12025550100")
	}
	return out
}

// AccountProblems returns the problems that matter before there is a number.
func (c TwilioConfig) AccountProblems() []string {
	var out []string
	sid := func(name, prefix, value, where string) {
		if value != "" && !twilioSID(prefix, value) {
			out = append(out, fmt.Sprintf("%s is not %s followed by 32 hexadecimal digits; it stands %s", name, prefix, where))
		}
	}
	if c.Account == "" {
		out = append(out, "TWILIO_ACCOUNT_SID is not set: it begins with AC and stands on the first page of Twilio's Console")
	}
	sid("TWILIO_ACCOUNT_SID", "AC", c.Account, "on the first page of Twilio's Console")
	switch {
	case c.Key != "" && c.Secret == "":
		out = append(out, "TWILIO_API_SECRET is not set, but TWILIO_API_KEY is; Twilio showed the secret once, when the key was made")
	case c.Key == "" && c.Secret != "":
		out = append(out, "TWILIO_API_KEY is not set, but TWILIO_API_SECRET is; the key begins with SK")
	case c.Key == "" && c.Token == "":
		out = append(out, "neither TWILIO_API_KEY with TWILIO_API_SECRET nor TWILIO_AUTH_TOKEN is set: Twilio wants one of them to sign in")
	}
	sid("TWILIO_API_KEY", "SK", c.Key, "in Twilio's Console under API keys & tokens")
	sid("TWILIO_MESSAGING_SERVICE_SID", "MG", c.Service, "in Twilio's Console under Messaging, Services")
	sid("TWILIO_FLOW_SID", "FW", c.Flow, "in what `watchbill twilio setup` prints")
	for _, s := range [][2]string{{"TWILIO_EDGE", c.Edge}, {"TWILIO_REGION", c.Region}} {
		if !twilioName.MatchString(s[1]) {
			out = append(out, s[0]+" is not one of Twilio's names, such as dublin and ie1; mostly it is left out")
		}
	}
	if c.Region != "" && c.Region != "us1" && c.Edge == "" && c.API == "" {
		// Since April 2026: twilio.com/en-us/changelog, "API domain migration".
		out = append(out, "TWILIO_REGION alone leads nowhere any more: set TWILIO_EDGE, too, such as dublin for ie1 and sydney for au1")
	}
	if u := parseServiceURL(c.API); c.API != "" && (u == nil || u.RawQuery != "" || u.User != nil) {
		out = append(out, "WATCHBILL_TWILIO_API_URL is not an address such as https://twilio-proxy.example.com")
	}
	return out
}

var (
	twilioName = regexp.MustCompile(`^[a-z0-9-]*$`)
	twilioHex  = regexp.MustCompile(`^[0-9a-fA-F]{32}$`)
)

func twilioSID(prefix, s string) bool {
	rest, found := strings.CutPrefix(s, prefix)
	return found && twilioHex.MatchString(rest)
}
