package notify

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

const maxFuzzedAnswer = 8 << 10 // bytes of an answer: the costs grow with it, and nothing else does

// fuzzTwilio returns an account at a Twilio that answers everything in the same way.
func fuzzTwilio(service http.RoundTripper) *Twilio {
	t := NewTwilio(TwilioConfig{
		Account: "AC0123456789abcdef0123456789abcdef", Key: "SK0123456789abcdef0123456789abcdef", Secret: fuzzSecret,
		From: "+12025550199", Flow: "FW0123456789abcdef0123456789abcdef", Clock: func() time.Time { return fuzzNow },
	})
	t.base = service
	return t
}

// For any response of Twilio, the receipt is valid and contains no secret, and reading a list ends.
func FuzzTwilioAnswers(f *testing.F) {
	f.Add(201, "", `{"sid":"SM0123","status":"queued"}`)
	f.Fuzz(func(t *testing.T, status int, retryAfter, body string) {
		if len(body) > maxFuzzedAnswer {
			return
		}
		service := respondWith(status, retryAfter, body)
		account := fuzzTwilio(service)
		sms, voice := SMS{account}, Voice{account}
		m := fuzzPage("+12025550101")
		checkReceipt(t, "an SMS", sms.Send(t.Context(), m), service.status)
		checkReceipt(t, "a call", voice.Send(t.Context(), m), service.status)
		m.Purpose = ForVerify
		checkReceipt(t, "a plain call", voice.Send(t.Context(), m), service.status)
		for _, reference := range []string{"SM1", "CA1", "FN1"} {
			var tracker Tracker = voice
			if reference == "SM1" {
				tracker = sms
			}
			track, err := tracker.Track(t.Context(), reference)
			checkTrack(t, reference, track, err)
		}
		for _, finder := range []Finder{sms, voice} {
			if r, yes, err := finder.Find(t.Context(), fuzzPage("+12025550101"), fuzzNow); err == nil && yes && (r.Outcome != Accepted || r.Reference == "") {
				t.Fatalf("found as %+v, want it accepted, with a reference", r)
			}
		}
		for _, reference := range []string{"CA1", "FN1"} {
			if err := voice.Cancel(t.Context(), reference); err != nil {
				checkSayable(t, "the end of a call", err.Error())
			}
		}
		if most := 200 + 20*strings.Count(body, "{"); service.asked > most {
			t.Fatalf("asked %d times, want at most %d", service.asked, most)
		}
	})
}

// What is read from Twilio's lists is somebody's, and is read once: the cursor is read back, and what was
// read is not read again.
func FuzzTwilioLists(f *testing.F) {
	f.Add(`{"messages":[{"sid":"SM1","direction":"inbound","from":"+12025550101","to":"+12025550199","body":"1a","date_created":"Mon, 02 Mar 2026 11:59:00 +0000"}]}`, "")
	f.Fuzz(func(t *testing.T, body, cursor string) {
		if len(body) > maxFuzzedAnswer {
			return
		}
		for _, service := range []*fixedResponder{respondWith(100, "", body)} {
			account := fuzzTwilio(service)
			for name, listener := range map[string]Listener{"SMS": SMS{account}, "calls": Voice{account}} {
				replies, next, err := listener.Listen(t.Context(), cursor)
				if err != nil {
					checkSayable(t, name, err.Error())
					if next != cursor || replies != nil {
						t.Fatalf("%s: %v, but the cursor went on from %q to %q with %+v, want %v and nil", name, err, cursor, next, replies, cursor)
					}
					continue
				}
				again, _, err := listener.Listen(t.Context(), next)
				if err != nil || len(again) > 0 {
					t.Fatalf("%s: once more with %q: %+v, %v, want no error and no replies", name, next, again, err)
				}
				if n := strings.Count(body, "{"); len(replies) > 20*n {
					t.Fatalf("%s: %d replies from %d objects, want at most 20 from each", name, len(replies), n)
				}
				for _, r := range replies {
					if r.Act != "" && !r.Act.known() {
						t.Fatalf("%s: heard %+v, want a known act", name, r)
					}
				}
			}
		}
	})
}

// For any account data of Twilio, an admin reads one line without secrets.
func FuzzTwilioChecks(f *testing.F) {
	f.Add(200, `{"status":"active","type":"Full","incoming_phone_numbers":[{"sid":"PN1","phone_number":"+12025550199","capabilities":{"sms":true,"voice":true}}]}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if len(body) > maxFuzzedAnswer {
			return
		}
		service := respondWith(status, "", body)
		account := fuzzTwilio(service)
		checkResults(t, "a check", account.Check(t.Context()))
		checkResults(t, "the countries", account.CheckCountries(t.Context(), []string{"+12025550101"}, []string{"+4930123456"}))
		account.Flow = ""
		if sid, _, err := account.SetUpFlow(t.Context()); err != nil {
			checkSayable(t, "the flow", err.Error())
		} else {
			checkSayable(t, "the flow", sid)
		}
		if numbers, err := account.Numbers(t.Context()); err == nil {
			for _, n := range numbers {
				checkSayable(t, "a number", n.Number)
			}
		}
		if most := 100 + 20*strings.Count(body, "{"); service.asked > most {
			t.Fatalf("asked %d times, want at most %d", service.asked, most)
		}
	})
}

// What a Twilio error says comes through as one line, with its code.
func FuzzTwilioLost(f *testing.F) {
	f.Add(30007, "Message filtered")
	f.Fuzz(func(t *testing.T, number int, text string) {
		text = strings.ReplaceAll(text, "SECRET", fuzzSecret)
		track := fuzzTwilio(nil).lostTrack(&number, &text)
		checkTrack(t, "a loss", track, nil)
		if track.State != Failed || !track.Final || track.Err == nil {
			t.Fatalf("the track is %+v, want a final failure with an error", track)
		}
		if r := (&exchange{t: fuzzTwilio(nil), status: number}).receipt(fuzzPage(""), nil, errors.New("x")); r.Outcome == Accepted {
			t.Fatalf("the receipt is %+v, want anything but accepted", r)
		}
	})
}
