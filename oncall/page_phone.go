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
	Times      int // 2: it was redialled
	Severities []Severity
}

// ringsTooOften says why the phone isn't called now; empty: it is. An incident worse than all those it was called for
// still calls it.
func (f PageFacts) ringsTooOften() string {
	times, worse := 0, true
	for _, c := range f.PhoneCalls {
		if c.Page == f.Lead.ID { // its call that is about to be made doesn't count
			times += f.Lead.Redials
			continue
		}
		times += c.Times
		worse = worse && !slices.ContainsFunc(c.Severities, func(s Severity) bool { return !f.incident().Severity.Worse(s) })
	}
	if times < callsAtMost || worse {
		return ""
	}
	return fmt.Sprintf("this phone has rung %d times within an hour; more calls could get our number blocked", times)
}

// needsPhoneCalls reports whether the decision depends on earlier calls to the phone.
func (p PageStatus) needsPhoneCalls() bool {
	return p.Method.Info().Spoken && p.Contact != 0 && p.DoubtAt == nil
}
