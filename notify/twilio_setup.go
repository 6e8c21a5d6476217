package notify

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	api "github.com/twilio/twilio-go/rest/api/v2010"
	studio "github.com/twilio/twilio-go/rest/studio/v2"
)

// SetUpFlow creates or updates the Studio flow that calls people, after having Twilio check it, and
// returns its SID.
func (t *Twilio) SetUpFlow(ctx context.Context) (sid string, created bool, err error) {
	check := (&studio.UpdateFlowValidateParams{}).SetFriendlyName(FlowName).SetStatus("published").SetDefinition(StudioFlow())
	valid, _, err := askStudio(ctx, t, "check the flow", func(s *studio.ApiService) (*studio.StudioV2FlowValidate, error) {
		return s.UpdateFlowValidate(check)
	})
	if err != nil {
		return "", false, err
	}
	if !deref(valid.Valid) {
		return "", false, fmt.Errorf("check the flow: it is not valid; this version of Watchbill doesn't fit Studio")
	}
	sid, err = t.findFlow(ctx)
	if err != nil {
		return "", false, err
	}
	if sid != "" {
		p := (&studio.UpdateFlowParams{}).SetFriendlyName(FlowName).SetStatus("published").SetDefinition(StudioFlow())
		_, _, err = askStudio(ctx, t, "update the flow", func(s *studio.ApiService) (*studio.StudioV2Flow, error) { return s.UpdateFlow(sid, p) })
		return sid, false, err
	}
	p := (&studio.CreateFlowParams{}).SetFriendlyName(FlowName).SetStatus("published").SetDefinition(StudioFlow())
	flow, _, err := askStudio(ctx, t, "make the flow", func(s *studio.ApiService) (*studio.StudioV2Flow, error) { return s.CreateFlow(p) })
	if err != nil {
		return "", false, err
	}
	return oneLine(deref(flow.Sid), maxName), true, nil
}

// findFlow looks for our flow: the configured one, or one with its name.
func (t *Twilio) findFlow(ctx context.Context) (string, error) {
	if t.Flow != "" {
		return t.Flow, nil
	}
	p := (&studio.ListFlowParams{}).SetPageSize(messagePage)
	token, number := "", ""
	for range executionPages {
		page, _, err := askStudio(ctx, t, "list the flows", func(s *studio.ApiService) (*studio.ListFlowResponse, error) {
			return s.PageFlow(p, token, number)
		})
		if err != nil {
			return "", err
		}
		for _, f := range page.Flows {
			if deref(f.FriendlyName) == FlowName {
				return oneLine(deref(f.Sid), maxName), nil
			}
		}
		if token, number = nextPage(page.Meta.NextPageUrl); token == "" && number == "" {
			return "", nil
		}
	}
	return "", nil
}

// A TwilioNumber is a phone number of the account.
type TwilioNumber struct {
	Number     string
	SMS, Voice bool
	SMSURL     string // webhook for incoming messages; empty: none

	sid string
}

// Numbers lists the account's phone numbers.
func (t *Twilio) Numbers(ctx context.Context) ([]TwilioNumber, error) {
	numbers, _, err := t.listAccountNumbers(ctx)
	return numbers, err
}

func (t *Twilio) listAccountNumbers(ctx context.Context) ([]TwilioNumber, *exchange, error) {
	p := (&api.ListIncomingPhoneNumberParams{}).SetPageSize(1000)
	page, x, err := askAPI(ctx, t, "list the numbers", func(a *api.ApiService) (*api.ListIncomingPhoneNumberResponse, error) {
		return a.PageIncomingPhoneNumber(p, "", "")
	})
	if err != nil {
		return nil, x, err
	}
	var out []TwilioNumber
	for _, n := range page.IncomingPhoneNumbers {
		found := TwilioNumber{Number: oneLine(deref(n.PhoneNumber), maxName), SMSURL: deref(n.SmsUrl), sid: deref(n.Sid)}
		if c := n.Capabilities; c != nil {
			found.SMS, found.Voice = c.Sms, c.Voice
		}
		out = append(out, found)
	}
	return out, x, nil
}

// Check checks the account, as far as the API allows.
func (t *Twilio) Check(ctx context.Context) []CheckResult {
	first, ok := t.checkAccount(ctx)
	if !ok {
		return []CheckResult{first}
	}
	found := []CheckResult{first}
	numbers, x, err := t.listAccountNumbers(ctx)
	if err != nil {
		remedy := "Give the API key access to phone numbers, or use a standard key."
		if code(err) == 20003 || x.status == http.StatusNotFound {
			remedy = wrongCredentials
		}
		failed := CheckResult{Text: err.Error(), Remedy: x.remedy(err, remedy)}
		if first.Note { // the list of the numbers is what proves the key
			return []CheckResult{failed}
		}
		return append(found, failed)
	}
	found = append(found, t.checkNumber(numbers)...)
	answers, service := t.checkService(ctx)
	found = append(found, answers...)
	if i := slices.IndexFunc(numbers, func(n TwilioNumber) bool { return n.Number == t.From }); i >= 0 || t.From == "" {
		sid := ""
		if i >= 0 {
			sid = numbers[i].sid
		}
		found = append(found, t.checkRegistration(ctx, sid, service)...)
	}
	found = append(found, t.checkProfile(ctx)...)
	found = append(found, t.checkMessageTexts(ctx)...)
	return append(found, t.checkFlow(ctx))
}

