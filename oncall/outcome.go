package oncall

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// OutcomeFacts holds the facts that the outcome of an integration's signals depends on.
type OutcomeFacts struct {
	Integration Integration
	Policies    map[PolicyID]Policy
	Route       func(Signal) Routing // nil: there are no rules
	Maintenance []Maintenance        // windows that are not over
}

// An Outcome is what would happen to a signal if it were the first one.
type Outcome struct {
	Action   Action
	DedupKey string
	Title    string
	Severity Severity
	Policy   PolicyID // that would page, unless Dropped
	Labels   map[string]string
	Group    *Grouping // nil: none, or the monitor's own
	Hold     Seconds   // how long the alert must last before it pages; 0: it pages at once
	Dropped  bool
	Window   *Maintenance  // the maintenance that keeps the alert; nil: none
	Muted    bool          // the integration is muted
	Rule     RouteName     // the rule that matched; zero: none
	Failed   []FailedRoute // rules that could not be evaluated
	Unread   bool          // the body could not be parsed
	Why      string        // why it could not be parsed
}

// Fires reports whether the outcome is a firing alert.
func (o Outcome) Fires() bool { return o.Action == Trigger }

// Outcome works out the outcome of a signal by folding it.
func (facts OutcomeFacts) Outcome(signal Signal, at time.Time) Outcome {
	o := Outcome{Action: signal.Action, DedupKey: signal.DedupKey, Title: signal.Title, Unread: signal.Unread}
	if signal.Unread && len(signal.Hints) > 0 {
		o.Why = signal.Hints[0].Text
	}
	f := &Fold{
		Integration: facts.Integration, Policy: facts.Policies[facts.Integration.PolicyID], Policies: facts.Policies, Route: facts.Route, Maintenance: facts.Maintenance,
		AlertIDs: []AlertID{1}, FoldedAt: at, NextCounts: map[PolicyID]int64{},
	}
	became := f.Receive(signal, at)
	alert := f.alerts[signal.DedupKey]
	o.Muted = became.Result == FoldMuted
	if alert == nil || !alert.Firing {
		if signal.Action == Trigger && !o.Muted {
			o.Action = Clear // it expired before it arrived
		}
		return o
	}
	o.Severity, o.Labels, o.Policy, o.Group = alert.Severity, alert.Labels, f.policyOf(alert), facts.Integration.grouping(alert.Route)
	o.Dropped, o.Rule = alert.Dropped, alert.Route.name()
	if alert.HeldUntil != nil {
		o.Hold = alert.Route.Hold
	}
	if alert.Kept {
		m, _ := CoveringWindow(facts.Maintenance, facts.Integration, *alert, at)
		o.Window = &m
	}
	if alert.Route != nil {
		o.Failed = alert.Route.failed
	}
	return o
}

// An OutcomeDiff compares the outcomes of a signal before and after a change of rules. If a mapping changes, the signal may
// exist on one side only; the other side is the zero Outcome.
type OutcomeDiff struct {
	At            time.Time
	Integration   IntegrationID
	Before, After Outcome
	Times         int // how often the same comparison came up; At is the last time
}

// Matters reports whether the two outcomes differ in a way that matters to people. That another rule leads to the
// same outcome doesn't.
func (d OutcomeDiff) Matters() bool {
	a, b := d.Before, d.After
	if !a.Fires() && !b.Fires() {
		return false
	}
	return len(d.differences()) > 0
}

// differences names what differs, most important first.
func (d OutcomeDiff) differences() (all []string) {
	a, b := d.Before, d.After
	add := func(what string, holds bool) {
		if holds {
			all = append(all, what)
		}
	}
	add("action", a.Action != b.Action)
	add("dropped", a.Dropped != b.Dropped)
	if a.Fires() && b.Fires() && a.Dropped && b.Dropped {
		return all
	}
	add("unread", a.Unread != b.Unread)
	add("policy", a.Policy != b.Policy)
	add("severity", a.Severity != b.Severity)
	add("hold", a.Hold != b.Hold)
	add("labels", !maps.Equal(a.Labels, b.Labels))
	add("group", !reflect.DeepEqual(a.Group, b.Group))
	add("title", a.Title != b.Title)
	add("key", a.DedupKey != b.DedupKey)
	return all
}

// weight ranks detours, the worst being 0: the alert would page nobody any more, would page later, or would page other
// people.
func (d OutcomeDiff) weight() int {
	a, b := d.Before, d.After
	switch {
	case a.Fires() && !a.Dropped && (b.Dropped || !b.Fires()):
		return 0
	case !a.Unread && b.Unread:
		return 1
	case a.Hold < b.Hold:
		return 2
	case a.Severity.Worse(b.Severity) && b.Severity != "":
		return 3
	case a.Policy != b.Policy && !a.Dropped && !b.Dropped:
		return 4
	}
	return 5
}

// severity returns the worse severity of the two outcomes.
func (d OutcomeDiff) severity() Severity {
	if d.After.Severity.Worse(d.Before.Severity) {
		return d.After.Severity
	}
	return cmp.Or(d.Before.Severity, Low)
}

// SilencesCritical reports whether a critical alert would page nobody any more.
func (d OutcomeDiff) SilencesCritical() bool { return d.weight() == 0 && d.severity() == Critical }

