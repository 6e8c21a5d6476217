package notify

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/watchbill/watchbill/hostile"
)

// hostileMessages are messages of every kind with a text wherever others could have written one.
func hostileMessages(text string) map[string]Message {
	page := Message{
		Purpose: ForPage, Key: "12/3/4", To: "", Attempt: 1, Incident: 12, Title: text, Severity: "critical", Team: text, Why: text,
		Opened: fuzzNow, Since: "Mon 2 Mar 12:00", Code: 14, Token: strings.Repeat("t", 120), Link: "https://watchbill.example.com/v1/act/" + strings.Repeat("t", 120),
		Expires: fuzzNow.Add(time.Hour), Until: "Mon 2 Mar 13:00",
	}
	with := func(change func(*Message)) Message {
		m := page
		change(&m)
		return m
	}
	return map[string]Message{
		"a page":         page,
		"a one-way page": with(func(m *Message) { m.OneWay, m.Code, m.Token, m.Link = true, 0, "", "" }),
		"a bundle":       with(func(m *Message) { m.Count, m.Lines = 40, slices.Repeat([]string{"#1 critical: " + text}, 5) }),
		"a request":      with(func(m *Message) { m.AskedBy, m.AskedFor = text, text }),
		"several, asked": with(func(m *Message) {
			m.AskedBy, m.AskedFor, m.Count, m.Lines = text, text, 3, slices.Repeat([]string{text}, 3)
		}),
		"one-way request": with(func(m *Message) { m.OneWay, m.AskedBy, m.AskedFor = true, text, text }),
		"a test":          with(func(m *Message) { m.Purpose, m.Incident = ForTest, 0 }),
		"a check":         with(func(m *Message) { m.Purpose, m.Incident = ForCheck, 0 }),
		"an answer":       with(func(m *Message) { m.Purpose = ForResponse }),
		"a code":          with(func(m *Message) { m.Purpose, m.Verify = ForVerify, "123456" }),
	}
}

// eachHostileMessage calls f with every message of every text.
func eachHostileMessage(t *testing.T, f func(t *testing.T, text string, m Message)) {
	t.Helper()
	t.Parallel()
	for _, h := range hostile.Texts {
		messages := hostileMessages(h.Text)
		for _, name := range slices.Sorted(maps.Keys(messages)) {
			t.Run(h.Name+"/"+name, func(t *testing.T) { f(t, h.Text, messages[name]) })
		}
	}
}

func checkShown(t *testing.T, what, shown string, lines bool) {
	t.Helper()
	if fault := hostile.Plain(shown, lines); fault != "" {
		t.Errorf("%s: got %s: %.300q, want \"\"", what, fault, shown)
	}
}

// A recorder keeps the last request, and answers that it was accepted by every service.
type recorder struct {
	request *http.Request
	body    []byte
}

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	r.request = request
	r.body, _ = io.ReadAll(request.Body)
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, Request: request,
		Body: io.NopCloser(strings.NewReader(`{"status":1,"id":"x","event":"message","ok":true,"result":{"message_id":1},"sid":"SM1"}`)),
	}, nil
}

