package oncall

import (
	"fmt"
	"slices"
	"time"
)

// FallbackDelay is how long a page may take to get through before the person's next contact method is used ahead of its
// time.
const FallbackDelay = 10 * time.Second

// PagesOfCall makes a page for each of the person's notification rules, in the order of their times. Rules with an
// unusable contact method are left out. If no rule pages at once, a direct message does, so that nobody makes
// themselves unreachable.
func PagesOfCall(c Call, r ContactSettings, low bool, now time.Time) []Page {
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

// FirstChecks says when a job first checks each page of a call, in the order of PagesOfCall: at its own time, or
// FallbackDelay after the page before it, whichever is earlier.
func FirstChecks(pages []Page) []time.Time {
	out := make([]time.Time, len(pages))
	for i, p := range pages {
		out[i] = p.At
		if i > 0 {
			if early := pages[i-1].At.Add(FallbackDelay); early.Before(p.At) {
				out[i] = early
			}
		}
	}
	return out
}
