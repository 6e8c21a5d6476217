package api

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestParseProxies(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]string{
		"": "", "10.0.0.0/8, 192.0.2.7 2001:db8::/32": "",
		"proxy.example.com": `"proxy.example.com" is neither an address nor a network such as 10.0.0.0/8`,
		"10.0.0.0/33":       `"10.0.0.0/33" is neither an address nor a network such as 10.0.0.0/8`,
		"0.0.0.0/0":         `"0.0.0.0/0" is every address, so that anybody could claim to be anybody`,
		"::/0":              `"::/0" is every address, so that anybody could claim to be anybody`,
		"::ffff:10.0.0.1":   `"::ffff:10.0.0.1": write an IPv4 network as IPv4`,
	} {
		got := ""
		if _, err := ParseProxies(list); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", list, got, want)
		}
	}
}

// What a client writes itself never counts, wherever it comes from.
func TestClientBehindProxies(t *testing.T) {
	t.Parallel()
	trusted, err := ParseProxies("10.0.0.0/8, 2001:db8:f::/48")
	if err != nil {
		t.Fatal(err)
	}
	xff := func(lines ...string) http.Header { return http.Header{"X-Forwarded-For": lines} }
	fwd := func(lines ...string) http.Header { return http.Header{"Forwarded": lines} }
	both := xff("198.51.100.1")
	both.Set("Forwarded", "for=203.0.113.66")
	for name, c := range map[string]struct {
		peer string
		h    http.Header
		want string
	}{
		"no proxy":                    {"198.51.100.9", xff("203.0.113.66"), "198.51.100.9"},
		"no proxy, forwarded":         {"198.51.100.9", fwd("for=203.0.113.66"), "198.51.100.9"},
		"a proxy that says nothing":   {"10.0.0.1", http.Header{}, "10.0.0.1"},
		"a proxy":                     {"10.0.0.1", xff("198.51.100.1"), "198.51.100.1"},
		"a proxy in IPv6's clothes":   {"::ffff:10.0.0.1", xff("198.51.100.1"), "198.51.100.1"},
		"forged before it":            {"10.0.0.1", xff("203.0.113.66, 198.51.100.1"), "198.51.100.1"},
		"forged in a line of its own": {"10.0.0.1", xff("203.0.113.66", "198.51.100.1"), "198.51.100.1"},
		"forged as one of ours":       {"10.0.0.1", xff("10.0.0.7, 198.51.100.1"), "198.51.100.1"},
		"two proxies":                 {"10.0.0.1", xff("203.0.113.66, 198.51.100.1, 10.0.0.2"), "198.51.100.1"},
		"all ours":                    {"10.0.0.1", xff("10.0.0.3, 10.0.0.2"), "10.0.0.3"},
		"with a port":                 {"10.0.0.1", xff("198.51.100.1:4711"), "198.51.100.1"},
		"IPv6":                        {"2001:db8:f::1", xff("2001:db8:1::2"), "2001:db8:1::2"},
		"IPv6 with a port":            {"10.0.0.1", xff("[2001:db8:1::2]:4711"), "2001:db8:1::2"},
		"IPv6 with a zone":            {"10.0.0.1", xff("fe80::1%eth0"), "fe80::1"},
		"nonsense":                    {"10.0.0.1", xff("203.0.113.66, what"), "10.0.0.1"},
		"nonsense at the end":         {"10.0.0.1", xff("203.0.113.66,"), "10.0.0.1"},
		"forwarded":                   {"10.0.0.1", fwd("for=198.51.100.1;proto=https;by=10.0.0.1"), "198.51.100.1"},
		"forwarded, quoted":           {"10.0.0.1", fwd(`Proto=http; For="[2001:db8:1::2]:4711"`), "2001:db8:1::2"},
		"forwarded, forged":           {"10.0.0.1", fwd("for=203.0.113.66, for=198.51.100.1"), "198.51.100.1"},
		"forwarded, forged by quotes": {"10.0.0.1", fwd(`for="203.0.113.66, for=198.51.100.1`), "10.0.0.1"},
		"forwarded, lines and quotes": {"10.0.0.1", fwd(`for=203.0.113.66;x="`, `for="198.51.100.1"`), "10.0.0.1"},
		"forwarded, escaped":          {"10.0.0.1", fwd(`for="a\"b", for=198.51.100.1`), "198.51.100.1"},
		"forwarded, hidden":           {"10.0.0.1", fwd("for=203.0.113.66, for=_secret"), "10.0.0.1"},
		"forwarded, without for":      {"10.0.0.1", fwd("for=203.0.113.66, proto=http"), "10.0.0.1"},
		"both":                        {"10.0.0.1", both, "198.51.100.1"},
	} {
		if got := trusted.client(netip.MustParseAddr(c.peer).Unmap(), c.h); got != netip.MustParseAddr(c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if got := Proxies(nil).client(netip.MustParseAddr("10.0.0.1"), xff("203.0.113.66")); got.String() != "10.0.0.1" {
		t.Errorf("without the setting: got %s, want \"10.0.0.1\"", got)
	}
}

// Each client of a proxy has its own strikes, and its own limit on concurrent requests.
func TestClientsOfAProxyAreSeparate(t *testing.T) {
	t.Parallel()
	trusted, err := ParseProxies("192.0.2.0/24")
	if err != nil {
		t.Fatal(err)
	}
	under, let := make(chan string), make(chan struct{})
	h := behindProxies(trusted, 2, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		under <- r.RemoteAddr
		<-let
	}))
	ask := func(client string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.RemoteAddr = "192.0.2.1:4000"
		r.Header.Set("X-Forwarded-For", client)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	for _, client := range []string{"198.51.100.1", "198.51.100.1", "198.51.100.2"} {
		go ask(client)
		if got := <-under; got != client+":0" {
			t.Errorf("the request bears %s, want %s", got, client)
		}
	}
	if w := ask("203.0.113.66, 198.51.100.1"); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("one request too many: got %d, want 503 and some Retry-After", w.Code)
	}
	close(let)
}
