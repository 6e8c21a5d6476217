package slacksim

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	maxSockets  = 10
	maxAckFrame = 20480
	// linger is how long the connection stays open below a closed socket.
	linger     = 30 * time.Second
	drainTime  = 10 * time.Second
	writeLimit = 5 * time.Second

	// tooManySockets is the reason for which the eleventh socket is closed.
	tooManySockets = "too_many_websockets"
)

// socket is one Socket Mode connection.
type socket struct {
	number   int
	conn     *websocket.Conn
	out      chan []byte
	gone     chan struct{}
	once     sync.Once
	draining bool // asked to reconnect: gets no new envelopes
}

// kill ends the socket without a close frame, as a broken network would.
func (s *socket) kill() {
	s.once.Do(func() { close(s.gone) })
	if s.conn != nil {
		_ = s.conn.Close()
	}
}

func (s *Sim) appsConnectionsOpen(args) (obj, error) {
	if s.refusing != 0 {
		if s.refusing > 0 {
			s.refusing--
		}
		return nil, refuse("internal_error")
	}
	ticket := randomHex(16)
	s.tickets[ticket] = true
	address := "ws" + strings.TrimPrefix(s.base, "http") + "/link/?ticket=" + ticket + "&app_id=" + AppID
	return obj{"url": address}, nil
}

var upgrader = websocket.Upgrader{
	WriteBufferSize: 32 << 10,
	// Clients send https://api.slack.com as their origin; the ticket is what is checked.
	CheckOrigin: func(*http.Request) bool { return true },
}

// serveLink is the socket's address. A ticket opens one socket.
func (s *Sim) serveLink(w http.ResponseWriter, r *http.Request) {
	ticket, _ := url.QueryUnescape(r.URL.Query().Get("ticket"))
	s.mu.Lock()
	known := s.tickets[ticket] && !s.closed
	delete(s.tickets, ticket)
	s.mu.Unlock()
	if !known {
		http.Error(w, "unknown ticket", http.StatusForbidden)
		return
	}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	c := &socket{conn: conn, out: make(chan []byte, 1024), gone: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		c.kill()
		return
	}
	s.admit(c)
	s.wake()
	s.spawn(func() { s.writeSocket(c) })
	s.spawn(func() { s.readSocket(c) })
	if refresh := s.opt.RefreshEvery; refresh > 0 || r.URL.Query().Get("debug_reconnects") == "true" {
		setDefault(&refresh, 6*time.Minute)
		s.spawn(func() { s.refreshLater(c, refresh) })
	}
}

// admit greets a new socket, unless there are too many already. The lock is held.
func (s *Sim) admit(c *socket) {
	s.nextSocket++
	c.number = s.nextSocket
	open := len(s.ghosts)
	for _, other := range s.sockets {
		if !other.draining {
			open++
		}
	}
	s.sockets = append(s.sockets, c)
	if open >= maxSockets {
		s.disconnect(c, tooManySockets)
		return
	}
	c.out <- toJSON(obj{
		"type": "hello", "num_connections": open + 1, "connection_info": obj{"app_id": AppID},
		"debug_info": obj{
			"host": "slacksim", "started": s.opt.Now().UTC().Format("2006-01-02 15:04:05.000"), "build_number": 54,
			"approximate_connection_time": 18060,
		},
	})
}

// disconnect asks a socket to reconnect and sends it nothing more; a warning only announces it.
func (s *Sim) disconnect(c *socket, reason string) {
	frame := obj{"type": "disconnect", "reason": reason, "debug_info": obj{"host": "slacksim"}}
	if reason == tooManySockets {
		frame["num_connections"], frame["connection_info"] = maxSockets, obj{"app_id": AppID}
	}
	c.send(toJSON(frame))
	if reason == "warning" || c.draining {
		return
	}
	c.draining = true
	if s.closed {
		return
	}
	s.spawn(func() {
		s.wait(c, drainTime)
		_ = c.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), time.Now().Add(writeLimit))
		s.wait(c, linger)
		c.kill()
	})
}

// wait sleeps until d has passed, the socket is gone or the simulator closes.
func (s *Sim) wait(c *socket, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.gone:
	case <-s.done:
	}
	return false
}

func (s *Sim) refreshLater(c *socket, every time.Duration) {
	if warning := s.opt.RefreshWarning; warning > 0 && warning < every {
		if !s.wait(c, every-warning) {
			return
		}
		s.mu.Lock()
		s.disconnect(c, "warning")
		s.mu.Unlock()
		every = warning
	}
	if s.wait(c, every) {
		s.mu.Lock()
		s.disconnect(c, "refresh_requested")
		s.mu.Unlock()
	}
}

