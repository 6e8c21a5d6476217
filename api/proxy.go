package api

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
)

// Proxies are the networks of the proxies in front of Watchbill. Only these are trusted to say which
// client made a request.
type Proxies []netip.Prefix

// ParseProxies parses addresses and networks (CIDR), separated by commas or blanks.
func ParseProxies(list string) (Proxies, error) {
	var all Proxies
	for _, word := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		network, err := netip.ParsePrefix(word)
		if addr, single := netip.ParseAddr(word); single == nil {
			network, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("%q is neither an address nor a network such as 10.0.0.0/8", word)
		case network.Bits() == 0:
			return nil, fmt.Errorf("%q is every address, so that anybody could claim to be anybody", word)
		case network.Addr().Is4In6():
			return nil, fmt.Errorf("%q: write an IPv4 network as IPv4", word)
		}
		all = append(all, network.Masked())
	}
	return all, nil
}

func (p Proxies) trust(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, network := range p {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// client returns the address of the client that made a request. This is the peer's address, unless the
// peer is a trusted proxy. Then it is found in the proxy's header. The header is read from the right,
// because each proxy appends to it: the first address that isn't a trusted proxy counts, and anything
// to its left may be forged. X-Forwarded-For is preferred, because nearly all proxies write it;
// otherwise Forwarded is read.
func (p Proxies) client(peer netip.Addr, h http.Header) netip.Addr {
	if !p.trust(peer) {
		return peer
	}
	var hops []string
	if lines := h.Values("X-Forwarded-For"); len(lines) > 0 {
		hops = strings.Split(strings.Join(lines, ","), ",")
	} else if lines := h.Values("Forwarded"); len(lines) > 0 {
		hops = forwardedFor(strings.Join(lines, ","))
	}
	for len(hops) > 0 && p.trust(peer) {
		last := len(hops) - 1
		addr, known := hopAddress(hops[last])
		if !known {
			break // the last trusted proxy counts
		}
		peer, hops = addr, hops[:last]
	}
	return peer
}

// hopAddress parses an address with or without a port: "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]:80".
func hopAddress(hop string) (netip.Addr, bool) {
	hop = strings.TrimSpace(hop)
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(hop, "["), "]"))
	if err != nil {
		var with netip.AddrPort
		with, err = netip.ParseAddrPort(hop)
		addr = with.Addr()
	}
	return addr.Unmap().WithZone(""), err == nil
}

// forwardedFor lists the "for" of each element of a Forwarded header (RFC 7239), or "" for an element
// without one. An unclosed quote could hide the part that a trusted proxy appended, so such a header
// is ignored.
func forwardedFor(header string) []string {
	var hops []string
	var pair strings.Builder
	hop, quoted, escaped := "", false, false
	endPair := func() {
		if name, value, ok := strings.Cut(pair.String(), "="); ok && strings.EqualFold(strings.TrimSpace(name), "for") {
			hop = strings.TrimSpace(value)
		}
		pair.Reset()
	}
	for _, c := range header {
		switch {
		case escaped:
			escaped = false
			pair.WriteRune(c)
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ';' || c == ','):
			if endPair(); c == ',' {
				hops, hop = append(hops, hop), ""
			}
		default:
			pair.WriteRune(c)
		}
	}
	if quoted {
		return nil
	}
	endPair()
	return append(hops, hop)
}

// behindProxies sets each request's address to its client's, and limits how many concurrent requests
// each client of a proxy may have, just as LimitConnections limits peers that connect directly.
func behindProxies(p Proxies, limit int, next http.Handler) http.Handler {
	if len(p) == 0 {
		return next
	}
	var mu sync.Mutex
	of := map[netip.Prefix]int{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !p.trust(peer.Addr()) {
			next.ServeHTTP(w, r)
			return
		}
		r.RemoteAddr = netip.AddrPortFrom(p.client(peer.Addr().Unmap().WithZone(""), r.Header), 0).String()
		client := network(r.RemoteAddr)
		mu.Lock()
		full := limit > 0 && of[client] >= limit
		if !full {
			of[client]++
		}
		mu.Unlock()
		if full {
			unavailable("Too many requests of this address are under way.").write(w)
			return
		}
		defer func() {
			mu.Lock()
			defer mu.Unlock()
			if of[client]--; of[client] == 0 {
				delete(of, client)
			}
		}()
		next.ServeHTTP(w, r)
	})
}
