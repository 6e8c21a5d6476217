package api

import (
	"net/netip"
	"sync"
	"time"
)

const (
	strikesAllowed = 30 // unknown keys from one address in strikeWindow
	strikeWindow   = time.Minute
	strikePeers    = 10_000 // addresses that are counted; one more resets all counts
)

// strikes counts requests with an unknown key by address. Only such requests are refused: a valid key
// works, whatever the same address sent before.
type strikes struct {
	mu    sync.Mutex
	since time.Time
	count map[netip.Prefix]int
}

// add counts a request with an unknown key, and returns whether its peer is refused now, and for how long.
func (s *strikes) add(remote string, now time.Time) (time.Duration, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if age := now.Sub(s.since); age < 0 || age >= strikeWindow || len(s.count) > strikePeers {
		s.since, s.count = now, map[netip.Prefix]int{}
	}
	peer := network(remote)
	s.count[peer]++
	return s.since.Add(strikeWindow).Sub(now), s.count[peer] > strikesAllowed
}

// network returns the address itself, or the /64 around an IPv6 address, because one peer usually owns all of it.
func network(remote string) netip.Prefix {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	addr := peer.Addr().Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits) // both widths are valid
	return p
}
