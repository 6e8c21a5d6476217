package oncall

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// A Warning points out something about a person's notification rules that they may not have intended.
type Warning struct {
	Line int // the rule, counted from 1; 0: all rules together
	Text string
}

// RuleContext is what the warnings depend on besides the rules.
type RuleContext struct {
	Methods []Method     // the methods by which the installation can send, besides Slack
	Paging  []PagingStep // the steps that can page the person
}

// A PagingStep is a step of a policy that can page a person.
type PagingStep struct {
	Policy string
	Next   time.Duration // until the next step, or until this one is repeated
}

func wakes(m Method) bool { return m.Info().Wakes }

// Warnings says which of a person's rules never page them, and why the rules together may not wake them. There is no
// warning about a rule whose time comes after the policy's next step, because it pages until somebody acknowledges.
func (s ContactSettings) Warnings(rules []Rule, low bool, f RuleContext) []Warning {
	var out []Warning
	var working []Rule
	atOnce := false
	for i, rule := range rules {
		if why := s.neverPages(rules[:i], rule, f.Methods); why != "" {
			out = append(out, Warning{Line: i + 1, Text: why})
		} else {
			working = append(working, rule)
		}
		c, _ := s.Contact(rule.Contact)
		atOnce = atOnce || rule.After == 0 && c.Usable()
	}
	add := func(text string) {
		if text != "" {
			out = append(out, Warning{Text: text})
		}
	}
	if !atOnce {
		add("Nothing here pages you at once, so a direct message in Slack comes first.")
		working = append(working, Rule{})
	}
	if low {
		return out
	}
	for _, c := range s.Contacts {
		if c.Usable() && slices.ContainsFunc(working, func(rule Rule) bool { return rule.Contact == c.ID }) {
			add(s.unanswered(c))
		}
		if c.Usable() && slices.Contains(f.Methods, c.Method) &&
			!slices.ContainsFunc(rules, func(rule Rule) bool { return rule.Contact == c.ID }) {
			add(fmt.Sprintf("No line uses %s.", s.label(c)))
		}
	}
	add(s.warnNothingWakes(working, f.Methods))
	add(s.oneProvider(working))
	add(s.warnTooLate(working, f.Paging))
	return out
}

// neverPages says why a rule never pages; empty: it does.
func (s ContactSettings) neverPages(before []Rule, rule Rule, methods []Method) string {
	if slices.Contains(before, rule) {
		return "It adds nothing: another line does the same at the same time."
	}
	if rule.Contact == 0 {
		return ""
	}
	c, known := s.Contact(rule.Contact)
	switch {
	case !known:
		return "It never pages you: you have removed what it used."
	case !slices.Contains(methods, c.Method):
		return fmt.Sprintf("It never pages you: this installation can't send by %s.", c.Method.Name())
	case c.DisabledAt != nil:
		return fmt.Sprintf("It doesn't page you: %s is switched off because %s.", s.label(c), c.DisabledWhy)
	case c.VerifiedAt == nil:
		return fmt.Sprintf("It doesn't page you yet: %s waits for its code.", s.label(c))
	}
	return ""
}

// warnNothingWakes warns if the working rules can't wake the person.
func (s ContactSettings) warnNothingWakes(working []Rule, methods []Method) string {
	used := s.methods(working)
	cellular := func(m Method) bool { return m.Info().Cellular }
	switch {
	case !slices.ContainsFunc(methods, wakes):
		return "" // this installation has no method that could
	case len(used) == 1 && used[0] == MethodSlack:
		return "You are reached in Slack only, which wakes nobody: add a call, an SMS or a push."
	case !slices.ContainsFunc(used, wakes):
		return "Nothing here wakes you: add a call, an SMS or a push."
	case !slices.ContainsFunc(used, cellular) && slices.ContainsFunc(methods, cellular):
		return "There is no call and no SMS, and a push needs the phone to be on the Internet."
	}
	return ""
}

// oneProvider warns if all working rules depend on one provider.
func (s ContactSettings) oneProvider(working []Rule) string {
	by := ""
	for _, m := range s.methods(working) {
		p := m.Info().Provider
		if p == "" || by != "" && by != p {
			return ""
		}
		by = p
	}
	return fmt.Sprintf("Everything goes through %s: nothing reaches you while it is down, so add Slack, mail or a push.", by)
}

// warnTooLate warns if the policy goes on to its next step before anything can wake the person.
func (s ContactSettings) warnTooLate(working []Rule, paging []PagingStep) string {
	first := time.Duration(-1)
	for _, rule := range working {
		if d := rule.After.Duration(); wakes(s.method(rule)) && (first < 0 || d < first) {
			first = d
		}
	}
	var soonest PagingStep
	for _, p := range paging {
		if p.Next > 0 && (soonest.Next == 0 || p.Next < soonest.Next) {
			soonest = p
		}
	}
	if first < 0 || soonest.Next == 0 || soonest.Next > first {
		return ""
	}
	return fmt.Sprintf("The first that can wake you comes after %s, but the policy %s goes on after %s.", minutes(first), soonest.Policy, minutes(soonest.Next))
}

func minutes(d time.Duration) string {
	if d%time.Minute != 0 {
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return fmt.Sprintf("%d min", int(d.Minutes()))
}

// methods returns the methods of the rules, each once.
func (s ContactSettings) methods(rules []Rule) []Method {
	var out []Method
	for _, rule := range rules {
		if m := s.method(rule); !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out
}

func (s ContactSettings) method(rule Rule) Method {
	c, _ := s.Contact(rule.Contact)
	return c.Method
}

// label names a contact method unambiguously among the person's.
func (s ContactSettings) label(c Contact) string {
	return c.Method.Name() + " " + c.Address
}

// PagedBy returns the steps that can page a person and are followed by another step or a repetition. A schedule counts
// if the person is on call in it at any time until the horizon.
func (r Roster) PagedBy(user UserID, policies map[PolicyID]Policy, now, horizon time.Time) []PagingStep {
	var out []PagingStep
	for _, id := range slices.Sorted(maps.Keys(policies)) {
		policy := policies[id]
		if policy.Removed {
			continue
		}
		for i, step := range policy.Steps {
			next := step.Delay
			switch {
			case step.Repeat > 0:
				next = step.Every
			case i == len(policy.Steps)-1 && policy.Repeat == 0:
				continue
			}
			if slices.ContainsFunc(step.Targets, func(t Target) bool { return r.mayInclude(t, user, now, horizon) }) {
				out = append(out, PagingStep{Policy: policy.Name, Next: next.Duration()})
			}
		}
	}
	return out
}

// mayInclude reports whether a target includes a person at any time until the horizon.
func (r Roster) mayInclude(t Target, user UserID, now, horizon time.Time) bool {
	if s := r.Schedules[t.Schedule]; s != nil {
		return len(s.Stints(user, now, horizon)) > 0
	}
	return slices.ContainsFunc(r.people([]Target{t}, now), func(c pagedPerson) bool { return c.user == user })
}
