package oncall

import "slices"

// openUnlessSuppressed puts an alert into an incident, unless a rule drops or holds it or maintenance keeps it.
func (f *Fold) openUnlessSuppressed(alert *Alert, signal Signal, before *Alert) FoldedSignal {
	f.choose(alert, signal)
	f.touch(alert)
	alert.GroupKey = f.Integration.groupOf(Signal{DedupKey: alert.DedupKey, GroupKey: signal.GroupKey, Labels: alert.Labels}, alert.Route)
	r, heldBefore := alert.Route, alert.HeldUntil != nil
	alert.Dropped, alert.HeldUntil = false, nil
	if r != nil && r.drop {
		alert.Dropped = true
		f.tally(r.name()).Dropped++
		return FoldedSignal{Signal: signal, Result: FoldDropped}
	}
	if f.keepForMaintenance(alert) {
		return FoldedSignal{Signal: signal, Result: FoldKept}
	}
	if r != nil && r.Hold > 0 && alert.Severity != Critical && r.Said != Critical && // critical alerts never wait
		alert.FirstAt.Add(r.Hold.Duration()).After(f.arrivedAt) {
		alert.HeldUntil = new(alert.FirstAt.Add(r.Hold.Duration()))
		if !heldBefore {
			f.tally(r.name()).Held++
		}
		return FoldedSignal{Signal: signal, Result: FoldHeld}
	}
	return f.openFor(alert, signal, before)
}

// openFor puts a new alert into the open incident of its group, a recently closed one, a storm, or a
// new incident. Before is the previous alert with the same key, or nil.
func (f *Fold) openFor(alert *Alert, signal Signal, before *Alert) FoldedSignal {
	var previous IncidentID
	if before != nil {
		previous = before.IncidentID
	}
	change, result := f.follow(f.change(f.groups[f.incidentGroup(alert)])), FoldReopened
	if change != nil && (change.Incident.Storm != nil || !f.joins(change, alert, previous)) {
		change = nil // openOrJoinStorm decides about storms
	}
	switch {
	case change != nil && change.Incident.Open():
		if result = FoldJoined; previous == change.Incident.ID && change.Incident.Flapping() {
			result = f.refireFlapping(change, before, alert)
			break
		}
		f.joinGroup(change, alert)
	case change != nil && change.Incident.snoozing(f.arrivedAt):
		change.reopenSnoozed(firesAgain)
		change.count(alert.Severity)
		result = FoldSnoozed
	case change != nil && change.Incident.ResolvedBy.User == "" && f.arrivedAt.Sub(*change.Incident.ResolvedAt) < reopenWithin:
		f.reopenOrFlap(change, alert.Severity)
	default:
		change, result = f.openOrJoinStorm(alert)
	}
	alert.IncidentID = change.Incident.ID
	f.noteMisread(alert, signal, alert.IncidentID)
	f.noteRoute(alert)
	return change.folded(signal, result)
}

const firesAgain = "the monitor fires again"

// openOrJoinStorm puts an alert into its integration's current storm, a new storm, or its own new incident.
func (f *Fold) openOrJoinStorm(alert *Alert) (*Change, FoldResult) {
	storm := f.storm(f.policyOf(alert))
	switch {
	case f.joinStorm(storm, alert):
		return storm, FoldJoined
	case storm == nil && f.startsStorm(alert):
		return f.openStorm(alert), FoldOpened
	}
	c := f.open(alert)
	if storm != nil {
		s := storm.editStorm()
		s.Own = append(s.Own, f.arrivedAt)
		storm.record(EventStormOwn, storm.by, Detail{Incident: c.Incident.ID, Text: alert.Service(f.Integration)})
	}
	return c, FoldOpened
}

// open opens an incident and runs the policy's first step at once, without a timer.
func (f *Fold) open(a *Alert) *Change {
	id := f.canary(a)
	if id == 0 {
		f.LastIncident++
		id = f.LastIncident
	}
	in := f.newIncident(id, a)
	c := f.add(in)
	f.recent = append(f.recent, RecentIncident{ID: in.ID, PolicyID: in.PolicyID, OpenedAt: f.arrivedAt})
	c.record(EventOpened, c.by, Detail{Text: a.Title})
	f.pagesFromNow(c)
	c.runStep()
	return c
}

// newIncident makes the incident that an alert opens.
func (f *Fold) newIncident(id IncidentID, a *Alert) Incident {
	policy := f.policyOf(a)
	in := Incident{
		ID: id, TeamID: f.Integration.TeamID, PolicyID: policy,
		IntegrationID: f.Integration.ID, GroupKey: f.incidentGroup(a),
		Title: a.Title, Body: cutLead(a.Body), Link: a.Link, Severity: a.Severity,
		Status: Triggered, Version: 1, OpenedAt: f.arrivedAt, SignalCount: 1, LastSignalAt: f.arrivedAt,
	}
	if f.facts().CountsIncidents(policy) {
		if f.NextCounts == nil {
			f.NextCounts = map[PolicyID]int64{}
		}
		in.RoundRobinCount = f.NextCounts[policy]
		f.NextCounts[policy]++
	}
	return in
}

// newAlertID takes an unused id. It panics if the fold was given too few.
func (f *Fold) newAlertID() AlertID {
	id := f.AlertIDs[0]
	f.AlertIDs = f.AlertIDs[1:]
	return id
}

// policyOf returns the policy for an alert: the one its rule names, or else the integration's.
func (f *Fold) policyOf(a *Alert) PolicyID {
	if a.Route != nil && a.Route.Policy != 0 {
		if p, known := f.facts().Policies[a.Route.Policy]; known && !p.Removed {
			return p.ID
		}
	}
	return f.Policy.ID
}

func (f *Fold) incidentGroup(a *Alert) string { return a.GroupKey + f.Integration.groupSuffix(a.Route) }

// noteMisread notes in the incident which fields of a signal were not understood. Each field of an
// alert or a storm is noted once.
func (f *Fold) noteMisread(a *Alert, s Signal, id IncidentID) {
	for _, hint := range s.Hints {
		if slices.Contains(a.Misread, hint.Field) {
			continue
		}
		a.Misread = append(a.Misread, hint.Field)
		c := f.change(id)
		if c.Incident.Storm != nil {
			st := c.editStorm()
			if slices.Contains(st.Misread, hint.Field) {
				continue
			}
			st.Misread = append(st.Misread, hint.Field)
		}
		c.record(EventMisread, c.by, Detail{Text: hint.Text})
	}
}

// pagesFromNow dates the rest of a replayed change with the time of folding, so that it doesn't page
// in the past.
func (f *Fold) pagesFromNow(c *Change) { c.now = latest(c.now, f.replayedAt) }
