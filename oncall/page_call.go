package oncall

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Patience is how long a page may take to get through before the person's next contact
// method doesn't wait for its own time.
const Patience = 10 * time.Second

// Deliveries makes one page of each notification rule of the person who is called, in the order
// of their times. A rule whose contact method can't be used is left out. If nothing is left at
// the beginning there is a direct message: nobody is unreachable by their own settings.
func Deliveries(p Page, r Reach, low bool, now time.Time) []Page {
	p.At = latest(p.At, now)
	if p.UserID == "" {
		return []Page{p}
	}
	var out []Page
	times := map[ContactID]int{}
	add := func(rule Rule, method Method) {
		d := p
		d.Contact, d.Method, d.At = rule.Contact, method, p.At.Add(rule.After.Duration())
		times[rule.Contact]++
		d.Key = d.key()
		if rule.Contact != 0 {
			d.Key += fmt.Sprint(":", rule.Contact)
		}
		if n := times[rule.Contact]; n > 1 {
			d.Key += fmt.Sprint("+", n)
		}
		out = append(out, d)
	}
	rules := slices.DeleteFunc(slices.Clone(r.Rules(low)), func(rule Rule) bool {
		c, known := r.Contact(rule.Contact)
		return !known || !c.Usable()
	})
	if !slices.ContainsFunc(rules, func(rule Rule) bool { return rule.After == 0 }) {
		rules = append([]Rule{{}}, rules...)
	}
	slices.SortStableFunc(rules, func(a, b Rule) int { return int(a.After - b.After) })
	for _, rule := range rules {
		c, _ := r.Contact(rule.Contact)
		add(rule, c.Method)
	}
	return out
}

// Lane names the queue in which a page waits for its turn: one for each method, so that a method that
// hangs holds up no other. Pages for no person wait apart, since anybody's server may be behind one.
func (p Page) Lane() string {
	if p.UserID == "" {
		return "step/" + string(p.Method)
	}
	return string(p.Method)
}

// FirstChecks says when a job first looks at each page of a call, in the order of Deliveries: at its
// own time, or when Patience with the page before it is over, whichever is earlier.
func FirstChecks(pages []Page) []time.Time {
	out := make([]time.Time, len(pages))
	for i, p := range pages {
		out[i] = p.At
		if i > 0 {
			if early := pages[i-1].At.Add(Patience); early.Before(p.At) {
				out[i] = early
			}
		}
	}
	return out
}

// Hold is how long a recipient is left alone after a message about an incident; what comes
// meanwhile is one message at its end. A call disturbs more than a text.
func Hold(method Method) time.Duration {
	if method.Info().Spoken {
		return time.Minute
	}
	return 30 * time.Second
}

// A LastPage is what a recipient, a person by one contact method, was told last.
type LastPage struct {
	Page         PageID
	At           time.Time // zero: nothing yet, or it was not sent after all
	Severity     Severity  // the worst since then
	Integrations []IntegrationID
}

// HeldUntil returns until when a page of the incident waits, so that a storm doesn't flood its
// recipient; zero: it doesn't. Worse news, and that of another integration, don't wait.
func (l LastPage) HeldUntil(in Incident, method Method, now time.Time) time.Time {
	until := l.At.Add(Hold(method))
	if l.At.IsZero() || !now.Before(until) || in.Severity.Worse(l.Severity) || !slices.Contains(l.Integrations, in.IntegrationID) {
		return time.Time{}
	}
	return until
}

// Add notes that the recipient hears of incidents now. That makes a hold that has begun no longer.
func (l LastPage) Add(method Method, now time.Time, incidents ...Incident) LastPage {
	if l.At.IsZero() || !now.Before(l.At.Add(Hold(method))) {
		l = LastPage{At: now, Severity: Low}
	}
	l.Integrations = slices.Clone(l.Integrations)
	for _, in := range incidents {
		if in.Severity.Worse(l.Severity) {
			l.Severity = in.Severity
		}
		if !slices.Contains(l.Integrations, in.IntegrationID) {
			l.Integrations = append(l.Integrations, in.IntegrationID)
		}
	}
	return l
}

// WorstFirst sorts incidents by severity, and those of one severity by age.
func WorstFirst(incidents []Incident) {
	slices.SortStableFunc(incidents, func(a, b Incident) int {
		return cmp.Or(b.Severity.rank()-a.Severity.rank(), int(a.ID-b.ID))
	})
}
