package oncall

import (
	"maps"
	"slices"
	"time"
)

// How long a closed incident is taken back rather than opened anew.
const (
	// reopenWithin: the monitor closed it and speaks up again.
	reopenWithin = 5 * time.Minute
	// quietAfterResolve: a person closed it while the monitor still fires. The
	// next signal reopens it silently; it pages when this time is over.
	quietAfterResolve = 30 * time.Minute
	// maxMerges bounds how often an incident that was merged is followed further.
	maxMerges = 8
	// redrawCountAfter bounds how often a mere count is redrawn.
	redrawCountAfter = 3 * time.Second
)

// A Desk folds the signals of one integration, in order, into alerts and
// incidents. It holds what is stored of them and collects what is to be stored.
// Key = (integration, dedup key): never the route, so that a resolve always finds
// what its trigger opened.
type Desk struct {
	Integration Integration
	Policy      Policy
	Policies    map[PolicyID]Policy // of incidents that have come to follow another one
	Roster      Roster
	NewIncident func() IncidentID // the next free ids
	NewAlert    func() AlertID
	NewTurn     func() int64 // counts the incidents of the policy; nil: no step needs it

	alerts    map[string]*Alert // the latest of each dedup key
	groups    map[string]*seat  // the latest incident of each group key
	incidents map[IncidentID]*seat
	elsewhere map[IncidentID]int // how many alerts of other integrations fire
	touched   map[AlertID]*Alert
}

// A seat is one incident at the desk with what has been decided of it.
type seat struct {
	Incident
	change  Change
	changed bool
}

// Seat puts stored incidents on the desk, oldest first.
func (d *Desk) Seat(incidents ...Incident) {
	for _, in := range incidents {
		d.seat(in)
	}
}

func (d *Desk) seat(in Incident) *seat {
	if d.incidents == nil {
		d.incidents, d.groups = map[IncidentID]*seat{}, map[string]*seat{}
	}
	s := &seat{Incident: in}
	d.incidents[in.ID] = s
	if in.IntegrationID == d.Integration.ID { // else it has taken in one of ours
		d.groups[in.GroupKey] = s
	}
	return s
}

// Lay puts stored alerts on the desk, oldest first: the latest of each dedup key
// that will be asked for, and every firing one of the incidents seated.
func (d *Desk) Lay(alerts ...Alert) {
	if d.alerts == nil {
		d.alerts = map[string]*Alert{}
	}
	for _, a := range alerts {
		d.alerts[a.DedupKey] = &a
	}
}

// Elsewhere notes that an alert of another integration belongs to an incident on the desk.
func (d *Desk) Elsewhere(a Alert) {
	if d.elsewhere == nil {
		d.elsewhere = map[IncidentID]int{}
	}
	if a.Firing {
		d.elsewhere[a.IncidentID]++
	}
}

// Results gives the changed incidents in the order of their ids and the changed
// alerts in the order of theirs, once all signals are folded.
func (d *Desk) Results() ([]Change, []Alert) {
	var changes []Change
	for _, id := range slices.Sorted(maps.Keys(d.incidents)) {
		if s := d.incidents[id]; s.changed {
			s.change.Incident = s.Incident
			changes = append(changes, s.change)
		}
	}
	var alerts []Alert
	for _, id := range slices.Sorted(maps.Keys(d.touched)) {
		alerts = append(alerts, *d.touched[id])
	}
	return changes, alerts
}

// take makes a decision part of what the desk has to say of the incident.
func (s *seat) take(c Change) {
	s.Incident = c.Incident
	s.changed = true
	s.change = s.change.then(c)
}

func (d *Desk) touch(a *Alert) {
	if d.touched == nil {
		d.touched = map[AlertID]*Alert{}
	}
	d.touched[a.ID] = a
}

// Receive folds one signal that arrived at the instant given.
func (d *Desk) Receive(s Signal, at time.Time) {
	if d.alerts == nil {
		d.alerts = map[string]*Alert{}
	}
	switch s.Action {
	case Trigger:
		d.trigger(s, at)
	case AckSignal:
		d.ack(s, at)
	case Clear:
		d.clear(s, at)
	case Reconcile:
		d.reconcile(s, at)
	}
}

func (d *Desk) trigger(s Signal, at time.Time) {
	a := d.alerts[s.DedupKey]
	switch {
	case a != nil && a.Firing:
		a.refresh(s, at)
		a.GroupKey = s.group() // editing a monitor's routes renames the group of a firing alert
		d.touch(a)
		d.again(a, at)
	case a != nil && a.stale(s):
		return
	default:
		d.fire(s, at)
	}
}

// again is a signal of an alert that is firing already: never a new page by
// itself, unless a person closed the incident while the monitor goes on.
func (d *Desk) again(a *Alert, at time.Time) {
	in := d.follow(d.incidents[a.IncidentID])
	if in == nil {
		return
	}
	if !in.Open() {
		c := d.begin(in, at)
		c.reopen("still firing according to the monitor", latest(at, in.ResolvedAt.Add(quietAfterResolve)))
		in.take(c.done())
		return
	}
	d.count(in, a.Severity, at)
}

// fire begins a new alert: in the open incident of its group, in one that was
// closed a moment ago, or in a new one.
func (d *Desk) fire(s Signal, at time.Time) {
	a := &Alert{
		ID: d.NewAlert(), IntegrationID: d.Integration.ID, DedupKey: s.DedupKey,
		GroupKey: s.group(), Firing: true, Severity: High, FirstAt: at,
	}
	a.refresh(s, at)
	d.alerts[s.DedupKey] = a
	d.touch(a)

	in := d.follow(d.groups[a.GroupKey])
	switch {
	case in != nil && in.Open():
		d.join(in, a, at)
	case in != nil && in.snoozing(at):
		c := d.begin(in, at)
		c.dozeOff(firesAgain)
		in.take(c.done())
		d.count(in, a.Severity, at)
	case in != nil && in.ResolvedBy.User == "" && at.Sub(*in.ResolvedAt) < reopenWithin:
		c := d.begin(in, at)
		c.reopen(firesAgain, at)
		in.take(c.done())
		d.page(in, at)
	default:
		in = d.open(a, at)
	}
	a.IncidentID = in.ID
}

