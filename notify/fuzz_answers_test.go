package notify

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// fuzzSecret is in every request of the targets here, in a form that every service takes. Where an answer
// says SECRET, it repeats it.
const fuzzSecret = "1:fz3cretFz3cretFz3cretFz3cret0"

var fuzzNow = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// A fixedResponder service answers everything in the same way, and counts how often it is asked.
type fixedResponder struct {
	status int
	header http.Header
	body   []byte
	asked  int
}

func (fr *fixedResponder) RoundTrip(r *http.Request) (*http.Response, error) {
	fr.asked++
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	return &http.Response{
		StatusCode: fr.status, Status: strconv.Itoa(fr.status), Header: fr.header.Clone(), Request: r,
		Body: io.NopCloser(bytes.NewReader(fr.body)), ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// respondWith returns a service that answers as the fuzzer decides.
func respondWith(status int, retryAfter, body string) *fixedResponder {
	header := http.Header{}
	header.Set("Retry-After", retryAfter)
	header.Set("Date", fuzzNow.Format(http.TimeFormat))
	return &fixedResponder{status: 100 + max(status, -status)%500, header: header, body: []byte(strings.ReplaceAll(body, "SECRET", fuzzSecret))}
}

// checkSayable fails if a text of ours about a service isn't one short line without secrets.
func checkSayable(t *testing.T, what, text string) {
	t.Helper()
	switch {
	case !utf8.ValidString(text), utf8.RuneCountInString(text) > 1_000:
		t.Fatalf("%s can't be shown: %q", what, text)
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }):
		t.Fatalf("%s is not one plain line: %q", what, text)
	case strings.Contains(text, fuzzSecret), strings.Contains(text, url.QueryEscape(fuzzSecret+"/")):
		t.Fatalf("%s tells a secret: %q", what, text)
	}
}

// checkReceipt fails if a receipt can't be true of an answer with that status.
func checkReceipt(t *testing.T, what string, r Receipt, status int) {
	t.Helper()
	if !slices.Contains([]Outcome{Accepted, Throttled, Rejected, Misconfigured, Unknown}, r.Outcome) || (r.Err == nil) != (r.Outcome == Accepted) {
		t.Fatalf("%s: got %+v, want a known outcome, with an error unless accepted", what, r)
	}
	if r.Outcome == Accepted && (status < 200 || status > 299) {
		t.Fatalf("%s: the status %d was accepted, want only 2xx", what, status)
	}
	if r.RetryAfter < 0 || r.RetryAfter > 24*time.Hour {
		t.Fatalf("%s: it waits for %s, want 0 to 24 h", what, r.RetryAfter)
	}
	checkSayable(t, what+"'s reference", r.Reference)
	if r.Err != nil {
		checkSayable(t, what, r.Err.Error())
	}
}

// checkTrack fails if what is said of a message can't be shown.
func checkTrack(t *testing.T, what string, track Track, err error) {
	t.Helper()
	for _, e := range []error{track.Err, err} {
		if e != nil {
			checkSayable(t, what, e.Error())
		}
	}
	checkSayable(t, what, track.Remedy)
	if track.Answer != "" && !track.Answer.known() {
		t.Fatalf("%s: answered %q, want a known answer", what, track.Answer)
	}
}

func checkResults(t *testing.T, what string, results []CheckResult) {
	t.Helper()
	for _, r := range results {
		checkSayable(t, what, r.Text)
		checkSayable(t, what, r.Remedy)
	}
}

func fuzzPage(to string) Message {
	return Message{Purpose: ForPage, Key: "12/3/4", To: to, Attempt: 1, Incident: 12, Title: "disk full", Severity: "critical", Token: "tok3ntok3ntok3ntok3n", Code: 2}
}

// For any response of Pushover, the receipt is valid and contains no secret, and only "acknowledged" is an answer.
func FuzzPushoverAnswers(f *testing.F) {
	f.Add(200, "", `{"status":1,"request":"r"}`)
	f.Fuzz(func(t *testing.T, status int, retryAfter, body string) {
		service := respondWith(status, retryAfter, body)
		p := NewPushover(PushoverConfig{Token: fuzzSecret, Clock: func() time.Time { return fuzzNow }})
		p.web.client.Transport = service
		checkReceipt(t, "a push", p.Send(t.Context(), fuzzPage("u"+fuzzSecret[1:])), service.status)
		track, err := p.Track(t.Context(), "receipt")
		checkTrack(t, "a receipt", track, err)
		if track.Answer != "" && !bytes.Contains(bytes.ToLower(service.body), []byte("acknowledged")) {
			t.Fatalf("got answer %+v, want none without \"acknowledged\"", track)
		}
		if err := p.Cancel(t.Context(), "receipt"); err != nil {
			checkSayable(t, "the end of an alarm", err.Error())
		}
		checkResults(t, "a check", p.Check(t.Context()))
		if service.asked > 4 {
			t.Fatalf("the provider was asked %d times, want it to end before", service.asked)
		}
	})
}

