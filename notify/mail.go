package notify

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	_ "embed" // mail.txt and mail.html
	"encoding/hex"
	"fmt"
	htmltemplate "html/template"
	"net"
	"net/mail"
	"strconv"
	"strings"
	texttemplate "text/template"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

const (
	mailLimit = 15 * time.Second // for a whole delivery: servers make unknown senders wait on purpose
	mailPause = 30 * time.Second // after "not now"
	mailQuit  = time.Second      // for saying goodbye to the server
)

var (
	//go:embed mail.txt
	mailText string
	//go:embed mail.html
	mailHTML string

	mailTextTemplate = texttemplate.Must(texttemplate.New("mail.txt").Parse(mailText))
	mailHTMLTemplate = htmltemplate.Must(htmltemplate.New("mail.html").Parse(mailHTML))
)

// Mail sends mail through a server.
type Mail struct {
	config MailConfig
	domain string // used in our message ids
}

// NewMail returns a sender that uses one server.
func NewMail(c MailConfig) *Mail {
	return &Mail{config: c, domain: c.From.Address[strings.LastIndex(c.From.Address, "@")+1:]}
}

// Send hands the mail to the server once. A mail that is sent again has the same Message-ID, by which
// most mailboxes recognise it.
func (mailer *Mail) Send(ctx context.Context, m Message) Receipt {
	to, err := mail.ParseAddress(m.To)
	if err != nil {
		return Receipt{Outcome: Rejected, Dead: true, Err: fmt.Errorf("%q is not a mail address", oneLine(m.To, maxTitle))}
	}
	msg, err := mailer.compose(m, to)
	if err != nil {
		return Receipt{Outcome: Rejected, Err: fmt.Errorf("write the mail: %w", err)}
	}
	ctx, cancel := context.WithTimeout(ctx, mailLimit)
	defer cancel() // also closes the connection
	c, err := mailer.client(ctx)
	if err != nil {
		return Receipt{Outcome: Misconfigured, Err: fmt.Errorf("set up mail: %w", mailer.secrets().clean(err))}
	}
	session, err := c.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return mailer.notConnected(err)
	}
	err = c.SendWithSMTPClient(session, msg)
	if msg.IsDelivered() { // errors after that don't matter
		mailer.quit(c, session)
		return Receipt{Outcome: Accepted, Reference: mailer.secrets().line(msg.ServerResponse())}
	}
	return mailer.unconfirmed(err)
}

const mailAddress = "WATCHBILL_SMTP_URL" // the setting, for people

// Check signs in to the server and disconnects.
func (mailer *Mail) Check(ctx context.Context) []CheckResult {
	ctx, cancel := context.WithTimeout(ctx, mailLimit)
	defer cancel()
	c, err := mailer.client(ctx)
	if err != nil {
		return []CheckResult{{Text: "set up mail: " + mailer.secrets().clean(err).Error(), Remedy: "Check " + mailAddress + "."}}
	}
	session, err := c.DialToSMTPClientWithContext(ctx)
	if err != nil {
		text := mailer.notConnected(err).Err.Error()
		if ctx.Err() != nil {
			text = mailer.server() + " has not answered in time"
		}
		return []CheckResult{{Text: text, Remedy: mailer.remedy(err)}}
	}
	mailer.quit(c, session)
	text := mailer.server() + " lets us in, " + map[MailTLS]string{
		MailStartTLS: "with STARTTLS", MailTLSOnly: "with TLS", MailPlain: "without encryption",
	}[mailer.config.TLS]
	if mailer.config.User == "" {
		text += " and without a password"
	}
	return []CheckResult{{OK: true, Text: text}}
}

