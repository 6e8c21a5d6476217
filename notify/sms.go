package notify

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// SMS sends text messages through Twilio and reads the answers from Twilio's list of messages, so
// that nobody needs to reach us.
type SMS struct{ *Twilio }

// Number returns the sending number, unless a Messaging Service chooses among several.
func (s SMS) Number() string {
	if s.Service != "" {
		return ""
	}
	return s.From
}

const (
	messagePage  = 50
	messagePages = 20 // limit for finding and listening
	// firstLook is how far back answers are read the first time.
	firstLook = 10 * time.Minute
	// overlap is how far back they are read again, because one may be listed late.
	overlap = 2 * time.Minute
	// furthestBack limits how far back they are read when nothing has come for long.
	furthestBack = 30 * time.Minute
	// sentFor is how long after sending a delivery receipt may still come.
	sentFor = 2 * time.Minute
)

// Send sends one message.
func (s SMS) Send(ctx context.Context, message Message) Receipt {
	if r := s.forbidden(message.To); r != nil {
		return *r
	}
	p := &api.CreateMessageParams{}
	p.SetTo(message.To).SetBody(smsText(message)).SetSmartEncoded(true).SetRiskCheck("disable")
	if s.Service != "" {
		p.SetMessagingServiceSid(s.Service)
	} else {
		p.SetFrom(s.From)
	}
	if left := message.Expires.Sub(s.Clock()); !message.Expires.IsZero() {
		p.SetValidityPeriod(int(min(max(left, 10*time.Second), 10*time.Hour) / time.Second))
	}
	sent, x, err := askAPI(ctx, s.Twilio, "send an SMS", func(a *api.ApiService) (*api.ApiV2010Message, error) { return a.CreateMessage(p) })
	var sid *string
	if sent != nil {
		sid = sent.Sid
	}
	return x.receipt(message, sid, err)
}

// smsText returns what the person reads. What to answer is never cut; the rest may be.
func smsText(message Message) string {
	title := message.subject(400)
	switch message.Purpose {
	case ForVerify:
		if message.OneWay {
			return fit("Watchbill: to be paged at this number, type "+message.Verify+" in Slack. If you don't know why, ignore it.", "", "")
		}
		return fit("Watchbill: to be paged at this number, reply "+message.Verify+" to this message. If you don't know why, ignore it.", "", "")
	case ForResponse:
		return fit("", title, "")
	case ForOutage:
		return fit("", title, message.mark())
	case ForTest:
		return fit("Watchbill test: ", cmp.Or(title, "this is how a page looks"), message.offer(". Reply @a to try an answer", ". Reply test to try an answer"))
	case ForCheck:
		return fit("Watchbill: ", cmp.Or(title, "can we still reach you?"), message.offer(" Any reply is a yes", " Any reply is a yes"))
	default:
		return message.smsPage(title)
	}
}

// smsPage cuts the asker's name so that the answer options fit: in some scripts, few characters fit.
func (m Message) smsPage(title string) string {
	for longest := maxName; longest >= minNameLength; longest /= 2 {
		if text := m.smsPageBy(oneLine(m.AskedBy, longest), title); segments(text) <= maxSegments {
			return text
		}
	}
	return m.smsPageBy("somebody", title)
}

const minNameLength = 5 // fewer characters of a name would be useless

func (m Message) smsPageBy(asker, title string) string {
	if m.Count > 1 {
		lines := strings.Join(m.incidents(), "; ")
		if n := m.unlisted(); n > 0 && lines != "" {
			lines += fmt.Sprintf("; and %d more", n)
		}
		head, offer := fmt.Sprintf("Watchbill: %d incidents: ", m.Count), ". Reply @a ack all, @r resolve all"
		if m.AskedBy != "" {
			head, offer = fmt.Sprintf("Watchbill: %s asks you to help with %d incidents: ", asker, m.Count), ". Reply @a accept all, @d decline all"
		}
		return fit(head, cmp.Or(lines, title), m.offer(offer, ""))
	}
	head, offer := "Watchbill", ". Reply @a ack, @r resolve, @e escalate"
	if m.AskedBy != "" {
		head, offer = "Watchbill: "+asker+" asks you to help with", ". Reply @a accept, @d decline"
	}
	if m.Incident > 0 {
		head += " #" + strconv.FormatInt(m.Incident, 10)
	}
	if m.Severity != "" {
		head += " " + m.Severity
	}
	if reason := m.askedFor(); reason != "" {
		return fit(head+" ", reason+": "+title, m.offer(offer, ""))
	}
	return fit(head+": ", title, m.offer(offer, ""))
}

