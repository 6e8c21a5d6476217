package notify_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/notify/notifytest"
)

// testPage returns a page like those that the jobs send.
func testPage(to string) notify.Message {
	return notify.Message{
		Purpose: notify.ForPage, Key: "12/3/U0ANN/email:7", To: to, Attempt: 1,
		Incident: 12, Title: "disk full on db-1", Severity: "critical", Team: "payments",
		Why: "you are on call in payments-primary", Opened: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), Since: "Mon 2 Mar 13:00 CET",
		Code: 3, Token: strings.Repeat("Tok_", 20), Expires: time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC),
	}
}

// testCertificate returns a certificate for this machine and the roots that accept it.
func testCertificate(t *testing.T) (pair tls.Certificate, roots *x509.CertPool, certificate, key []byte) {
	t.Helper()
	pair, certificate, key, err := notifytest.NewCertificate(time.Now())
	must(t, err)
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	return pair, roots, certificate, key
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// openMailServer starts the server and returns how to send through it.
func openMailServer(t *testing.T, o *notifytest.MailServer, how notify.MailTLS) notify.MailConfig {
	t.Helper()
	pair, roots, _, _ := testCertificate(t)
	l, err := o.Open(pair, how == notify.MailTLSOnly)
	must(t, err)
	t.Cleanup(o.Close)
	return configOf(l, how, roots)
}

func configOf(l net.Listener, how notify.MailTLS, roots *x509.CertPool) notify.MailConfig {
	return notify.MailConfig{
		Host: "localhost", Port: l.Addr().(*net.TCPAddr).Port, User: "watchbill", Password: "secret", TLS: how, RootCAs: roots,
		From: mail.Address{Name: "Watchbill", Address: "oncall@example.com"},
	}
}

// parsedMail is a mail as read by a mailbox.
type parsedMail struct {
	mail.Header
	text, html string
}

func parseMail(t *testing.T, raw string) parsedMail {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	must(t, err)
	out := parsedMail{Header: m.Header}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	must(t, err)
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return out
		}
		must(t, err)
		b, err := io.ReadAll(quotedprintable.NewReader(p))
		must(t, err)
		if strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
			out.html = string(b)
		} else {
			out.text = strings.ReplaceAll(string(b), "\r\n", "\n")
		}
	}
}

func (m parsedMail) subject(t *testing.T) string {
	t.Helper()
	s, err := new(mime.WordDecoder).DecodeHeader(m.Get("Subject"))
	must(t, err)
	return s
}

func TestMailArrivesOverTLSWithAuthentication(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]notify.MailTLS{"STARTTLS": notify.MailStartTLS, "TLS from the first byte": notify.MailTLSOnly} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var o notifytest.MailServer
			sender := notify.NewMail(openMailServer(t, &o, how))
			m := testPage("ann@example.com")
			m.Title = "Größe\r\nBcc: eve@example.com\r\n\r\n<script>alert(1)</script> & co"
			m.Link = "https://watchbill.example.com/v1/act/TOKEN?a=1&b=2"
			for range 2 {
				if r := sender.Send(t.Context(), m); r.Outcome != notify.Accepted {
					t.Fatalf("sent: %+v, want accepted", r)
				}
			}
			first, second := parseMail(t, o.Mails()[0]), parseMail(t, o.Mails()[1])
			if first.Get("Message-Id") == "" || first.Get("Message-Id") != second.Get("Message-Id") {
				t.Errorf("the resend has Message-ID %q, want %q as the first", second.Get("Message-Id"), first.Get("Message-Id"))
			}
			for header, want := range map[string]string{
				"References": "<incident.12@example.com>", "In-Reply-To": "<incident.12@example.com>",
				"Auto-Submitted": "auto-generated", "Bcc": "", "To": "<ann@example.com>",
			} {
				if got := first.Get(header); got != want {
					t.Errorf("%s is %q, want %q", header, got, want)
				}
			}
			if got, want := first.subject(t), "[#12] Größe Bcc: eve@example.com <script>alert(1)</script> & co"; got != want {
				t.Errorf("subject %q, want %q", got, want)
			}
			for _, want := range []string{m.Link, "You are paged because you are on call in payments-primary.", "Critical · payments · since Mon 2 Mar 13:00 CET"} {
				if !strings.Contains(first.text, want) {
					t.Errorf("the text doesn't say %q:\n%s", want, first.text)
				}
			}
			if strings.Contains(first.html, "<script>") || !strings.Contains(first.html, "&lt;script&gt;") {
				t.Errorf("foreign text is markup:\n%s", first.html)
			}
			if !strings.Contains(first.html, `href="https://watchbill.example.com/v1/act/TOKEN?a=1&amp;b=2"`) {
				t.Errorf("the mail has no link to the page with the actions:\n%s", first.html)
			}
		})
	}
}

