package oncall

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