// offer returns the end of a text: what to answer, with or without a code, and the message's mark.
func (m Message) offer(coded, plainly string) string {
	tail := plainly
	switch {
	case m.OneWay && m.Purpose == ForCheck: // after a question
		tail = " " + m.answerElsewhere()
	case m.OneWay:
		tail = ". " + m.answerElsewhere()
	case m.Code < 0:
		tail = strings.ReplaceAll(coded, "@", "b"+strconv.Itoa(-m.Code))
	case m.Code > 0:
		tail = strings.ReplaceAll(coded, "@", strconv.Itoa(m.Code))
	}
	return tail + m.mark()
}

// mark returns the message's mark, in brackets.
func (m Message) mark() string {
	if mark := marker(m); mark != "" {
		return " (" + mark + ")"
	}
	return ""
}

// answerElsewhere says how to answer a message that can't be answered by SMS.
func (m Message) answerElsewhere() string {
	switch {
	case m.Purpose == ForTest || m.Purpose == ForCheck:
		return "Answers to this number don't reach us"
	case m.AskedBy != "":
		return "Accept or decline in Slack; answers to this number don't reach us"
	case m.Count > 1 || m.slackHint() == "":
		return "Acknowledge in Slack; answers to this number don't reach us"
	}
	return "Acknowledge in Slack: " + m.slackHint()
}

// marker distinguishes a message from all others to the same phone, even if its text is different
// in a later attempt. A wrong match would lose a page, so incident and code are not enough.
func marker(m Message) string {
	if m.Key == "" || m.Purpose == ForResponse || m.Purpose == ForVerify {
		return ""
	}
	sum := sha256.Sum256([]byte(m.Key))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:5])
}

// Lag returns how long a message may be missing from Twilio's list.
func (s SMS) Lag() time.Duration { return twilioLag }

// Find looks for the message among those sent to the same phone.
func (s SMS) Find(ctx context.Context, m Message, since time.Time) (Receipt, bool, error) {
	text, mark := smsText(m), marker(m)
	p := (&api.ListMessageParams{}).SetTo(m.To)
	if s.Service == "" {
		p.SetFrom(s.From)
	}
	since = since.Add(-twilioSkew)
	reference := ""
	err := s.newest(ctx, p, func(sent api.ApiV2010Message) bool {
		body := strings.TrimPrefix(deref(sent.Body), trialNote)
		switch {
		case twilioTime(sent.DateCreated).Before(since):
			return false
		case deref(sent.Direction) == "inbound":
		case body == text || mark != "" && strings.HasSuffix(body, "("+mark+")"):
			reference = deref(sent.Sid)
			return false
		}
		return true
	})
	return foundReceipt(reference, err)
}

// newest lists messages, newest first, until visit returns false.
func (s SMS) newest(ctx context.Context, p *api.ListMessageParams, visit func(api.ApiV2010Message) bool) error {
	p.SetPageSize(messagePage)
	token, number := "", ""
	for range messagePages {
		page, _, err := askAPI(ctx, s.Twilio, "list messages", func(a *api.ApiService) (*api.ListMessageResponse, error) {
			return a.PageMessage(p, token, number)
		})
		if err != nil {
			return err
		}
		for _, m := range page.Messages {
			if !visit(m) {
				return nil
			}
		}
		if token, number = nextPage(page.NextPageUri); token == "" && number == "" {
			return nil
		}
	}
	return nil
}