func TestMailGoesToAnIPv6Address(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]notify.MailTLS{"STARTTLS": notify.MailStartTLS, "TLS from the first byte": notify.MailTLSOnly} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := notifytest.MailServer{Host: "::1"}
			c := openMailServer(t, &o, how)
			c.Host = "::1"
			sender := notify.NewMail(c)
			if found := sender.Check(t.Context()); len(found) != 1 || !found[0].OK || !strings.HasPrefix(found[0].Text, "[::1]:") {
				t.Errorf("found %+v, want the server's IPv6 address in brackets", found)
			}
			if r := sender.Send(t.Context(), testPage("ann@example.com")); r.Outcome != notify.Accepted {
				t.Errorf("sent: %+v, want accepted", r)
			}
		})
	}
}

func TestMailCheckNamesTheRemedy(t *testing.T) {
	t.Parallel()
	var o notifytest.MailServer
	sender := notify.NewMail(openMailServer(t, &o, notify.MailStartTLS))
	bundle := testPage("ann@example.com")
	bundle.Count, bundle.Lines = 7, []string{"#12 disk full on db-1", "#13 disk full on db-2"}
	verify := notify.Message{Purpose: notify.ForVerify, Key: "verify/1", To: "ann@example.com", Verify: "482913"}
	check := notify.Message{Purpose: notify.ForCheck, Key: "check/1", To: "ann@example.com", Link: "https://watchbill.example.com/v1/act/T"}
	sentence := notify.Message{Purpose: notify.ForResponse, Key: "answer/1", To: "ann@example.com", Title: "You have acknowledged #12."}
	for _, c := range []struct {
		m       notify.Message
		subject string
		text    []string
		not     string
	}{
		{testPage("ann@example.com"), "[#12] disk full on db-1", []string{"type in Slack:\n  /oncall ack 12"}, "http"},
		{bundle, "7 incidents: disk full on db-1", []string{"- #12 disk full on db-1\n- #13 disk full on db-2\nand 5 more"}, "http"},
		{notify.Message{Purpose: notify.ForTest, Key: "test/1", To: "ann@example.com", Severity: "high"}, "[test] This is how a page looks", []string{"This is how a page looks"}, "type in Slack"},
		{verify, "482913 is your Watchbill code", []string{"482913", "Did you not? Then ignore this mail"}, "paged because"},
		{check, "Can Watchbill still reach you here?", []string{check.Link}, "paged because"},
		{sentence, "You have acknowledged #12.", []string{"You have acknowledged #12."}, "type in Slack"},
	} {
		if r := sender.Send(t.Context(), c.m); r.Outcome != notify.Accepted {
			t.Fatalf("sent: %+v, want accepted", r)
		}
		l := parseMail(t, o.Mails()[len(o.Mails())-1])
		if got := l.subject(t); got != c.subject {
			t.Errorf("subject %q, want %q", got, c.subject)
		}
		for _, want := range c.text {
			if !strings.Contains(l.text, want) {
				t.Errorf("%s: the text doesn't say %q:\n%s", c.subject, want, l.text)
			}
		}
		if strings.Contains(l.text, c.not) {
			t.Errorf("%s: the text says %q:\n%s", c.subject, c.not, l.text)
		}
	}
}

