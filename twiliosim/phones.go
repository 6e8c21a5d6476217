package twiliosim

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Outcome is what happens to SMS and calls to a phone.
type Outcome string

// The outcomes; empty is an ordinary phone.
const (
	OutcomeUnreachable  Outcome = "unreachable"  // SMS end as undelivered with 30003
	OutcomeUnregistered Outcome = "unregistered" // SMS end as undelivered with 30034: its carrier wants our number registered
	OutcomeFiltered     Outcome = "filtered"     // SMS end as undelivered with 30007
	OutcomeUnconfirmed  Outcome = "unconfirmed"  // SMS stay "sent", because the carrier gives no receipts
	OutcomeInvalid      Outcome = "invalid"      // no such number: refused with 21211
	OutcomeLandline     Outcome = "landline"     // SMS are refused with 21614
	OutcomeForbidden    Outcome = "forbidden"    // its country is not allowed: refused with 21408 and 21215
	OutcomeTrial        Outcome = "trial"        // not verified by an account on trial: refused with 21608 and 21219
	OutcomeCallLimit    Outcome = "crowded"      // as many calls as the account may make at once: refused with 10004
	OutcomeUnassigned   Outcome = "unassigned"   // calls are made and fail with 13224
	OutcomeQuickHangUp  Outcome = "hasty"        // hangs up right after the key, while Studio is at a widget that leaves the execution active
	OutcomeBusy         Outcome = "busy"         // the line is busy for calls
	OutcomeVoicemail    Outcome = "voicemail"    // a machine answers calls and presses no key
)

// A Phone is one phone in the simulated world.
type Phone struct {
	Number  string
	Name    string // of its owner, shown on the page
	Outcome Outcome

	stopped bool // has answered STOP
}

// AddPhone adds a phone to the page, or changes one.
func (s *Sim) AddPhone(p Phone) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.phone(p.Number)
	known.Name, known.Outcome = p.Name, p.Outcome
	s.wake()
}

// phone returns the phone of a number, and creates it if needed. The lock is held.
func (s *Sim) phone(number string) *Phone {
	for _, p := range s.phones {
		if p.Number == number {
			return p
		}
	}
	p := &Phone{Number: number}
	if e164.MatchString(number) && number != s.opt.Number {
		s.phones = append(s.phones, p)
	}
	return p
}

// A Message is an SMS as shown on a phone.
type Message struct {
	SID      string
	Incoming bool // to the phone
	Body     string
	At       time.Time
}

// Messages lists what a phone received and sent, oldest first.
func (s *Sim) Messages(number string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.messagesOf(number)
}

func (s *Sim) messagesOf(number string) (out []Message) {
	for _, m := range s.messages {
		switch number {
		case m.to:
			if m.code == 0 { // with an error it never arrives
				out = append(out, Message{m.sid, true, m.body, m.created})
			}
		case m.from:
			out = append(out, Message{m.sid, false, m.body, m.created})
		}
	}
	return out
}

// Inbox lists the texts that a phone received, oldest first.
func (s *Sim) Inbox(number string) []string {
	out := []string{}
	for _, m := range s.Messages(number) {
		if m.Incoming {
			out = append(out, m.Body)
		}
	}
	return out
}

// A Call is a call as shown on a phone.
type Call struct {
	SID    string
	Status string // Twilio's: ringing, in-progress, completed, busy, no-answer, failed, canceled
	Heard  []string
	Keys   string // pressed so far
	Waits  bool   // waits for a key
	At     time.Time
}

// Calls lists the calls to a phone, oldest first.
func (s *Sim) Calls(number string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	return s.callsOf(number)
}

func (s *Sim) callsOf(number string) (out []Call) {
	for _, c := range s.calls {
		if c.to == number {
			out = append(out, Call{c.sid, c.status, slices.Clone(c.heard), c.keys, c.gather != nil, c.created})
		}
	}
	return out
}

// Text describes everything that happened on a phone, one line each.
func (s *Sim) Text(number string) string {
	type line struct {
		at   time.Time
		text string
	}
	var lines []line
	for _, m := range s.Messages(number) {
		if m.Incoming {
			lines = append(lines, line{m.At, "< " + m.Body})
		} else {
			lines = append(lines, line{m.At, "> " + m.Body})
		}
	}
	for _, c := range s.Calls(number) {
		text := []string{"call " + c.Status}
		for _, heard := range c.Heard {
			text = append(text, fmt.Sprintf("  %q", heard))
		}
		if c.Keys != "" {
			text = append(text, "  pressed "+c.Keys)
		}
		lines = append(lines, line{c.At, strings.Join(text, "\n")})
	}
	slices.SortStableFunc(lines, func(x, y line) int { return x.at.Compare(y.at) })
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.text + "\n")
	}
	return b.String()
}

