package spool

import (
	"context"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/route"
)

// routingLimit is how long rules may take for the signals of one request.
const routingLimit = time.Second

// compile compiles the rules. That takes a moment, so it waits for an outage.
func (s *Snapshot) compile() {
	s.lists = map[oncall.RouteOwner]*route.List{}
	for _, d := range s.Routes {
		s.lists[d.Owner] = route.Compile(d)
	}
	for _, m := range s.Maintenance {
		matchers := make([]oncall.Matcher, 0, len(m.Match))
		for _, match := range m.Match {
			if compiled, err := match.Compiled(); err == nil {
				matchers = append(matchers, compiled)
			}
		}
		if len(matchers) == len(m.Match) { // in doubt it keeps no alert back
			m.Match = matchers
			s.windows = append(s.windows, m)
		}
	}
}

// outcomes returns what routes and maintenance would do with an integration's signals, as far as is
// known, by the same code that folds them. In doubt a signal pages.
func (s *Snapshot) outcomes(in oncall.Integration, signals []oncall.Signal, at time.Time) []oncall.Outcome {
	s.compiling.Do(s.compile)
	ctx, cancel := context.WithTimeout(context.Background(), routingLimit) //nolint:forbidigo // also used at start-up, and after the sender has hung up
	defer cancel()
	g := oncall.OutcomeFacts{Integration: in, Policies: map[oncall.PolicyID]oncall.Policy{in.PolicyID: {ID: in.PolicyID, TeamID: in.TeamID}}, Maintenance: s.windows}
	for id := range s.Watches {
		g.Policies[id] = oncall.Policy{ID: id, TeamID: in.TeamID}
	}
	r := &route.Router{
		Integration: in, Team: s.Teams[in.TeamID], Policy: func(oncall.PolicyID) string { return "" },
		Usable: func(id oncall.PolicyID) bool { return s.Watches[id] != nil },
	}
	for _, owner := range []oncall.RouteOwner{{Integration: in.ID}, {Team: in.TeamID}} {
		if l := s.lists[owner]; l != nil {
			r.Lists = append(r.Lists, l)
		}
	}
	if len(r.Lists) > 0 {
		g.Route = func(s oncall.Signal) oncall.Routing { return r.Route(ctx, s) }
	}
	all := make([]oncall.Outcome, len(signals))
	for i, s := range signals {
		if s.Action == oncall.Trigger {
			all[i] = outcomeOf(g, s, at)
		}
	}
	return all
}

func outcomeOf(g oncall.OutcomeFacts, s oncall.Signal, at time.Time) (o oncall.Outcome) {
	defer func() {
		if recover() != nil { // a failing rule must not prevent a page
			g.Route, g.Maintenance = nil, nil
			o = g.Outcome(s, at)
		}
	}()
	return g.Outcome(s, at)
}

// trackFiring tracks a firing alert, which pages at once, later or not at all. The caller holds o.mu.
func (o *outage) trackFiring(in oncall.Integration, signal oncall.Signal, became oncall.Outcome, at time.Time) {
	key := alertKey{in.ID, signal.DedupKey}
	was, counted := o.waiting[key]
	switch {
	case became.Muted:
		return
	case became.Dropped:
		if counted && (was.kept != nil || at.Before(was.from)) { // otherwise it already pages somebody, so no rule drops it any more
			delete(o.waiting, key)
		}
		return
	case !became.Fires():
		delete(o.waiting, key)
		return
	case !counted && len(o.waiting) >= maxTracked:
		o.more[in.TeamID]++
		return
	}
	a := waitingAlert{
		team: in.TeamID, policy: became.Policy, group: signal.GroupKey, severity: became.Severity, title: firstBytes(signal.Title, maxTitle), first: at,
	}
	if counted {
		a.first = was.first
	}
	a.from = a.first.Add(became.Hold.Duration())
	if became.Window != nil {
		a.kept = &oncall.Alert{Title: signal.Title, Severity: became.Severity, Labels: became.Labels}
	}
	o.waiting[key] = a
}

// pages reports whether a waiting alert would page somebody at an instant.
func (a waitingAlert) pages(k *Snapshot, key alertKey, now time.Time) bool {
	if now.Before(a.from) {
		return false
	}
	if a.kept == nil {
		return true
	}
	_, covered := oncall.CoveringWindow(k.windows, k.Sources[key.integration], *a.kept, now)
	return !covered
}
