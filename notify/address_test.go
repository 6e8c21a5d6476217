package notify_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/notify"
)

func TestAddressRules(t *testing.T) {
	t.Parallel()
	listed, err := notify.ParseLoopback("127.0.0.1:9000, [::1]:9000 ,127.0.1.0/24")
	must(t, err)
	public, private := notify.AddressRules{}, notify.AddressRules{Private: true}
	here := notify.AddressRules{Loopback: listed}
	const never, inPrivate, onList, yes = "never", "private", "listed", "yes"
	for address, want := range map[string]string{
		"93.184.215.14:443": yes, "[2606:4700::6810:84e5]:443": yes, "8.8.8.8:80": yes, "[2001:4860:4860::8888]:80": yes,
		"[::ffff:8.8.8.8]:80": yes, "[64:ff9b::808:808]:80": yes, "[2002:808:808::1]:80": yes,
		"10.0.0.1:80": inPrivate, "172.16.0.1:80": inPrivate, "172.31.255.255:80": inPrivate, "192.168.1.1:80": inPrivate,
		"100.64.0.1:80": inPrivate, "198.18.0.1:80": inPrivate, "[fd00::1]:80": inPrivate, "[fc00::1]:80": inPrivate,
		"[::ffff:10.0.0.1]:80": inPrivate, "[::10.0.0.1]:80": inPrivate, "[64:ff9b::a00:1]:80": inPrivate, "[2002:a00:1::1]:80": inPrivate,
		"172.15.0.1:80": yes, "172.32.0.1:80": yes, "100.128.0.1:80": yes,
		"127.0.0.1:9000": onList, "127.0.1.77:80": onList, "[::1]:9000": onList, "[::ffff:127.0.0.1]:9000": onList,
		"[::127.0.0.1]:9000": onList, "[64:ff9b::7f00:1]:9000": onList, "[2002:7f00:1::1]:9000": onList,
		"127.0.0.1:80": never, "[::1]:80": never, "127.5.5.5:9000": never, "[2002:7f00:1::1]:80": never,
		"0.0.0.0:9000": never, "[::]:9000": never, "0.1.2.3:80": never, "255.255.255.255:80": never, "240.0.0.1:80": never, "224.0.0.1:80": never,
		"169.254.169.254:80": never, "[::ffff:169.254.169.254]:80": never, "[64:ff9b::a9fe:a9fe]:80": never, "[::169.254.169.254]:80": never,
		"[2002:a9fe:a9fe::1]:80": never, "[2001:0:808:808:0:0:5601:5601]:80": never, "[2001:0:a9fe:a9fe:0:0:f7f7:f7f7]:80": never,
		"[2606:4700::5efe:a9fe:a9fe]:80": never, "[64:ff9b:1::a9fe:a9fe]:80": never, "[::ffff:0:a9fe:a9fe]:80": never,
		"100.100.100.200:80": never, "168.63.129.16:80": never, "192.0.0.192:80": never, "[fd00:ec2::254]:80": never, "[fd20:ce::254]:80": never,
		"[fd00:c1::a9fe:a9fe]:80": never, "[fd00:42::42]:80": never,
		"[fe80::1]:80": never, "[fe80::1%25lo]:80": never, "[fec0::1]:80": never, "[ff02::1]:80": never, "[100::1]:80": never,
		"192.0.2.1:80": never, "198.51.100.1:80": never, "203.0.113.1:80": never, "[2001:db8::1]:80": never, "[3fff::1]:80": never,
		"[2001:2::1]:80": never, "[2001:20::1]:80": never, "[5f00::1]:80": never, "192.88.99.1:80": never,
	} {
		for rules, allows := range map[*notify.AddressRules]bool{
			&public: want == yes, &private: want == yes || want == inPrivate, &here: want == yes || want == onList,
		} {
			u, err := url.Parse("http://" + address)
			must(t, err)
			if err := rules.Allow(u); (err == nil) != allows {
				t.Errorf("%s is %s, and with %+v got %v, want it allowed: %t", address, want, rules, err, allows)
			}
		}
	}
	for _, host := range []string{"localhost", "LOCALHOST.", "a.localhost", "2130706433", "0x7f000001", "127.1", "0177.0.0.01", "1.0x7f", "metadata.google.internal", "metadata"} {
		if err := private.Allow(&url.URL{Scheme: "http", Host: host}); err == nil {
			t.Errorf("%s is called, want an error", host)
		}
	}
	for _, wrong := range []string{"10.0.0.1", "0.0.0.0", "::", "127.0.0.0/7", "::/0", "example.com", "127.0.0.1:0", "localhost:x", "fe80::1%lo"} {
		if got, err := notify.ParseLoopback(wrong); err == nil {
			t.Errorf("%s is taken for this machine (%v), want an error", wrong, got)
		}
	}
}

// The rules hold for every address that people name, for every channel.
func TestPeoplesAddressesAreCheckedWhenCalled(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s %s was called", r.Method, r.URL) }))
	t.Cleanup(s.Close)
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	elsewhere, err := notify.ParseLoopback("127.0.0.1:1")
	must(t, err)
	rules := notify.AddressRules{Private: true, Loopback: elsewhere}
	senders := map[string]notify.Sender{
		"webhook": notify.NewWebhook(notify.WebhookConfig{Rules: rules, Clock: time.Now}),
		"ntfy":    notify.NewNtfy(notify.NtfyConfig{URL: "http://127.0.0.1:1", Rules: rules}),
	}
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::1]", "0.0.0.0"} {
		for name, sender := range senders {
			r := sender.Send(t.Context(), testPage("http://"+host+":"+port+"/topic"))
			if r.Outcome != notify.Rejected || r.Err == nil {
				t.Errorf("%s to %s: got %+v, want Outcome %v and an error", name, host, r, notify.Rejected)
			}
		}
	}
	query := s.URL + "/err?anything=1&x=/topic"
	if r := notify.NewNtfy(notify.NtfyConfig{URL: "http://127.0.0.1:1", Rules: loopbackRules()}).Send(t.Context(), testPage(query)); r.Outcome != notify.Rejected || !r.Dead {
		t.Errorf("a query in the address: %+v, want rejected and dead", r)
	}
	if f, ok := senders["ntfy"].(notify.Finder); !ok {
		t.Error("ntfy can't be asked")
	} else if _, found, err := f.Find(t.Context(), testPage(s.URL+"/topic"), time.Now()); found || err == nil {
		t.Errorf("got %v, %v, want nothing found and an error", found, err)
	}
}

