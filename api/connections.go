package api

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// connections limits the number of open connections. At the limit, the connection that has been idle
// longest is closed. One peer may hold at most half of all connections; once all of those are busy,
// its new connections are closed.
type connections struct {
	net.Listener
	most    int
	proxies Proxies

	mu     sync.Mutex
	open   int
	of     map[netip.Prefix]int
	idle   []*connection // the one idle for longest first
	freed  chan struct{} // holds a token after a connection was closed
	closed chan struct{}
	end    sync.Once
}

// A connection frees its slot when it is closed.
type connection struct {
	net.Conn
	all   *connections
	peer  netip.Prefix
	close sync.Once
}

// LimitConnections limits a listener to most open connections. Trusted proxies in front of us may use
// all of them, because they serve many clients; any other proxy counts as one peer.
func LimitConnections(server *http.Server, l net.Listener, most int, proxies Proxies) net.Listener {
	c := &connections{
		Listener: l, most: most, proxies: proxies, of: map[netip.Prefix]int{},
		freed: make(chan struct{}, 1), closed: make(chan struct{}),
	}
	server.ConnState = c.state
	return c
}

// MaxPerPeer returns the number of connections that one peer may hold.
func MaxPerPeer(most int) int { return max(1, most/2) }

// Accept returns the next connection for which there is room.
func (c *connections) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if in := c.admit(conn); in != nil {
			return in, nil
		}
		_ = conn.Close()
	}
}

// admit waits for room. It returns nil if the peer has too many connections, or the listener was closed.
func (c *connections) admit(conn net.Conn) net.Conn {
	peer := network(conn.RemoteAddr().String())
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case !c.proxies.trust(peer.Addr()) && c.of[peer] >= MaxPerPeer(c.most):
			if !c.evict(func(i *connection) bool { return i.peer == peer }) {
				return nil
			}
		case c.open >= c.most:
			if !c.evict(func(*connection) bool { return true }) && !c.wait() {
				return nil
			}
		default:
			c.open++
			c.of[peer]++
			return &connection{Conn: conn, all: c, peer: peer}
		}
	}
}

// evict closes the longest idle connection that fits. The caller holds the lock.
func (c *connections) evict(fit func(*connection) bool) bool {
	for _, i := range c.idle {
		if fit(i) {
			c.mu.Unlock()
			_ = i.Close()
			c.mu.Lock()
			return true
		}
	}
	return false
}

// wait waits until a connection is closed. It reports false if the listener was closed. The caller holds the lock.
func (c *connections) wait() bool {
	c.mu.Unlock()
	defer c.mu.Lock()
	select {
	case <-c.freed:
		return true
	case <-c.closed:
		return false
	}
}

// state tracks what the server does with a connection.
func (c *connections) state(conn net.Conn, s http.ConnState) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	i, ours := conn.(*connection)
	if !ours {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(i)
	if s == http.StateIdle {
		c.idle = append(c.idle, i)
	}
}

// forget removes a connection from the idle ones. The caller holds the lock.
func (c *connections) forget(i *connection) {
	for n, other := range c.idle {
		if other == i {
			c.idle = append(c.idle[:n], c.idle[n+1:]...)
			return
		}
	}
}

// Close closes the listener, and wakes all goroutines that wait for room.
func (c *connections) Close() error {
	c.end.Do(func() { close(c.closed) })
	return c.Listener.Close()
}

// Close closes the connection and frees its slot.
func (c *connection) Close() error {
	c.close.Do(func() {
		all := c.all
		all.mu.Lock()
		defer all.mu.Unlock()
		all.forget(c)
		all.open--
		if all.of[c.peer]--; all.of[c.peer] == 0 {
			delete(all.of, c.peer)
		}
		select {
		case all.freed <- struct{}{}:
		default:
		}
	})
	return c.Conn.Close()
}
