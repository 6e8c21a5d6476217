package oncall

import (
	"maps"
	"slices"
	"time"
)

// How long a closed incident is taken back rather than opened anew.
const (
	// reopenWithin is for one that the monitor closed, when it fires again.
	reopenWithin = 5 * time.Minute
	// quietAfterResolve is for one that a person closed while the monitor still fires. The
	// next signal reopens it silently; it pages when this time is over.
	quietAfterResolve = 30 * time.Minute
	// maxMerges bounds how many merges of an incident are followed.
	maxMerges = 8
	// redrawCountAfter bounds how often a mere count is redrawn.
	redrawCountAfter = 3 * time.Second
)

// A Fold folds the signals of one integration, in order, into alerts and
// incidents. It holds what is stored of them and collects what is to be stored.
// An alert's key is its integration and dedup key, never its route, so that a resolve always
// finds what its trigger opened.
type Fold struct {
	Integration Integration
	Policy      Policy
	Policies    map[PolicyID]Policy // of incidents that follow another one by now
	Roster      Roster
	NewIncident func() IncidentID // the next free ids
	NewAlert    func() AlertID
	NextCount   func() int64 // counts the incidents of the policy; nil: no step needs it

	now       time.Time               // when the signal came that is being folded
	alerts    map[string]*Alert       // the latest of each dedup key
	groups    map[string]IncidentID   // the latest of each group key
	incidents map[IncidentID]*Change  // all signals make one change of each
	elsewhere map[IncidentID][]*Alert // of other integrations, that fire
	touched   map[AlertID]*Alert
}

// AddIncidents puts stored incidents in the fold, oldest first.
func (d *Fold) AddIncidents(incidents ...Incident) {
	for _, in := range incidents {
		d.add(in)
	}
}

func (d *Fold) add(in Incident) *Change {
	if d.incidents == nil {
		d.incidents, d.groups = map[IncidentID]*Change{}, map[string]IncidentID{}
	}
	c := in.begin(ByIntegration(d.Integration.Name), d.facts(), d.now)
	d.incidents[in.ID] = &c
	if in.IntegrationID == d.Integration.ID { // else it has taken in one of ours
		d.groups[in.GroupKey] = in.ID
	}
	return &c
}

// change is the change of an incident, nil if that is not in the fold. Its next steps are dated
// by the signal.
func (d *Fold) change(id IncidentID) *Change {
	c := d.incidents[id]
	if c != nil {
		c.now = d.now
	}
	return c
}

// AddAlerts puts stored alerts in the fold, oldest first: the latest of each dedup key
// that will be asked for, and every firing one of the incidents loaded.
func (d *Fold) AddAlerts(alerts ...Alert) {
	if d.alerts == nil {
		d.alerts = map[string]*Alert{}
	}
	for _, a := range alerts {
		d.alerts[a.DedupKey] = &a
	}
}

// Elsewhere notes that an alert of another integration belongs to an incident in the fold.
func (d *Fold) Elsewhere(a Alert) {
	if d.elsewhere == nil {
		d.elsewhere = map[IncidentID][]*Alert{}
	}
	if a.Firing {
		d.elsewhere[a.IncidentID] = append(d.elsewhere[a.IncidentID], &a)
	}
}

// Results gives the changed incidents in the order of their ids and the changed
// alerts in the order of theirs, once all signals are folded.
func (d *Fold) Results() ([]Change, []Alert) {
	var changes []Change
	for _, id := range slices.Sorted(maps.Keys(d.incidents)) {
		if c := *d.incidents[id]; len(c.Events) > 0 || c.Incident.SignalCount > c.before.SignalCount {
			d.entitle(&c.Incident)
			changes = append(changes, c.done())
		}
	}
	var alerts []Alert
	for _, id := range slices.Sorted(maps.Keys(d.touched)) {
		alerts = append(alerts, *d.touched[id])
	}
	return changes, alerts
}

func (d *Fold) touch(a *Alert) {
	if d.touched == nil {
		d.touched = map[AlertID]*Alert{}
	}
	d.touched[a.ID] = a
}

// Receive folds one signal that arrived at the instant given, and returns what became of it.
func (d *Fold) Receive(s Signal, at time.Time) Folded {
	if d.alerts == nil {
		d.alerts = map[string]*Alert{}
	}
	d.now = at
	switch s.Action {
	case AckSignal:
		return d.ack(s)
	case Clear:
		return d.clear(s)
	case Reconcile:
		return d.reconcile(s)
	default:
		return d.trigger(s)
	}
}

