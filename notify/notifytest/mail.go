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

// MailServer is a mail server: emersion/go-smtp with one mailbox and the user "watchbill".
type MailServer struct {
	Host string // where it listens; "": 127.0.0.1

	server *smtp.Server

	mu    sync.Mutex
	mails []string
	Rcpt  error // its answer to every recipient
	Data  error // and to every mail
}

// MailPassword is the password of "watchbill".
const MailPassword = "secret"

type session struct {
	server *MailServer
	known  bool
}

// NewSession is called by go-smtp for each connection.
func (s *MailServer) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{server: s}, nil }
func (s *session) Reset()                                         {}
func (s *session) Logout() error                                  { return nil }
func (s *session) AuthMechanisms() []string                       { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "watchbill" || password != MailPassword {
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

func (s *session) Rcpt(string, *smtp.RcptOptions) error { return s.server.Rcpt }

func (s *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	if err != nil || s.server.Data != nil {
		return cmp.Or(s.server.Data, err)
	}
	s.server.mails = append(s.server.mails, string(b))
	return nil
}

// Open starts the server with a certificate, for TLS from the first byte or for STARTTLS, and returns
// its listener. Close stops it.
func (s *MailServer) Open(certificate tls.Certificate, tlsOnly bool) (net.Listener, error) {
	s.server = smtp.NewServer(s)
	s.server.Domain, s.server.ErrorLog = "localhost", quiet{}
	s.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	l, err := net.Listen("tcp", net.JoinHostPort(cmp.Or(s.Host, "127.0.0.1"), "0")) //nolint:noctx // of this machine
	if err != nil {
		return nil, err
	}
	if tlsOnly {
		l = tls.NewListener(l, s.server.TLSConfig)
	}
	go func() { _ = s.server.Serve(l) }()
	return l, nil
}

// Close stops the server.
func (s *MailServer) Close() { _ = s.server.Close() }

// Mails returns the accepted mails, oldest first.
func (s *MailServer) Mails() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}