// send queues a frame; a socket that doesn't drain its queue is cut.
func (s *socket) send(frame []byte) {
	select {
	case s.out <- frame:
	default:
		s.kill()
	}
}

func (s *Sim) writeSocket(c *socket) {
	ping := time.NewTicker(s.opt.PingInterval)
	defer ping.Stop()
	for {
		var err error
		select {
		case frame := <-c.out:
			_ = c.conn.SetWriteDeadline(time.Now().Add(writeLimit))
			err = c.conn.WriteMessage(websocket.TextMessage, frame)
		case <-ping.C:
			s.mu.Lock()
			muted := s.muted
			s.mu.Unlock()
			if !muted {
				err = c.conn.WriteControl(websocket.PingMessage, []byte("ping"), time.Now().Add(writeLimit))
			}
		case <-c.gone:
			return
		case <-s.done:
			return
		}
		if err != nil {
			c.kill()
			return
		}
	}
}

// readSocket reads acknowledgements until the socket ends. Slack leaves the connection open below a socket
// that was closed properly, and so does this.
func (s *Sim) readSocket(c *socket) {
	c.conn.SetReadLimit(4 << 20)
	for {
		_, frame, err := c.conn.ReadMessage()
		if err != nil {
			s.dropSocket(c)
			if websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseGoingAway, websocket.CloseNoStatusReceived) {
				lingerOn(c.conn.NetConn())
			}
			c.kill()
			return
		}
		if len(frame) > maxAckFrame {
			message := websocket.FormatCloseMessage(websocket.CloseMessageTooBig, "Max frame length of 20480 has been exceeded.")
			_ = c.conn.WriteControl(websocket.CloseMessage, message, time.Now().Add(writeLimit))
			s.dropSocket(c)
			c.kill()
			return
		}
		var ack struct {
			ID      string          `json:"envelope_id"`
			Payload json.RawMessage `json:"payload"`
		}
		if json.Unmarshal(frame, &ack) == nil && ack.ID != "" {
			s.takeAck(ack.ID, ack.Payload)
		}
	}
}

// lingerOn waits for the other side to hang up.
func lingerOn(conn net.Conn) {
	_ = conn.SetReadDeadline(time.Now().Add(linger))
	_, _ = io.Copy(io.Discard, conn) // ends at the deadline at the latest
}

func (s *Sim) dropSocket(c *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sockets = slices.DeleteFunc(s.sockets, func(x *socket) bool { return x == c })
	s.wake()
}

// pick chooses the socket for the next envelope: in turn, or at random. The lock is held.
func (s *Sim) pick() *socket {
	var open []*socket
	for _, c := range s.sockets {
		if !c.draining {
			open = append(open, c)
		}
	}
	if open = append(open, s.ghosts...); len(open) == 0 || s.muted {
		return nil
	}
	if s.opt.Random {
		return open[rand.IntN(len(open))]
	}
	s.turn++
	return open[s.turn%len(open)]
}

// AddDeadConnections leaves n dead connections registered, like those that died behind a gateway: they get their share
// of the envelopes, and swallow it.
func (s *Sim) AddDeadConnections(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ghosts = nil
	for range n {
		s.ghosts = append(s.ghosts, &socket{out: make(chan []byte, keptRecords), gone: make(chan struct{})})
	}
	s.wake()
}

// Sockets returns the number of sockets that can receive an envelope.
func (s *Sim) Sockets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, c := range s.sockets {
		if !c.draining {
			n++
		}
	}
	return n
}

// DropSockets cuts every connection without a close frame.
func (s *Sim) DropSockets() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.sockets {
		c.draining = true
		c.kill()
	}
	s.wake()
}

// DisconnectAll sends a disconnect with a reason (warning, refresh_requested, link_disabled) to every socket.
func (s *Sim) DisconnectAll(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range slices.Clone(s.sockets) {
		s.disconnect(c, reason)
	}
	s.wake()
}

// RefuseConnections makes the next n calls of apps.connections.open fail, all of them if n is negative.
func (s *Sim) RefuseConnections(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusing = n
	s.wake()
}

// Mute leaves the sockets open but dead: no pings, no envelopes.
func (s *Sim) Mute(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.muted = on
	s.wake()
}
