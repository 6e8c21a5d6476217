package twiliosim

import (
	"net/http"
	"net/url"
	"slices"
)

// countries are some of the countries that Twilio knows, with their codes. Several may share one.
var countries = []struct {
	iso, name string
	codes     []string
}{
	{"US", "United States", []string{"+1"}},
	{"CA", "Canada", []string{"+1"}},
	{"DO", "Dominican Republic", []string{"+1809", "+1829", "+1849"}},
	{"GB", "United Kingdom", []string{"+44"}},
	{"DE", "Germany", []string{"+49"}},
	{"RU", "Russia", []string{"+7"}},
	{"KZ", "Kazakhstan", []string{"+7"}},
}

// Forbid sets whether SMS and calls to a country are forbidden.
func (s *Sim) Forbid(iso string, sms, calls bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sms {
		s.noSMS = append(s.noSMS, iso)
	}
	if calls {
		s.noCalls = append(s.noCalls, iso)
	}
}

// HideCountries hides which countries are allowed, as Twilio may from an API key.
func (s *Sim) HideCountries() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noGeo = true
}

var geoRoutes = map[string]endpoint{
	"GET /v1/DialingPermissions/Countries": {takes: append(paging, "IsoCode", "CountryCode"), do: (*Sim).listDialing},
	"GET /v1/Messaging/GeoPermissions":     {takes: []string{"CountryCode"}, do: (*Sim).listMessaging},
}

func (s *Sim) listDialing(r *http.Request, form url.Values) (any, *refusal) {
	if s.noGeo {
		return nil, refuse(http.StatusForbidden, 20403, "Forbidden")
	}
	all := []obj{}
	for _, c := range countries {
		if iso := form.Get("IsoCode"); iso != "" && iso != c.iso {
			continue
		}
		all = append(all, obj{
			"iso_code": c.iso, "name": c.name, "continent": "NORTH_AMERICA", "country_codes": c.codes,
			"low_risk_numbers_enabled": !slices.Contains(s.noCalls, c.iso), "high_risk_special_numbers_enabled": false, "high_risk_tollfraud_numbers_enabled": false,
			"url": "https://voice.twilio.com/v1/DialingPermissions/Countries/" + c.iso, "links": obj{},
		})
	}
	return listV2(r, form, "content", all), nil
}

func (s *Sim) listMessaging(_ *http.Request, form url.Values) (any, *refusal) {
	if s.noGeo {
		return nil, refuse(http.StatusUnauthorized, 20003, "Authenticate")
	}
	all := []obj{}
	for _, c := range countries {
		if iso := form.Get("CountryCode"); iso == "" || iso == c.iso {
			all = append(all, obj{"country_code": c.iso, "type": "country", "enabled": !slices.Contains(s.noSMS, c.iso)})
		}
	}
	return obj{"permissions": all}, nil
}