const trialRemedy = "Upgrade it: a trial account reaches only numbers verified in Twilio's Console."

const wrongCredentials = "Check TWILIO_ACCOUNT_SID and the API key (or the auth token); both stand in Twilio's Console."

// checkAccount looks at the account itself, which Twilio shows to no Standard API key. It reports false
// if nothing else needs to be looked at.
func (t *Twilio) checkAccount(ctx context.Context) (CheckResult, bool) {
	account, x, err := askAPI(ctx, t, "look at the account", func(a *api.ApiService) (*api.ApiV2010Account, error) { return a.FetchAccount(t.Account) })
	switch {
	case err != nil && t.Key != t.Account && (x.status == http.StatusUnauthorized || x.status == http.StatusForbidden):
		return CheckResult{
			Note: true, Minor: true, Text: "a Standard API key can't see whether the account is on trial or suspended",
			Remedy: "Look at it in Twilio's Console.",
		}, true
	case err != nil:
		return CheckResult{Text: err.Error(), Remedy: x.remedy(err, wrongCredentials)}, false
	case deref(account.Status) != "active":
		return CheckResult{Text: "the account is " + t.secrets().line(deref(account.Status)), Remedy: "See Twilio's Console for why."}, true
	case strings.EqualFold(deref(account.Type), "Trial"):
		return CheckResult{Text: "the account is on trial", Remedy: trialRemedy}, true
	}
	return CheckResult{OK: true, Text: "the account is active"}, true
}

// remedy says what to do about an error. It is ours only if Twilio refused the request.
func (e *exchange) remedy(err error, ours string) string {
	host, setting := "api.twilio.com over HTTPS", "."
	if e.t.api != nil {
		host, setting = e.t.api.Host, ". Check WATCHBILL_TWILIO_API_URL."
	}
	switch r := e.receipt(Message{}, nil, err); {
	case r.Outcome == Misconfigured || r.Outcome == Rejected:
		return ours
	case e.status == http.StatusTooManyRequests || e.status >= http.StatusInternalServerError:
		return "Nothing is wrong with our settings: look at the service, and try again later."
	}
	return "Check that this machine reaches " + host + setting
}

// checkNumber checks our number against the account's.
func (t *Twilio) checkNumber(numbers []TwilioNumber) []CheckResult {
	if t.From == "" {
		return []CheckResult{{Note: true, Minor: true, Text: "no number is configured; SMS go by the Messaging Service", Remedy: "Set TWILIO_FROM to call people as well."}}
	}
	for _, n := range numbers {
		if n.Number != t.From {
			continue
		}
		found := []CheckResult{{OK: n.SMS, Text: t.From + " sends SMS"}, {OK: n.Voice, Text: t.From + " makes calls"}}
		if !n.SMS {
			found[0].Text, found[0].Remedy = t.From+" can't send SMS", "Buy a number with SMS, or set TWILIO_MESSAGING_SERVICE_SID."
		}
		if !n.Voice {
			found[1].Text, found[1].Remedy = t.From+" can't make calls", "Buy a number with voice."
		}
		if strings.Contains(n.SMSURL, "demo.twilio.com") {
			found = append(found, CheckResult{
				Text:   "messages to " + t.From + " are answered by Twilio's demo",
				Remedy: "Empty the number's webhook for messages in Twilio's Console: Watchbill reads the answers itself.",
			})
		}
		return found
	}
	return []CheckResult{{Text: t.From + " is not a number of this account", Remedy: "Set TWILIO_FROM to one that is: `watchbill twilio setup` lists them."}}
}

// checkFlow checks the Studio flow.
func (t *Twilio) checkFlow(ctx context.Context) CheckResult {
	if t.Flow == "" {
		return CheckResult{Note: true, Text: "no flow is configured: calls only speak, and take no key without a public address", Remedy: "Run `watchbill twilio setup` and set TWILIO_FLOW_SID."}
	}
	flow, x, err := askStudio(ctx, t, "look at the flow", func(s *studio.ApiService) (*studio.StudioV2Flow, error) { return s.FetchFlow(t.Flow) })
	switch {
	case err != nil:
		return CheckResult{Text: err.Error(), Remedy: x.remedy(err, "Run `watchbill twilio setup` and set TWILIO_FLOW_SID to what it prints.")}
	case deref(flow.Status) != "published":
		return CheckResult{Text: "the flow is a draft", Remedy: "Run `watchbill twilio setup`, which publishes it."}
	}
	return CheckResult{OK: true, Text: "the flow for calls is published"}
}