// client returns a client for one delivery, because the library's keeps state.
func (mailer *Mail) client(ctx context.Context) (*gomail.Client, error) {
	security := &tls.Config{ServerName: mailer.config.Host, RootCAs: mailer.config.RootCAs, MinVersion: tls.VersionTLS12}
	options := []gomail.Option{
		gomail.WithPort(mailer.config.Port), gomail.WithTimeout(mailLimit), gomail.WithTLSConfig(security),
		gomail.WithoutNoop(), gomail.WithoutRset(), gomail.WithDialContextFunc(mailer.dial(ctx, security)),
	}
	switch mailer.config.TLS {
	case MailTLSOnly:
		options = append(options, gomail.WithSSL())
	case MailPlain:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if mailer.config.User != "" {
		options = append(options, gomail.WithUsername(mailer.config.User), gomail.WithPassword(mailer.config.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5))
	}
	c, err := gomail.NewClient(mailer.config.Host, options...)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// dial connects. The library respects its context only until then, so when sending ends, the
// connection is closed. The address that the library passes lacks the brackets of IPv6.
func (mailer *Mail) dial(sending context.Context, security *tls.Config) gomail.DialContextFunc {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, mailer.server())
		if err != nil {
			return nil, err
		}
		context.AfterFunc(sending, func() { conn.Close() })
		if mailer.config.TLS != MailTLSOnly {
			return conn, nil
		}
		secure := tls.Client(conn, security)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		return secure, nil
	}
}

// quit says goodbye to a server that has accepted the mail.
func (mailer *Mail) quit(c *gomail.Client, session *smtp.Client) {
	if session.UpdateDeadline(mailQuit) == nil {
		_ = c.CloseWithSMTPClient(session) // the mail is delivered, whatever the server says now
	}
}

// secrets returns the secrets that a server may repeat.
func (mailer *Mail) secrets() secrets { return secrets{mailer.config.Password} }

func (mailer *Mail) server() string {
	return net.JoinHostPort(mailer.config.Host, strconv.Itoa(mailer.config.Port))
}

// mailView is what the templates show.
type mailView struct {
	Headline, Title, Facts, Because string
	Lines                           []string
	More                            int
	Link, Offer, InSlack            string
	Verify, Check, Answer           bool
	Code, Until                     string
}

func (m Message) mailView() mailView {
	v := mailView{
		Headline: m.headline(), Title: oneLine(m.Title, maxTitle), Facts: m.facts(), Because: m.whyPaged(), Lines: m.incidents(),
		More: m.unlisted(), Until: m.Until, Link: m.Link, InSlack: m.slackHint(), Offer: m.offers(),
		Verify: m.Purpose == ForVerify, Check: m.Purpose == ForCheck, Answer: m.Purpose == ForResponse, Code: m.Verify,
	}
	if v.Check {
		v.Headline, v.Offer = "Can Watchbill still reach you here?", "Yes, I read this" // mail can't be answered
		v.Facts, v.Because = "", ""
	}
	if m.Count > 1 || v.Title == "" {
		v.Title = v.Headline
	}
	return v
}

// compose writes the mail.
func (mailer *Mail) compose(message Message, to *mail.Address) (*gomail.Msg, error) {
	msg := gomail.NewMsg()
	from := mailer.config.From
	msg.FromMailAddress(&from)
	msg.ToMailAddress(to)
	view := message.mailView()
	// The subject is the same for the whole incident, because mailboxes group by it, and it contains no
	// encoded words that others made.
	msg.Subject(strings.ReplaceAll(view.Headline, "=?", "= ?"))
	msg.SetMessageIDWithValue(mailer.id(message.Key))
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "OOF, AutoReply, RN, NRN") // not All, which also suppresses bounces
	if message.Incident > 0 && message.Count <= 1 {
		root := fmt.Sprintf("<incident.%d@%s>", message.Incident, mailer.domain)
		msg.SetGenHeader(gomail.HeaderReferences, root)
		msg.SetGenHeader(gomail.HeaderInReplyTo, root)
	}
	if message.urgent() {
		msg.SetImportance(gomail.ImportanceHigh)
	}
	if err := msg.SetBodyTextTemplate(mailTextTemplate, view); err != nil {
		return nil, err
	}
	if err := msg.AddAlternativeHTMLTemplate(mailHTMLTemplate, view); err != nil {
		return nil, err
	}
	return msg, nil
}

// id returns the Message-ID for a key.
func (mailer *Mail) id(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16]) + "@" + mailer.domain
}