func TestHostileMail(t *testing.T) {
	m := NewMail(MailConfig{Host: "localhost", From: mail.Address{Name: "Watchbill", Address: "oncall@example.com"}})
	headers := []string{
		"Auto-Submitted", "Content-Type", "Date", "From", "Importance", "In-Reply-To", "Message-Id", "Mime-Version", "Priority", "References", "Subject", "To",
		"User-Agent", "X-Auto-Response-Suppress", "X-Mailer", "X-Msmail-Priority", "X-Priority",
	}
	tags := regexp.MustCompile(`<[/!]?([A-Za-z]+)([^>]*)>`)
	eachHostileMessage(t, func(t *testing.T, _ string, message Message) {
		composed, err := m.compose(message, &mail.Address{Address: "ann@example.com"})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if _, err := composed.WriteTo(&out); err != nil {
			t.Fatal(err)
		}
		if out.Len() > 100<<10 {
			t.Errorf("%d bytes, want at most %d", out.Len(), 100<<10)
		}
		for line := range strings.SplitSeq(out.String(), "\r\n") {
			if len(line) > 998 || strings.ContainsAny(line, "\r\n\x00") {
				t.Errorf("a line of %d bytes, want at most 998 without breaks: %.200q", len(line), line)
			}
		}
		parsed, err := mail.ReadMessage(&out)
		if err != nil {
			t.Fatal(err)
		}
		for name, values := range parsed.Header {
			if !slices.Contains(headers, name) || len(values) != 1 {
				t.Errorf("%s: %q, want a known name with one value", name, values)
			}
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject"))
		if err != nil {
			t.Error(err)
		}
		checkShown(t, "the subject", subject, false)
		if n := utf8.RuneCountInString(subject); n > 250 {
			t.Errorf("a subject of %d characters, want at most 250", n)
		}
		if to, err := parsed.Header.AddressList("To"); err != nil || len(to) != 1 || to[0].Address != "ann@example.com" {
			t.Errorf("to %v, %v, want no error, 1 and Address \"ann@example.com\"", to, err)
		}
		_, with, err := mime.ParseMediaType(parsed.Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		parts := multipart.NewReader(parsed.Body, with["boundary"])
		var kinds []string
		for {
			part, err := parts.NextRawPart()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(quotedprintable.NewReader(part))
			if err != nil {
				t.Fatal(err)
			}
			kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
			kinds = append(kinds, kind)
			text := strings.ReplaceAll(string(body), "\r\n", "\n")
			checkShown(t, kind, text, true)
			if kind != "text/html" {
				continue
			}
			for _, tag := range tags.FindAllStringSubmatch(text, -1) {
				if !slices.Contains([]string{"doctype", "html", "head", "meta", "title", "body", "table", "tr", "td", "a", "code"}, tag[1]) || strings.Contains(tag[2], "onmouseover=") || strings.Contains(tag[2], "href=") && !strings.Contains(tag[2], `href="`+message.Link) {
					t.Errorf("the HTML has %q, want only our elements, and no link but the incident's", tag[0])
				}
			}
		}
		if fmt.Sprint(kinds) != "[text/plain text/html]" {
			t.Errorf("the parts are %v, want \"[text/plain text/html]\"", kinds)
		}
	})
}

func TestHostileSMS(t *testing.T) {
	eachHostileMessage(t, func(t *testing.T, _ string, m Message) {
		text := smsText(m)
		checkShown(t, "the SMS", text, false)
		if n := segments(text); n > maxSegments {
			t.Errorf("%d segments, want at most %d: %q", n, maxSegments, text)
		}
		if offers := []string{"14a", "reply", "123456", "answers to this number", "in slack"}; m.Purpose != ForResponse && !slices.ContainsFunc(offers, func(s string) bool { return strings.Contains(strings.ToLower(text), s) }) {
			t.Errorf("what to answer is missing: %q", text)
		}
		if mark := marker(m); mark != "" && !strings.HasSuffix(text, "("+mark+")") {
			t.Errorf("the mark is missing: %q", text)
		}
	})
}

// maxTwiML is how many characters of TwiML Twilio takes with a call.
const maxTwiML = 4000

func TestHostileCalls(t *testing.T) {
	eachHostileMessage(t, func(t *testing.T, _ string, m Message) {
		for _, public := range []string{"", "https://watchbill.example.com"} {
			v := Voice{NewTwilio(TwilioConfig{Public: public})}
			text, err := v.twiml(m)
			if err != nil {
				t.Fatal(err)
			}
			if n := utf8.RuneCountInString(text); n > maxTwiML {
				t.Errorf("%d characters, want at most %d", n, maxTwiML)
			}
			d := xml.NewDecoder(strings.NewReader(text))
			for {
				token, err := d.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if begun, ok := token.(xml.StartElement); ok && !slices.Contains([]string{"Response", "Gather", "Say"}, begun.Name.Local) {
					t.Errorf("the call does %s, want only Response, Gather and Say", begun.Name.Local)
				}
			}
		}
		response := voiceText(m, keys(m))
		checkShown(t, "what is said", response, false)
		if strings.ContainsAny(response, "{}<>$`|\\") || utf8.RuneCountInString(response) > 2*spoken || !strings.HasSuffix(response, keys(m)) {
			t.Errorf("the call says %q, want plain words, short, that end with the keys", response)
		}
	})
}

// What a server of ntfy takes by default: a longer message becomes a file, or nothing.
const (
	maxNtfyText = 4096 // bytes
	maxNtfyJSON = 2 * maxNtfyText
)

func TestHostileNtfy(t *testing.T) {
	eachHostileMessage(t, func(t *testing.T, _ string, m Message) {
		n, r := NewNtfy(NtfyConfig{URL: "https://ntfy.example.com", ReplyTopic: "replies"}), &recorder{}
		n.web.client.Transport = r
		m.To = "ann"
		if got := n.Send(t.Context(), m); got.Outcome != Accepted {
			t.Fatalf("sent: %+v, want accepted", got)
		}
		if len(r.body) > maxNtfyJSON {
			t.Errorf("a body of %d bytes, want at most %d", len(r.body), maxNtfyJSON)
		}
		var sent ntfyMessage
		if err := json.Unmarshal(r.body, &sent); err != nil {
			t.Fatal(err)
		}
		checkShown(t, "the title", sent.Title, false)
		checkShown(t, "the message", sent.Message, true)
		if len(sent.Message) > maxNtfyText || len(sent.Actions) > 3 {
			t.Errorf("got %d bytes and %d buttons, want at most %d and 3: %+v", len(sent.Message), len(sent.Actions), maxNtfyText, sent)
		}
		if sent.Topic != "ann" || sent.Click != m.Link {
			t.Errorf("got the topic %q and the link %q, want ann and %q", sent.Topic, sent.Click, m.Link)
		}
		for name, values := range r.request.Header {
			if name != "Content-Type" {
				t.Errorf("a header %s: %q, want \"Content-Type\"", name, values)
			}
		}
	})
}

func TestHostilePushover(t *testing.T) {
	eachHostileMessage(t, func(t *testing.T, _ string, m Message) {
		p, r := NewPushover(PushoverConfig{Token: "a", Clock: func() time.Time { return fuzzNow }}), &recorder{}
		p.web.client.Transport = r
		if got := p.Send(t.Context(), m); got.Outcome != Accepted {
			t.Fatalf("sent: %+v, want accepted", got)
		}
		sent, err := url.ParseQuery(string(r.body))
		if err != nil {
			t.Fatal(err)
		}
		checkShown(t, "the title", sent.Get("title"), false)
		checkShown(t, "the message", sent.Get("message"), true)
		if utf8.RuneCountInString(sent.Get("title")) > pushoverTitle || utf8.RuneCountInString(sent.Get("message")) > pushoverText || sent.Get("url") != m.Link {
			t.Errorf("the form is %q, want title and message within Pushover's limits, and the link", sent)
		}
		if m.Purpose != ForResponse && strings.TrimSpace(sent.Get("message")) == "" {
			t.Error("Pushover refuses a message without text")
		}
		for name, values := range sent {
			if !slices.Contains([]string{"token", "user", "title", "message", "timestamp", "url", "url_title", "priority", "retry", "expire"}, name) || len(values) != 1 {
				t.Errorf("%s: %q, want a known name with one value", name, values)
			}
		}
	})
}

func TestHostileTelegram(t *testing.T) {
	eachHostileMessage(t, func(t *testing.T, _ string, m Message) {
		telegram, r := NewTelegram(TelegramConfig{Token: "1:secret"}), &recorder{}
		telegram.web.client.Transport = r
		m.To = "7"
		if got := telegram.Send(t.Context(), m); got.Outcome != Accepted {
			t.Fatalf("sent: %+v, want accepted", got)
		}
		var sent map[string]any
		if err := json.Unmarshal(r.body, &sent); err != nil {
			t.Fatal(err)
		}
		text, _ := sent["text"].(string)
		checkShown(t, "the message", text, true)
		if n := len(utf16.Encode([]rune(text))); n > telegramText || m.Link != "" && !strings.HasSuffix(text, m.Link) {
			t.Errorf("%d units, want at most %d, ending in the link %q: %.300q", n, telegramText, m.Link, text)
		}
		if sent["parse_mode"] != nil || sent["entities"] != nil || sent["chat_id"] != "7" {
			t.Errorf("it is sent with markup: got %v, want parse_mode nil, entities nil and chat_id \"7\"", sent)
		}
	})
}

// What a webhook gets is what was written, as far as JSON can hold it.
func TestHostileWebhooks(t *testing.T) {
	eachHostileMessage(t, func(t *testing.T, text string, m Message) {
		w, r := NewWebhook(WebhookConfig{Secret: "0123456789abcdef", Clock: func() time.Time { return fuzzNow }}), &recorder{}
		w.web.client.Transport = r
		m.To = "https://hooks.example.com/x"
		if got := w.Send(t.Context(), m); got.Outcome != Accepted {
			t.Fatalf("sent: %+v, want accepted", got)
		}
		var sent webhookBody
		if err := json.Unmarshal(r.body, &sent); err != nil {
			t.Fatal(err)
		}
		want := strings.ReplaceAll(strings.ToValidUTF8(text, "\xff"), "\xff", "\ufffd")
		if got := regexp.MustCompile("\ufffd+").ReplaceAllString(sent.Title, "\ufffd"); got != want {
			t.Errorf("sent %.200q, want %.200q", got, want)
		}
		if sent.Key != m.Key || sent.Version != 1 || strings.ContainsAny(string(r.body), "\r\n<>\x00") {
			t.Errorf("got body %.300q, want version 1, the key and one line", r.body)
		}
	})
}
