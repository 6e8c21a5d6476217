package slacksim

import (
	"net/http"
	"slices"
	"time"
)

const (
	responseUses = 5
	responseLife = 30 * time.Minute
)

// response is the target of a response_url.
type response struct {
	channel string
	user    string
	ts      string // the message that was clicked; empty for a command
	thread  string
	at      time.Time
	uses    int
}

// newResponse creates a response_url. The lock is held.
func (s *Sim) newResponse(r response) string {
	r.at = s.opt.Now()
	for key, old := range s.responses {
		if r.at.Sub(old.at) > 2*responseLife {
			delete(s.responses, key)
		}
	}
	key := randomHex(12)
	s.responses[key] = &r
	return s.base + "/response/" + TeamID + "/" + key
}

func (s *Sim) serveResponse(w http.ResponseWriter, r *http.Request) {
	started := time.Now() // how long it took is real time
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	call := Call{Method: "response_url", At: s.opt.Now()}
	a, err := readArgs(r)
	if err != nil {
		err = refuse("invalid_payload")
	}
	call.Args = withoutToken(a)
	fault := s.takeFault("response_url")
	if fault != nil {
		call.Fault = string(fault.Kind)
		if s.faultBefore(w, r, fault) {
			s.record(call, started, fault.status(), fault.answer())
			return
		}
	}
	if err == nil {
		s.mu.Lock()
		err = s.respond(r.PathValue("key"), a)
		s.wake()
		s.mu.Unlock()
	}
	if s.faultAfter(w, fault, call, started) {
		return
	}
	status, body := s.answer(w, call.Method, nil, err)
	s.record(call, started, status, body)
	if status == http.StatusOK && err != nil {
		status = http.StatusNotFound
	}
	writeJSON(w, status, body)
}

// respond handles a request to a response_url: five uses, thirty minutes, no membership needed.
func (s *Sim) respond(key string, a args) error {
	r := s.responses[key]
	switch {
	case r == nil:
		return refuse("invalid_url")
	case s.opt.Now().Sub(r.at) > responseLife:
		return refuse("expired_url")
	case r.uses >= responseUses:
		return refuse("used_url")
	}
	if err := s.checkPost(r.channel); err != nil {
		return err
	}
	c := s.channel(r.channel)
	if c == nil {
		return refuse("channel_not_found")
	}
	if a.yes("delete_original") {
		r.uses++
		return s.deleteOriginal(c, r)
	}
	next, err := s.content(a)
	if err != nil {
		return err
	}
	r.uses++
	if a.yes("replace_original") {
		return s.replaceOriginal(c, r, next, a)
	}
	next.ThreadTS = a.str("thread_ts")
	s.sayTo(c, r.user, next, a.str("response_type") == "in_channel")
	return nil
}

// sayTo posts for everybody or for one person.
func (s *Sim) sayTo(c *Channel, userID string, m *Message, everybody bool) {
	if everybody {
		s.post(c, m)
		return
	}
	s.whisper(c, userID, m)
}

// original finds the message that a response_url may replace or delete.
func (s *Sim) original(c *Channel, r *response) (*Message, bool) {
	if m := s.message(c.ID, r.ts); m != nil && m.User == BotUserID {
		return m, false
	}
	for _, m := range s.ephemerals[r.user] {
		if m.TS == r.ts && m.Channel == c.ID {
			return m, true
		}
	}
	return nil, false
}

func (s *Sim) deleteOriginal(c *Channel, r *response) error {
	m, ephemeral := s.original(c, r)
	if m == nil {
		return refuse("message_not_found")
	}
	if !ephemeral {
		s.remove(c, m)
		return nil
	}
	s.ephemerals[r.user] = slices.DeleteFunc(s.ephemerals[r.user], func(x *Message) bool { return x == m })
	return nil
}

func (s *Sim) replaceOriginal(c *Channel, r *response, next *Message, a args) error {
	m, ephemeral := s.original(c, r)
	switch {
	case m == nil:
		s.whisper(c, r.user, next)
		r.ts = next.TS
	case ephemeral:
		m.Text, m.Blocks, m.Attachments = next.Text, next.Blocks, next.Attachments
	default:
		s.replace(c, m, next, a)
	}
	return nil
}
