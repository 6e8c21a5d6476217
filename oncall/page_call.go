package oncall

import (
	"fmt"
	"slices"
	"time"
)

// Patience is how long a page may take to get through. After that the person's next contact method no
// longer waits for its own time.
const Patience = 10 * time.Second

// PagesOfCall makes a page for each notification rule of the person who is called, in the order of
// their times. A rule whose contact method can't be used is left out. If nothing is left at
// the beginning there is a direct message: nobody is unreachable by their own settings.
func PagesOfCall(c Call, r Reach, low bool, now time.Time) []Page {
	c.At = latest(c.At, now)
	if c.UserID == "" {
		p := Page{Call: c}
		p.Key = p.key()
		return []Page{p}
	}
	var out []Page
	times := map[ContactID]int{}
	add := func(rule Rule, method Method) {
		p := Page{Call: c, Contact: rule.Contact}
		p.Method, p.At = method, c.At.Add(rule.After.Duration())
		times[rule.Contact]++
		p.Key = p.key()
		if rule.Contact != 0 {
			p.Key += fmt.Sprint(":", rule.Contact)
		}
		if n := times[rule.Contact]; n > 1 {
			p.Key += fmt.Sprint("+", n)
		}
		out = append(out, p)
	}
	rules := slices.DeleteFunc(slices.Clone(r.Rules(low)), func(rule Rule) bool {
		contact, known := r.Contact(rule.Contact)
		return !known || !contact.Usable()
	})
	if !slices.ContainsFunc(rules, func(rule Rule) bool { return rule.After == 0 }) {
		rules = append([]Rule{{}}, rules...)
	}
	slices.SortStableFunc(rules, func(a, b Rule) int { return int(a.After - b.After) })
	for _, rule := range rules {
		contact, _ := r.Contact(rule.Contact)
		add(rule, contact.Method)
	}
	return out
}

// FirstChecks says when a job first looks at each page of a call, in the order of PagesOfCall: at its
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
