package oncall

import "slices"

// openOrJoinStorm puts an alert into its integration's current storm, a new storm, or its own new incident.
func (f *Fold) openOrJoinStorm(a *Alert) (*Change, Fate) {
	storm := f.storm(f.policyOf(a))
	switch {
	case f.joinStorm(storm, a):
		return storm, FateJoined
	case storm == nil && f.breaksOut(a):
		return f.openStorm(a), FateOpened
	}
	c := f.open(a)
	if storm != nil {
		s := storm.editStorm()
		s.Own = append(s.Own, f.now)
		storm.record(EventStormOwn, storm.by, Detail{Incident: c.Incident.ID, Text: a.Service(f.Integration)})
	}
	return c, FateOpened
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
	f.recent = append(f.recent, RecentIncident{ID: in.ID, PolicyID: in.PolicyID, OpenedAt: f.now})
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
		Status: Triggered, Version: 1, OpenedAt: f.now, SignalCount: 1, LastSignalAt: f.now,
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

// policyOf is the policy for an alert: the one that its rule names, or else the integration's.
func (f *Fold) policyOf(a *Alert) PolicyID {
	if a.Route != nil && a.Route.Policy != 0 {
		if p, known := f.facts().Policies[a.Route.Policy]; known && !p.Removed {
			return p.ID
		}
	}
	return f.Policy.ID
}

func (f *Fold) incidentGroup(a *Alert) string { return a.GroupKey + f.Integration.apart(a.Route) }

// noteMisread notes in the incident which fields of a signal were not understood, once for each field of an alert or of
// a storm.
func (f *Fold) noteMisread(a *Alert, s Signal, id IncidentID) {
	for _, h := range s.Hints {
		if slices.Contains(a.Misread, h.Field) {
			continue
		}
		a.Misread = append(a.Misread, h.Field)
		c := f.change(id)
		if c.Incident.Storm != nil {
			st := c.editStorm()
			if slices.Contains(st.Misread, h.Field) {
				continue
			}
			st.Misread = append(st.Misread, h.Field)
		}
		c.record(EventMisread, c.by, Detail{Text: h.Text})
	}
}

// pagesFromNow dates the rest of a change with the time of folding if the signal is replayed, so that it doesn't
// page in the past.
func (f *Fold) pagesFromNow(c *Change) { c.now = latest(c.now, f.replaying) }
