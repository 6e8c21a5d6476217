package twiliosim

import (
	"net/http"
	"net/url"
)

// A Registration is the state of the account's registrations, in Twilio's words; empty: there is none.
type Registration struct {
	TollFree string // our number's: TWILIO_APPROVED, PENDING_REVIEW, IN_REVIEW, TWILIO_REJECTED
	Campaign string // the Messaging Service campaign's: VERIFIED, PENDING, IN_PROGRESS, FAILED
	Profile  string // the customer profile: twilio-approved, draft, in-review
	Trial    bool   // texts begin with Twilio's note
}

// trialNote begins every text of an account on trial.
const trialNote = "Sent from your Twilio trial account - "

// SetRegistration changes the registrations. Initially there is an approved profile.
func (s *Sim) SetRegistration(r Registration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.registration = r
}

var registrationRoutes = map[string]endpoint{
	"GET /v1/Tollfree/Verifications":              {takes: append(paging, "TollfreePhoneNumberSid", "Status"), do: (*Sim).listTollFree},
	"GET /v1/Services/{service}/Compliance/Usa2p": {takes: paging, do: (*Sim).listCampaigns},
	"GET /v1/CustomerProfiles":                    {takes: append(paging, "Status", "FriendlyName", "PolicySid"), do: (*Sim).listProfiles},
}

func (s *Sim) listTollFree(r *http.Request, form url.Values) (any, *refusal) {
	number := "PN" + s.opt.Account[2:]
	all := []obj{}
	if status := s.registration.TollFree; status != "" && (form.Get("TollfreePhoneNumberSid") == "" || form.Get("TollfreePhoneNumberSid") == number) {
		all = append(all, obj{"sid": newSID("HH"), "tollfree_phone_number_sid": number, "status": status})
	}
	return listV2(r, form, "verifications", all), nil
}

func (s *Sim) listCampaigns(r *http.Request, form url.Values) (any, *refusal) {
	if _, no := s.serviceNamed(r); no != nil {
		return nil, no
	}
	all := []obj{}
	if status := s.registration.Campaign; status != "" {
		all = append(all, obj{"sid": newSID("QE"), "messaging_service_sid": r.PathValue("service"), "campaign_status": status})
	}
	return listV2(r, form, "compliance", all), nil
}

func (s *Sim) listProfiles(r *http.Request, form url.Values) (any, *refusal) {
	all := []obj{}
	if status := s.registration.Profile; status != "" && (form.Get("Status") == "" || form.Get("Status") == status) {
		all = append(all, obj{"sid": newSID("BU"), "status": status, "friendly_name": "Example"})
	}
	return listV2(r, form, "results", all), nil
}
