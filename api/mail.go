package api

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
)

// Limits of incoming mail.
const (
	maxMail         = 5 << 20 // bytes of a mail
	maxMailTo       = 10      // recipients of a mail
	maxMailSessions = 64
	maxMailReading  = 8 // concurrently
	mailTimeout     = time.Minute
	mailSession     = 10 * time.Minute // a connection is closed after this time, even in the middle of a mail
)

// MailConfig configures incoming mail.
type MailConfig struct {
	// Find returns the integration with a key, and the receiver of its signals, or oncall.ErrNotFound.
	Find   func(ctx context.Context, key string, now time.Time) (oncall.Integration, Receiver, error)
	Clock  func() time.Time
	Log    zerolog.Logger
	Domain string // of the addresses; empty: any
	TLS    *tls.Config
}

// FindBy finds the integrations of a single receiver.
func FindBy(r Receiver) func(context.Context, string, time.Time) (oncall.Integration, Receiver, error) {
	return func(ctx context.Context, key string, now time.Time) (oncall.Integration, Receiver, error) {
		in, err := r.IntegrationByKey(ctx, key, now)
		return in, r, err
	}
}

// Mail returns a server that turns mail to KEY@DOMAIN into signals of the integration with that key.
// It relays nothing. A 250 response means that the signals are stored. If they can't be stored now,
// the response is 451, so that the sender retries.
func Mail(ctx context.Context, c MailConfig) *smtp.Server {
	b := &mailBackend{MailConfig: c, ctx: ctx, reading: make(chan struct{}, maxMailReading), outages: c.Log.Sample(&zerolog.BurstSampler{Burst: 3, Period: 10 * time.Second})}
	s := smtp.NewServer(b)
	s.Domain = c.Domain
	if s.Domain == "" {
		s.Domain = "watchbill"
	}
	s.MaxMessageBytes, s.MaxRecipients, s.MaxLineLength = maxMail, maxMailTo, 8000
	s.ReadTimeout, s.WriteTimeout = mailTimeout, mailTimeout
	s.EnableSMTPUTF8 = true
	s.TLSConfig = c.TLS
	s.ErrorLog = quietLog{}
	return s
}

// quietLog drops the library's messages about single connections, because strangers could fill the log
// with them.
type quietLog struct{}

func (quietLog) Printf(string, ...any) {}
func (quietLog) Println(...any)        {}

type mailBackend struct {
	MailConfig
	ctx      context.Context // the server's context, because the library passes none
	strikes  strikes
	sessions atomic.Int64
	reading  chan struct{}
	outages  zerolog.Logger
}

// Answers to mail servers.
var (
	mailCrowded  = &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "Too many connections; come again later."}
	mailStruck   = &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 7, 0}, Message: "Too many unknown addresses; come again later."}
	mailNobody   = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such address here."}
	mailRelay    = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "Mail for other domains is not taken."}
	mailUnsigned = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "Only what is signed is taken there, and mail is not."}
	mailLater    = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "It could not be stored; send it again."}
)

// NewSession begins a connection.
func (b *mailBackend) NewSession(c *smtp.Conn) (smtp.Session, error) {
	if b.sessions.Add(1) > maxMailSessions {
		b.sessions.Add(-1)
		return nil, mailCrowded
	}
	conn := c.Conn()
	ctx, end := context.WithTimeout(b.ctx, mailSession)
	keep := context.AfterFunc(ctx, func() { _ = conn.Close() })
	return &mailIn{mailBackend: b, remote: conn.RemoteAddr().String(), session: ctx, end: func() {
		keep() // after STARTTLS another session owns the connection
		end()
	}}, nil
}

// A mailIn is a session on one connection.
type mailIn struct {
	*mailBackend
	remote  string
	session context.Context // ends with the session
	end     func()
	to      []mailTo
	left    bool
}

// A mailTo is a recipient.
type mailTo struct {
	oncall.Integration
	receiver Receiver
}

// Reset discards the current mail.
func (m *mailIn) Reset() { m.to = nil }

// Logout ends the connection.
func (m *mailIn) Logout() error {
	if !m.left {
		m.left = true
		m.end()
		m.sessions.Add(-1)
	}
	return nil
}

// Mail begins a mail from any sender: only the recipient's address is checked.
func (m *mailIn) Mail(string, *smtp.MailOptions) error {
	m.to = nil
	return nil
}

// Rcpt adds a recipient. The part of its address after a "+" is ignored.
func (m *mailIn) Rcpt(to string, _ *smtp.RcptOptions) error {
	at := strings.LastIndexByte(to, '@')
	if at < 0 {
		return mailNobody
	}
	if m.Domain != "" && !strings.EqualFold(strings.TrimSuffix(to[at+1:], "."), m.Domain) {
		return mailRelay
	}
	key, _, _ := strings.Cut(strings.ToLower(to[:at]), "+")
	ctx, cancel := context.WithTimeout(m.session, lookupTimeout)
	defer cancel()
	var integration oncall.Integration
	var receiver Receiver
	err := oncall.ErrNotFound
	if len(key) <= maxKey {
		integration, receiver, err = m.Find(ctx, key, m.Clock())
	}
	switch {
	case errors.Is(err, oncall.ErrNotFound):
		if _, out := m.strikes.add(m.remote, m.Clock()); out {
			return mailStruck
		}
		return mailNobody
	case err != nil:
		m.outages.Error().Err(err).Msg("the address of a mail was not checked")
		return mailLater
	case integration.Signed, len(integration.Topics) > 0:
		return mailUnsigned
	}
	for _, known := range m.to {
		if known.ID == integration.ID && known.receiver == receiver {
			return nil
		}
	}
	m.to = append(m.to, mailTo{integration, receiver})
	return nil
}

// Data reads the mail, and returns once its signals are durable.
func (m *mailIn) Data(r io.Reader) error {
	m.reading <- struct{}{}
	defer func() { <-m.reading }()
	raw, err := io.ReadAll(r)
	if err != nil {
		return err // the mail is too large, or the connection is gone
	}
	signal, now := intake.Mail(raw), m.Clock()
	for _, to := range m.to {
		ctx, cancel := context.WithTimeout(m.session, mailTimeout)
		err := to.receiver.Accept(ctx, to.ID, []oncall.Signal{signal}, now)
		cancel()
		if err != nil {
			m.outages.Error().Err(err).Str("integration", to.Name).Msg("a mail was not stored")
			return mailLater
		}
	}
	return nil
}
