package twiliosim

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

var callTakes = []string{"To", "From", "Twiml", "Url", "Method", "Timeout", "StatusCallback", "StatusCallbackEvent"}

// A call rings at a phone until it is answered or has rung long enough.
type call struct {
	sid, from, to string
	status        string // ringing, in-progress, completed, busy, no-answer, failed, canceled
	created       time.Time
	ring          time.Duration
	heard         []string
	keys          string

	exec  *execution // the execution that made the call, or
	verbs []verb     // the rest of a TwiML document

	gather *gather // set while waiting for a key
}

// A gather is the wait for one key.
type gather struct {
	action string // TwiML's action
	until  time.Time
}

func (c *call) over() bool { return c.status != "ringing" && c.status != "in-progress" }

func (c *call) shown(account string) obj {
	return obj{
		"sid": c.sid, "account_sid": account, "to": c.to, "from": c.from, "to_formatted": c.to, "from_formatted": c.from,
		"status": c.status, "direction": "outbound-api", "api_version": "2010-04-01",
		"date_created": rfc2822(c.created), "date_updated": rfc2822(c.created), "start_time": rfc2822(c.created), "end_time": nil,
		"duration": nil, "price": nil, "price_unit": "USD", "uri": "/2010-04-01/Accounts/" + account + "/Calls/" + c.sid + ".json",
	}
}

func (s *Sim) createCall(_ *http.Request, form url.Values) (any, *refusal) {
	to, from := form.Get("To"), form.Get("From")
	ring := 60
	if text := form.Get("Timeout"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 5 || n > 600 {
			return nil, refuse(http.StatusBadRequest, 20001, "Timeout must be from 5 to 600")
		}
		ring = n
	}
	if no := s.refuseCall(to, from); no != nil {
		return nil, no
	}
	switch {
	case form.Get("Twiml") == "":
		return nil, refuse(http.StatusBadRequest, 21205, "only calls with Twiml are simulated")
	case len(form.Get("Twiml")) > 4000:
		return nil, refuse(http.StatusBadRequest, 21623, "Twiml is longer than 4000 characters")
	}
	verbs, err := parseTwiML([]byte(form.Get("Twiml")))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, 12100, "Document parse failure: "+err.Error())
	}
	c := s.dial(to, from, time.Duration(ring)*time.Second)
	c.verbs = verbs
	s.pickUp(c)
	out := c.shown(s.opt.Account)
	out["status"] = "queued"
	return out, nil
}

// dial makes a phone ring. The lock is held.
func (s *Sim) dial(to, from string, ring time.Duration) *call {
	c := &call{sid: newSID("CA"), from: from, to: to, status: "ringing", created: s.opt.Now(), ring: ring}
	switch outcome := s.phone(to).Outcome; {
	case outcome == OutcomeBusy || s.talks(to) != nil:
		c.status = "busy"
	case outcome == OutcomeUnassigned:
		c.status = "failed"
		s.alert(c.sid, refuse(http.StatusBadRequest, 13224, "Dial: Twilio does not support calling this number or the number is invalid"))
	}
	s.calls = append(s.calls, c)
	s.wake()
	return c
}

// pickUp answers the call if the phone has voicemail. The lock is held.
func (s *Sim) pickUp(c *call) {
	if s.phone(c.to).Outcome == OutcomeVoicemail && c.status == "ringing" {
		s.answered(c)
	}
}

// talks returns the phone's current call, ringing or answered.
func (s *Sim) talks(number string) *call {
	for _, c := range slices.Backward(s.calls) {
		if c.to == number && !c.over() {
			return c
		}
	}
	return nil
}

// answered starts what the call plays. The lock is held.
func (s *Sim) answered(c *call) {
	c.status = "in-progress"
	if c.exec != nil {
		c.exec.left(c.status)
		s.goOn(c.exec, "answered")
	} else {
		s.play(c)
	}
	s.wake()
}

// finish ends a call with a status and notifies its flow. The lock is held.
func (s *Sim) finish(c *call, status string) {
	if c.over() {
		return
	}
	wasRinging := c.status == "ringing"
	c.status, c.gather = status, nil
	if c.exec != nil && c.exec.status == "active" {
		c.exec.left(status)
		switch {
		case wasRinging && status == "busy":
			s.goOn(c.exec, "busy")
		case wasRinging && status == "no-answer":
			s.goOn(c.exec, "noAnswer")
		default:
			c.exec.status = "ended"
		}
	}
	s.wake()
}

// tick ends ringing and waiting for keys when their time is over. The lock is held.
func (s *Sim) tick() {
	now := s.opt.Now()
	for _, c := range s.calls {
		switch {
		case c.status == "ringing" && !now.Before(c.created.Add(c.ring)):
			s.finish(c, "no-answer")
		case c.gather != nil && !now.Before(c.gather.until):
			c.gather = nil
			if c.exec != nil {
				s.goOn(c.exec, "timeout")
			} else {
				s.play(c)
			}
			s.wake()
		}
	}
}

func (s *Sim) listCalls(r *http.Request, form url.Values) (any, *refusal) {
	all := []obj{}
	for _, c := range slices.Backward(s.calls) {
		if to, from := form.Get("To"), form.Get("From"); to != "" && to != c.to || from != "" && from != c.from ||
			form.Get("Status") != "" && form.Get("Status") != c.status || !s.listed(c.created) {
			continue
		}
		all = append(all, c.shown(s.opt.Account))
	}
	return list(r, form, "calls", all), nil
}

// callNamed finds the call named in a request's address.
func (s *Sim) callNamed(r *http.Request) (*call, *refusal) {
	sid := strings.TrimSuffix(r.PathValue("sid"), ".json")
	for _, c := range s.calls {
		if c.sid == sid {
			return c, nil
		}
	}
	return nil, refuse(http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found")
}

func (s *Sim) fetchCall(r *http.Request, _ url.Values) (any, *refusal) {
	c, no := s.callNamed(r)
	if no != nil {
		return nil, no
	}
	return c.shown(s.opt.Account), nil
}

func (s *Sim) updateCall(r *http.Request, form url.Values) (any, *refusal) {
	c, no := s.callNamed(r)
	switch {
	case no != nil:
		return nil, no
	case form.Get("Status") != "completed" && form.Get("Status") != "canceled":
		return nil, refuse(http.StatusBadRequest, 20001, "only Status=canceled and Status=completed are simulated")
	case c.over() || (c.status == "ringing") != (form.Get("Status") == "canceled"): // canceled is for ringing calls, completed for those in progress
		return nil, refuse(http.StatusBadRequest, 21220, "Call is not in-progress. Cannot redirect.")
	}
	s.finish(c, form.Get("Status"))
	return c.shown(s.opt.Account), nil
}
