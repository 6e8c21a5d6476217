package oncall

import (
	"cmp"
	"fmt"
	"maps"
	"time"
)

// An AlertRoute is how a routing rule has changed an alert. It is stored as JSON: fields are only ever added.
type AlertRoute struct {
	Team        TeamID            `json:"team,omitempty"`        // owner of the rule, or
	Integration IntegrationID     `json:"integration,omitempty"` // owner of the rule
	Rule        string            `json:"rule,omitempty"`        // "": no rule matched
	Version     int               `json:"version,omitempty"`
	Does        string            `json:"does,omitempty"`
	Policy      PolicyID          `json:"policy,omitempty"`
	Severity    Severity          `json:"severity,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Group       *Grouping         `json:"group,omitempty"`
	Hold        Seconds           `json:"hold,omitempty"`
	Said        Severity          `json:"said,omitempty"` // the monitor's own severity when the rule was chosen
	Was         map[string]string `json:"was,omitempty"`  // the previous values of Labels, "" where there was none
	Kind        Format            `json:"kind,omitempty"` // the format of the signal

	drop   bool
	failed []FailedRoute // to be noted in the timeline
	shadow []ShadowRoute // to be noted in the timeline
}

// A RouteTally counts what one rule has done. Passed counts held alerts that cleared before their time was up.
type RouteTally struct {
	Matched, Dropped, Held, Passed, Shadow, Failed int
	Error                                          string // why it last failed
	At                                             time.Time
}

// name returns the rule's name, or the zero value if no rule matched.
func (r *AlertRoute) name() RouteName {
	if r == nil || r.Rule == "" {
		return RouteName{}
	}
	return RouteName{RouteOwner: RouteOwner{Team: r.Team, Integration: r.Integration}, Rule: r.Rule}
}

// apply sets the alert's severity and labels as the rule says. The argument fresh says that the labels
// come straight from the monitor.
func (r *AlertRoute) apply(alert *Alert, fresh bool) {
	if r == nil {
		return
	}
	if r.Severity != "" {
		alert.Severity = r.Severity
	}
	if len(r.Labels) == 0 {
		return
	}
	if fresh {
		own := *r
		own.Was = map[string]string{}
		for name := range r.Labels {
			own.Was[name] = alert.Labels[name]
		}
		alert.Route = &own
	}
	alert.Labels = withLabels(alert.Labels, r.Labels)
}

// sentLabels returns the labels as the monitor sent them.
func (a *Alert) sentLabels() map[string]string {
	if a.Route == nil || len(a.Route.Was) == 0 {
		return a.Labels
	}
	out := withLabels(a.Labels, a.Route.Was)
	for name, was := range a.Route.Was {
		if was == "" {
			delete(out, name)
		}
	}
	return out
}

func withLabels(labels, more map[string]string) map[string]string {
	if len(more) == 0 {
		return labels
	}
	out := maps.Clone(labels)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, more)
	return out
}

// RoutedGroup returns the group keys of a routed signal's alert and of its incident. They differ if a rule names
// another policy, so that its alerts never join incidents that follow the integration's own policy.
func (in Integration) RoutedGroup(s Signal, r Routing) (alert, incident string) {
	route := &AlertRoute{Policy: r.Policy, Group: r.Grouping}
	s.Labels = withLabels(s.Labels, r.Labels)
	alert = in.groupOf(s, route)
	return alert, alert + in.groupSuffix(route)
}

// groupSuffix returns the suffix for group keys of incidents that a rule sends to another policy. No monitor can send it.
func (in Integration) groupSuffix(r *AlertRoute) string {
	if r == nil || r.Policy == 0 || r.Policy == in.PolicyID {
		return ""
	}
	return fmt.Sprintf("\x01to/%d", r.Policy)
}

// grouping returns the grouping of a rule, or else of the integration; nil: none.
func (in Integration) grouping(r *AlertRoute) *Grouping {
	if r != nil && r.Group != nil {
		return r.Group
	}
	return in.Grouping
}

// signal returns the signal that the alert's monitor would send now.
func (a *Alert) signal(action Action) Signal {
	s := Signal{
		Action: action, DedupKey: a.DedupKey, Title: a.Title, Body: a.Body, Link: a.Link, Severity: a.Severity,
		Labels: a.sentLabels(), Links: a.Links, Details: a.Details, StartsAt: a.StartsAt,
	}
	if a.Route != nil {
		s.Severity, s.Format = a.Route.sentSeverity(s.Severity), a.Route.Kind
	}
	return s
}

// TriggerSignal returns the signal that the alert's monitor would send now, without the changes that rules made.
func (a Alert) TriggerSignal() Signal { return a.signal(Trigger) }

// ReleaseOf returns the signal that makes a fold reconsider an alert that is kept or held.
func ReleaseOf(a Alert) Signal {
	s := a.signal(Release)
	s.GroupKey = a.sentGroup()
	return s
}

// choose evaluates the routes for an alert, given its latest signal, and applies the result.
func (f *Fold) choose(alert *Alert, s Signal) {
	asked := alert.signal(Trigger)
	asked.Severity, asked.Format = cmp.Or(s.Severity, asked.Severity), cmp.Or(s.Format, asked.Format)
	alert.Route, alert.Severity, alert.Labels = nil, asked.Severity, asked.Labels
	if f.Route == nil {
		return
	}
	routing := f.Route(asked)
	if routing.Matched() || len(routing.Failed) > 0 || len(routing.Shadow) > 0 {
		alert.Route = &AlertRoute{
			Team: routing.Rule.Team, Integration: routing.Rule.Integration, Rule: routing.Rule.Rule, Version: routing.Version, Does: routing.Does, Policy: routing.Policy,
			Severity: routing.Severity, Labels: routing.Labels, Group: routing.Grouping, Hold: routing.Hold, Said: asked.Severity, Kind: asked.Format,
			drop: routing.Drop, failed: routing.Failed, shadow: routing.Shadow,
		}
	}
	alert.Route.apply(alert, true)
	for _, bad := range routing.Failed {
		t := f.tally(bad.Rule)
		t.Failed, t.Error = t.Failed+1, bad.Why
	}
	for _, would := range routing.Shadow {
		f.tally(would.Rule).Shadow++
	}
	if routing.Matched() {
		f.tally(routing.Rule).Matched++
	}
	f.touch(alert)
}

func (f *Fold) tally(name RouteName) *RouteTally {
	if f.Tallies == nil {
		f.Tallies = map[RouteName]*RouteTally{}
	}
	if f.Tallies[name] == nil {
		f.Tallies[name] = &RouteTally{}
	}
	f.Tallies[name].At = f.arrivedAt
	return f.Tallies[name]
}

// suppressed reports whether the alert fires without an incident because a rule holds or drops it.
func (a *Alert) suppressed() bool { return a.Firing && (a.Dropped || a.HeldUntil != nil) }

// stillSuppressed handles a signal of a held or dropped alert. For a dropped alert, the rules are
// evaluated again each time; for a held one, only if it got worse or its time is up.
func (f *Fold) stillSuppressed(a *Alert, signal Signal) FoldedSignal {
	said := a.Route.sentSeverity(a.Severity)
	a.refresh(signal, f.arrivedAt)
	f.touch(a)
	if signal.GroupKey == "" && a.GroupKey != a.DedupKey {
		signal.GroupKey = a.sentGroup()
	}
	if a.Dropped || signal.Severity.Worse(said) && signal.Severity != "" || !f.arrivedAt.Before(*a.HeldUntil) {
		return f.openUnlessSuppressed(a, signal, nil)
	}
	return FoldedSignal{Signal: signal, Result: FoldHeld}
}

// sentSeverity returns the monitor's own severity when the rule was chosen.
func (r *AlertRoute) sentSeverity(otherwise Severity) Severity {
	if r != nil && r.Said != "" {
		return r.Said
	}
	return otherwise
}

// sentGroup returns the group key that the monitor sent for the alert, or "".
func (a *Alert) sentGroup() string {
	if isGenerated(a.GroupKey) || a.GroupKey == a.DedupKey {
		return ""
	}
	return a.GroupKey
}

// release reconsiders an alert that maintenance kept or a rule held. If it still fires and nothing
// suppresses it any more, it gets an incident.
func (f *Fold) release(signal Signal) FoldedSignal {
	a := f.alerts[signal.DedupKey]
	switch {
	case a == nil || !a.Firing:
	case a.Kept:
		return f.stillKept(a, signal)
	case a.HeldUntil != nil && !f.arrivedAt.Before(*a.HeldUntil):
		signal.GroupKey, signal.Severity = a.sentGroup(), ""
		return f.openUnlessSuppressed(a, signal, nil)
	}
	return FoldedSignal{Signal: signal, Result: FoldUnmatched}
}

// endSuppression ends the hold or drop of an alert that has cleared.
func (f *Fold) endSuppression(a *Alert) {
	if a.suppressed() && a.HeldUntil != nil && a.Route.name() != (RouteName{}) {
		f.tally(a.Route.name()).Passed++
	}
	a.HeldUntil, a.Dropped = nil, false
}

// routeAgain evaluates the routes again for an alert that got worse. Since its incident is open already, a rule can
// no longer drop or hold it.
func (f *Fold) routeAgain(alert *Alert, before Alert, signal Signal) {
	if f.Route == nil || signal.Severity == "" || !signal.Severity.Worse(before.Route.sentSeverity(before.Severity)) {
		return
	}
	f.choose(alert, signal)
	if alert.Route != nil && alert.Route.drop {
		kept := AlertRoute{}
		if before.Route != nil {
			kept = *before.Route
		}
		kept.Said = signal.Severity
		alert.Route = &kept
		alert.Severity = signal.Severity
		alert.Route.apply(alert, true)
		return
	}
	c := f.change(alert.IncidentID)
	if in := &c.Incident; in.MergedInto == 0 && in.Storm == nil {
		f.moveTo(c, f.policyOf(&before), alert)
	}
}

// moveTo makes the incident follow the new policy of an alert that got worse, unless somebody has reassigned the
// incident.
func (f *Fold) moveTo(change *Change, from PolicyID, alert *Alert) {
	in, to := &change.Incident, f.policyOf(alert)
	home := in.PolicyID
	if in.HomePolicy != 0 {
		home = in.HomePolicy
	}
	if home != from || to == from {
		return
	}
	detail := f.ruleDetail(to, "")
	if alert.Route != nil {
		detail = f.ruleDetail(to, alert.Route.Does)
		detail.Text = alert.Route.Rule
	}
	detail.Shown = true
	change.record(EventRouted, change.by, detail)
	in.PolicyID, in.HomePolicy = to, 0
	if in.Status == Triggered {
		change.worsen(alert.Severity)
		change.restart()
	}
}

// ruleDetail describes what a rule does. The policy's name is kept separate, because not everybody may
// read it.
func (f *Fold) ruleDetail(policy PolicyID, what string) (d Detail) {
	if policy != 0 {
		d.To = []string{f.facts().Policies[policy].Name}
	}
	if what != "" {
		d.Names = []string{what}
	}
	return d
}

// noteRoute notes in the alert's incident which rule put it there, and which rules failed.
func (f *Fold) noteRoute(a *Alert) {
	r, change := a.Route, f.change(a.IncidentID)
	if r == nil || change == nil || change.Incident.Storm != nil {
		return
	}
	if r.Rule != "" {
		detail := f.ruleDetail(r.Policy, r.Does)
		detail.Text = r.Rule
		change.record(EventRouted, change.by, detail)
	}
	for _, bad := range r.failed {
		change.record(EventRouteFailed, change.by, Detail{Text: bad.Rule.Rule, Names: []string{bad.Why}})
	}
	for _, would := range r.shadow {
		detail := f.ruleDetail(would.Policy, would.Would)
		detail.Text = would.Rule.Rule
		change.record(EventRouteShadow, change.by, detail)
	}
}