// A Preview sums up how changed rules would have treated past signals.
type Preview struct {
	Tried    int            // signals of firing alerts
	Since    time.Time      // the first of them
	Differ   int            // signals whose outcome would differ
	Silenced int            // critical signals among those that would page nobody any more
	Diffs    []OutcomeDiff  // the differences, equal ones once
	Untried  int            // payloads that can't be parsed again
	Failed   map[string]int // why rules could not be evaluated: for how many signals
}

// Add adds the comparison of one signal.
func (p *Preview) Add(d OutcomeDiff) {
	if !d.Before.Fires() && !d.After.Fires() {
		return
	}
	p.Tried++
	if p.Since.IsZero() || d.At.Before(p.Since) {
		p.Since = d.At
	}
	for _, bad := range d.After.Failed {
		if p.Failed == nil {
			p.Failed = map[string]int{}
		}
		p.Failed[fmt.Sprintf("rule %q could not be evaluated, and so does not match: %s", bad.Rule.Rule, bad.Why)]++
	}
	if !d.Matters() {
		return
	}
	p.Differ++
	if d.SilencesCritical() {
		p.Silenced++
	}
	d.Times = 1
	p.merge(d)
}

func (p *Preview) merge(d OutcomeDiff) {
	same := func(o OutcomeDiff) bool {
		return o.Integration == d.Integration && reflect.DeepEqual(o.Before, d.Before) && reflect.DeepEqual(o.After, d.After)
	}
	if i := slices.IndexFunc(p.Diffs, same); i >= 0 {
		p.Diffs[i].Times += d.Times
		p.Diffs[i].At = latest(p.Diffs[i].At, d.At)
		return
	}
	p.Diffs = append(p.Diffs, d)
}

// With adds up two previews.
func (p Preview) With(o Preview) Preview {
	p.Tried, p.Differ, p.Silenced, p.Untried = p.Tried+o.Tried, p.Differ+o.Differ, p.Silenced+o.Silenced, p.Untried+o.Untried
	if p.Since.IsZero() || !o.Since.IsZero() && o.Since.Before(p.Since) {
		p.Since = o.Since
	}
	p.Diffs = slices.Concat(p.Diffs, o.Diffs)
	p.Failed = maps.Clone(p.Failed)
	for why, n := range o.Failed {
		if p.Failed == nil {
			p.Failed = map[string]int{}
		}
		p.Failed[why] += n
	}
	return p
}

// Worst lists the detours, the worst first.
func (p Preview) Worst() []OutcomeDiff {
	all := slices.Clone(p.Diffs)
	slices.SortStableFunc(all, func(a, b OutcomeDiff) int {
		worse := func(a, b Severity) int {
			switch {
			case a.Worse(b):
				return -1
			case b.Worse(a):
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(a.weight(), b.weight()), worse(a.severity(), b.severity()), b.At.Compare(a.At), cmp.Compare(a.Before.Title, b.Before.Title))
	})
	return all
}

// Title returns the alert's title before the change, or else the one after it.
func (d OutcomeDiff) Title() string {
	return cmp.Or(d.Before.Title, d.After.Title, d.Before.DedupKey, d.After.DedupKey)
}

// Words describe both outcomes as far as they differ: "policy payments" and `dropped by rule "staging"`. Name returns
// the name of a policy. The words contain untrusted text, to be escaped.
func (d OutcomeDiff) Words(name func(PolicyID) string) (before, after string) {
	differ := d.differences()
	return d.Before.words(differ, d.After, name), d.After.words(differ, d.Before, name)
}

func (o Outcome) words(differ []string, other Outcome, name func(PolicyID) string) string {
	by := ""
	if o.Rule != (RouteName{}) {
		by = fmt.Sprintf(" by rule %q", o.Rule.Rule)
	}
	switch {
	case o.Action == "":
		return "no signal"
	case !o.Fires():
		return "no alert: it says " + string(o.Action)
	case o.Dropped:
		return "dropped" + by
	}
	parts := []string{"policy " + name(o.Policy) + by}
	for _, what := range differ {
		switch what {
		case "unread":
			if o.Unread {
				parts = append(parts, "not understood ("+o.Why+")")
			}
		case "severity":
			parts = append(parts, "severity "+string(o.Severity))
		case "hold":
			parts = append(parts, o.holdWords())
		case "labels":
			parts = append(parts, labelWords(o.Labels, other.Labels))
		case "group":
			parts = append(parts, o.groupWords())
		case "title":
			parts = append(parts, fmt.Sprintf("title %q", o.Title))
		case "key":
			parts = append(parts, fmt.Sprintf("dedup key %q", o.DedupKey))
		}
	}
	return strings.Join(parts, ", ")
}

func (o Outcome) holdWords() string {
	if o.Hold == 0 {
		return "at once"
	}
	return fmt.Sprintf("only if it lasts %s", o.Hold.Duration())
}

func (o Outcome) groupWords() string {
	if o.Group == nil {
		return "in no group"
	}
	return fmt.Sprintf("grouped by %s for %s", strings.Join(o.Group.By, ", "), o.Group.Window.Duration())
}

// labelWords describes the labels that differ from others.
func labelWords(labels, others map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(withLabels(others, labels))) {
		value, has := labels[name]
		switch was, had := others[name]; {
		case has && (!had || was != value):
			parts = append(parts, fmt.Sprintf("label %s=%s", name, value))
		case !has && had:
			parts = append(parts, "no label "+name)
		}
	}
	return strings.Join(parts, ", ")
}