const firesAgain = "the monitor fires again"

// follow goes to where an incident was merged into, if that is on the desk. What was
// merged once can't be merged again, but where it went can; no loop comes of more.
func (d *Desk) follow(s *seat) *seat {
	for range maxMerges {
		if s == nil || s.MergedInto == 0 || d.incidents[s.MergedInto] == nil {
			break
		}
		s = d.incidents[s.MergedInto]
	}
	return s
}

func (d *Desk) join(in *seat, a *Alert, at time.Time) {
	c := d.begin(in, at)
	c.record(EventAlertJoined, c.by, Detail{Text: a.Title})
	in.take(c.done())
	d.count(in, a.Severity, at)
}

// open makes a new incident and pages its first step at once.
func (d *Desk) open(a *Alert, at time.Time) *seat {
	in := d.seat(Incident{
		ID: d.NewIncident(), TeamID: d.Integration.TeamID, PolicyID: d.Policy.ID,
		IntegrationID: d.Integration.ID, GroupKey: a.GroupKey,
		Title: a.Title, Body: a.Body, Link: a.Link, Severity: a.Severity,
		Status: Triggered, OpenedAt: at, SignalCount: 1, LastSignalAt: at,
	})
	if d.NewTurn != nil {
		in.Turn = d.NewTurn()
	}
	c := d.begin(in, at)
	c.record(EventOpened, c.by, Detail{Text: a.Title})
	in.take(c.done())
	d.page(in, at)
	return in
}

// page runs the step that is due now without the detour over a timer.
func (d *Desk) page(in *seat, at time.Time) {
	if c, due := in.RunTimer(in.Seq, d.facts(), at); due {
		in.take(c)
	}
}

// count notes one more signal of an open incident. The message follows within
// seconds, once, however many there are.
func (d *Desk) count(in *seat, sev Severity, at time.Time) {
	if sev.Worse(in.Severity) {
		c := d.begin(in, at)
		c.raise(sev)
		in.take(c.done())
	}
	c := d.begin(in, at)
	c.Incident.SignalCount++
	c.Incident.LastSignalAt = at
	if r := in.RedrawAt; r == nil || !r.After(at) {
		due := at.Add(redrawCountAfter)
		c.Incident.RedrawAt = &due
		c.Tasks = []Task{{Do: Draw{Incident: in.ID, Version: c.Incident.Version}, At: due}}
	}
	in.take(c)
}

func (d *Desk) ack(s Signal, at time.Time) {
	a := d.alerts[s.DedupKey]
	if a == nil || !a.Firing {
		return
	}
	if in := d.incidents[a.IncidentID]; in != nil && in.Status == Triggered {
		if c, err := in.Do(Act{Do: ActAck}, d.actor(), d.facts(), at); err == nil {
			in.take(c)
		}
	}
}

func (d *Desk) clear(s Signal, at time.Time) {
	a := d.alerts[s.DedupKey]
	if a == nil {
		// A tombstone: should the trigger come later than its own end, it is stale.
		a = &Alert{
			ID: d.NewAlert(), IntegrationID: d.Integration.ID, DedupKey: s.DedupKey,
			GroupKey: s.group(), Severity: High, FirstAt: at, ClearedAt: &at,
		}
		a.refresh(s, at)
		d.alerts[s.DedupKey] = a
		d.touch(a)
		return
	}
	if a.Firing {
		a.refresh(Signal{StartsAt: s.StartsAt}, at)
		d.cleared(a, at)
	}
}

// reconcile closes what the monitor no longer lists.
func (d *Desk) reconcile(s Signal, at time.Time) {
	for _, key := range slices.Sorted(maps.Keys(d.alerts)) {
		a := d.alerts[key]
		if a.Firing && a.GroupKey == s.GroupKey && !slices.Contains(s.Present, key) {
			d.cleared(a, at)
		}
	}
}

// cleared ends one alert, and its incident with the last of them.
func (d *Desk) cleared(a *Alert, at time.Time) {
	a.Firing = false
	a.ClearedAt = &at
	d.touch(a)
	in := d.incidents[a.IncidentID]
	if in == nil || !in.Open() {
		return
	}
	if d.fires(in.ID) {
		c := d.begin(in, at)
		c.record(EventAlertResolved, c.by, Detail{Text: a.Title})
		in.take(c.done())
		return
	}
	if c, err := in.Do(Act{Do: ActResolve}, d.actor(), d.facts(), at); err == nil {
		in.take(c)
	}
}

// fires reports whether any alert of the incident does.
func (d *Desk) fires(id IncidentID) bool {
	if d.elsewhere[id] > 0 {
		return true
	}
	for _, a := range d.alerts {
		if a.Firing && a.IncidentID == id {
			return true
		}
	}
	return false
}

// facts are what decisions about the desk's incidents depend on.
func (d *Desk) facts() Facts {
	if d.Policies == nil {
		d.Policies = map[PolicyID]Policy{d.Policy.ID: d.Policy}
	}
	return Facts{Policies: d.Policies, Roster: d.Roster}
}

// begin starts a change of an incident on the desk, by what the monitor says.
func (d *Desk) begin(in *seat, at time.Time) Change {
	return in.begin(d.actor(), d.facts(), at)
}

func (d *Desk) actor() Actor { return ByIntegration(d.Integration.Name) }

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