// For any response of Telegram, the receipt is valid and contains no secret.
func FuzzTelegramAnswers(f *testing.F) {
	f.Add(200, "", `{"ok":true,"result":{"message_id":7}}`)
	f.Fuzz(func(t *testing.T, status int, retryAfter, body string) {
		service := respondWith(status, retryAfter, body)
		telegram := NewTelegram(TelegramConfig{Token: fuzzSecret})
		telegram.web.client.Transport, telegram.listen.client.Transport = service, service
		checkReceipt(t, "a message", telegram.Send(t.Context(), fuzzPage("7")), service.status)
		checkResults(t, "a check", telegram.Check(t.Context()))
		if service.asked > 3 {
			t.Fatalf("the provider was asked %d times, want it to end before", service.asked)
		}
	})
}

// Whatever an ntfy server says, ours or somebody's, a receipt is sound and tells no secret; what somebody's
// says isn't repeated at all.
func FuzzNtfyAnswers(f *testing.F) {
	f.Add(200, "", `{"id":"x","event":"message"}`)
	f.Fuzz(func(t *testing.T, status int, retryAfter, body string) {
		service := respondWith(status, retryAfter, body)
		n := NewNtfy(NtfyConfig{URL: "https://ntfy.example.com", Token: fuzzSecret, ReplyTopic: "replies"})
		n.web.client.Transport, n.others.client.Transport = service, service
		for _, to := range []string{"topic", "https://other.example.com/topic"} {
			r := n.Send(t.Context(), fuzzPage(to))
			checkReceipt(t, "a push", r, service.status)
			if r.Err != nil && to != "topic" && r.Err.Error() != "that ntfy server answered "+strconv.Itoa(service.status) &&
				!strings.HasSuffix(r.Err.Error(), "which is not followed") && !strings.HasSuffix(r.Err.Error(), "what it says is not repeated") {
				t.Fatalf("got %v, want nothing of what the server said", r.Err)
			}
			if r, found, err := n.Find(t.Context(), fuzzPage(to), fuzzNow); err == nil && found {
				checkReceipt(t, "a push that was found", r, service.status)
			}
		}
		checkResults(t, "a check", n.Check(t.Context()))
		if service.asked > 6 {
			t.Fatalf("the provider was asked %d times, want it to end before", service.asked)
		}
	})
}

// Nothing that a webhook says is repeated, and only a 2xx is success.
func FuzzWebhookAnswers(f *testing.F) {
	f.Add(200, "", `ok`)
	f.Fuzz(func(t *testing.T, status int, retryAfter, body string) {
		service := respondWith(status, retryAfter, body)
		w := NewWebhook(WebhookConfig{Secret: fuzzSecret, Clock: func() time.Time { return fuzzNow }})
		w.web.client.Transport = service
		r := w.Send(t.Context(), fuzzPage("https://hooks.example.com/"+fuzzSecret))
		checkReceipt(t, "a webhook", r, service.status)
		if r.Err != nil && r.Err.Error() != "the webhook answered "+strconv.Itoa(service.status) && !strings.HasSuffix(r.Err.Error(), "which is not followed") {
			t.Fatalf("got %v, want nothing of what the server said", r.Err)
		}
	})
}

// A wait that a service asks for is none, or at most an hour.
func FuzzRetryAfter(f *testing.F) {
	f.Add("120", "Mon, 02 Mar 2026 12:00:00 GMT")
	f.Fuzz(func(t *testing.T, value, date string) {
		wait := retryAfter(http.Header{"Retry-After": {value}, "Date": {date}})
		if wait < 0 || wait > time.Hour {
			t.Fatalf("%q at %q waits for %s, want 0 to 1 h", value, date, wait)
		}
		if seconds, err := strconv.Atoi(value); err == nil && seconds >= 0 && seconds <= 3600 && wait != time.Duration(seconds)*time.Second {
			t.Fatalf("%q waits for %s, want %d s", value, wait, seconds)
		}
		if until := untilMidnight(http.Header{"Date": {date}}); until < 0 || until > 24*time.Hour {
			t.Fatalf("%q is %s before midnight, want 0 to 24 h", date, until)
		}
	})
}

// A cleaned text has no secret, in any of the forms in which a server may repeat it.
func FuzzSecretsHide(f *testing.F) {
	f.Add(fuzzSecret, "Authorization: Bearer ", " is wrong")
	f.Fuzz(func(t *testing.T, secret, before, after string) {
		if len(secret) < minWebhookSecret || !utf8.ValidString(secret) || strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || unicode.IsControl(r) }) {
			return
		}
		hidden := secrets{secret}
		for _, form := range hidden.forms() {
			text := hidden.line(before + form + after)
			if strings.Contains(text, secret) && !strings.Contains(before+after, secret) {
				t.Fatalf("%q is in %q, want it hidden", secret, text)
			}
			if !utf8.ValidString(text) || utf8.RuneCountInString(text) > webExcerpt {
				t.Fatalf("%q can't be quoted, want UTF-8 of at most %d characters", text, webExcerpt)
			}
		}
	})
}
