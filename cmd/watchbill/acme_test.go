package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// If its address is public, Watchbill obtains its own certificate, which all instances share.
func TestCertificatesFromAnACMEServer(t *testing.T) {
	t.Parallel()
	const name = "watchbill.example.com"
	server := newACME(t, name)
	db, err := store.Open(t.Context(), storetest.NewURL(t), store.Options{MaxConns: 4, Secrets: storetest.Secrets(), Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	f := tlsFlags{ACMEDomains: name, ACMEURL: server.URL + "/directory", ACMECAFile: filepath.Join(t.TempDir(), "ca.pem"), ACMEMail: "ops@example.com"}
	itself := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(f.ACMECAFile, itself, 0o600); err != nil {
		t.Fatal(err)
	}
	if wrong := f.problems(storetest.Secret); len(wrong) > 0 {
		t.Fatalf("%v, want none", wrong)
	}
	var log lockedBuffer
	one := secureApp(t, f, db, &log)
	server.at.Store(&one)
	trusted := x509.NewCertPool()
	trusted.AddCert(server.ca)

	first, header, err := ask(t, one, name, trusted)
	if err != nil {
		t.Fatalf("%v; the log: %s", err, log.String())
	}
	if header.Get("Strict-Transport-Security") == "" {
		t.Error("the response has no header Strict-Transport-Security")
	}
	two := secureApp(t, f, db, &log)
	second, _, err := ask(t, two, name, trusted)
	if err != nil || !first.Equal(second) {
		t.Errorf("another instance shows another certificate: %v, want first %v", err, second)
	}
	if n := server.orders.Load(); n != 1 {
		t.Errorf("%d certificates were ordered, want 1", n)
	}
	if _, _, err := ask(t, one, "other.example.com", nil); err == nil {
		t.Error("a stranger's name got a certificate")
	}
	if _, _, err := ask(t, one, "localhost", nil); err != nil {
		t.Errorf("who checks its health gets no connection: %v", err)
	}
	if n := server.orders.Load(); n != 1 {
		t.Errorf("%d certificates were ordered, want 1", n)
	}
}

// An acmeServer implements as much of ACME (RFC 8555) as it takes to get a certificate for one name with the challenge tls-alpn-01.
type acmeServer struct {
	*httptest.Server
	t      *testing.T
	name   string
	at     atomic.Pointer[string] // where the name is
	ca     *x509.Certificate
	key    *ecdsa.PrivateKey
	orders atomic.Int32

	thumbprint, valid, issued atomic.Pointer[string]
}

func newACME(t *testing.T, name string) *acmeServer {
	t.Helper()
	s := &acmeServer{t: t, name: name}
	var err error
	if s.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, s.key.Public(), s.key)
	if err != nil {
		t.Fatal(err)
	}
	if s.ca, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/directory", func(w http.ResponseWriter, _ *http.Request) {
		s.answer(w, 200, map[string]any{"newNonce": s.URL + "/nonce", "newAccount": s.URL + "/account", "newOrder": s.URL + "/order"})
	})
	mux.HandleFunc("/nonce", func(w http.ResponseWriter, _ *http.Request) { s.answer(w, 200, nil) })
	mux.HandleFunc("/account", s.account)
	mux.HandleFunc("/order", func(w http.ResponseWriter, _ *http.Request) {
		s.orders.Add(1)
		s.order(w, 201)
	})
	mux.HandleFunc("/order/1", func(w http.ResponseWriter, _ *http.Request) { s.order(w, 200) })
	mux.HandleFunc("/authorization", func(w http.ResponseWriter, _ *http.Request) {
		s.answer(w, 200, map[string]any{
			"status": s.status(), "identifier": map[string]string{"type": "dns", "value": s.name}, "challenges": []any{s.challenge()},
		})
	})
	mux.HandleFunc("/challenge", s.check)
	mux.HandleFunc("/finalize", s.issue)
	mux.HandleFunc("/certificate", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/pem-certificate-chain")
		w.Header().Set("Replay-Nonce", "nonce")
		_, _ = io.WriteString(w, *s.issued.Load())
	})
	s.Server = httptest.NewTLSServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *acmeServer) answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Replay-Nonce", "nonce")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if body != nil {
		_ = json.NewEncoder(w).Encode(body)
	}
}

