package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/notify/notifytest"
	"github.com/watchbill/watchbill/oncall"
)

// storyPublic is the public address in stories that have one.
const storyPublic = "https://watchbill.example.com"

// use adds the channels that the settings configure.
func (s *story) use(ts *testscript.TestScript, f channelFlags) {
	if wrong := f.problems(); len(wrong) > 0 {
		ts.Fatalf("%s", strings.Join(wrong, "\n"))
	}
	if s.channels == nil {
		s.channels = map[oncall.Method]notify.Sender{}
	}
	f.WebhookPrivate, f.WebhookLoopback = true, "localhost"
	maps.Copy(s.channels, f.senders(s.clock.Now, ""))
}

// mailserver [public]: starts a mail server and, if asked, sets a public address. It must come
// before start.
func (s *story) mailServer(ts *testscript.TestScript, _ bool, args []string) {
	pair, certificate, _, err := notifytest.NewCertificate(time.Now())
	ts.Check(err)
	l, err := s.office.Open(pair, false)
	ts.Check(err)
	ts.Defer(s.office.Close)
	file := ts.MkAbs("ca.pem")
	ts.Check(os.WriteFile(file, certificate, 0o600))
	if len(args) > 0 {
		s.publicURL = storyPublic
	}
	f := channelFlags{
		SMTPURL:  fmt.Sprintf("smtp://watchbill:%s@localhost:%d", notifytest.MailPassword, l.Addr().(*net.TCPAddr).Port),
		MailFrom: "Watchbill <oncall@example.com>", SMTPCAFile: file,
	}
	ts.Setenv("WATCHBILL_SMTP_URL", f.SMTPURL)
	ts.Setenv("WATCHBILL_MAIL_FROM", f.MailFrom)
	ts.Setenv("WATCHBILL_SMTP_CA_FILE", f.SMTPCAFile)
	s.use(ts, f)
}

// pushserver: starts an ntfy server. It must come before start.
func (s *story) pushServer(ts *testscript.TestScript, _ bool, _ []string) {
	s.push = notifytest.NewNtfy(s.clock.Now)
	ts.Defer(s.push.Close)
	f := channelFlags{NtfyURL: s.push.URL, NtfyToken: notifytest.NtfyToken, NtfyReplyTopic: "replies"}
	ts.Setenv("WATCHBILL_NTFY_URL", f.NtfyURL)
	ts.Setenv("WATCHBILL_NTFY_TOKEN", f.NtfyToken)
	ts.Setenv("WATCHBILL_NTFY_REPLY_TOPIC", f.NtfyReplyTopic)
	s.use(ts, f)
}

// failpush HOW: from now on pushes fail with a status, or with "cut" after being accepted; "" ends
// that.
func (s *story) failPush(_ *testscript.TestScript, _ bool, args []string) { s.push.Fail(args[0]) }

// hooks are the webhooks that a server received.
type hooks struct {
	mu  sync.Mutex
	got []string
}

func (h *hooks) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.got = append(h.got, fmt.Sprintf("%s %s\n%s\n", r.URL.Path, r.Header.Get("Watchbill-Signature"), b))
}

func (h *hooks) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.got)
}

// hookserver FILE: starts a server for webhooks; HOOK in the file becomes its address. It must come
// before start.
func (s *story) hookServer(ts *testscript.TestScript, _ bool, args []string) {
	server := httptest.NewServer(&s.hooks)
	ts.Defer(server.Close)
	text := strings.ReplaceAll(ts.ReadFile(args[0]), "HOOK", server.URL)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
	s.use(ts, channelFlags{WebhookSecret: "a secret of the story"})
}

// calendars: serves the story's files, as a calendar program does its calendars, and sets $CALENDARS to where.
func (s *story) calendars(ts *testscript.TestScript, _ bool, _ []string) {
	server := httptest.NewServer(http.FileServer(http.Dir(ts.MkAbs("."))))
	ts.Defer(server.Close)
	ts.Setenv("CALENDARS", server.URL)
}

// hooked: prints the webhooks that were sent.
func (s *story) hooked(ts *testscript.TestScript, _ bool, _ []string) {
	s.settle(ts)
	fmt.Fprint(ts.Stdout(), strings.Join(s.hooks.all(), ""))
}

var storyCode = regexp.MustCompile(`\b[0-9]{6}\b`)