// Track asks how far a message got. Many carriers give no receipts: then it stays "sent", which is
// neither good nor bad.
func (s SMS) Track(ctx context.Context, reference string) (Track, error) {
	m, x, err := askAPI(ctx, s.Twilio, "look at an SMS", func(a *api.ApiService) (*api.ApiV2010Message, error) {
		return a.FetchMessage(reference, nil)
	})
	if err != nil {
		return x.goneTrack(err)
	}
	mend, byName := "", (*bool)(nil)
	if from := deref(m.From); from != "" {
		byName = new(isAlphanumericSender(from))
	}
	if byName != nil && *byName {
		mend = "SMS come from " + strconv.Quote(oneLine(deref(m.From), maxName)) + ", which nobody can answer: take the alphanumeric sender out of the Messaging Service"
	}
	if strings.HasPrefix(deref(m.Body), trialNote) {
		mend = remedyFor(onTrialCode)
	}
	mend = cmp.Or(unreadable(*m), mend)
	switch deref(m.Status) {
	case "delivered", "read", "partially_delivered":
		s.filtered.Store(0)
		return Track{State: Delivered, Final: true, Remedy: mend, Named: byName}, nil
	case "sent":
		at := twilioTime(m.DateSent)
		return Track{State: Sent, Final: !at.IsZero() && s.Clock().Sub(at) > sentFor, Remedy: mend, Named: byName}, nil
	case "failed", "undelivered":
		return s.lostTrack(m.ErrorCode, m.ErrorMessage), nil
	case "canceled":
		return Track{State: Failed, Final: true, Err: errors.New("it was cancelled at Twilio")}, nil
	}
	return Track{State: Pending}, nil
}

// isAlphanumericSender reports whether a sender is a name, and not a number that can be answered.
func isAlphanumericSender(from string) bool {
	return from != "" && strings.Trim(from, "+0123456789") != ""
}

// smsCursor records how far answers have been read.
type smsCursor struct {
	At   time.Time `json:"at"` // time of the newest
	Seen seen      `json:"seen"`
}

// seen is what was read recently, by SID.
type seen map[string]time.Time

// add adds what was seen before, if it may be listed again.
func (s seen) add(before seen, from time.Time) {
	for sid, at := range before {
		if !at.Before(from) {
			s[sid] = at
		}
	}
}

// Listen reads the messages sent to our number.
func (s SMS) Listen(ctx context.Context, cursor string) ([]Answer, string, error) {
	last := smsCursor{At: s.Clock().Add(-firstLook + overlap)}
	if cursor != "" {
		if err := json.Unmarshal([]byte(cursor), &last); err != nil {
			return nil, cursor, fmt.Errorf("read the cursor: %w", s.secrets().clean(err))
		}
	}
	p := &api.ListMessageParams{}
	if s.Service == "" {
		p.SetTo(s.From)
	}
	var replies []Answer
	var ours []string
	if s.Service != "" {
		ours = s.ownNumbers(ctx)
	}
	next := smsCursor{At: last.At, Seen: seen{}}
	from := last.At.Add(-overlap)
	err := s.newest(ctx, p, func(m api.ApiV2010Message) bool {
		at := twilioTime(m.DateCreated)
		if at.Before(from) {
			return false
		}
		if deref(m.Direction) != "inbound" {
			return true
		}
		if at.After(next.At) {
			next.At = at
		}
		next.Seen[deref(m.Sid)] = at
		if _, known := last.Seen[deref(m.Sid)]; !known && s.isForUs(m, ours) {
			replies = append(replies, Answer{ID: deref(m.Sid), From: deref(m.From), Text: deref(m.Body)})
		}
		return true
	})
	if err != nil {
		return nil, cursor, err
	}
	slices.Reverse(replies) // oldest first
	if quiet := s.Clock().Add(-furthestBack); next.At.Before(quiet) {
		next.At = quiet
	}
	next.Seen.add(last.Seen, next.At.Add(-overlap))
	out, err := json.Marshal(next)
	if err != nil {
		return nil, cursor, fmt.Errorf("write the cursor: %w", err)
	}
	return replies, string(out), nil
}
