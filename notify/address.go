package notify

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// AddressRules says which addresses may be called when people enter them, for instance for webhooks
// and other ntfy servers. The rules don't apply to addresses that an admin sets, such as our own ntfy
// server.
type AddressRules struct {
	Private  bool       // allow addresses in private networks
	Loopback []Loopback // allowed addresses of this machine
	// Proxy returns the proxy for a request; nil: the environment's settings apply.
	Proxy func(*http.Request) (*url.URL, error)
}

// A Loopback is an address of this machine that may be called.
type Loopback struct {
	Net  netip.Prefix
	Port uint16 // 0: any
}

// ParseLoopback parses comma-separated addresses of this machine: localhost, an IP address or a network, each with or
// without a port.
func ParseLoopback(list string) ([]Loopback, error) {
	var out []Loopback
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		host, port := entry, uint16(0)
		if h, p, err := net.SplitHostPort(entry); err == nil {
			n, err := strconv.ParseUint(p, 10, 16)
			if err != nil || n == 0 {
				return nil, fmt.Errorf("%q has no port", entry)
			}
			host, port = h, uint16(n)
		}
		nets := []string{strings.Trim(host, "[]")}
		if host == "localhost" {
			nets = []string{"127.0.0.0/8", "::1"}
		}
		for _, text := range nets {
			in, err := netip.ParsePrefix(text)
			if addr, failed := netip.ParseAddr(text); failed == nil && addr.Zone() == "" {
				in, err = netip.PrefixFrom(addr, addr.BitLen()), nil
			}
			if err != nil || !in.Addr().IsLoopback() || in.Addr().Is4() && in.Bits() < 8 || in.Addr().Is6() && in.Bits() < 128 {
				return nil, fmt.Errorf("%q is not an address of this machine such as 127.0.0.1:9000", entry)
			}
			out = append(out, Loopback{Net: in, Port: port})
		}
	}
	return out, nil
}

var (
	// errForbiddenAddress means that an address must not be called.
	errForbiddenAddress = errors.New("this address is not called")

	errNeverCalled   = fmt.Errorf("it belongs to no server that people could mean: %w", errForbiddenAddress)
	errPrivateNet    = fmt.Errorf("it is in a private network, and those are only called with WATCHBILL_WEBHOOK_PRIVATE=true: %w", errForbiddenAddress)
	errOwnMachine    = fmt.Errorf("it is on the machine of Watchbill, and there only what WATCHBILL_WEBHOOK_LOOPBACK lists is called: %w", errForbiddenAddress)
	errNotASCII      = fmt.Errorf("its host has letters beyond ASCII; write it as xn--…: %w", errForbiddenAddress)
	errNumericalName = fmt.Errorf("its host is a number and no IP address: %w", errForbiddenAddress)
)

// These addresses never belong to a server that people mean. They are the special-purpose ranges in
// IANA's registries for IPv4 and IPv6, and the metadata services of clouds, which give out
// credentials.
var (
	neverCalled = parsePrefixes(
		"0.0.0.0/8",                              // this network
		"169.254.0.0/16",                         // link-local, and most clouds' metadata
		"192.0.0.0/24",                           // protocol assignments; Oracle's metadata
		"192.0.2.0/24",                           // documentation
		"192.31.196.0/24",                        // AS112
		"192.52.193.0/24",                        // AMT
		"192.88.99.0/24",                         // relays of 6to4
		"192.175.48.0/24",                        // AS112
		"198.51.100.0/24",                        // documentation
		"203.0.113.0/24",                         // documentation
		"224.0.0.0/4",                            // multicast
		"240.0.0.0/4",                            // reserved, and broadcast
		"100.100.100.200/32", "168.63.129.16/32", // metadata of Alibaba, and of Azure
		"fd00:ec2::/32", "fd20:ce::/64", "fd00:c1::a9fe:a9fe/128", "fd00:42::42/128", // of AWS, Google, Oracle, Scaleway
		"2001::/23",         // protocol assignments, such as benchmarks and ORCHID
		"2001:db8::/32",     // documentation
		"2620:4f:8000::/48", // AS112
		"3fff::/20",         // documentation
	)
	privateNets = parsePrefixes(
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7",
		"100.64.0.0/10", // shared by a provider's customers
		"198.18.0.0/15", // benchmarks
	)
	global   = netip.MustParsePrefix("2000::/3") // all unicast addresses that IANA has assigned
	nat64    = netip.MustParsePrefix("64:ff9b::/96")
	sixToIV  = netip.MustParsePrefix("2002::/16")
	teredo   = netip.MustParsePrefix("2001::/32")
	inIPv6   = netip.MustParsePrefix("::/96")
	loopback = parsePrefixes("127.0.0.0/8", "::1/128")
)

func parsePrefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, text := range list {
		out[i] = netip.MustParsePrefix(text)
	}
	return out
}

func within(nets []netip.Prefix, ip netip.Addr) bool {
	for _, in := range nets {
		if in.Contains(ip) {
			return true
		}
	}
	return false
}

// allow returns an error that explains why an address must not be called, or nil.
func (r AddressRules) allow(to netip.AddrPort) error {
	ip := to.Addr().Unmap().WithZone("")
	inner := carriedIn(ip)
	for _, v4 := range inner {
		if err := r.allow(netip.AddrPortFrom(v4, to.Port())); err != nil {
			return err
		}
	}
	switch {
	case !ip.IsValid():
		return errNeverCalled
	case within(loopback, ip):
		for _, listed := range r.Loopback {
			if listed.Net.Contains(ip) && (listed.Port == 0 || listed.Port == to.Port()) {
				return nil
			}
		}
		return errOwnMachine
	case len(inner) > 0:
		return nil // the embedded IPv4 address is allowed
	case within(neverCalled, ip):
		return errNeverCalled
	case within(privateNets, ip):
		if !r.Private {
			return errPrivateNet
		}
	case ip.Is6() && !global.Contains(ip): // link-local, multicast, not assigned
		return errNeverCalled
	}
	return nil
}

// carriedIn returns the IPv4 addresses embedded in an IPv6 address, which a translator or tunnel may forward packets to.
func carriedIn(ip netip.Addr) []netip.Addr {
	if !ip.Is6() {
		return nil
	}
	b := ip.As16()
	at := func(i int) netip.Addr { return netip.AddrFrom4([4]byte(b[i : i+4])) }
	switch {
	case ip == netip.IPv6Loopback():
		return nil
	case inIPv6.Contains(ip), nat64.Contains(ip):
		return []netip.Addr{at(12)}
	case sixToIV.Contains(ip):
		return []netip.Addr{at(2)}
	case teredo.Contains(ip): // the server's address, and the client's inverted address
		client := at(12).As4()
		for i := range client {
			client[i] ^= 0xff
		}
		return []netip.Addr{at(4), netip.AddrFrom4(client)}
	case global.Contains(ip) && b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe: // ISATAP
		return []netip.Addr{at(12)}
	}
	return nil
}

// allowHost is like allow, for the host part of a URL as written. It accepts all names, because they
// are checked after the lookup, but refuses names that some programs would parse as an IP address.
func (r AddressRules) allowHost(host string, port uint16) error {
	if ip, err := netip.ParseAddr(host); err == nil {
		return r.allow(netip.AddrPortFrom(ip, port))
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	last := name[strings.LastIndex(name, ".")+1:]
	switch _, err := strconv.ParseUint(strings.TrimPrefix(last, "0x"), 16, 64); {
	case name == "":
		return errNeverCalled
	case last == "localhost":
		return r.allow(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port))
	case strings.HasPrefix(last, "0x") && err == nil, strings.Trim(last, "0123456789") == "":
		return errNumericalName
	case last == "internal" && strings.HasPrefix(name, "metadata."), name == "metadata", name == "instance-data":
		return errNeverCalled
	}
	return nil
}
