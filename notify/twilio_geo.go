package notify

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/twilio/twilio-go/client"
	accounts "github.com/twilio/twilio-go/rest/accounts/v1"
	voice "github.com/twilio/twilio-go/rest/voice/v1"
)

// A twilioCountry is a country as Twilio's geo permissions know it.
type twilioCountry struct {
	iso, name string
	codes     []string // digits; several countries may share one
	calls     bool     // calls are allowed
}

// CheckCountries checks whether Twilio lets us send SMS and make calls to the countries of these numbers. If the
// credentials may not read the settings, the result is a note.
func (t *Twilio) CheckCountries(ctx context.Context, sms, calls []string) []CheckResult {
	if len(sms)+len(calls) == 0 {
		return nil
	}
	known, x, err := t.countries(ctx)
	if err != nil {
		return []CheckResult{unreadableSettings("to which countries calls are allowed", x, err)}
	}
	var out []CheckResult
	add := func(what, console string, numbers []string, allowed func(twilioCountry) bool) {
		found := forbidden(known, numbers, allowed)
		for _, name := range found {
			out = append(out, CheckResult{Text: what + " to " + name + " are not allowed, where people are reached by them", Remedy: "Allow the country in Twilio's Console under " + console + ", Geo permissions."})
		}
		if len(found) == 0 && len(numbers) > 0 {
			out = append(out, CheckResult{OK: true, Text: what + " are allowed to the countries of all numbers"})
		}
	}
	add("calls", "Voice", calls, func(c twilioCountry) bool { return c.calls })
	if len(sms) == 0 {
		return out
	}
	allowed, x, err := t.messagingCountries(ctx)
	if err != nil {
		return append(out, unreadableSettings("to which countries SMS are allowed", x, err))
	}
	add("SMS", "Messaging", sms, func(c twilioCountry) bool { return allowed[c.iso] })
	return out
}

// unreadableSettings returns the finding for settings that can't be read.
func unreadableSettings(what string, x *exchange, err error) CheckResult {
	text, refused := "could not look "+what, x.status == http.StatusUnauthorized || x.status == http.StatusForbidden
	if !refused {
		text += ": " + err.Error()
	}
	return CheckResult{Note: true, Minor: refused, Text: text, Remedy: "Look in Twilio's Console under Voice and under Messaging, Geo permissions."}
}

// forbidden names the countries of numbers that are not allowed. If several countries share a code, such as the United
// States and Canada, one allowed country is enough, because we can't tell them apart.
func forbidden(known []twilioCountry, numbers []string, allowed func(twilioCountry) bool) []string {
	var out []string
	for _, number := range numbers {
		of, code := countriesOf(known, number)
		if len(of) == 0 || slices.ContainsFunc(of, allowed) {
			continue
		}
		var names []string
		for _, c := range of {
			names = append(names, oneLine(c.name, maxName))
		}
		if name := strings.Join(names, " or ") + " (+" + code + ")"; !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// countriesOf returns the countries with the longest calling code that begins the number.
func countriesOf(known []twilioCountry, number string) (out []twilioCountry, code string) {
	number = digits(number)
	for _, c := range known {
		for _, prefix := range c.codes {
			switch {
			case prefix == "" || !strings.HasPrefix(number, prefix) || len(prefix) < len(code):
			case len(prefix) > len(code):
				out, code = []twilioCountry{c}, prefix
			default:
				out = append(out, c)
			}
		}
	}
	return out, code
}

// digits leaves out all but the digits of a number or code.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// countries lists the countries, and whether calls to them are allowed.
func (t *Twilio) countries(ctx context.Context) ([]twilioCountry, *exchange, error) {
	p := (&voice.ListDialingPermissionsCountryParams{}).SetPageSize(1000)
	page, x, err := ask(ctx, t, "look at the geo permissions of calls", func(h *client.RequestHandler) (*voice.ListDialingPermissionsCountryResponse, error) {
		return voice.NewApiService(h).PageDialingPermissionsCountry(p, "", "")
	})
	if err != nil {
		return nil, x, err
	}
	var out []twilioCountry
	for _, c := range page.Content {
		found := twilioCountry{iso: deref(c.IsoCode), name: deref(c.Name), calls: deref(c.LowRiskNumbersEnabled)}
		for _, code := range deref(c.CountryCodes) {
			found.codes = append(found.codes, digits(code))
		}
		out = append(out, found)
	}
	return out, x, nil
}

// messagingCountries returns the countries to which SMS are allowed.
func (t *Twilio) messagingCountries(ctx context.Context) (map[string]bool, *exchange, error) {
	found, x, err := ask(ctx, t, "look at the geo permissions of messages", func(h *client.RequestHandler) (*accounts.AccountsV1MessagingGeopermissions, error) {
		return accounts.NewApiService(h).FetchMessagingGeopermissions(&accounts.FetchMessagingGeopermissionsParams{})
	})
	if err != nil {
		return nil, x, err
	}
	var permissions []struct {
		Country string `json:"country_code"`
		Enabled bool   `json:"enabled"`
	}
	if err := decode(found.Permissions, &permissions); err != nil {
		return nil, x, err
	}
	out := map[string]bool{}
	for _, p := range permissions {
		out[p.Country] = p.Enabled
	}
	return out, x, nil
}
