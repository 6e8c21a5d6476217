package oncall

import (
	"maps"
	"slices"
	"time"
)

// For how long an incident that fires again is reopened, instead of a new one being opened.
const (
	// reopenWithin is for one that the monitor closed, when it fires again.
	reopenWithin = 5 * time.Minute
	// quietAfterResolve is for one that a person closed while the monitor still fires. The
	// next signal reopens it silently; it pages when this time is over.
	quietAfterResolve = 30 * time.Minute
)

// Bounds of a fold.
const (
	// MaxMerges is how many merges of an incident are followed.
	MaxMerges = 8
	// redrawCountAfter is how often a message is redrawn for nothing but a count.
	redrawCountAfter = 3 * time.Second
)

// A Fold folds the signals of one integration, in order, into alerts and
// incidents. It holds what is stored of them and collects what is to be stored.
// An alert's key is its integration and dedup key, never its group, so that a resolve always
// finds what its trigger opened.
type Fold struct {
	Integration Integration
	Policy      Policy
	Policies    map[PolicyID]Policy // of incidents that follow another one by now
	Roster      Roster
	Silencing   bool          // as in Facts
	Maintenance []Maintenance // that are not over

	// What new incidents and alerts are numbered with. Whatever was used is gone from it.
	LastIncident IncidentID         // ids are counted on from it, without a hole
	AlertIDs     []AlertID          // free ones, one for each signal at least
	NextCounts   map[PolicyID]int64 // what the next incident of a policy counts, where that matters

	Route   func(Signal) Routing      // what the routes make of a signal; nil: there are none
	Tallies map[RouteName]*RouteTally // what they have made of all of them

	Sender string    // what its signals were recognised as anew, if they were
	Now    time.Time // when it is folded; signals may have come long before

	now       time.Time               // when the signal came that is being folded
	replaying time.Time               // when it is folded, if it was kept since; else zero
	alerts    map[string]*Alert       // the latest of each dedup key
	groups    map[string]IncidentID   // the latest of each group key
	incidents map[IncidentID]*Change  // all signals make one change of each
	elsewhere map[IncidentID][]*Alert // of other integrations, that fire
	recent    []RecentIncident        // for storms
	calm      map[IncidentID]bool     // alerts of it fire that are not loaded: they are too many
	others    map[IncidentID]OtherAlerts
	touched   map[AlertID]*Alert
	services  map[IncidentID][]string // of alerts that have cleared
}

// AddIncidents puts stored incidents in the fold, oldest first.
func (f *Fold) AddIncidents(incidents ...Incident) {
	for _, in := range incidents {
		f.add(in)
	}
}

func (f *Fold) add(in Incident) *Change {
	if f.incidents == nil {
		f.incidents, f.groups = map[IncidentID]*Change{}, map[string]IncidentID{}
	}
	c := in.begin(ByIntegration(f.Integration.Name), f.facts(), f.now)
	f.incidents[in.ID] = &c
	if in.IntegrationID == f.Integration.ID { // else it has taken in one of ours
		f.groups[in.GroupKey] = in.ID
	}
	return &c
}

// change returns the change of an incident; nil if the incident is not in the fold. What it does next
// happens at the time of the signal.
func (f *Fold) change(id IncidentID) *Change {
	c := f.incidents[id]
	if c != nil {
		c.now = f.now
	}
	return c
}

// AddAlerts puts stored alerts in the fold, oldest first: the latest of each dedup key
// that will be asked for, and every firing one of the incidents loaded, unless these are too many.
func (f *Fold) AddAlerts(alerts ...Alert) {
	if f.alerts == nil {
		f.alerts = map[string]*Alert{}
	}
	for _, a := range alerts {
		f.alerts[a.DedupKey] = &a
	}
}

// Elsewhere notes that an alert of another integration belongs to an incident in the fold.
func (f *Fold) Elsewhere(a Alert) {
	if f.elsewhere == nil {
		f.elsewhere = map[IncidentID][]*Alert{}
	}
	if a.Firing {
		f.elsewhere[a.IncidentID] = append(f.elsewhere[a.IncidentID], &a)
	}
}

