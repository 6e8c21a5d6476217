package api_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/smtp"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/api"
	"github.com/watchbill/watchbill/oncall"
)

// A fakeReceiver stores signals from mail in memory, or temporarily fails to.
type fakeReceiver struct {
	mu      sync.Mutex
	away    bool
	signals map[oncall.IntegrationID][]oncall.Signal
}

func (r *fakeReceiver) IntegrationByKey(_ context.Context, key string, _ time.Time) (oncall.Integration, error) {
	for id, known := range map[oncall.IntegrationID]string{1: strings.Repeat("a1", 16), 2: strings.Repeat("b2", 16)} {
		if key == known {
			return oncall.Integration{ID: id, Name: "mail"}, nil
		}
	}
	return oncall.Integration{}, oncall.ErrNotFound
}

func (r *fakeReceiver) Accept(_ context.Context, id oncall.IntegrationID, signals []oncall.Signal, _ time.Time, _ ...oncall.Payload) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away {
		return errors.New("the database is away")
	}
	r.signals[id] = append(r.signals[id], signals...)
	return nil
}

func (r *fakeReceiver) received(id oncall.IntegrationID) []oncall.Signal {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.signals[id]
}

// openMail runs a mail server for a test, and returns its address.
func openMail(t *testing.T, c api.MailConfig) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.Clock, c.Log = func() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) }, zerolog.Nop()
	server := api.Mail(context.WithoutCancel(t.Context()), c)
	go func() { _ = server.Serve(l) }() // it ends with the test
	t.Cleanup(func() { _ = server.Close() })
	return l.Addr().String()
}

func send(addr, to, text string) error {
	return smtp.SendMail(addr, nil, "monitor@example.com", strings.Split(to, ","), []byte(text))
}

// code returns the reply code of a mail server.
func code(err error) int {
	if text, ok := errors.AsType[*textproto.Error](err); ok {
		return text.Code
	}
	return 0
}

func TestMailBecomesASignal(t *testing.T) {
	t.Parallel()
	r := &fakeReceiver{signals: map[oncall.IntegrationID][]oncall.Signal{}}
	addr := openMail(t, api.MailConfig{Find: api.FindBy(r), Domain: "alerts.example.com"})
	one, two := strings.Repeat("a1", 16), strings.Repeat("b2", 16)
	const text = "Subject: CRITICAL: disk\r\n\r\n98 %\r\n.. a dot\r\n"
	for _, to := range []string{
		one + "@alerts.example.com", strings.ToUpper(one) + "@ALERTS.example.com", one + "+nagios@alerts.example.com",
		one + "@alerts.example.com," + one + "+x@alerts.example.com," + two + "@alerts.example.com",
	} {
		if err := send(addr, to, text); err != nil {
			t.Errorf("%s: %v", to, err)
		}
	}
	if n, m := len(r.received(1)), len(r.received(2)); n != 4 || m != 1 {
		t.Errorf("%d and %d signals, want 4 and 1", n, m)
	}
	if s := r.received(1)[0]; s.Title != "CRITICAL: disk" || s.Severity != oncall.Critical || s.Body != "98 %\n.. a dot" {
		t.Errorf("the signal is %+v, want the mail's title, severity and body", s)
	}
	for to, want := range map[string]int{
		"nobody@alerts.example.com": 550, one + "@example.com": 550, one[:31] + "@alerts.example.com": 550, "@alerts.example.com": 550,
		strings.Repeat("a", 400) + "@alerts.example.com": 550,
	} {
		if err := send(addr, to, text); code(err) != want && code(err) != 501 {
			t.Errorf("%.60s: %v, want %d", to, err, want)
		}
	}
	if err := send(addr, one+"@alerts.example.com", "Subject: x\r\n\r\n"+strings.Repeat("x\r\n", 2<<20)); code(err) != 552 {
		t.Errorf("a mail that is too large: got %v, want the code 552", err)
	}
	r.mu.Lock()
	r.away = true
	r.mu.Unlock()
	if err := send(addr, one+"@alerts.example.com", text); code(err) != 451 {
		t.Errorf("a mail that can't be stored: got %v, want the code 451", err)
	}
	if n := len(r.received(1)); n != 4 {
		t.Errorf("got %d signals in the end, want 4", n)
	}
}

// Guessing addresses is refused; a valid one works even from the same peer.
func TestMailServerLimitsGuesses(t *testing.T) {
	t.Parallel()
	r := &fakeReceiver{signals: map[oncall.IntegrationID][]oncall.Signal{}}
	addr := openMail(t, api.MailConfig{Find: api.FindBy(r)})
	struck := false
	for i := range 60 {
		if code(send(addr, fmt.Sprintf("%032x@x", i), "x")) == 421 {
			struck = true
		}
	}
	if !struck {
		t.Error("nobody was sent away")
	}
	if err := send(addr, strings.Repeat("a1", 16)+"@any.example.com", "Subject: x\r\n\r\nx"); err != nil || len(r.received(1)) != 1 {
		t.Errorf("a good address: got %v, want no error and 1 signal", err)
	}
}

// STARTTLS is offered with a certificate.
func TestMailServerOffersSTARTTLS(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	own := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"alerts.example.com"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, own, own, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	r := &fakeReceiver{signals: map[oncall.IntegrationID][]oncall.Signal{}}
	addr := openMail(t, api.MailConfig{Find: api.FindBy(r), TLS: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}})
	c, err := smtp.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	pool := x509.NewCertPool()
	if leaf, err := x509.ParseCertificate(der); err == nil {
		pool.AddCert(leaf)
	}
	if err := c.StartTLS(&tls.Config{RootCAs: pool, ServerName: "alerts.example.com"}); err != nil {
		t.Fatal(err)
	}
	if ok, _ := c.Extension("AUTH"); ok {
		t.Error("it offers to take passwords")
	}
	if err := errors.Join(c.Mail("a@example.com"), c.Rcpt(strings.Repeat("a1", 16)+"@x")); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	_, err = bytes.NewBufferString("Subject: x\r\n\r\nx").WriteTo(w)
	if err := errors.Join(err, w.Close()); err != nil || len(r.received(1)) != 1 {
		t.Errorf("sending the mail: %v, want one signal stored", err)
	}
}
