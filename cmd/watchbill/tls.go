package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/crypto/acme"
)

// tlsFlags configure TLS in Watchbill itself, for installations without a proxy in front.
type tlsFlags struct {
	TLSCert     string `name:"tls-cert-file" env:"WATCHBILL_TLS_CERT_FILE" placeholder:"FILE" help:"Certificate with its chain, as PEM: WATCHBILL_LISTEN speaks TLS. It is read again when the file changes."`
	TLSKey      string `name:"tls-key-file" env:"WATCHBILL_TLS_KEY_FILE" placeholder:"FILE" help:"Its private key, as PEM."`
	ACMEDomains string `name:"acme-domains" env:"WATCHBILL_ACME_DOMAINS" placeholder:"LIST" help:"Names for which certificates are got from Let's Encrypt or another ACME server, such as watchbill.example.com; WATCHBILL_LISTEN speaks TLS."`
	ACMEMail    string `name:"acme-mail" env:"WATCHBILL_ACME_MAIL" placeholder:"ADDRESS" help:"Whom the ACME server may write to about them."`
	ACMEURL     string `name:"acme-url" env:"WATCHBILL_ACME_URL" placeholder:"URL" help:"Directory of another ACME server than Let's Encrypt."`
	ACMECAFile  string `name:"acme-ca-file" env:"WATCHBILL_ACME_CA_FILE" placeholder:"FILE" help:"Certificates, as PEM, to check that server against."`
	ACMECache   string `name:"acme-cache" env:"WATCHBILL_ACME_CACHE" placeholder:"DIR" help:"Where the certificates are kept; without it in the database, sealed by WATCHBILL_SECRET, for all instances."`
	ACMEListen  string `name:"acme-listen" env:"WATCHBILL_ACME_LISTEN" placeholder:"ADDRESS" help:"Where to answer the ACME server by HTTP, such as :80, and send browsers on to https; without it only by TLS, for which WATCHBILL_LISTEN must be reached at port 443."`
}

// on reports whether Watchbill speaks TLS itself.
func (f tlsFlags) on() bool { return f.TLSCert != "" || f.ACMEDomains != "" }

func (f tlsFlags) problems(secret string) (wrong []string) {
	if (f.TLSCert == "") != (f.TLSKey == "") {
		wrong = append(wrong, "WATCHBILL_TLS_CERT_FILE and WATCHBILL_TLS_KEY_FILE belong together: one of them is not set")
	} else if f.TLSCert != "" {
		if _, err := tls.LoadX509KeyPair(f.TLSCert, f.TLSKey); err != nil {
			wrong = append(wrong, "WATCHBILL_TLS_CERT_FILE and WATCHBILL_TLS_KEY_FILE: "+err.Error())
		}
	}
	if f.ACMEDomains == "" {
		if f.ACMEMail+f.ACMEURL+f.ACMECAFile+f.ACMECache+f.ACMEListen != "" {
			wrong = append(wrong, "WATCHBILL_ACME_DOMAINS is not set, and the other WATCHBILL_ACME_ settings do nothing without it")
		}
		return wrong
	}
	if f.TLSCert != "" {
		wrong = append(wrong, "WATCHBILL_TLS_CERT_FILE and WATCHBILL_ACME_DOMAINS are both set: take the certificate from one of them")
	}
	for _, name := range f.domains() {
		if strings.ContainsAny(name, "*:/@ ") || !strings.Contains(name, ".") {
			wrong = append(wrong, fmt.Sprintf("WATCHBILL_ACME_DOMAINS: %q is not a full name such as watchbill.example.com", name))
		}
	}
	if f.ACMECache == "" && secret == "" {
		wrong = append(wrong, "WATCHBILL_ACME_CACHE and WATCHBILL_SECRET are not set: private keys are kept in a directory, or in the database sealed by the secret")
	}
	if f.ACMEListen != "" {
		wrong = append(wrong, listenProblems("WATCHBILL_ACME_LISTEN", f.ACMEListen)...)
	}
	if u, err := url.Parse(f.ACMEURL); f.ACMEURL != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		wrong = append(wrong, fmt.Sprintf("WATCHBILL_ACME_URL is %q; it must be an address such as %s", f.ACMEURL, acme.LetsEncryptURL))
	}
	if f.ACMECAFile != "" {
		if _, err := certificatesIn(f.ACMECAFile); err != nil {
			wrong = append(wrong, "WATCHBILL_ACME_CA_FILE: "+err.Error())
		}
	}
	return wrong
}

func (f tlsFlags) domains() []string {
	return strings.FieldsFunc(strings.ToLower(f.ACMEDomains), func(r rune) bool { return r == ',' || r == ' ' })
}

func certificatesIn(file string) (*x509.CertPool, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return pool, nil
}

// speakTLS returns the server's TLS configuration. HTTP/2 is off: connections are limited per peer, and one HTTP/2
// connection would carry hundreds of requests.
func speakTLS(certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, GetCertificate: certificate}
}

// certificateFiles reloads a certificate when its files change. If the two files don't match, for example because only
// the first one has been written yet, the previous certificate stays in use.
type certificateFiles struct {
	cert, key string
	log       zerolog.Logger

	mu     sync.Mutex
	seen   [2]fileState
	loaded *tls.Certificate
	failed string // the error that was logged last
}

type fileState struct {
	changed time.Time
	size    int64
}

func stateOf(file string) fileState {
	info, err := os.Stat(file) // follows links, which Kubernetes replaces
	if err != nil {
		return fileState{}
	}
	return fileState{info.ModTime(), info.Size()}
}

// get is called for each connection. It costs two calls of stat.
func (c *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	now := [2]fileState{stateOf(c.cert), stateOf(c.key)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loaded != nil && now == c.seen {
		return c.loaded, nil
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		if c.loaded == nil {
			return nil, err
		}
		if c.failed != err.Error() {
			c.failed = err.Error()
			c.log.Warn().Err(err).Msg("the new certificate can't be used; the one before stays in use")
		}
		return c.loaded, nil
	}
	if c.loaded != nil {
		c.log.Info().Str("file", c.cert).Time("until", pair.Leaf.NotAfter).Msg("the certificate was read again")
	}
	c.loaded, c.seen, c.failed = &pair, now, ""
	return c.loaded, nil
}

// selfSigned makes the certificate for clients on this machine or by IP address, such as probes, which verify none.
func selfSigned(now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "watchbill on this machine"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(20, 0, 0), DNSNames: []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// encrypt sets up a server for TLS, and returns its serve function.
func encrypt(server *http.Server, secure *tls.Config, log zerolog.Logger) func(net.Listener) error {
	server.Handler, server.TLSConfig, server.Protocols = strictTransport(server.Handler), secure, new(http.Protocols)
	server.Protocols.SetHTTP1(true)
	server.ErrorLog = slog.NewLogLogger(zerolog.NewSlogHandler(log), slog.LevelDebug) // failed handshakes, which any stranger can cause
	return func(l net.Listener) error { return server.ServeTLS(l, "", "") }
}

// strictTransport sets Strict-Transport-Security on answers to TLS connections.
func strictTransport(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}
