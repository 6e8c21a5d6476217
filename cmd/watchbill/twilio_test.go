package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

func TestTwilioSettings(t *testing.T) {
	t.Parallel()
	good := twilioFlags{
		TwilioAccountSID: "AC" + strings.Repeat("a", 32), TwilioAPIKey: "SK" + strings.Repeat("b", 32), TwilioAPISecret: "hidden",
		TwilioFrom: "+12025550100",
	}
	with := func(change func(*twilioFlags)) twilioFlags {
		f := good
		change(&f)
		return f
	}
	for name, tt := range map[string]struct {
		flags twilioFlags
		want  string
	}{
		"nothing":        {twilioFlags{}, ""},
		"good":           {good, ""},
		"token alone":    {with(func(f *twilioFlags) { f.TwilioAPIKey, f.TwilioAPISecret, f.TwilioAuthToken = "", "", "hidden" }), ""},
		"service alone":  {with(func(f *twilioFlags) { f.TwilioFrom, f.TwilioService = "", "MG"+strings.Repeat("1", 32) }), ""},
		"no account":     {with(func(f *twilioFlags) { f.TwilioAccountSID = "" }), "TWILIO_ACCOUNT_SID is not set"},
		"wrong account":  {with(func(f *twilioFlags) { f.TwilioAccountSID = "AC123" }), "TWILIO_ACCOUNT_SID is not AC followed by 32 hexadecimal digits"},
		"no secret":      {with(func(f *twilioFlags) { f.TwilioAPISecret = "" }), "TWILIO_API_SECRET is not set"},
		"no key":         {with(func(f *twilioFlags) { f.TwilioAPIKey = "" }), "TWILIO_API_KEY is not set, but TWILIO_API_SECRET is"},
		"no credentials": {with(func(f *twilioFlags) { f.TwilioAPIKey, f.TwilioAPISecret = "", "" }), "neither TWILIO_API_KEY with TWILIO_API_SECRET nor TWILIO_AUTH_TOKEN"},
		"no number":      {with(func(f *twilioFlags) { f.TwilioFrom = "" }), "TWILIO_FROM is not set: the number that pages come from"},
		"flow, no number": {with(func(f *twilioFlags) {
			f.TwilioFrom, f.TwilioService, f.TwilioFlow = "", "MG"+strings.Repeat("1", 32), "FW"+strings.Repeat("1", 32)
		}), "calls need a number"},
		"a local number": {with(func(f *twilioFlags) { f.TwilioFrom = "202 555 0100" }), `TWILIO_FROM is "202 555 0100"`},
		"wrong flow":     {with(func(f *twilioFlags) { f.TwilioFlow = "Watchbill" }), "TWILIO_FLOW_SID is not FW"},
		"wrong region":   {with(func(f *twilioFlags) { f.TwilioRegion = "https://ie1" }), "TWILIO_REGION is not one of Twilio's names"},
		"region alone":   {with(func(f *twilioFlags) { f.TwilioRegion = "ie1" }), "set TWILIO_EDGE, too, such as dublin for ie1"},
		"with its edge":  {with(func(f *twilioFlags) { f.TwilioRegion, f.TwilioEdge = "ie1", "dublin" }), ""},
		"region us1":     {with(func(f *twilioFlags) { f.TwilioRegion = "us1" }), ""},
		"wrong address":  {with(func(f *twilioFlags) { f.TwilioAPIURL = "localhost:9000" }), "WATCHBILL_TWILIO_API_URL is not an address"},
	} {
		got := strings.Join(tt.flags.twilio(nil, "").problems, "\n")
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) || strings.Contains(got, "hidden") {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	for public, calls := range map[string]bool{"": false, "http://watchbill.internal": false, "https://watchbill.example.com/": true} {
		f := with(func(f *twilioFlags) { f.TwilioAuthToken, f.TwilioOtherToken = "one", "two" })
		if h := f.hooks(public); (len(h.Tokens) == 2) != calls || strings.HasSuffix(h.Public, "/") {
			t.Errorf("%q: got %+v, want two tokens: %t, and no slash at the end of the address", public, h, calls)
		}
	}
	if h := good.hooks("https://watchbill.example.com"); len(h.Tokens) > 0 {
		t.Errorf("without a token: %+v, want 0 tokens", h)
	}
}

// Only the countries of verified phones matter, including one that is switched off at present.
func TestPhonesOfVerifiedContacts(t *testing.T) {
	t.Parallel()
	at := time.Now()
	contact := func(method oncall.Method, address string, verified, off *time.Time) oncall.Contact {
		return oncall.Contact{Method: method, Address: address, VerifiedAt: verified, DisabledAt: off}
	}
	sms, calls := phonesOf(&store.Directory{ContactSettings: map[oncall.UserID]oncall.ContactSettings{
		"U0ANN": {Contacts: []oncall.Contact{
			contact(oncall.MethodSMS, "+12025550101", &at, nil), contact(oncall.MethodSMS, "+12025550102", nil, nil),
			contact(oncall.MethodVoice, "+12025550101", &at, &at), contact(oncall.MethodEmail, "ann@example.com", &at, nil),
		}},
		"U0BO": {Contacts: []oncall.Contact{contact(oncall.MethodSMS, "+4915100000000", &at, nil)}},
	}})
	if !slices.Equal(sms, []string{"+12025550101", "+4915100000000"}) || !slices.Equal(calls, []string{"+12025550101"}) {
		t.Errorf("SMS %q, calls %q; want sms %q and calls %q", sms, calls, []string{"+12025550101", "+4915100000000"}, []string{"+12025550101"})
	}
}
