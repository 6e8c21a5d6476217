package oncall

import (
	"maps"
	"slices"
	"time"
)

const (
	// reopenWithin is how long after its monitor closed it an incident can be reopened. After that, a
	// firing alert opens a new incident.
	reopenWithin = 5 * time.Minute
	// quietAfterResolve is how long nobody is paged after a person resolves an incident whose alerts still
	// fire. The next signal reopens the incident silently.
	quietAfterResolve = 30 * time.Minute
)

// Bounds of a fold.
const (
	// MaxMerges is how many merges are followed to find the incident that another one is now part of.
	MaxMerges = 8
	// redrawCountAfter is the shortest time between two redraws of a message in which only a count has changed.
	redrawCountAfter = 3 * time.Second
)

// A Fold folds the signals of one integration, in order, into alerts and incidents. It is filled with the stored
// state, and collects the changes to save. Alerts are found by integration and dedup key, never by group, so that
// the end of an alert always finds the incident that its trigger opened.
type Fold struct {
	Integration Integration
	Policy      Policy
	Policies    map[PolicyID]Policy // all policies, since incidents may have been reassigned or passed on
	Roster      Roster
	Silencing   bool          // as in Facts
	Maintenance []Maintenance // windows that are not over

	// These are the numbers for new incidents and alerts. Folding uses them up.
	LastIncident IncidentID         // the next incident gets the number after it
	AlertIDs     []AlertID          // unused ids, at least one for each signal
	NextCounts   map[PolicyID]int64 // the round-robin count of the next incident, for policies that use one

	Route   func(Signal) Routing      // evaluates the routes for a signal; nil: there are none
	Tallies map[RouteName]*RouteTally // what each rule did in this fold

	NewMonitor string    // the monitor that the signals were newly recognised as; empty: nothing new
	FoldedAt   time.Time // the time of folding; signals may have arrived long before

	arrivedAt    time.Time               // when the current signal arrived
	replayedAt   time.Time               // the time of folding, if the current signal waited in a spool; else zero
	alerts       map[string]*Alert       // the latest of each dedup key
	groups       map[string]IncidentID   // the latest of each group key
	incidents    map[IncidentID]*Change  // one change per incident, no matter how many signals
	elsewhere    map[IncidentID][]*Alert // firing alerts of other integrations
	recent       []RecentIncident        // for storms
	partlyLoaded map[IncidentID]bool     // incidents with too many firing alerts to load them all
	others       map[IncidentID]OtherAlerts
	touched      map[AlertID]*Alert
	services     map[IncidentID][]string // services of cleared alerts
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
	c := in.begin(ByIntegration(f.Integration.Name), f.facts(), f.arrivedAt)
	f.incidents[in.ID] = &c
	if in.IntegrationID == f.Integration.ID { // an incident of another integration may have taken in ours by a merge
		f.groups[in.GroupKey] = in.ID
	}
	return &c
}

// change returns the change of an incident, dated with the current signal; nil if the incident is not in the fold.
func (f *Fold) change(id IncidentID) *Change {
	c := f.incidents[id]
	if c != nil {
		c.now = f.arrivedAt
	}
	return c
}

// AddAlerts puts stored alerts in the fold, oldest first: the latest for each dedup key in the
// signals, and all firing alerts of the incidents, unless there are too many.
func (f *Fold) AddAlerts(alerts ...Alert) {
	if f.alerts == nil {
		f.alerts = map[string]*Alert{}
	}
	for _, a := range alerts {
		f.alerts[a.DedupKey] = &a
	}
}

// AddElsewhere adds an alert of another integration that belongs to an incident in the fold.
func (f *Fold) AddElsewhere(a Alert) {
	if f.elsewhere == nil {
		f.elsewhere = map[IncidentID][]*Alert{}
	}
	if a.Firing {
		f.elsewhere[a.IncidentID] = append(f.elsewhere[a.IncidentID], &a)
	}
}

