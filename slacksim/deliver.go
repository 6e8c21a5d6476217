package slacksim

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Envelope is the record of one delivery to the app.
type Envelope struct {
	ID      string          `json:"id"`
	Type    string          `json:"type"` // events_api, slash_commands or interactive
	Name    string          `json:"name"` // the event, command or kind of interaction
	Payload json.RawMessage `json:"payload"`
	Attempt int             `json:"attempt"`
	Socket  int             `json:"socket"` // 0: nobody was connected
	At      time.Time       `json:"at"`
	Took    time.Duration   `json:"took"` // from sending to the acknowledgement
	Acked   bool            `json:"acked"`
	Failed  bool            `json:"failed"` // not acknowledged in time
	Ack     json.RawMessage `json:"ack,omitempty"`
}

// delivery is an envelope on its way.
type delivery struct {
	id, kind, name string
	payload        obj
	accepts        bool
	acked          chan json.RawMessage
	record         *Envelope
	sent           time.Time
}

func newDelivery(kind, name string, payload obj) *delivery {
	return &delivery{
		id: uuid(), kind: kind, name: name, payload: payload, acked: make(chan json.RawMessage, 1),
		accepts: kind == "slash_commands" || name == "view_submission" || name == "block_suggestion",
	}
}

func uuid() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails, by the package's contract
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// send sends an envelope to one socket, and reports whether there was one. The lock is held.
func (s *Sim) send(d *delivery, attempt int) bool {
	d.sent = time.Now() // acknowledgements are timed in real time, whatever clock is simulated
	d.record = &Envelope{
		ID: d.id, Type: d.kind, Name: d.name, Payload: toJSON(d.payload), Attempt: attempt, At: s.opt.Now(),
	}
	s.envelopes = append(s.envelopes, d.record)
	if len(s.envelopes) > keptRecords {
		s.envelopes = slices.Delete(s.envelopes, 0, len(s.envelopes)-keptRecords)
	}
	s.wake()
	c := s.pick()
	if c == nil {
		d.record.Failed = true
		return false
	}
	d.record.Socket = c.number
	s.pending[d.id] = d
	if s.held != nil {
		*s.held = append(*s.held, d)
		return true
	}
	c.send(d.frame(attempt))
	return true
}

func (d *delivery) frame(attempt int) []byte {
	envelope := obj{
		"envelope_id": d.id, "type": d.kind, "accepts_response_payload": d.accepts, "payload": d.payload,
	}
	if d.kind == "events_api" {
		envelope["retry_attempt"], envelope["retry_reason"] = attempt, ""
		if attempt > 0 {
			envelope["retry_reason"] = "timeout"
		}
	}
	return toJSON(envelope)
}

// takeAck matches an acknowledgement to its envelope. It may arrive on any socket.
func (s *Sim) takeAck(id string, payload json.RawMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.pending[id]
	if d == nil {
		return
	}
	if s.loseAcks > 0 {
		s.loseAcks--
		return
	}
	delete(s.pending, id)
	d.record.Acked, d.record.Took, d.record.Ack = true, time.Since(d.sent), payload
	d.acked <- payload
	s.wake()
}