// decoded returns a part of a request's JWS. The signature is not checked.
func decoded(r *http.Request, part string, into any) error {
	var all map[string]string
	if err := json.NewDecoder(r.Body).Decode(&all); err != nil {
		return err
	}
	b, err := base64.RawURLEncoding.DecodeString(all[part])
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

func (s *acmeServer) account(w http.ResponseWriter, r *http.Request) {
	var protected struct {
		JWK struct{ Crv, Kty, X, Y string }
	}
	if err := decoded(r, "protected", &protected); err != nil {
		s.t.Error(err)
	}
	k := protected.JWK
	sum := sha256.Sum256(fmt.Appendf(nil, `{"crv":%q,"kty":%q,"x":%q,"y":%q}`, k.Crv, k.Kty, k.X, k.Y))
	print := base64.RawURLEncoding.EncodeToString(sum[:])
	s.thumbprint.Store(&print)
	w.Header().Set("Location", s.URL+"/account/1")
	s.answer(w, 201, map[string]string{"status": "valid"})
}

func (s *acmeServer) status() string {
	if s.valid.Load() != nil {
		return "valid"
	}
	return "pending"
}

func (s *acmeServer) order(w http.ResponseWriter, code int) {
	status := "pending"
	if s.valid.Load() != nil {
		status = "ready"
	}
	body := map[string]any{
		"identifiers":    []any{map[string]string{"type": "dns", "value": s.name}},
		"authorizations": []string{s.URL + "/authorization"}, "finalize": s.URL + "/finalize",
	}
	if s.issued.Load() != nil {
		status, body["certificate"] = "valid", s.URL+"/certificate"
	}
	body["status"] = status
	w.Header().Set("Location", s.URL+"/order/1")
	s.answer(w, code, body)
}

func (s *acmeServer) challenge() map[string]string {
	return map[string]string{"type": "tls-alpn-01", "url": s.URL + "/challenge", "token": "token-of-the-challenge", "status": s.status()}
}

// check connects to the name, as RFC 8737 says, to see whether the account controls it.
func (s *acmeServer) check(w http.ResponseWriter, _ *http.Request) {
	dialer := tls.Dialer{Config: &tls.Config{ServerName: s.name, NextProtos: []string{"acme-tls/1"}, InsecureSkipVerify: true}}
	conn, err := dialer.DialContext(s.t.Context(), "tcp", *s.at.Load())
	if err != nil {
		s.t.Errorf("the challenge: %v", err)
		s.answer(w, 200, s.challenge())
		return
	}
	defer conn.Close()
	sum := sha256.Sum256([]byte("token-of-the-challenge." + *s.thumbprint.Load()))
	want, err := asn1.Marshal(sum[:])
	if err != nil {
		s.t.Error(err)
	}
	for _, e := range conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Extensions {
		if e.Id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 31}) && string(e.Value) == string(want) {
			yes := "valid"
			s.valid.Store(&yes)
		}
	}
	s.answer(w, 200, s.challenge())
}

func (s *acmeServer) issue(w http.ResponseWriter, r *http.Request) {
	var payload struct{ CSR string }
	if err := decoded(r, "payload", &payload); err != nil {
		s.t.Error(err)
	}
	der, err := base64.RawURLEncoding.DecodeString(payload.CSR)
	if err != nil {
		s.t.Error(err)
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil || csr.CheckSignature() != nil || s.valid.Load() == nil {
		s.t.Errorf("the request for a certificate: got %v, want a valid signature, after the challenge", err)
		s.answer(w, 403, nil)
		return
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: csr.DNSNames, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 3, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	leaf, err := x509.CreateCertificate(rand.Reader, about, s.ca, csr.PublicKey, s.key)
	if err != nil {
		s.t.Error(err)
	}
	chain := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf})) + string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.ca.Raw}))
	s.issued.Store(&chain)
	s.order(w, 200)
}
