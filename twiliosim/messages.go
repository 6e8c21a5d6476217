package twiliosim

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

var (
	e164         = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	serviceSID   = regexp.MustCompile(`^MG[0-9a-fA-F]{32}$`)
	messageSID   = regexp.MustCompile(`^SM[0-9a-f]{32}$`)
	messageTakes = []string{
		"To", "From", "MessagingServiceSid", "Body", "ValidityPeriod", "SmartEncoded", "RiskCheck", "StatusCallback",
	}
)

// A message is one SMS, in either direction.
type message struct {
	sid, from, to, body, service string
	direction                    string // inbound, outbound-api or outbound-reply
	callback                     string
	states                       []string // the current one, then those to come
	code                         int
	reason                       string
	created                      time.Time
}

// show returns the message as the API returns it. The lock is held.
func (s *Sim) show(m *message) obj {
	out := m.shown(s.opt.Account)
	if s.redacts && m.states[0] != "queued" && m.states[0] != "accepted" {
		out["body"] = ""
	}
	return out
}

func (m *message) shown(account string) obj {
	path := "/2010-04-01/Accounts/" + account + "/Messages/" + m.sid
	out := obj{
		"sid": m.sid, "account_sid": account, "from": null(m.from), "to": m.to, "body": m.body, "direction": m.direction,
		"status": m.states[0], "messaging_service_sid": null(m.service), "num_media": "0", "num_segments": "1",
		"date_created": rfc2822(m.created), "date_updated": rfc2822(m.created), "date_sent": nil,
		"error_code": nil, "error_message": nil, "price": nil, "price_unit": "USD", "api_version": "2010-04-01",
		"uri": path + ".json", "subresource_uris": obj{"media": path + "/Media.json"},
	}
	if m.states[0] != "queued" && m.states[0] != "accepted" {
		out["date_sent"] = rfc2822(m.created)
	}
	if (m.states[0] == "undelivered" || m.states[0] == "failed") && m.code > 0 {
		out["error_code"], out["error_message"] = m.code, m.reason
	}
	return out
}

// advance moves a message to its next state; each look at it finds it further along.
func (m *message) advance() {
	if len(m.states) > 1 {
		m.states = m.states[1:]
	}
}

func (s *Sim) createMessage(_ *http.Request, form url.Values) (any, *refusal) {
	to, body := form.Get("To"), form.Get("Body")
	phone := s.phone(to)
	switch {
	case !e164.MatchString(to) || phone.Outcome == OutcomeInvalid:
		return nil, refuse(http.StatusBadRequest, 21211, "The 'To' number "+to+" is not a valid phone number.")
	case body == "":
		return nil, refuse(http.StatusBadRequest, 21602, "Message body is required.")
	case utf8.RuneCountInString(body) > 1600:
		return nil, refuse(http.StatusBadRequest, 21617, "The concatenated message body exceeds the 1600 character limit.")
	case form.Get("From") == "" && form.Get("MessagingServiceSid") == "":
		return nil, refuse(http.StatusBadRequest, 21603, "A 'From' phone number is required.")
	case form.Get("From") != "" && form.Get("From") != s.opt.Number:
		return nil, refuse(http.StatusBadRequest, 21606, "The 'From' phone number "+form.Get("From")+" is not a valid, SMS-capable number of your account.")
	case form.Get("MessagingServiceSid") != "" && !serviceSID.MatchString(form.Get("MessagingServiceSid")):
		return nil, refuse(http.StatusBadRequest, 21701, "The Messaging Service does not exist.")
	case phone.stopped:
		return nil, refuse(http.StatusBadRequest, 21610, "Attempt to send to unsubscribed recipient")
	case phone.Outcome == OutcomeForbidden:
		return nil, refuse(http.StatusBadRequest, 21408, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number")
	case phone.Outcome == OutcomeTrial:
		return nil, refuse(http.StatusBadRequest, 21608, "The number is unverified. Trial accounts cannot send messages to unverified numbers")
	case phone.Outcome == OutcomeLandline:
		return nil, refuse(http.StatusBadRequest, 21614, "'To' number is not a valid mobile number")
	}
	if text := form.Get("ValidityPeriod"); text != "" {
		if n, err := strconv.Atoi(text); err != nil || n < 1 || n > 36000 {
			return nil, refuse(http.StatusBadRequest, 21624, "ValidityPeriod must be from 1 to 36000")
		}
	}
	if callback := form.Get("StatusCallback"); callback != "" && !publicURL(callback) {
		return nil, refuse(http.StatusBadRequest, 21609, "The 'StatusCallback' URL "+callback+" is not a valid URL.")
	}
	if s.registration.Trial {
		body = trialNote + body
	}
	m := &message{
		sid: newSID("SM"), from: form.Get("From"), to: to, body: body, service: form.Get("MessagingServiceSid"),
		direction: "outbound-api", callback: form.Get("StatusCallback"), created: s.opt.Now(),
		states: []string{"queued", "sent", "delivered"},
	}
	if m.service != "" {
		m.from, m.states[0] = s.opt.Number, "accepted"
		if s.service != nil && len(s.service.Alpha) > 0 {
			m.from = s.service.Alpha[0]
		}
	}
	if lost, known := undelivered[phone.Outcome]; known {
		m.states[2], m.code, m.reason = "undelivered", lost.code, lost.reason
	}
	if phone.Outcome == OutcomeUnconfirmed {
		m.states = m.states[:2]
	}
	s.messages = append(s.messages, m)
	s.wake()
	return m.shown(s.opt.Account), nil
}

// undelivered are Twilio's errors for accepted messages that never arrive.
var undelivered = map[Outcome]struct {
	code   int
	reason string
}{
	OutcomeUnreachable:  {30003, "Unreachable destination handset"},
	OutcomeUnregistered: {30034, ""}, // often there is no text
	OutcomeFiltered:     {30007, "Message filtered"},
}

// publicURL reports whether Twilio would accept an address to call. Unlike Twilio, the simulator
// also calls addresses on this machine.
func publicURL(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

func (s *Sim) listMessages(r *http.Request, form url.Values) (any, *refusal) {
	all := []obj{}
	for _, m := range slices.Backward(s.messages) {
		if to := form.Get("To"); to != "" && to != m.to || form.Get("From") != "" && form.Get("From") != m.from || !s.listed(m.created) {
			continue
		}
		all = append(all, s.show(m))
	}
	return list(r, form, "messages", all), nil
}

func (s *Sim) fetchMessage(r *http.Request, _ url.Values) (any, *refusal) {
	sid := strings.TrimSuffix(r.PathValue("sid"), ".json")
	for _, m := range s.messages {
		if m.sid == sid && messageSID.MatchString(sid) {
			m.advance()
			return s.show(m), nil
		}
	}
	return nil, refuse(http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found")
}
