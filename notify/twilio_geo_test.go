package notify_test

import (
	"strings"
	"testing"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/twiliosim"
)

// Whether the countries of people's phones are allowed is read from Twilio before anybody is paged there.
func TestCheckCountriesOfPhones(t *testing.T) {
	t.Parallel()
	const german, dominican, russian = "+4915100000000", "+18095550101", "+79160000000"
	for name, c := range map[string]struct {
		before     func(s *twiliosim.Sim)
		sms, calls []string
		want       string
	}{
		"nobody":         {sms: nil, want: ""},
		"allowed":        {sms: []string{annPhone, german}, calls: []string{annPhone}, want: "ok calls are allowed to the countries of all numbers; ok SMS are allowed to the countries of all numbers"},
		"no SMS":         {before: func(s *twiliosim.Sim) { s.Forbid("DE", true, false) }, sms: []string{german, german}, calls: []string{german}, want: "ok calls are allowed to the countries of all numbers; bad SMS to Germany (+49) are not allowed, where people are reached by them"},
		"no calls":       {before: func(s *twiliosim.Sim) { s.Forbid("DE", false, true) }, sms: []string{annPhone}, calls: []string{german}, want: "bad calls to Germany (+49) are not allowed, where people are reached by them; ok SMS are allowed to the countries of all numbers"},
		"a longer code":  {before: func(s *twiliosim.Sim) { s.Forbid("DO", true, true) }, sms: []string{dominican, annPhone}, want: "bad SMS to Dominican Republic (+1809) are not allowed, where people are reached by them"},
		"one of two":     {before: func(s *twiliosim.Sim) { s.Forbid("KZ", true, true) }, sms: []string{russian}, want: "ok SMS are allowed to the countries of all numbers"},
		"both of two":    {before: func(s *twiliosim.Sim) { s.Forbid("KZ", true, true); s.Forbid("RU", true, true) }, calls: []string{russian}, want: "bad calls to Russia or Kazakhstan (+7) are not allowed, where people are reached by them"},
		"unknown to us":  {sms: []string{"+999123456789"}, want: "ok SMS are allowed to the countries of all numbers"},
		"not to be seen": {before: func(s *twiliosim.Sim) { s.HideCountries() }, sms: []string{german}, want: "note could not look to which countries calls are allowed"},
		"SMS not seen": {before: func(s *twiliosim.Sim) {
			s.Fail(twiliosim.Fault{Path: "/GeoPermissions", Kind: twiliosim.FaultError, Status: 401, Code: 20003})
		}, sms: []string{german}, calls: []string{german}, want: "ok calls are allowed to the countries of all numbers; note could not look to which countries SMS are allowed"},
		"a moment's fault": {before: func(s *twiliosim.Sim) {
			s.Fail(twiliosim.Fault{Path: "/DialingPermissions", Kind: twiliosim.FaultHTML})
		}, calls: []string{german}, want: "note could not look to which countries calls are allowed: look at the geo permissions of calls: status 502"},
	} {
		l := newTwilioFixture(t)
		if c.before != nil {
			c.before(l.sim)
		}
		var got []string
		for _, f := range notify.NewTwilio(l.conf).CheckCountries(t.Context(), c.sms, c.calls) {
			word := map[bool]string{true: "ok ", false: "bad "}[f.OK]
			if f.Note {
				word = "note "
			}
			if !f.OK && f.Remedy == "" {
				t.Errorf("%s: no remedy for %q", name, f.Text)
			}
			got = append(got, word+f.Text)
		}
		if all := strings.Join(got, "; "); !strings.HasPrefix(all, c.want) || c.want == "" && all != "" {
			t.Errorf("%s: %q, want %q", name, all, c.want)
		}
	}
}
