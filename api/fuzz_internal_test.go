package api

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/intake"
)

// Whatever a body is, and whatever its headers claim, it takes little more memory than the limit,
// and none once it is released.
func FuzzReadBody(f *testing.F) {
	f.Add([]byte(`{"title":"x"}`), "", "application/json")
	const limit = 1 << 20
	f.Fuzz(func(t *testing.T, body []byte, coding, kind string) {
		s := &server{}
		r := httptest.NewRequest(http.MethodPost, "/v1/signals/x", bytes.NewReader(body))
		r.Header.Set("Content-Encoding", coding)
		w := httptest.NewRecorder()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		came := s.read(w, r, limit)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 32*limit {
			t.Fatalf("%d bytes took %d MiB, want at most %d", len(body), used>>20, 32*limit>>20)
		}
		read, p := came.body, came.problem
		switch {
		case p != nil:
			if len(read) > maxShownBody || len(came.onRelease) != 0 || p.Status < 400 || !strings.HasSuffix(p.Detail, ".") {
				t.Fatalf("read %d bytes of at most %d; %d functions wait; the problem is %+v, want a sentence with a status from 400", len(read), maxShownBody, len(came.onRelease), p)
			}
			if signal := intake.UnreadableSignal(read, p.Detail); p.toPage && (!utf8.ValidString(signal.Title+signal.Body) || strings.Contains(signal.Body, "\x00")) {
				t.Fatalf("the signal is %+v, want valid UTF-8 without NUL", signal)
			}
		case len(read) > limit:
			t.Fatalf("%d bytes were read, want at most %d", len(read), limit)
		default:
			came.release()
		}
		if held := s.load.buffered.Load(); held != 0 {
			t.Fatalf("%d bytes are still counted, want 0", held)
		}
		if why := unparsed(io.ErrUnexpectedEOF, read, kind); why == "" || len(why) > 1_000+len(kind) {
			t.Fatalf("the explanation is %q, want some text of limited length", why)
		}
	})
}

// A request that imitates Twilio without our account's signature is refused: there is no store
// here, so that anything else would panic.
func FuzzTwilioSignature(f *testing.F) {
	f.Add("/v1/twilio/sms", "From=%2B12025550101&Body=1a&MessageSid=SM1", "0/KCTR6DLpKmkAf8muzZqo1nDgQ=")
	f.Fuzz(func(t *testing.T, target, body, signature string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || !strings.HasPrefix(u.Path, "/v1/twilio/") || u.Host != "" {
			return
		}
		s := &server{Config: Config{Twilio: Twilio{Tokens: []string{"0123456789abcdef0123456789abcdef"}, Public: "https://watchbill.example.com"}, Log: zerolog.Nop()}}
		mux := http.NewServeMux()
		s.twilioRoutes(mux)
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.URL, r.RequestURI = u, target
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Twilio-Signature", signature)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		switch w.Code {
		case http.StatusForbidden, http.StatusBadRequest, http.StatusNotFound, http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		default:
			t.Fatalf("%s got %d", target, w.Code)
		}
	})
}

// Addresses in one network count as one peer, and so does anything that isn't an address.
func FuzzPeer(f *testing.F) {
	f.Add("192.0.2.1:443")
	f.Fuzz(func(t *testing.T, remote string) {
		p := network(remote)
		peer, err := netip.ParseAddrPort(remote)
		if (err == nil) != p.IsValid() {
			t.Fatalf("the network of %q is %v, want one only of an address", remote, p)
		}
		if err == nil {
			bits := 32
			if p.Addr().Is6() {
				bits = 64
			}
			if p != p.Masked() || p.Bits() != bits {
				t.Fatalf("the network of %q is %v, want one of %d bits", remote, p, bits)
			}
			if !p.Contains(peer.Addr().Unmap().WithZone("")) {
				t.Fatalf("the network of %q is %v, want one that contains it", remote, p)
			}
		}
		var s strikes
		at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
		for i := range 2 * strikesAllowed {
			if wait, out := s.add(remote, at); out != (i >= strikesAllowed) || wait <= 0 || wait > strikeWindow {
				t.Fatalf("strike %d: got %s, %t, want it refused after %d", i, wait, out, strikesAllowed)
			}
		}
	})
}

// Whatever a request claims, its client is its peer, or an address seen by a proxy of ours:
// anything that the client wrote further left is ignored.
func FuzzForwardedFor(f *testing.F) {
	f.Add("192.0.2.7", "198.51.100.1, 10.0.0.2", "for=192.0.2.43")
	proxies, err := ParseProxies("10.0.0.0/8, 2001:db8::/32")
	if err != nil {
		f.Fatal(err)
	}
	peers := []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}
	f.Fuzz(func(t *testing.T, seen, xff, forwarded string) {
		for _, peer := range peers {
			h := http.Header{}
			if xff != "" {
				h.Set("X-Forwarded-For", xff)
			}
			if forwarded != "" {
				h.Set("Forwarded", forwarded)
			}
			got := proxies.client(peer, h)
			if !got.IsValid() || got.Zone() != "" || !proxies.trust(peer) && got != peer {
				t.Fatalf("%v said by %v with %q is %v, want a valid address without a zone, and the peer unless it is trusted (%t)", seen, peer, h, got, proxies.trust(peer))
			}
			client, err := netip.ParseAddr(seen)
			if err != nil || client.Zone() != "" || proxies.trust(client) || !proxies.trust(peer) {
				continue
			}
			h.Set("X-Forwarded-For", xff+", "+seen) // as the proxy appends it
			if got := proxies.client(peer, h); got != client.Unmap() {
				t.Fatalf("%q, seen by %v, passed for %v, want %v", h, peer, got, client.Unmap())
			}
		}
	})
}