// AddCleared adds the service of a cleared alert that belongs to an incident in the fold.
func (f *Fold) AddCleared(a Alert) {
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

// Results returns the changed incidents and alerts, each by id. It is called after the last signal.
func (f *Fold) Results() ([]Change, []Alert) {
	var changes []Change
	for _, id := range slices.Sorted(maps.Keys(f.incidents)) {
		if c := *f.incidents[id]; len(c.Events) > 0 || c.counted || c.Incident.SignalCount > c.before.SignalCount {
			switch {
			case c.Incident.Storm == nil:
				f.retitle(&c.Incident)
			case c.counted:
				c.redrawStorm(latest(f.FoldedAt, f.arrivedAt))
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

// Receive folds one signal, which arrived at the given time, and returns what became of it. Signals have to come in the
// order of their arrival: whether one reopens, repeats or clears depends on those before it.
func (f *Fold) Receive(signal Signal, at time.Time) FoldedSignal {
	if f.alerts == nil {
		f.alerts = map[string]*Alert{}
	}
	f.arrivedAt = at
	if f.Integration.IsMuted(at) && (signal.Action == Trigger || signal.Action == AckSignal || signal.Action == Release) { // ends still count
		return FoldedSignal{Signal: signal, Result: FoldMuted}
	}
	if signal.Action == Trigger && !signal.Expires.IsZero() && f.expired(signal) {
		signal.Action = Clear
	}
	before := f.alerts[signal.DedupKey]
	var became FoldedSignal
	switch signal.Action {
	case AckSignal:
		became = f.ack(signal)
	case Clear:
		if signal.Aged {
			return f.age(signal)
		}
		became = f.clear(signal)
	case Reconcile:
		became = f.reconcile(signal)
	case Update:
		became = f.update(signal)
	case Split:
		became = f.split(signal)
	case Release:
		became = f.release(signal)
	case PingSignal: // written by a release that stored pings in the inbox
		return FoldedSignal{Signal: signal, Result: FoldUnmatched}
	default:
		became = f.trigger(signal)
	}
	if a := f.alerts[signal.DedupKey]; a != nil && (a.Firing || before != nil) {
		f.recordNotes(a, signal)
	}
	return became
}

func (f *Fold) trigger(signal Signal) FoldedSignal {
	alert := f.alerts[signal.DedupKey]
	switch {
	case alert != nil && alert.Firing && alert.Kept:
		alert.refresh(signal, f.arrivedAt)
		return f.stillKept(alert, signal)
	case alert != nil && alert.suppressed():
		return f.stillSuppressed(alert, signal)
	case alert != nil && alert.Firing && f.change(alert.IncidentID) != nil:
		before := *alert
		alert.refresh(signal, f.arrivedAt)
		f.routeAgain(alert, before, signal)
		// Editing a monitor's routes may rename the group of a firing alert.
		alert.GroupKey = f.Integration.groupOf(Signal{DedupKey: signal.DedupKey, GroupKey: signal.GroupKey, Labels: alert.Labels}, alert.Route)
		f.touch(alert)
		became := f.stillFiring(alert, signal, alert.Severity.Worse(before.Severity))
		f.noteMisread(alert, signal, became.Incident)
		if alert.Title != before.Title {
			f.change(became.Incident).retitled(before.Title)
		}
		return became
	case alert != nil && alert.late(signal, f.arrivedAt):
		alert.LateUntil = nil
		alert.Count, alert.LastAt = alert.Count+1, f.arrivedAt
		f.touch(alert)
		return f.ignoreLate(alert, signal)
	}
	if alert != nil && alert.Firing { // its incident no longer exists
		alert.Firing, alert.ClearedAt = false, new(f.arrivedAt)
		f.touch(alert)
	}
	return f.fire(signal)
}

// ignoreLate notes in the alert's incident, if it has one, that a late signal was ignored.
func (f *Fold) ignoreLate(a *Alert, s Signal) FoldedSignal {
	c := f.follow(f.change(a.IncidentID))
	if c != nil && c.Incident.Storm == nil {
		c.record(EventLate, c.by, Detail{Text: a.Title, Over: s.Action == Clear})
	}
	return c.folded(s, FoldLate)
}

// stillFiring handles a signal of an alert that is already firing. It pages only if the alert got
// worse, or if a person resolved the incident while the alert was firing. A severity chosen by people
// stays unless the alert got worse.
func (f *Fold) stillFiring(alert *Alert, signal Signal, worse bool) FoldedSignal {
	change := f.follow(f.change(alert.IncidentID))
	if !change.Incident.Open() {
		if f.keepForMaintenance(alert) {
			return change.folded(signal, FoldKept)
		}
		from := latest(f.arrivedAt, change.Incident.ResolvedAt.Add(quietAfterResolve))
		if worse && alert.Severity.Worse(change.Incident.Severity) { // the person resolved something less severe
			from = f.arrivedAt
		}
		change.reopenByMonitor("still firing according to the monitor", from)
		if worse {
			change.worsen(alert.Severity)
		}
		return change.folded(signal, FoldReopened)
	}
	if worse {
		change.count(alert.Severity)
	} else {
		change.count(change.Incident.Severity)
	}
	switch {
	case change.Incident.Status == Snoozed:
		return change.folded(signal, FoldSnoozed)
	case change.Incident.ID != alert.IncidentID:
		return change.folded(signal, FoldMerged)
	}
	return change.folded(signal, FoldRepeated)
}

// fire starts a new alert, and puts it into an incident unless a rule or a maintenance window prevents that.
func (f *Fold) fire(signal Signal) FoldedSignal {
	alert := &Alert{
		ID: f.newAlertID(), IntegrationID: f.Integration.ID, DedupKey: signal.DedupKey,
		GroupKey: signal.GroupKey, Firing: true, Severity: High, FirstAt: f.arrivedAt, Keyless: signal.Keyless,
	}
	alert.refresh(signal, f.arrivedAt)
	before := f.alerts[signal.DedupKey]
	if before != nil {
		f.AddCleared(*before)
	}
	f.alerts[signal.DedupKey] = alert
	return f.openUnlessSuppressed(alert, signal, before)
}

// follow returns the incident that c's was merged into, directly or through further merges, if it is
// in the fold.
func (f *Fold) follow(c *Change) *Change {
	for range MaxMerges {
		if c == nil || c.Incident.MergedInto == 0 || f.incidents[c.Incident.MergedInto] == nil {
			break
		}
		c = f.change(c.Incident.MergedInto)
	}
	return c
}

// count adds one signal to an open incident, and raises its severity if sev is worse.
func (c *Change) count(sev Severity) {
	in := &c.Incident
	if sev.Worse(in.Severity) {
		c.raise(sev)
	}
	in.SignalCount++
	in.LastSignalAt = c.now
	c.noteRefired()
	c.recount()
}

// recount queues one redraw of the incident's counts within seconds, no matter how many signals
// arrive.
func (c *Change) recount() {
	in := &c.Incident
	if in.Storm != nil {
		c.counted = true
		return
	}
	if r := in.RedrawAt; r == nil || !r.After(c.now) {
		in.RedrawAt = new(c.now.Add(redrawCountAfter))
		c.Tasks = append(c.Tasks, Task{Args: Draw{Incident: in.ID, Version: in.Version, Count: true}, At: *in.RedrawAt})
	}
}

func (f *Fold) ack(signal Signal) FoldedSignal {
	a := f.alerts[signal.DedupKey]
	if a == nil || !a.Firing || a.suppressed() {
		return FoldedSignal{Signal: signal, Result: FoldUnmatched}
	}
	c := f.change(a.IncidentID)
	if c != nil && c.Incident.Storm != nil { // one alert's acknowledgement must not silence a storm
		return c.folded(signal, FoldUnmatched)
	}
	if c != nil && c.Incident.Status == Triggered {
		_ = c.ack(Act{Do: ActAck}) // a refusal changes nothing, and there is nobody to tell
	}
	return c.folded(signal, FoldAcknowledged)
}

func (f *Fold) clear(signal Signal) FoldedSignal {
	alert := f.alerts[signal.DedupKey]
	switch {
	case alert == nil:
		// This alert is a tombstone, in case the trigger arrives after its own end.
		alert = &Alert{
			ID: f.newAlertID(), IntegrationID: f.Integration.ID, DedupKey: signal.DedupKey,
			GroupKey: signal.group(), Severity: High, FirstAt: f.arrivedAt, ClearedAt: new(f.arrivedAt),
		}
		alert.refresh(signal, f.arrivedAt)
		f.alerts[signal.DedupKey] = alert
	case alert.lateEnd(signal):
		return f.ignoreLate(alert, signal)
	case alert.Firing:
		alert.refresh(Signal{}, f.arrivedAt)
		alert.ended(signal, f.arrivedAt)
		return f.cleared(alert).folded(signal, FoldCleared)
	}
	alert.ended(signal, f.arrivedAt)
	f.touch(alert)
	return FoldedSignal{Signal: signal, Result: FoldUnmatched, Incident: alert.IncidentID}
}

// reconcile clears the alerts of a group that the monitor's list leaves out. Their end is only inferred, so a later
// signal of the same alert is not treated as late. If the list contradicts the stored state (it lists an ended
// alert as firing, or a firing one as ended), the list itself is late and clears nothing.
func (f *Fold) reconcile(signal Signal) FoldedSignal {
	firing := func(key string) bool { return f.alerts[key] != nil && f.alerts[key].Firing }
	quiet := func(key string) bool { return !firing(key) }
	if slices.ContainsFunc(signal.Present, quiet) || slices.ContainsFunc(signal.Ended, firing) {
		return FoldedSignal{Signal: signal, Result: FoldLate}
	}
	var c *Change
	result := FoldListed
	for _, key := range slices.Sorted(maps.Keys(f.alerts)) {
		a := f.alerts[key]
		if a.Firing && a.GroupKey == signal.GroupKey && !slices.Contains(signal.Present, key) && !a.silenced(f.arrivedAt) {
			c, result = f.cleared(a), FoldCleared
		}
	}
	return c.folded(signal, result)
}

// cleared ends an alert, and resolves its incident if that was the last one firing.
func (f *Fold) cleared(alert *Alert) *Change {
	f.endSuppression(alert)
	alert.Firing, alert.Kept = false, false
	alert.ClearedAt = new(f.arrivedAt)
	f.touch(alert)
	change := f.change(alert.IncidentID)
	if change == nil || !change.Incident.Open() {
		return change
	}
	switch {
	case f.fires(alert.IncidentID) && change.Incident.Storm != nil:
		change.recount()
		return change
	case f.fires(alert.IncidentID) && change.Incident.Flapping():
		change.recountAlerts()
		return change
	case f.fires(alert.IncidentID):
		change.record(EventAlertResolved, change.by, Detail{Text: alert.Title})
		return change
	case change.Incident.Flapping():
		f.pagesFromNow(change)
		change.keepOpen()
		return change
	}
	if change.Incident.Raised() { // it was opened by hand, so it is about more than this alert, which joined it by a merge
		change.record(EventAlertResolved, change.by, Detail{Text: alert.Title})
		return change
	}
	_ = change.resolve(Act{Do: ActResolve}) // an open incident can always be resolved
	return change
}

// fires reports whether any alert of an incident is firing.
func (f *Fold) fires(id IncidentID) bool {
	if len(f.elsewhere[id]) > 0 || f.partlyLoaded[id] {
		return true
	}
	for _, a := range f.alerts {
		if a.Firing && a.IncidentID == id {
			return true
		}
	}
	return false
}

// facts returns what decisions about the fold's incidents depend on.
func (f *Fold) facts() Facts {
	if f.Policies == nil {
		f.Policies = map[PolicyID]Policy{f.Policy.ID: f.Policy}
	}
	return Facts{Policies: f.Policies, Roster: f.Roster, Silencing: f.Silencing}
}