// Ended notes that an alert which has cleared belongs to an incident in the fold. What is known of it is only
// what it was about.
func (f *Fold) Ended(a Alert) {
	if a.IncidentID == 0 {
		return
	}
	if f.services == nil {
		f.services = map[IncidentID][]string{}
	}
	if s := a.Service(f.Integration); !slices.Contains(f.services[a.IncidentID], s) {
		f.services[a.IncidentID] = append(f.services[a.IncidentID], s)
	}
}

// Results gives the changed incidents in the order of their ids and the changed
// alerts in the order of theirs, once all signals are folded.
func (f *Fold) Results() ([]Change, []Alert) {
	var changes []Change
	for _, id := range slices.Sorted(maps.Keys(f.incidents)) {
		if c := *f.incidents[id]; len(c.Events) > 0 || c.counted || c.Incident.SignalCount > c.before.SignalCount {
			switch {
			case c.Incident.Storm == nil:
				f.retitle(&c.Incident)
			case c.counted:
				c.redrawStorm(latest(f.Now, f.now))
			}
			changes = append(changes, c.done())
		}
	}
	var alerts []Alert
	for _, id := range slices.Sorted(maps.Keys(f.touched)) {
		alerts = append(alerts, *f.touched[id])
	}
	return changes, alerts
}

func (f *Fold) touch(a *Alert) {
	if f.touched == nil {
		f.touched = map[AlertID]*Alert{}
	}
	f.touched[a.ID] = a
}

// Receive folds one signal that arrived at the instant given, and returns what became of it.
func (f *Fold) Receive(s Signal, at time.Time) SignalFate {
	if f.alerts == nil {
		f.alerts = map[string]*Alert{}
	}
	f.now = at
	if f.Integration.IsMuted(at) && (s.Action == Trigger || s.Action == AckSignal || s.Action == Release) { // what fires may still end
		return SignalFate{Signal: s, Fate: FateMuted}
	}
	if s.Action == Trigger && !s.Expires.IsZero() && f.expired(s) {
		s.Action = Clear
	}
	was := f.alerts[s.DedupKey]
	var became SignalFate
	switch s.Action {
	case AckSignal:
		became = f.ack(s)
	case Clear:
		if s.Aged {
			return f.age(s)
		}
		became = f.clear(s)
	case Reconcile:
		became = f.reconcile(s)
	case Update:
		became = f.update(s)
	case Split:
		became = f.split(s)
	case Release:
		became = f.release(s)
	case PingSignal: // of a release that keeps pings here
		return SignalFate{Signal: s, Fate: FateUnmatched}
	default:
		became = f.trigger(s)
	}
	if a := f.alerts[s.DedupKey]; a != nil && (a.Firing || was != nil) {
		f.takeNotes(a, s)
	}
	return became
}

func (f *Fold) trigger(s Signal) SignalFate {
	a := f.alerts[s.DedupKey]
	switch {
	case a != nil && a.Firing && a.Kept:
		a.refresh(s, f.now)
		return f.stillKept(a, s)
	case a != nil && a.aside():
		return f.stillAside(a, s)
	case a != nil && a.Firing && f.change(a.IncidentID) != nil:
		was := *a
		a.refresh(s, f.now)
		f.routeAgain(a, was, s)
		a.GroupKey = f.Integration.groupOf(Signal{DedupKey: s.DedupKey, GroupKey: s.GroupKey, Labels: a.Labels}, a.Route) // editing a monitor's routes renames the group of a firing alert
		f.touch(a)
		became := f.stillFiring(a, s, a.Severity.Worse(was.Severity))
		f.misread(a, s, became.Incident)
		if a.Title != was.Title {
			f.change(became.Incident).retitled(was.Title)
		}
		return became
	case a != nil && a.late(s, f.now):
		a.LateUntil = nil
		a.Count, a.LastAt = a.Count+1, f.now
		f.touch(a)
		return f.setAside(a, s)
	}
	if a != nil && a.Firing { // its incident is gone
		a.Firing, a.ClearedAt = false, new(f.now)
		f.touch(a)
	}
	return f.fire(s)
}

// setAside notes in the alert's incident, if it has one, that a signal came late and changes nothing.
func (f *Fold) setAside(a *Alert, s Signal) SignalFate {
	c := f.follow(f.change(a.IncidentID))
	if c != nil && c.Incident.Storm == nil {
		c.record(EventLate, c.by, Detail{Text: a.Title, Over: s.Action == Clear})
	}
	return c.fate(s, FateLate)
}

