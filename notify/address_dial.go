package notify

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"
)

// Transport calls only what the rules allow. It checks the IP address of the actual connection, so a
// name that resolves differently each time can't deceive it. A proxy makes the connection itself, so
// in that case the host is looked up here first. The proxy's own address isn't checked, because an
// admin chose it.
func (r AddressRules) Transport() http.RoundTripper {
	checked := &net.Dialer{Timeout: webLimit, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return errNeverCalled
		}
		return r.allow(to)
	}}
	t := &addressGuard{rules: r, proxy: r.Proxy}
	if t.proxy == nil {
		t.proxy = http.ProxyFromEnvironment
	}
	t.direct = withoutReuse(&http.Transport{DialContext: checked.DialContext})
	t.proxied = withoutReuse(&http.Transport{Proxy: t.proxy, DialContext: (&net.Dialer{Timeout: webLimit}).DialContext})
	return t
}

// addressGuard calls addresses that people enter.
type addressGuard struct {
	rules           AddressRules
	proxy           func(*http.Request) (*url.URL, error)
	direct, proxied http.RoundTripper
}

// RoundTrip implements http.RoundTripper. It refuses a forbidden address.
func (g *addressGuard) RoundTrip(r *http.Request) (*http.Response, error) {
	through, err := g.proxy(r)
	next := g.direct
	if through != nil {
		next = g.proxied
	}
	if err == nil {
		err = g.allow(r.Context(), r.URL, through != nil)
	}
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // required of a RoundTripper
		}
		return nil, err
	}
	return next.RoundTrip(r)
}

// allow returns an error if an address must not be called. It looks the name up only for a proxy; if the name is unknown
// here, the proxy decides.
func (g *addressGuard) allow(ctx context.Context, address *url.URL, proxied bool) error {
	usual := "80"
	if address.Scheme == "https" {
		usual = "443"
	}
	n, err := strconv.ParseUint(cmp.Or(address.Port(), usual), 10, 16)
	if err != nil {
		return errNeverCalled
	}
	port := uint16(n)
	if err := g.rules.allowHost(address.Hostname(), port); err != nil || !proxied {
		return err
	}
	if _, err := netip.ParseAddr(address.Hostname()); err == nil {
		return nil
	}
	if strings.ContainsFunc(address.Hostname(), func(c rune) bool { return c >= utf8.RuneSelf }) {
		return errNotASCII // the transport would translate it into another name, or into a number
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", address.Hostname())
	if err != nil {
		return ctx.Err()
	}
	for _, ip := range found {
		if err := g.rules.allow(netip.AddrPortFrom(ip, port)); err != nil {
			return err
		}
	}
	return nil
}