// await waits for the acknowledgement of an envelope.
func (s *Sim) await(ctx context.Context, d *delivery) (json.RawMessage, bool) {
	timer := time.NewTimer(s.opt.AckTimeout)
	defer timer.Stop()
	select {
	case payload := <-d.acked:
		return payload, true
	case <-timer.C:
	case <-ctx.Done():
	case <-s.done:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending[d.id] == d {
		delete(s.pending, d.id)
		d.record.Failed = true
		s.wake()
	}
	select {
	case payload := <-d.acked: // it came at the last moment
		return payload, true
	default:
		return nil, false
	}
}

// deliverEvent sends an event until it is acknowledged or the retries are used up.
func (s *Sim) deliverEvent(d *delivery, attempt int) {
	for {
		s.mu.Lock()
		sent := s.send(d, attempt)
		s.mu.Unlock()
		if sent {
			if _, ok := s.await(context.Background(), d); ok {
				return
			}
		}
		if attempt >= len(s.opt.RetryDelays) || !s.sleep(s.opt.RetryDelays[attempt]) {
			return
		}
		attempt++
	}
}

// emit sends the app an event to which it subscribed. The lock is held.
func (s *Sim) emit(name string, event obj) {
	if s.closed || !s.subscribed(name) {
		return
	}
	if event["type"] == nil {
		event["type"] = name
	}
	if event["event_ts"] == nil && name != "user_change" && name != "team_join" {
		event["event_ts"] = s.ts()
	}
	payload := obj{
		"token": "sim", "team_id": TeamID, "api_app_id": AppID, "event": event, "type": "event_callback",
		"event_id": s.id("Ev"), "event_time": s.opt.Now().Unix(), "is_ext_shared_channel": false,
	}
	granted := obj{"enterprise_id": nil, "team_id": TeamID, "user_id": BotUserID, "is_bot": true, "is_enterprise_install": false}
	if id := s.opt.Enterprise; id != "" {
		payload["enterprise_id"], granted["enterprise_id"] = id, id
	}
	payload["authorizations"] = []obj{granted}
	d := newDelivery("events_api", textOf(event["type"]), payload)
	first := s.send(d, 0)
	s.spawn(func() {
		if first {
			if _, ok := s.await(context.Background(), d); ok {
				return
			}
		}
		if len(s.opt.RetryDelays) > 0 && s.sleep(s.opt.RetryDelays[0]) {
			s.deliverEvent(d, 1)
		}
	})
}

// emitMessage emits an event about a new, changed or deleted message, if the app subscribed to that kind of
// channel.
func (s *Sim) emitMessage(c *Channel, m *Message, change obj) {
	kind := "channel"
	switch {
	case c.User != "":
		kind = "im"
	case c.Private:
		kind = "group"
	}
	name := "message." + kind + "s"
	if kind == "im" {
		name = "message.im"
	}
	if !c.has(BotUserID) {
		return
	}
	event := s.messageObject(m, true)
	if change["subtype"] != nil {
		inner := event
		event = obj{"hidden": true, "ts": s.ts()}
		if change["subtype"] == "message_changed" {
			event["message"] = inner
		} else {
			event["previous_message"] = inner
		}
		maps.Copy(event, change)
	}
	event["type"], event["channel"], event["channel_type"] = "message", c.ID, kind
	s.emit(name, event)
}

// Envelopes lists what was delivered to the app, oldest first.
func (s *Sim) Envelopes() []Envelope {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Envelope, 0, len(s.envelopes))
	for _, e := range s.envelopes {
		out = append(out, *e)
	}
	return out
}

// LoseNextAck drops the next acknowledgement, as if it had never arrived.
func (s *Sim) LoseNextAck() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loseAcks++
	s.wake()
}

// Redeliver sends an envelope once more, with its own id or with a new one, and waits for the
// acknowledgement. The payload is the same, and so is the retry count: duplicates have been seen that way.
func (s *Sim) Redeliver(ctx context.Context, id string, newID bool) (bool, error) {
	s.mu.Lock()
	i := slices.IndexFunc(s.envelopes, func(e *Envelope) bool { return e.ID == id })
	if i < 0 {
		s.mu.Unlock()
		return false, fmt.Errorf("redeliver: no envelope %s", id)
	}
	old := s.envelopes[i]
	d := newDelivery(old.Type, old.Name, decode[obj](old.Payload))
	if !newID {
		d.id = old.ID
	}
	sent := s.send(d, old.Attempt)
	s.mu.Unlock()
	if !sent {
		return false, nil
	}
	_, ok := s.await(ctx, d)
	return ok, nil
}

// Hold keeps envelopes back until Release, which sends them, if asked in reverse order.
func (s *Sim) Hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		s.held = &[]*delivery{}
	}
}

// Release sends what Hold kept back.
func (s *Sim) Release(reverse bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		return
	}
	list := *s.held
	s.held = nil
	if reverse {
		slices.Reverse(list)
	}
	for _, d := range list {
		if c := s.pick(); c != nil {
			c.send(d.frame(d.record.Attempt))
		}
	}
	s.wake()
}
