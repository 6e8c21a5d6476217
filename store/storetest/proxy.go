package storetest

import (
	"bytes"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
)

// A Proxy stands between a store and its database, and can hang up or go silent.
type Proxy struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	state ProxyState
	fatal string // a client's request that contains this
	left  int    // may be made so many times more; negative: for ever
	conns []net.Conn
}

// ProxyState says what a Proxy does.
type ProxyState int

// What a Proxy does.
const (
	ProxyUp     ProxyState = iota
	ProxyDown              // nobody gets through
	ProxySilent            // whatever is said is swallowed
)

// NewProxy returns a proxy for the database at an address, and the address of the proxy.
func NewProxy(t *testing.T, databaseURL string) (*Proxy, string) {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	c := cfg.ConnConfig
	p := &Proxy{left: -1, target: net.JoinHostPort(c.Host, fmt.Sprint(c.Port))}
	if filepath.IsAbs(c.Host) {
		p.target = filepath.Join(c.Host, fmt.Sprintf(".s.PGSQL.%d", c.Port))
	}
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil { //nolint:noctx // it ends with the test
		t.Fatal(err)
	}
	go p.serve()
	t.Cleanup(func() {
		p.Set(ProxyDown)
		p.listener.Close()
	})
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(c.User, c.Password), Host: p.listener.Addr().String(),
		Path: "/" + c.Database, RawQuery: "sslmode=disable",
	}
	return p, u.String()
}

func (p *Proxy) serve() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		network := "tcp"
		if filepath.IsAbs(p.target) {
			network = "unix"
		}
		out, err := net.Dial(network, p.target) //nolint:noctx // it ends with the test
		if err != nil {
			in.Close()
			continue
		}
		p.admit(in, out)
	}
}

// admit passes on what is said on a new connection, unless the proxy is down.
func (p *Proxy) admit(in, out net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == ProxyDown {
		in.Close()
		out.Close()
		return
	}
	p.conns = append(p.conns, in, out)
	go p.pump(in, out, p.hears)
	go p.pump(out, in, p.speaks)
}

func (p *Proxy) pump(from, to net.Conn, passes func(said []byte) (now, after bool)) {
	defer to.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		now, after := passes(buf[:n])
		if now {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if !after {
			p.Set(ProxyDown)
			return
		}
	}
}

// speaks reports whether what the database says is passed on, and what comes after it.
func (p *Proxy) speaks([]byte) (now, after bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state == ProxyUp, true
}

// hears reports whether what a client says is passed on, and what comes after it.
func (p *Proxy) hears(said []byte) (now, after bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now = p.state == ProxyUp
	if p.left > 0 && bytes.Contains(said, []byte(p.fatal)) {
		p.left--
	}
	if p.left == 0 { // the answer may be faster than we are to hang up
		p.state = ProxySilent
	}
	return now, p.left != 0
}

// Set changes the proxy's state, and hangs up but to go silent: of what was said on a connection
// that was silent something is missing.
func (p *Proxy) Set(state ProxyState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = state
	if state == ProxySilent {
		return
	}
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

// DieAfter makes the proxy go down after n more requests that contain a text. The database may still
// do the last one, but its response is lost.
func (p *Proxy) DieAfter(n int, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left, p.fatal = n, text
}

// Died reports whether the proxy has gone down.
func (p *Proxy) Died() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state == ProxyDown
}