func (d *Fold) trigger(s Signal) Folded {
	a := d.alerts[s.DedupKey]
	switch {
	case a != nil && a.Firing && d.change(a.IncidentID) != nil:
		was := a.Title
		a.refresh(s, d.now)
		a.GroupKey = s.group() // editing a monitor's routes renames the group of a firing alert
		d.touch(a)
		f := d.again(a, s)
		d.misread(a, s, f.Incident)
		if a.Title != was {
			d.change(f.Incident).retitled(was)
		}
		return f
	case a != nil && a.late(s, d.now):
		a.LateUntil = nil
		a.Count, a.LastAt = a.Count+1, d.now
		d.touch(a)
		return d.setAside(a, s)
	}
	if a != nil && a.Firing { // its incident is gone
		a.Firing, a.ClearedAt = false, new(d.now)
		d.touch(a)
	}
	return d.fire(s)
}

// setAside notes in the incident, if there is any, that a signal is taken for late.
func (d *Fold) setAside(a *Alert, s Signal) Folded {
	c := d.follow(d.change(a.IncidentID))
	if c != nil {
		c.record(EventLate, c.by, Detail{Text: a.Title, Over: s.Action == Clear})
	}
	return c.fate(s, FateLate)
}

// again is a signal of an alert that is firing already: never a new page by
// itself, unless a person closed the incident while the monitor goes on.
func (d *Fold) again(a *Alert, s Signal) Folded {
	c := d.follow(d.change(a.IncidentID))
	if !c.Incident.Open() {
		c.reopen("still firing according to the monitor", latest(d.now, c.Incident.ResolvedAt.Add(quietAfterResolve)))
		return c.fate(s, FateReopened)
	}
	c.count(a.Severity)
	switch {
	case c.Incident.Status == Snoozed:
		return c.fate(s, FateSnoozed)
	case c.Incident.ID != a.IncidentID:
		return c.fate(s, FateMerged)
	}
	return c.fate(s, FateRepeated)
}

// fire begins a new alert: in the open incident of its group, in one that was
// closed a moment ago, or in a new one.
func (d *Fold) fire(s Signal) Folded {
	a := &Alert{
		ID: d.NewAlert(), IntegrationID: d.Integration.ID, DedupKey: s.DedupKey,
		GroupKey: s.group(), Firing: true, Severity: High, FirstAt: d.now,
	}
	a.refresh(s, d.now)
	d.alerts[s.DedupKey] = a
	d.touch(a)

	c, fate := d.follow(d.change(d.groups[a.GroupKey])), FateReopened
	switch {
	case c != nil && c.Incident.Open():
		c.record(EventAlertJoined, c.by, Detail{Text: a.Title})
		c.count(a.Severity)
		fate = FateJoined
	case c != nil && c.Incident.snoozing(d.now):
		c.dozeOff(firesAgain)
		c.count(a.Severity)
		fate = FateSnoozed
	case c != nil && c.Incident.ResolvedBy.User == "" && d.now.Sub(*c.Incident.ResolvedAt) < reopenWithin:
		c.reopen(firesAgain, d.now)
		c.runStep()
	default:
		c, fate = d.open(a), FateOpened
	}
	a.IncidentID = c.Incident.ID
	d.misread(a, s, a.IncidentID)
	return c.fate(s, fate)
}

// misread tells in the incident what was not understood of a signal, once for each field of an alert.
func (d *Fold) misread(a *Alert, s Signal, id IncidentID) {
	for _, h := range s.Hints {
		if slices.Contains(a.Misread, h.Field) {
			continue
		}
		a.Misread = append(a.Misread, h.Field)
		c := d.change(id)
		c.record(EventMisread, c.by, Detail{Text: h.Text})
	}
}

const firesAgain = "the monitor fires again"

// follow goes on to what an incident was merged into, if that is in the fold, and from there to
// what that was merged into.
func (d *Fold) follow(c *Change) *Change {
	for range maxMerges {
		if c == nil || c.Incident.MergedInto == 0 || d.incidents[c.Incident.MergedInto] == nil {
			break
		}
		c = d.change(c.Incident.MergedInto)
	}
	return c
}

