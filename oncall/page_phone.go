package oncall

import (
	"fmt"
	"slices"
	"time"
)

// callsAtMost is how often a phone rings within CallsWithin before its owner's next contact method takes
// over: carriers block numbers that call more often, and then nobody is reached by phone any more. It is
// three pages whose first call nobody picks up.
const callsAtMost = 6

// CallsWithin is how far back calls to a phone count.
const CallsWithin = time.Hour

// A PhoneCall is a page's calls to a number, whoever has it.
type PhoneCall struct {
	Page       PageID
	Times      int // 2: it rang once more
	Severities []Severity
}

// ringsTooOften says why the phone doesn't ring for now; empty if it does. An incident worse than all that
// it has rung for still rings.
func (f PageFacts) ringsTooOften() string {
	times, worse := 0, true
	for _, c := range f.PhoneCalls {
		if c.Page == f.Lead.ID { // the latest of its calls is the one to be made
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

// needsPhoneCalls reports whether the decision depends on the latest calls to the phone.
func (p PageStatus) needsPhoneCalls() bool {
	return p.Method.Info().Spoken && p.Contact != 0 && p.DoubtAt == nil
}
