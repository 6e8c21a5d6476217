package twiliosim

import (
	"net/http"
	"net/url"
)

// A Service is a Messaging Service, whose sender pool holds our number. Without one any SID is a service
// that leaves incoming messages to the number's own webhook.
type Service struct {
	SID        string
	InboundURL string   // called for incoming messages
	Defers     bool     // the number's own webhook counts; without it and InboundURL incoming messages are dropped
	Alpha      []string // alphanumeric senders, which are preferred and can't be answered
}

// drops reports whether incoming messages are neither logged nor delivered.
func (s *Service) drops() bool { return s != nil && !s.Defers && s.InboundURL == "" }

// SetService puts our number into a Messaging Service.
func (s *Sim) SetService(v Service) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.service = &v
}

var serviceRoutes = map[string]endpoint{
	"GET /v1/Services":                        {takes: paging, do: (*Sim).listServices},
	"GET /v1/Services/{service}":              {do: (*Sim).fetchService},
	"GET /v1/Services/{service}/PhoneNumbers": {takes: paging, do: (*Sim).listServiceNumbers},
	"GET /v1/Alerts":                          {takes: append(paging, "LogLevel", "StartDate", "EndDate"), do: (*Sim).listAlerts},

	"GET /v1/Services/{service}/ShortCodes":              {takes: paging, do: (*Sim).listShortCodes},
	"GET /v1/Services/{service}/AlphaSenders":            {takes: paging, do: (*Sim).listAlpha},
	"GET /v1/Services/{service}/DestinationAlphaSenders": {takes: append(paging, "IsoCountryCode"), do: (*Sim).listNoAlpha},
}

func (s Service) shown(account string) obj {
	return obj{
		"sid": s.SID, "account_sid": account, "friendly_name": "Simulated service", "inbound_request_url": null(s.InboundURL),
		"use_inbound_webhook_on_number": s.Defers, "inbound_method": "POST", "url": "https://messaging.twilio.com/v1/Services/" + s.SID,
	}
}

// serviceNamed finds the service of a request's address.
func (s *Sim) serviceNamed(r *http.Request) (Service, *refusal) {
	sid := r.PathValue("service")
	switch {
	case s.service != nil && s.service.SID == sid:
		return *s.service, nil
	case s.service == nil && serviceSID.MatchString(sid):
		return Service{SID: sid, Defers: true}, nil
	}
	return Service{}, refuse(http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found")
}

func (s *Sim) listServices(r *http.Request, form url.Values) (any, *refusal) {
	all := []obj{}
	if s.service != nil {
		all = append(all, s.service.shown(s.opt.Account))
	}
	return listV2(r, form, "services", all), nil
}

func (s *Sim) fetchService(r *http.Request, _ url.Values) (any, *refusal) {
	v, no := s.serviceNamed(r)
	if no != nil {
		return nil, no
	}
	return v.shown(s.opt.Account), nil
}

func (s *Sim) listServiceNumbers(r *http.Request, form url.Values) (any, *refusal) {
	if _, no := s.serviceNamed(r); no != nil {
		return nil, no
	}
	return listV2(r, form, "phone_numbers", []obj{{"sid": "PN" + s.opt.Account[2:], "phone_number": s.opt.Number}}), nil
}

func (s *Sim) listShortCodes(r *http.Request, form url.Values) (any, *refusal) {
	if _, no := s.serviceNamed(r); no != nil {
		return nil, no
	}
	return listV2(r, form, "short_codes", []obj{}), nil
}

func (s *Sim) listAlpha(r *http.Request, form url.Values) (any, *refusal) {
	v, no := s.serviceNamed(r)
	if no != nil {
		return nil, no
	}
	all := []obj{}
	for _, name := range v.Alpha {
		all = append(all, obj{"sid": newSID("AI"), "service_sid": v.SID, "alpha_sender": name})
	}
	return listV2(r, form, "alpha_senders", all), nil
}

func (s *Sim) listNoAlpha(r *http.Request, form url.Values) (any, *refusal) {
	return listV2(r, form, "alpha_senders", []obj{}), nil
}
