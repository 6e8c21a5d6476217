package oncall

import (
	"fmt"
	"slices"
	"time"
)

// callsAtMost is how often a phone is called within CallsWithin before its owner's next contact method is used
// instead: carriers block numbers that call more often, and then nobody can be reached by phone. Six calls are three
// pages, each redialled once.
const callsAtMost = 6

// CallsWithin is the period in which calls to a phone are counted.
const CallsWithin = time.Hour

// A PhoneCall counts a page's calls to a phone number, which people may share.
type PhoneCall struct {
	Page       PageID
	Times      int       // 2: it was redialled
	Heard      bool      // the latest was answered, or its person has acknowledged an incident of it since
	At         time.Time // of the latest
	Severities []Severity
}

// inVain counts the calls that reached nobody. Carriers block numbers for these.
func (c PhoneCall) inVain() int {
	if c.Heard {
		return c.Times - 1
	}
	return c.Times
}

// ringsTooOften says why the phone isn't called now; empty: it is. An incident worse than all those it was called for
// in vain still calls it.
func (f PageFacts) ringsTooOften() string {
	times, worse := 0, true
	for _, c := range f.PhoneCalls {
		if c.Page == f.Lead.ID { // its call that is about to be made doesn't count
			times += f.Lead.Redials
			continue
		}
		if c.inVain() == 0 {
			continue
		}
		times += c.inVain()
		worse = worse && !slices.ContainsFunc(c.Severities, func(s Severity) bool { return !f.incident().Severity.Worse(s) })
	}
	if times < callsAtMost || worse {
		return ""
	}
	return fmt.Sprintf("this phone has rung %d times in vain within an hour; more calls could get our number blocked", times)
}

// PhoneRests returns when a phone may ring again for a severity, after the calls that it got within CallsWithin; zero: now.
func PhoneRests(calls []PhoneCall, sev Severity) (until time.Time) {
	calls = slices.Clone(calls)
	slices.SortStableFunc(calls, func(a, b PhoneCall) int { return a.At.Compare(b.At) })
	for len(calls) > 0 {
		f := PageFacts{Incidents: map[IncidentID]Incident{0: {Severity: sev}}, PhoneCalls: calls}
		if f.ringsTooOften() == "" {
			break
		}
		until, calls = calls[0].At.Add(CallsWithin), calls[1:]
	}
	return until
}

// PhoneRestsBecause completes "it is not called before 15:10: ".
var PhoneRestsBecause = fmt.Sprintf("this phone has rung %d times in vain within an hour", callsAtMost)

// NoticePhoneRests tells a person that their phone isn't called for a while.
const NoticePhoneRests NoticeKind = "phone_rests"

// phoneRestsNotice returns the notice about a phone that isn't called for the page; nil: its person heard of it within
// CallsWithin.
func (f PageFacts) phoneRestsNotice(now time.Time) *Notice {
	if f.Lead.UserID == "" || f.Contact == nil || now.Before(f.RestTold.Add(CallsWithin)) {
		return nil
	}
	calls := slices.Clone(f.PhoneCalls)
	for i := range calls {
		if calls[i].Page == f.Lead.ID {
			calls[i].Times = f.Lead.Redials
		}
	}
	return &Notice{
		Key: fmt.Sprintf("%s/%d/%d", NoticePhoneRests, f.Lead.Contact, now.UnixMilli()), To: string(f.Lead.UserID), Kind: NoticePhoneRests,
		About: int64(f.Lead.Contact),
		Detail: NoticeDetail{
			Users: []UserID{f.Lead.UserID}, Method: f.Lead.Method, Address: f.Contact.Address, Count: callsAtMost, TimeZone: f.Person.TimeZone,
			End: PhoneRests(calls, f.incident().Severity), Severity: f.incident().Severity,
		},
	}
}

// needsPhoneCalls reports whether the decision depends on earlier calls to the phone.
func (p PageStatus) needsPhoneCalls() bool {
	return p.Method.Info().Spoken && p.Contact != 0 && p.DoubtAt == nil
}