// stillFiring handles a signal of an alert that is firing already. It pages only if the alert got worse, or if
// a person closed the incident while the monitor goes on. If it didn't get worse, a severity that people
// have chosen stays.
func (f *Fold) stillFiring(a *Alert, s Signal, worse bool) SignalFate {
	c := f.follow(f.change(a.IncidentID))
	if !c.Incident.Open() {
		if f.keep(a) {
			return c.fate(s, FateKept)
		}
		from := latest(f.now, c.Incident.ResolvedAt.Add(quietAfterResolve))
		if worse && a.Severity.Worse(c.Incident.Severity) { // that is not what was closed
			from = f.now
		}
		c.reopenByMonitor("still firing according to the monitor", from)
		if worse {
			c.worsen(a.Severity)
		}
		return c.fate(s, FateReopened)
	}
	if worse {
		c.count(a.Severity)
	} else {
		c.count(c.Incident.Severity)
	}
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
func (f *Fold) fire(s Signal) SignalFate {
	a := &Alert{
		ID: f.newAlertID(), IntegrationID: f.Integration.ID, DedupKey: s.DedupKey,
		GroupKey: s.GroupKey, Firing: true, Severity: High, FirstAt: f.now, Keyless: s.Keyless,
	}
	a.refresh(s, f.now)
	before := f.alerts[s.DedupKey]
	if before != nil {
		f.Ended(*before)
	}
	f.alerts[s.DedupKey] = a
	return f.openUnlessAside(a, s, before)
}

// openFor finds or opens the incident of an alert that fires. Before is the latest alert under the same
// key; nil if there was none.
func (f *Fold) openFor(a *Alert, s Signal, before *Alert) SignalFate {
	var was IncidentID
	if before != nil {
		was = before.IncidentID
	}
	c, fate := f.follow(f.change(f.groups[f.incidentGroup(a)])), FateReopened
	if c != nil && (c.Incident.Storm != nil || !f.joins(c, a, was)) {
		c = nil // what comes back to a storm joins it like anything else, or stands for itself
	}
	switch {
	case c != nil && c.Incident.Open():
		if fate = FateJoined; was == c.Incident.ID && c.Incident.Flapping() {
			fate = f.comeBack(c, before, a)
			break
		}
		f.joinGroup(c, a)
	case c != nil && c.Incident.snoozing(f.now):
		c.reopenSnoozed(firesAgain)
		c.count(a.Severity)
		fate = FateSnoozed
	case c != nil && c.Incident.ResolvedBy.User == "" && f.now.Sub(*c.Incident.ResolvedAt) < reopenWithin:
		f.reopenOrFlap(c, a.Severity)
	default:
		c, fate = f.openOrJoinStorm(a)
	}
	a.IncidentID = c.Incident.ID
	f.misread(a, s, a.IncidentID)
	f.noteRoute(a)
	return c.fate(s, fate)
}

const firesAgain = "the monitor fires again"

// follow returns the incident into which one was merged, through several merges, as far as they are in
// the fold.
func (f *Fold) follow(c *Change) *Change {
	for range MaxMerges {
		if c == nil || c.Incident.MergedInto == 0 || f.incidents[c.Incident.MergedInto] == nil {
			break
		}
		c = f.change(c.Incident.MergedInto)
	}
	return c
}

// count counts one more signal of an open incident.
func (c *Change) count(sev Severity) {
	in := &c.Incident
	if sev.Worse(in.Severity) {
		c.raise(sev)
	}
	in.SignalCount++
	in.LastSignalAt = c.now
	c.stir()
	c.recount()
}

// recount redraws the incident's counts within seconds, once, however many signals there are.
func (c *Change) recount() {
	in := &c.Incident
	if in.Storm != nil {
		c.counted = true
		return
	}
	if r := in.RedrawAt; r == nil || !r.After(c.now) {
		in.RedrawAt = new(c.now.Add(redrawCountAfter))
		c.Tasks = append(c.Tasks, Task{Do: Draw{Incident: in.ID, Version: in.Version, Count: true}, At: *in.RedrawAt})
	}
}

func (f *Fold) ack(s Signal) SignalFate {
	a := f.alerts[s.DedupKey]
	if a == nil || !a.Firing || a.aside() {
		return SignalFate{Signal: s, Fate: FateUnmatched}
	}
	c := f.change(a.IncidentID)
	if c != nil && c.Incident.Storm != nil { // one of its many alerts
		return c.fate(s, FateUnmatched)
	}
	if c != nil && c.Incident.Status == Triggered {
		_ = c.ack(Act{Do: ActAck}) // a refusal changes nothing, and there is nobody to tell
	}
	return c.fate(s, FateAcknowledged)
}

func (f *Fold) clear(s Signal) SignalFate {
	a := f.alerts[s.DedupKey]
	switch {
	case a == nil:
		// A tombstone, for should the trigger come later than its own end.
		a = &Alert{
			ID: f.newAlertID(), IntegrationID: f.Integration.ID, DedupKey: s.DedupKey,
			GroupKey: s.group(), Severity: High, FirstAt: f.now, ClearedAt: new(f.now),
		}
		a.refresh(s, f.now)
		f.alerts[s.DedupKey] = a
	case a.lateEnd(s):
		return f.setAside(a, s)
	case a.Firing:
		a.refresh(Signal{}, f.now)
		a.ended(s, f.now)
		return f.cleared(a).fate(s, FateCleared)
	}
	a.ended(s, f.now)
	f.touch(a)
	return SignalFate{Signal: s, Fate: FateUnmatched, Incident: a.IncidentID}
}

// reconcile closes what the monitor no longer lists. This only infers an end, so a later signal of the
// same alert isn't late. If the list contradicts what is known (it says that an ended alert fires, or the
// reverse), the list itself is late, and nothing is inferred from it.
func (f *Fold) reconcile(s Signal) SignalFate {
	firing := func(key string) bool { return f.alerts[key] != nil && f.alerts[key].Firing }
	quiet := func(key string) bool { return !firing(key) }
	if slices.ContainsFunc(s.Present, quiet) || slices.ContainsFunc(s.Ended, firing) {
		return SignalFate{Signal: s, Fate: FateLate}
	}
	var c *Change
	fate := FateListed
	for _, key := range slices.Sorted(maps.Keys(f.alerts)) {
		a := f.alerts[key]
		if a.Firing && a.GroupKey == s.GroupKey && !slices.Contains(s.Present, key) && !a.silenced(f.now) {
			c, fate = f.cleared(a), FateCleared
		}
	}
	return c.fate(s, fate)
}

// cleared ends one alert, and its incident with the last of them.
func (f *Fold) cleared(a *Alert) *Change {
	f.endAside(a)
	a.Firing, a.Kept = false, false
	a.ClearedAt = new(f.now)
	f.touch(a)
	c := f.change(a.IncidentID)
	if c == nil || !c.Incident.Open() {
		return c
	}
	switch {
	case f.fires(a.IncidentID) && c.Incident.Storm != nil:
		c.recount()
		return c
	case f.fires(a.IncidentID) && c.Incident.Flapping():
		c.recountAlerts()
		return c
	case f.fires(a.IncidentID):
		c.record(EventAlertResolved, c.by, Detail{Text: a.Title})
		return c
	case c.Incident.Flapping():
		f.pagesFromNow(c)
		c.keepOpen()
		return c
	}
	if c.Incident.Raised() { // it has taken this alert in, and is about more
		c.record(EventAlertResolved, c.by, Detail{Text: a.Title})
		return c
	}
	_ = c.resolve(Act{Do: ActResolve}) // an open one always can be
	return c
}

// fires reports whether any alert of the incident does.
func (f *Fold) fires(id IncidentID) bool {
	if len(f.elsewhere[id]) > 0 || f.calm[id] {
		return true
	}
	for _, a := range f.alerts {
		if a.Firing && a.IncidentID == id {
			return true
		}
	}
	return false
}

// facts are what decisions about the fold's incidents depend on.
func (f *Fold) facts() Facts {
	if f.Policies == nil {
		f.Policies = map[PolicyID]Policy{f.Policy.ID: f.Policy}
	}
	return Facts{Policies: f.Policies, Roster: f.Roster, Silencing: f.Silencing}
}
