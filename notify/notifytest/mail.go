package notifytest

import (
	"cmp"
	"crypto/tls"
	"io"
	"net"
	"slices"
	"sync"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Office is a mail server: emersion/go-smtp with one mailbox and the user "watchbill".
type Office struct {
	Host string // where it listens; "": 127.0.0.1

	server *smtp.Server

	mu    sync.Mutex
	mails []string
	Rcpt  error // its answer to every recipient
	Data  error // and to every mail
}

// OfficePassword is the password of "watchbill".
const OfficePassword = "secret"

type session struct {
	office *Office
	known  bool
}

// NewSession is called by go-smtp for each connection.
func (o *Office) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{office: o}, nil }
func (s *session) Reset()                                     {}
func (s *session) Logout() error                              { return nil }
func (s *session) AuthMechanisms() []string                   { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "watchbill" || password != OfficePassword {
			return smtp.ErrAuthFailed
		}
		s.known = true
		return nil
	}), nil
}

func (s *session) Mail(string, *smtp.MailOptions) error {
	if !s.known {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (s *session) Rcpt(string, *smtp.RcptOptions) error { return s.office.Rcpt }

func (s *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	s.office.mu.Lock()
	defer s.office.mu.Unlock()
	if err != nil || s.office.Data != nil {
		return cmp.Or(s.office.Data, err)
	}
	s.office.mails = append(s.office.mails, string(b))
	return nil
}

// Open starts the server with a certificate, for TLS from the first byte or for STARTTLS, and returns
// its listener. Close stops it.
func (o *Office) Open(certificate tls.Certificate, tlsOnly bool) (net.Listener, error) {
	o.server = smtp.NewServer(o)
	o.server.Domain, o.server.ErrorLog = "localhost", quiet{}
	o.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	l, err := net.Listen("tcp", net.JoinHostPort(cmp.Or(o.Host, "127.0.0.1"), "0")) //nolint:noctx // of this machine
	if err != nil {
		return nil, err
	}
	if tlsOnly {
		l = tls.NewListener(l, o.server.TLSConfig)
	}
	go func() { _ = o.server.Serve(l) }()
	return l, nil
}

// Close stops the server.
func (o *Office) Close() { _ = o.server.Close() }

// Mails are the mails it accepted, oldest first.
func (o *Office) Mails() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.mails)
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}