// reach PERSON METHOD ADDRESS: the person adds a contact method and verifies it with the code sent
// there.
func (s *story) reach(ts *testscript.TestScript, _ bool, args []string) {
	ctx, user := context.Background(), oncall.UserID("U0"+strings.ToUpper(args[0]))
	c, err := s.app.store.AddContact(ctx, oncall.ByTimer(), user, oncall.Method(args[1]), args[2], s.clock.Now())
	ts.Check(err)
	s.settle(ts)
	last := map[oncall.Method]func() string{
		oncall.MethodEmail: func() string { return s.letter(ts, args[2]) },
		oncall.MethodNtfy: func() string {
			topic := s.push.Topic(args[2])
			return topic[len(topic)-1].Title
		},
	}[oncall.Method(args[1])]()
	ts.Check(s.app.store.ConfirmContact(ctx, oncall.ByTimer(), user, c.ID, storyCode.FindString(last), s.clock.Now()))
	s.settle(ts)
}

// letter returns the subject and text of the newest mail to an address.
func (s *story) letter(ts *testscript.TestScript, to string) string {
	for _, raw := range slices.Backward(s.office.Mails()) {
		m, err := netmail.ReadMessage(strings.NewReader(raw))
		ts.Check(err)
		if m.Header.Get("To") != "<"+to+">" {
			continue
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		ts.Check(err)
		_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
		ts.Check(err)
		text, err := multipart.NewReader(m.Body, params["boundary"]).NextRawPart()
		ts.Check(err)
		b, err := io.ReadAll(quotedprintable.NewReader(text))
		ts.Check(err)
		return subject + "\n\n" + strings.ReplaceAll(string(b), "\r\n", "\n")
	}
	return ""
}

// mail ADDRESS: prints the newest mail to that address.
func (s *story) mail(ts *testscript.TestScript, _ bool, args []string) {
	s.settle(ts)
	fmt.Fprint(ts.Stdout(), s.letter(ts, args[0]))
}

var (
	storyLink = regexp.MustCompile(storyPublic + `(\S+)`)
	storyTags = regexp.MustCompile(`(?s)<style>.*?</style>|<[^>]*>`)
	storyDo   = regexp.MustCompile(`<button name="do" value="(\w+)">([^<]*)<`)
)

// follow ADDRESS [BUTTON]: opens the link in the newest mail, presses the button and prints the page.
func (s *story) follow(ts *testscript.TestScript, _ bool, args []string) {
	link := storyLink.FindStringSubmatch(s.letter(ts, args[0]))
	if link == nil {
		ts.Fatalf("there is no link in the newest mail to %s", args[0])
	}
	page := s.page(ts, func() (*http.Response, error) { return http.Get("http://" + s.addr + link[1]) })
	if len(args) > 1 {
		buttons := storyDo.FindAllStringSubmatch(page, -1)
		at := slices.IndexFunc(buttons, func(b []string) bool { return b[2] == args[1] })
		if at < 0 {
			ts.Fatalf("there is no button %q:\n%s", args[1], page)
		}
		page = s.page(ts, func() (*http.Response, error) {
			return http.PostForm("http://"+s.addr+link[1], url.Values{"do": {buttons[at][1]}})
		})
	}
	for line := range strings.Lines(storyTags.ReplaceAllString(page, "")) {
		if strings.TrimSpace(line) != "" {
			fmt.Fprint(ts.Stdout(), line)
		}
	}
	s.settle(ts)
}

func (s *story) page(ts *testscript.TestScript, get func() (*http.Response, error)) string {
	r, err := get()
	ts.Check(err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	ts.Check(errors.Join(err))
	return string(b)
}

// pushes TOPIC: prints what a subscribed phone shows.
func (s *story) pushes(ts *testscript.TestScript, _ bool, args []string) {
	s.settle(ts)
	for _, m := range s.push.Topic(args[0]) {
		fmt.Fprintf(ts.Stdout(), "(%d) %s\n%s\n", m.Priority, m.Title, m.Message)
		for _, a := range m.Actions {
			fmt.Fprintf(ts.Stdout(), "[%s] ", a.Label)
		}
		fmt.Fprintln(ts.Stdout())
	}
}

// answer TOPIC BUTTON: presses a button in the newest push.
func (s *story) answer(ts *testscript.TestScript, _ bool, args []string) {
	topic := s.push.Topic(args[0])
	ts.Check(s.push.Tap(topic[len(topic)-1], args[1]))
}
