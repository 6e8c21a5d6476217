package notify

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
)

// MailTLS says how a connection to a mail server is encrypted.
type MailTLS int

// The ways to encrypt.
const (
	MailStartTLS MailTLS = iota // starts as plain text, but nothing is sent before it is encrypted
	MailTLSOnly                 // from the first byte
	MailPlain                   // no encryption: only for a server on the same machine
)

// MailConfig describes the server that takes our mail.
type MailConfig struct {
	Host     string
	Port     int
	User     string // empty: no authentication
	Password string
	TLS      MailTLS
	RootCAs  *x509.CertPool // for checking the server's certificate; nil: the machine's
	From     mail.Address
}

// NewMailConfig reads the settings for mail. The error names the invalid setting and never contains a
// secret.
func NewMailConfig(server, from string) (MailConfig, error) {
	c, err := mailServer(server)
	if err != nil {
		return c, err
	}
	if from == "" {
		return c, errors.New("WATCHBILL_MAIL_FROM is not set: the address that mail comes from, such as Watchbill <oncall@example.com>")
	}
	sender, err := mail.ParseAddress(from)
	if err != nil {
		return c, fmt.Errorf("WATCHBILL_MAIL_FROM is %q; it must be an address such as Watchbill <oncall@example.com>", from)
	}
	c.From = *sender
	return c, nil
}

var errMailServer = errors.New("WATCHBILL_SMTP_URL is not an address such as smtps://user:password@mail.example.com:465 or smtp://user:password@mail.example.com:587; in a password, %40 is @ and %2F is /")

func mailServer(address string) (MailConfig, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return MailConfig{}, errMailServer
	}
	c := MailConfig{Host: u.Hostname(), User: u.User.Username()}
	c.Password, _ = u.User.Password()
	switch u.Scheme {
	case "smtps":
		c.TLS, c.Port = MailTLSOnly, 465
	case "smtp":
		c.TLS, c.Port = MailStartTLS, 587
	case "smtp+insecure":
		c.TLS, c.Port = MailPlain, 25
		if ip := net.ParseIP(c.Host); c.Host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return c, errors.New("WATCHBILL_SMTP_URL is smtp+insecure, which encrypts nothing and is only for a mail server on this machine; use smtp:// (STARTTLS) or smtps://")
		}
	default:
		return c, errMailServer
	}
	if u.Port() != "" {
		if c.Port, err = strconv.Atoi(u.Port()); err != nil || c.Port < 1 || c.Port > 65535 {
			return c, errMailServer
		}
	}
	return c, nil
}

// Trust checks the server against the given certificates (PEM) instead of the machine's. It reports
// false if there are none.
func (c *MailConfig) Trust(certificates []byte) bool {
	c.RootCAs = x509.NewCertPool()
	return c.RootCAs.AppendCertsFromPEM(certificates)
}
