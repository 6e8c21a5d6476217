package twiliosim

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// An alert is an entry of Twilio's Monitor, the only place where Studio reports a call that it could not
// make.
type alert struct {
	sid, resource, text string
	code                int
	created             time.Time
}

// alert adds an entry about an execution or a call. The lock is held.
func (s *Sim) alert(resource string, no *refusal) {
	s.alerts = append(s.alerts, &alert{sid: newSID("NO"), resource: resource, text: no.message, code: no.code, created: s.opt.Now()})
}

// HideAlerts hides the alerts from the API key, as for a restricted key.
func (s *Sim) HideAlerts() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noAlerts = true
}

func (s *Sim) listAlerts(r *http.Request, form url.Values) (any, *refusal) {
	if s.noAlerts {
		return nil, refuse(http.StatusForbidden, 20403, "Forbidden")
	}
	var from time.Time
	if text := form.Get("StartDate"); text != "" {
		var err error
		if from, err = time.Parse(time.RFC3339, text); err != nil {
			return nil, refuse(http.StatusBadRequest, 20001, "StartDate is not a time")
		}
	}
	all := []obj{}
	for _, a := range slices.Backward(s.alerts) {
		if a.created.Before(from) || !s.listed(a.created) {
			continue
		}
		all = append(all, obj{
			"sid": a.sid, "account_sid": s.opt.Account, "resource_sid": a.resource, "service_sid": nil, "log_level": "error",
			"error_code": strconv.Itoa(a.code), "alert_text": "Msg=" + url.QueryEscape(a.text), "more_info": "https://www.twilio.com/docs/errors/" + strconv.Itoa(a.code),
			"api_version": "2010-04-01", "request_method": nil, "request_url": nil,
			"date_created": iso8601(a.created), "date_generated": iso8601(a.created), "date_updated": iso8601(a.created),
			"url": "https://monitor.twilio.com/v1/Alerts/" + a.sid,
		})
	}
	return listV2(r, form, "alerts", all), nil
}

// callRefusals are Twilio's refusals of calls that it doesn't even start.
var callRefusals = map[Outcome]*refusal{
	OutcomeInvalid:   refuse(http.StatusBadRequest, 21211, "The phone number you are attempting to call is not valid."),
	OutcomeForbidden: refuse(http.StatusBadRequest, 21215, "Account not authorized to call this number. Perhaps you need to enable some international permissions."),
	OutcomeTrial:     refuse(http.StatusBadRequest, 21219, "The number is unverified. Trial accounts may only make calls to verified numbers."),
	OutcomeCallLimit: refuse(http.StatusTooManyRequests, 10004, "Call concurrency limit exceeded"),
}

// refuseCall returns why Twilio makes no call; nil if it does. The lock is held.
func (s *Sim) refuseCall(to, from string) *refusal {
	switch {
	case !e164.MatchString(to):
		return callRefusals[OutcomeInvalid]
	case from != s.opt.Number:
		return refuse(http.StatusBadRequest, 21210, "The source phone number provided, "+from+", is not yet verified for your account.")
	}
	return callRefusals[s.phone(to).Outcome]
}
