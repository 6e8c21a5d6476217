package notify

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"
	messaging "github.com/twilio/twilio-go/rest/messaging/v1"
)

// numbersFor is how long the numbers of a Messaging Service are cached.
const numbersFor = 10 * time.Minute

// serviceNumbers are the numbers of the Messaging Service, as they were last read.
type serviceNumbers struct {
	mu   sync.Mutex
	all  []string
	read time.Time
}

// ownNumbers returns the numbers that receive answers, if a Messaging Service chooses among several. It returns nil if they
// can't be determined; then all numbers of the account count, because accepting an unrelated message is better than
// missing an answer.
func (s SMS) ownNumbers(ctx context.Context) []string {
	n := &s.numbers
	n.mu.Lock()
	defer n.mu.Unlock()
	if now := s.Clock(); n.read.IsZero() || now.Sub(n.read) >= numbersFor {
		if all, err := s.listNumbers(ctx); err == nil {
			n.all, n.read = all, now
		}
	}
	return n.all
}

func (s SMS) listNumbers(ctx context.Context) ([]string, error) {
	all := []string{}
	if s.From != "" {
		all = append(all, s.From)
	}
	numbers, _, err := s.numbersOf(ctx, s.Service)
	if err != nil {
		return nil, err
	}
	short, _, err := askMessaging(ctx, s.Twilio, "list the short codes of a Messaging Service", func(a *messaging.ApiService) (*messaging.ListShortCodeResponse, error) {
		return a.PageShortCode(s.Service, (&messaging.ListShortCodeParams{}).SetPageSize(1000), "", "")
	})
	if err != nil {
		return nil, err
	}
	for _, c := range short.ShortCodes {
		all = append(all, deref(c.ShortCode))
	}
	return append(all, numbers...), nil
}

// numbersOf lists the numbers of a Messaging Service.
func (t *Twilio) numbersOf(ctx context.Context, service string) (numbers []string, x *exchange, err error) {
	page, x, err := askMessaging(ctx, t, "list the numbers of a Messaging Service", func(a *messaging.ApiService) (*messaging.ListPhoneNumberResponse, error) {
		return a.PagePhoneNumber(service, (&messaging.ListPhoneNumberParams{}).SetPageSize(1000), "", "")
	})
	if err != nil {
		return nil, x, err
	}
	for _, n := range page.PhoneNumbers {
		numbers = append(numbers, deref(n.PhoneNumber))
	}
	return numbers, x, nil
}

// isForUs reports whether a message is an answer to us, and not to another number of the account. Without a
// service only our number's messages are listed.
func (s SMS) isForUs(m api.ApiV2010Message, ours []string) bool {
	return s.Service == "" || ours == nil || deref(m.MessagingServiceSid) == s.Service || slices.Contains(ours, deref(m.To))
}

// trialNote begins the texts of accounts on trial, which a Standard API key can't see otherwise.
const trialNote = "Sent from your Twilio trial account - "

// unreadable tells an admin what to do if Twilio lists our messages without their text or their recipient. Ours are
// never empty, so the account hides these fields, and answers can't be read either.
func unreadable(m api.ApiV2010Message) string {
	switch deref(m.Status) {
	case "sent", "delivered", "undelivered":
		if deref(m.Body) == "" && (deref(m.NumMedia) == "0" || deref(m.NumMedia) == "") || strings.HasSuffix(strings.ToUpper(deref(m.To)), "XXXX") {
			return "switch Message Redaction off in Twilio's Console (Messaging, Settings): answers come without their words or numbers, and nobody's is understood"
		}
	}
	return ""
}

// checkMessageTexts checks whether Twilio lists our latest messages with their text.
func (t *Twilio) checkMessageTexts(ctx context.Context) []CheckResult {
	p := &api.ListMessageParams{}
	if t.Service == "" {
		p.SetFrom(t.From)
	}
	hidden, looked, sent, trial := "", 0, 0, false
	err := SMS{t}.newest(ctx, p, func(m api.ApiV2010Message) bool {
		if deref(m.Direction) != "inbound" {
			hidden = unreadable(m)
			trial = trial || sent == 0 && strings.HasPrefix(deref(m.Body), trialNote) // only the latest: earlier ones may predate an upgrade of the account
			sent++
		}
		looked++
		return hidden == "" && looked < messagePage
	})
	switch {
	case err != nil:
		return []CheckResult{{Text: err.Error(), Remedy: "Give the API key access to messages: answers are read from their list."}}
	case hidden != "":
		return []CheckResult{{Text: "Message Redaction is on: no answer by SMS can be read", Remedy: "Switch it off in Twilio's Console, under Messaging, Settings."}}
	case trial:
		return []CheckResult{{Text: "the account is on trial: its texts say so", Remedy: trialRemedy}}
	}
	return nil
}
