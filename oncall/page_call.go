package oncall

import (
	"fmt"
	"slices"
	"time"
)

// Patience is how long a page may take to get through before the person's next contact
// method doesn't wait for its own time.
const Patience = 10 * time.Second

// PagesOfCall makes one page of each notification rule of the person who is called, in the order
// of their times. A rule whose contact method can't be used is left out. If nothing is left at
// the beginning there is a direct message: nobody is unreachable by their own settings.
func PagesOfCall(p Page, r Reach, low bool, now time.Time) []Page {
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