// ReplyTo sends an SMS from a phone to another number of the account, which belongs to another program.
func (s *Sim) ReplyTo(number, other, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, &message{
		sid: newSID("SM"), from: number, to: other, body: body, direction: "inbound", states: []string{"received"}, created: s.opt.Now(),
	})
	s.wake()
}

// Redact hides the texts of messages from the API, as Message Redaction does.
func (s *Sim) Redact() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.redacts = true
}

// Reply sends an SMS from a phone to our number and returns its SID.
func (s *Sim) Reply(ctx context.Context, number, body string) (string, error) {
	s.mu.Lock()
	m := &message{
		sid: newSID("SM"), from: number, to: s.opt.Number, body: body, direction: "inbound",
		states: []string{"received"}, created: s.opt.Now(),
	}
	if !s.service.drops() {
		s.messages = append(s.messages, m)
	}
	switch strings.ToUpper(strings.TrimSpace(body)) {
	case "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT":
		s.phone(number).stopped = true
	case "START", "UNSTOP", "YES":
		s.phone(number).stopped = false
	}
	hook := s.opt.SMSURL
	if s.service != nil && !s.service.Defers {
		hook = s.service.InboundURL
	}
	s.wake()
	s.mu.Unlock()
	if hook == "" {
		return m.sid, nil
	}
	return m.sid, s.callWebhook(ctx, hook, m)
}

// callWebhook calls the number's webhook and sends its answer to the phone.
func (s *Sim) callWebhook(ctx context.Context, hook string, m *message) error {
	document, err := s.Post(ctx, hook, url.Values{
		"MessageSid": {m.sid}, "SmsSid": {m.sid}, "SmsMessageSid": {m.sid}, "AccountSid": {s.opt.Account}, "From": {m.from}, "To": {m.to},
		"Body": {m.body}, "NumMedia": {"0"}, "NumSegments": {"1"}, "SmsStatus": {"received"}, "ApiVersion": {"2010-04-01"},
	})
	if err != nil || len(document) == 0 {
		return err
	}
	verbs, err := parseTwiML(document)
	if err != nil {
		return fmt.Errorf("the answer of %s: %w", hook, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range verbs {
		if v.name == "Message" && !s.phone(m.from).stopped {
			s.messages = append(s.messages, &message{
				sid: newSID("SM"), from: m.to, to: m.from, body: v.text, direction: "outbound-reply",
				states: []string{"delivered"}, created: s.opt.Now(),
			})
			s.wake()
		}
	}
	return nil
}

var errNoCall = errors.New("the phone has no such call")

// Answer picks up a ringing phone and returns what the call says.
func (s *Sim) Answer(number string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	c := s.talks(number)
	if c == nil || c.status != "ringing" {
		return "", errNoCall
	}
	s.answered(c)
	return strings.Join(c.heard, "\n"), nil
}

// Press presses a key during a call and returns what the call then says.
func (s *Sim) Press(ctx context.Context, number, key string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	c := s.talks(number)
	if c == nil || c.gather == nil {
		return "", errNoCall
	}
	before, action := len(c.heard), c.gather.action
	c.keys += key
	c.gather = nil
	if c.exec != nil {
		c.exec.widget(c.exec.at)["Digits"] = key
		if s.phone(number).Outcome == OutcomeQuickHangUp {
			c.status = "completed"
		}
		s.goOn(c.exec, "keypress")
		s.wake()
		return strings.Join(c.heard[before:], "\n"), nil
	}
	s.wake()
	s.mu.Unlock()
	document, err := s.Post(ctx, action, url.Values{
		"CallSid": {c.sid}, "AccountSid": {s.opt.Account}, "From": {c.from}, "To": {c.to}, "Digits": {key},
		"CallStatus": {"in-progress"}, "Direction": {"outbound-api"}, "ApiVersion": {"2010-04-01"},
	})
	s.mu.Lock()
	if err == nil {
		c.verbs, err = parseTwiML(document)
	}
	if err != nil {
		c.heard = append(c.heard, "An application error has occurred. Goodbye.")
		c.verbs = nil
	}
	s.play(c)
	return strings.Join(c.heard[min(before, len(c.heard)):], "\n"), err
}

// HangUp ends a call at the phone: a ringing call is declined.
func (s *Sim) HangUp(number string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	c := s.talks(number)
	switch {
	case c == nil:
		return errNoCall
	case c.status == "ringing":
		s.finish(c, "busy")
	default:
		s.finish(c, "completed")
	}
	return nil
}