// A proxy connects by itself; so what it is asked for is checked before, and its own address is not.
func TestPeoplesAddressesAreCheckedBeforeAProxy(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 10)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Host
		fmt.Fprint(w, `{"id":"x"}`)
	}))
	t.Cleanup(proxy.Close)
	through, err := url.Parse(proxy.URL)
	must(t, err)
	rules := notify.AddressRules{Proxy: func(*http.Request) (*url.URL, error) { return through, nil }}
	hook := notify.NewWebhook(notify.WebhookConfig{Rules: rules, Clock: time.Now})
	push := notify.NewNtfy(notify.NtfyConfig{URL: "http://127.0.0.1:1", Rules: rules})
	for _, host := range []string{"8.8.8.8", "name.invalid"} { // the latter is one that only the proxy may know
		for _, sender := range []notify.Sender{hook, push} {
			if r := sender.Send(t.Context(), testPage("http://"+host+"/topic")); r.Outcome != notify.Accepted {
				t.Errorf("%s: got %+v, want Outcome %v", host, r, notify.Accepted)
			} else if got := receive(t, asked, "the proxy"); got != host {
				t.Errorf("the proxy was asked for %s, want %s", got, host)
			}
		}
	}
	for _, host := range []string{
		"169.254.169.254", "[fd20:ce::254]", "10.0.0.1", "127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1",
		"[64:ff9b::a9fe:a9fe]", "metadata.google.internal", "１２７.0.0.1", "169。254。169。254",
	} {
		for _, sender := range []notify.Sender{hook, push} {
			if r := sender.Send(t.Context(), testPage("http://"+host+"/topic")); r.Outcome != notify.Rejected {
				t.Errorf("%s: got %+v, want Outcome %v", host, r, notify.Rejected)
			}
		}
	}
	if len(asked) > 0 {
		t.Errorf("the proxy was asked for %s", <-asked)
	}
}

// People may name a server that only we can reach: they must not learn from us what it says.
func TestAnswersOfPeoplesServersAreNotQuoted(t *testing.T) {
	t.Parallel()
	const hidden = "aws_access_key=AKIAFAKE"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() { // speaks another protocol
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = bufio.NewReader(conn).ReadString('\n')
			_, _ = io.WriteString(conn, "-ERR "+hidden+"\r\n\r\n")
			_ = conn.Close()
		}
	}()
	secure := httptest.NewTLSServer(http.NotFoundHandler()) // its certificate is for example.com
	t.Cleanup(secure.Close)
	to := map[string]notify.Outcome{"http://" + l.Addr().String(): notify.Unknown, secure.URL: notify.Rejected}
	for status, want := range map[int]notify.Outcome{
		200: notify.Unknown, 302: notify.Rejected, 400: notify.Rejected, 401: notify.Rejected, 403: notify.Rejected, 404: notify.Rejected,
		407: notify.Rejected, 429: notify.Throttled, 500: notify.Unknown, 503: notify.Throttled,
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/"+hidden)
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"error":%q} %s`, hidden, hidden)
		}))
		t.Cleanup(s.Close)
		to[s.URL] = want
	}
	hook := notify.NewWebhook(hookConfig())
	push := notify.NewNtfy(notify.NtfyConfig{URL: "http://127.0.0.1:1", Rules: loopbackRules()})
	for address, want := range to {
		for name, sender := range map[string]notify.Sender{"webhook": hook, "ntfy": push} {
			r := sender.Send(t.Context(), testPage(address+"/topic"))
			if name == "webhook" && r.Outcome == notify.Accepted { // 200 is all that it asks for
				continue
			}
			if r.Outcome != want || r.Dead {
				t.Errorf("%s to %s: %+v, want %s", name, address, r, want)
			}
			for _, secret := range []string{"AKIA", "ERR", "example.com", "127.0.0.1"} {
				if text := r.Err.Error(); strings.Contains(text, secret) {
					t.Errorf("%s: got %q, want it without %q", name, text, secret)
				}
			}
		}
	}
}

func TestDispatcherNamesPeoplesServers(t *testing.T) {
	t.Parallel()
	push := notify.AbilitiesOf(notify.NewNtfy(notify.NtfyConfig{URL: "https://ntfy.example.com/"})).Dispatcher
	hook := notify.AbilitiesOf(notify.NewWebhook(hookConfig())).Dispatcher
	for _, c := range []struct {
		of       notify.Dispatcher
		to, want string
	}{
		{push, "ann", ""},
		{push, "https://ntfy.example.com/ann", ""},
		{push, "https://NTFY.sh/ann", "ntfy.sh"},
		{push, "https://ntfy.sh:8443/ann", "ntfy.sh:8443"},
		{push, "a/b", ""},
		{hook, "https://Example.com/ann?x=1", "example.com"},
		{hook, "x", ""},
	} {
		if got := c.of.Server(c.to); got != c.want {
			t.Errorf("%s is on %q, want %q", c.to, got, c.want)
		}
	}
}