func TestMailRefusalsMapToOutcomes(t *testing.T) {
	t.Parallel()
	refusal := func(code int, enhanced ...int) error {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{enhanced[0], enhanced[1], enhanced[2]}, Message: "no"}
	}
	for name, c := range map[string]struct {
		office  *notifytest.MailServer
		change  func(*notify.MailConfig)
		outcome notify.Outcome
		dead    bool
	}{
		"greylisted":        {office: &notifytest.MailServer{Rcpt: refusal(451, 4, 7, 1)}, outcome: notify.Throttled},
		"no such mailbox":   {office: &notifytest.MailServer{Rcpt: refusal(550, 5, 1, 1)}, outcome: notify.Rejected, dead: true},
		"mailbox full":      {office: &notifytest.MailServer{Rcpt: refusal(552, 5, 2, 2)}, outcome: notify.Rejected},
		"content refused":   {office: &notifytest.MailServer{Data: refusal(552, 5, 3, 4)}, outcome: notify.Rejected},
		"sender refused":    {office: &notifytest.MailServer{Data: refusal(554, 5, 7, 1)}, outcome: notify.Misconfigured},
		"disk full there":   {office: &notifytest.MailServer{Data: refusal(452, 4, 3, 1)}, outcome: notify.Throttled},
		"wrong password":    {office: &notifytest.MailServer{}, outcome: notify.Misconfigured, change: func(c *notify.MailConfig) { c.Password = "wrong" }},
		"no login":          {office: &notifytest.MailServer{}, outcome: notify.Misconfigured, change: func(c *notify.MailConfig) { c.User = "" }},
		"unknown authority": {office: &notifytest.MailServer{}, outcome: notify.Misconfigured, change: func(c *notify.MailConfig) { c.RootCAs = x509.NewCertPool() }},
		"nobody listens":    {office: &notifytest.MailServer{}, outcome: notify.Throttled, change: func(c *notify.MailConfig) { c.Port = 1 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := openMailServer(t, c.office, notify.MailStartTLS)
			if c.change != nil {
				c.change(&config)
			}
			r := notify.NewMail(config).Send(t.Context(), testPage("ann@example.com"))
			if r.Outcome != c.outcome || r.Dead != c.dead || r.Err == nil {
				t.Errorf("got %+v, want %s, dead %v", r, c.outcome, c.dead)
			}
			if r.Err != nil && strings.Contains(r.Err.Error(), "secret") {
				t.Errorf("the error tells the password: %v", r.Err)
			}
			if len(c.office.Mails()) > 0 {
				t.Error("a mail was taken")
			}
		})
	}
	r := notify.NewMail(openMailServer(t, &notifytest.MailServer{}, notify.MailStartTLS)).Send(t.Context(), testPage("ann@example.com, eve@example.com"))
	if r.Outcome != notify.Rejected || !r.Dead {
		t.Errorf("two addresses in one: got %+v, want the outcome %v and the address given up", r, notify.Rejected)
	}
}

