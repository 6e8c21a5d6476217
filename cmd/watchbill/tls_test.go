package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// secureApp serves "hello" with TLS by the settings.
func secureApp(t *testing.T, f tlsFlags, db *store.System, log io.Writer) (address string) {
	t.Helper()
	a := &app{store: db, log: zerolog.New(log), broken: make(chan error, 1)}
	secure, err := a.secure(t.Context(), f, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	if address, err = a.listen(t.Context(), "127.0.0.1:0", hello, 4, nil, secure); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, stop := range a.stopRun {
			stop(t.Context())
		}
	})
	return address
}

// ask opens a new connection, which stays open and idle, and returns the certificate that it was shown.
func ask(t *testing.T, address, name string, trusted *x509.CertPool) (*x509.Certificate, http.Header, error) {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{ServerName: name, RootCAs: trusted, InsecureSkipVerify: trusted == nil}}
	t.Cleanup(transport.CloseIdleConnections)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "hello" {
		t.Fatalf(`answered %q, %v, want "hello"`, body, err)
	}
	return resp.TLS.PeerCertificates[0], resp.Header, nil
}

// newPair makes a certificate for a name, signed by itself, and returns it and its key as PEM.
func newPair(t *testing.T, name string) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

func poolOf(cert []byte) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(cert)
	return pool
}

// A new certificate in the files is used by the next connection. While only one of the two files is new, or what is in them
// can't be read, the certificate before stays in use.
func TestCertificateIsReadAgainWhenItsFilesChange(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := tlsFlags{TLSCert: filepath.Join(dir, "tls.crt"), TLSKey: filepath.Join(dir, "tls.key")}
	write := func(file string, data []byte) {
		if err := os.WriteFile(file+".new", data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	const name = "watchbill.example.com"
	first, firstKey := newPair(t, name)
	second, secondKey := newPair(t, name)
	write(f.TLSCert, first)
	write(f.TLSKey, firstKey)
	if wrong := f.problems(""); len(wrong) > 0 {
		t.Fatalf("%v, want none", wrong)
	}
	var log lockedBuffer
	address := secureApp(t, f, nil, &log)
	expect := func(when string, want []byte) {
		t.Helper()
		_, header, err := ask(t, address, name, poolOf(want))
		if err != nil {
			t.Errorf("%s: %v", when, err)
		} else if header.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s: no Strict-Transport-Security", when)
		}
	}
	expect("at first", first)
	write(f.TLSCert, second)
	expect("with a new certificate and the old key", first)
	write(f.TLSKey, secondKey)
	expect("with both", second)
	write(f.TLSCert, []byte("nothing"))
	expect("with a broken certificate", second)
	if n := strings.Count(log.String(), "stays in use"); n != 2 {
		t.Errorf("%d warnings, want one for each of two faults: %s", n, log.String())
	}
	if !strings.Contains(log.String(), "was read again") {
		t.Errorf(`the log doesn't say that it was read again: %s, want it to contain "was read again"`, log.String())
	}
	if text, status, err := askHere(t.Context(), address, true, "/", 10); err != nil || status != http.StatusOK || string(text) != "hello" {
		t.Errorf(`watchbill healthcheck would get %q, %d, %v; want %d "hello"`, text, status, err, http.StatusOK)
	}
}

// Connections that are idle make room for new ones with TLS, too.
func TestIdleConnectionsMakeRoomWithTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := tlsFlags{TLSCert: filepath.Join(dir, "tls.crt"), TLSKey: filepath.Join(dir, "tls.key")}
	cert, key := newPair(t, "watchbill.example.com")
	for file, data := range map[string][]byte{f.TLSCert: cert, f.TLSKey: key} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	address := secureApp(t, f, nil, io.Discard)
	for n := range 6 { // of which two may be open
		storetest.Until(t, storetest.Timeout, "a connection is let in", func() bool {
			_, _, err := ask(t, address, "watchbill.example.com", poolOf(cert))
			if err != nil {
				t.Logf("connection %d: %v", n, err)
			}
			return err == nil
		})
	}
}

func TestTLSSettings(t *testing.T) {
	t.Parallel()
	cert, key := newPair(t, "watchbill.example.com")
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	certFile, keyFile, _ := file("a.crt", cert), file("a.key", key), file("empty", nil)
	for want, f := range map[string]tlsFlags{
		``: {TLSCert: certFile, TLSKey: keyFile},
		`^WATCHBILL_TLS_CERT_FILE .*belong together`: {TLSCert: certFile},
		`no such file`:                          {TLSCert: certFile, TLSKey: filepath.Join(dir, "none")},
		`do nothing without it`:                 {ACMEMail: "ann@example.com"},
		`are both set`:                          {TLSCert: certFile, TLSKey: keyFile, ACMEDomains: "a.example.com", ACMECache: dir},
		`"\*\.example\.com" is not a full name`: {ACMEDomains: "a.example.com, *.example.com", ACMECache: dir},
		`^WATCHBILL_ACME_CACHE and WATCHBILL_SECRET are not set`: {ACMEDomains: "a.example.com"},
		`^WATCHBILL_ACME_URL is "http://a"`:                      {ACMEDomains: "a.example.com", ACMECache: dir, ACMEURL: "http://a"},
		`holds no certificate`:                                   {ACMEDomains: "a.example.com", ACMECache: dir, ACMECAFile: filepath.Join(dir, "empty")},
		`^WATCHBILL_ACME_LISTEN is "80"`:                         {ACMEDomains: "a.example.com", ACMECache: dir, ACMEListen: "80"},
	} {
		got := strings.Join(f.problems(""), "\n")
		if (want == "") != (got == "") || !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%+v: %q, want %q", f, got, want)
		}
	}
	if got := (tlsFlags{ACMEDomains: "a.example.com"}).problems(storetest.Secret); len(got) > 0 {
		t.Errorf("with a secret: %q, want none", got)
	}
	if !bytes.Contains(cert, []byte("BEGIN")) {
		t.Error("the certificate is not in PEM")
	}
}