// open makes a new incident and pages its first step at once, without the detour over a timer.
func (d *Fold) open(a *Alert) *Change {
	in := Incident{
		ID: d.NewIncident(), TeamID: d.Integration.TeamID, PolicyID: d.Policy.ID,
		IntegrationID: d.Integration.ID, GroupKey: a.GroupKey,
		Title: a.Title, Body: a.Body, Link: a.Link, Severity: a.Severity,
		Status: Triggered, Version: 1, OpenedAt: d.now, SignalCount: 1, LastSignalAt: d.now,
	}
	if d.NextCount != nil {
		in.RoundRobinCount = d.NextCount()
	}
	c := d.add(in)
	c.record(EventOpened, c.by, Detail{Text: a.Title})
	c.runStep()
	return c
}

// count counts one more signal of an open incident. Its message follows within seconds, once,
// however many signals there are.
func (c *Change) count(sev Severity) {
	in := &c.Incident
	if sev.Worse(in.Severity) {
		c.raise(sev)
	}
	in.SignalCount++
	in.LastSignalAt = c.now
	if r := in.RedrawAt; r == nil || !r.After(c.now) {
		in.RedrawAt = new(c.now.Add(redrawCountAfter))
		c.Tasks = append(c.Tasks, Task{Do: Draw{Incident: in.ID, Version: in.Version, Count: true}, At: *in.RedrawAt})
	}
}

func (d *Fold) ack(s Signal) Folded {
	a := d.alerts[s.DedupKey]
	if a == nil || !a.Firing {
		return Folded{Signal: s, Fate: FateUnmatched}
	}
	c := d.change(a.IncidentID)
	if c != nil && c.Incident.Status == Triggered {
		_ = c.ack(Act{Do: ActAck}) // a refusal changes nothing, and there is nobody to tell
	}
	return c.fate(s, FateAcknowledged)
}

func (d *Fold) clear(s Signal) Folded {
	a := d.alerts[s.DedupKey]
	switch {
	case a == nil:
		// A tombstone, for should the trigger come later than its own end.
		a = &Alert{
			ID: d.NewAlert(), IntegrationID: d.Integration.ID, DedupKey: s.DedupKey,
			GroupKey: s.group(), Severity: High, FirstAt: d.now, ClearedAt: new(d.now),
		}
		a.refresh(s, d.now)
		d.alerts[s.DedupKey] = a
	case a.lateEnd(s):
		return d.setAside(a, s)
	case a.Firing:
		a.refresh(Signal{}, d.now)
		a.ended(s, d.now)
		return d.cleared(a).fate(s, FateCleared)
	}
	a.ended(s, d.now)
	d.touch(a)
	return Folded{Signal: s, Fate: FateUnmatched, Incident: a.IncidentID}
}

// reconcile closes what the monitor no longer lists. That is only concluded from what is absent, so
// nothing that comes afterwards is late. A list that names something as firing that is over, or as over
// that fires, is late itself, and nothing is concluded from it.
func (d *Fold) reconcile(s Signal) Folded {
	firing := func(key string) bool { return d.alerts[key] != nil && d.alerts[key].Firing }
	quiet := func(key string) bool { return !firing(key) }
	if slices.ContainsFunc(s.Present, quiet) || slices.ContainsFunc(s.Ended, firing) {
		return Folded{Signal: s, Fate: FateLate}
	}
	var c *Change
	fate := FateListed
	for _, key := range slices.Sorted(maps.Keys(d.alerts)) {
		a := d.alerts[key]
		if a.Firing && a.GroupKey == s.GroupKey && !slices.Contains(s.Present, key) {
			c, fate = d.cleared(a), FateCleared
		}
	}
	return c.fate(s, fate)
}

// cleared ends one alert, and its incident with the last of them.
func (d *Fold) cleared(a *Alert) *Change {
	a.Firing = false
	a.ClearedAt = new(d.now)
	d.touch(a)
	c := d.change(a.IncidentID)
	if c == nil || !c.Incident.Open() {
		return c
	}
	if d.fires(a.IncidentID) {
		c.record(EventAlertResolved, c.by, Detail{Text: a.Title})
		return c
	}
	_ = c.resolve(Act{Do: ActResolve}) // an open one always can be
	return c
}

// fires reports whether any alert of the incident does.
func (d *Fold) fires(id IncidentID) bool {
	if len(d.elsewhere[id]) > 0 {
		return true
	}
	for _, a := range d.alerts {
		if a.Firing && a.IncidentID == id {
			return true
		}
	}
	return false
}

// facts are what decisions about the fold's incidents depend on.
func (d *Fold) facts() Facts {
	if d.Policies == nil {
		d.Policies = map[PolicyID]Policy{d.Policy.ID: d.Policy}
	}
	return Facts{Policies: d.Policies, Roster: d.Roster}
}