// scriptedMailServer returns a scripted mail server: it answers each command from a table, and commands that are not
// in it with 250. When it is meant to hang, it calls the functions.
func scriptedMailServer(t *testing.T, answers map[string]string, hangs ...func()) notify.MailConfig {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	say := func(conn net.Conn, command, otherwise string) (alive bool) {
		answer, special := answers[command]
		if !special {
			answer = otherwise
		}
		switch answer {
		case "cut":
			return false
		case "hang":
			for _, f := range hangs {
				f()
			}
			_, _ = io.Copy(io.Discard, conn)
			return false
		}
		_, err := io.WriteString(conn, answer+"\r\n")
		return err == nil
	}
	serve := func(conn net.Conn) {
		defer conn.Close()
		in := bufio.NewReader(conn)
		for alive := say(conn, "greeting", "220 localhost"); alive; {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			command := strings.ToUpper(strings.Fields(line + " ?")[0])
			switch command {
			case "DATA":
				if alive = say(conn, command, "354 go on"); !alive {
					return
				}
				for line != ".\r\n" {
					if line, err = in.ReadString('\n'); err != nil {
						return
					}
				}
				alive = say(conn, ".", "250 OK id=1xUZIT")
			case "EHLO":
				alive = say(conn, command, "250 localhost")
			default:
				alive = say(conn, command, "250 OK")
			}
		}
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	config := configOf(l, notify.MailPlain, nil)
	config.User = ""
	return config
}

func TestBrokenMailServersMapToOutcomes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answers map[string]string
		outcome notify.Outcome
	}{
		"cut before the greeting":           {map[string]string{"greeting": "cut"}, notify.Throttled},
		"busy at the greeting":              {map[string]string{"greeting": "421 too many connections"}, notify.Throttled},
		"unwelcome at the greeting":         {map[string]string{"greeting": "554 go away"}, notify.Misconfigured},
		"cut at the recipient":              {map[string]string{"RCPT": "cut"}, notify.Throttled},
		"sender refused":                    {map[string]string{"MAIL": "550 5.7.1 not from there"}, notify.Misconfigured},
		"cut at DATA":                       {map[string]string{"DATA": "cut"}, notify.Throttled},
		"cut after the mail":                {map[string]string{".": "cut"}, notify.Unknown},
		"refused after the mail":            {map[string]string{".": "554 5.7.1 spam"}, notify.Misconfigured},
		"postponed after the mail":          {map[string]string{".": "451 4.3.0 come again"}, notify.Throttled},
		"nonsense after the mail":           {map[string]string{".": "hello"}, notify.Unknown},
		"cut after it has taken the mail":   {map[string]string{"QUIT": "cut"}, notify.Accepted},
		"silent after it has taken it":      {map[string]string{"QUIT": "hang"}, notify.Accepted},
		"an error after it has taken it":    {map[string]string{"QUIT": "500 what"}, notify.Accepted},
		"all well":                          {nil, notify.Accepted},
		"speaks another language than SMTP": {map[string]string{"greeting": "HTTP/1.1 400 Bad Request"}, notify.Misconfigured},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := notify.NewMail(scriptedMailServer(t, c.answers)).Send(t.Context(), testPage("ann@example.com"))
			if r.Outcome != c.outcome {
				t.Errorf("got %+v, want %s", r, c.outcome)
			}
			if r.Outcome == notify.Accepted && !strings.Contains(r.Reference, "1xUZIT") {
				t.Errorf("reference %q lacks the server's id", r.Reference)
			}
		})
	}
}

func TestMailEndsWithItsContext(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]notify.Outcome{
		"greeting": notify.Throttled, "EHLO": notify.Throttled, "RCPT": notify.Throttled, ".": notify.Unknown,
	} {
		t.Run(strconv.Quote(at), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			sender := notify.NewMail(scriptedMailServer(t, map[string]string{at: "hang"}, cancel))
			began := time.Now()
			r := sender.Send(ctx, testPage("ann@example.com"))
			if took := time.Since(began); took >= notify.MailLimit {
				t.Errorf("it took %s, as if nothing had ended", took)
			}
			if ctx.Err() == nil {
				t.Error("it never came so far")
			}
			if r.Outcome != want {
				t.Errorf("got %+v, want %s", r, want)
			}
		})
	}
}

func TestMailConfigIsParsedFromSettings(t *testing.T) {
	t.Parallel()
	c, err := notify.NewMailConfig("smtp://ann%40example.com:p%2Fw@mail.example.com", "Watchbill <oncall@example.com>")
	if err != nil {
		t.Fatalf("got the error %v, want none", err)
	}
	got := fmt.Sprint(c.User, " ", c.Password, " ", c.Port, " ", c.TLS, " ", c.From.Address)
	if want := fmt.Sprint("ann@example.com p/w 587 ", notify.MailStartTLS, " oncall@example.com"); got != want {
		t.Errorf("got user, password, port, TLS and sender %s, want %s", got, want)
	}
}
