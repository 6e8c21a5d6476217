package oncall

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Bounds of a storm.
const (
	// StormLimit is how many incidents an integration may open within StormCounts before a storm begins, by default.
	StormLimit = 10
	// MaxStormLimit is the highest limit that can be configured.
	MaxStormLimit = 100
	// StormCounts is the period in which opened incidents are counted.
	StormCounts = time.Minute
	// A storm ends stormQuiet after its last new alert, and after stormLongest at the latest.
	stormQuiet   = 5 * time.Minute
	stormLongest = time.Hour
	// maxStormServices is how many services a storm remembers.
	maxStormServices = 50
	// redrawStormAfter is the shortest time between two redraws of a storm's counters.
	redrawStormAfter = 5 * time.Second
)

// Storm is the state of an incident that collects a flood of alerts from one integration. It is stored as JSON:
// fields are only ever added.
type Storm struct {
	Began    time.Time   `json:"began"`
	LastAt   time.Time   `json:"last_at"`           // when the latest alert joined
	OverAt   *time.Time  `json:"over_at,omitempty"` // when the storm stopped taking in alerts
	Services []string    `json:"services,omitempty"`
	Own      []time.Time `json:"own,omitempty"`     // when critical alerts of new services last opened their own incidents, within StormCounts
	Misread  []string    `json:"misread,omitempty"` // fields that were not understood and that the timeline already names
}

// A RecentIncident is an incident that an integration opened within StormCounts, or a storm of its that ended then.
type RecentIncident struct {
	ID       IncidentID
	PolicyID PolicyID // its original policy
	OpenedAt time.Time
	Posted   bool // its message is in the channel, or may be
	Storm    bool
	EndedAt  *time.Time // of a storm: when it stopped taking in alerts, or else was resolved; nil: it goes on
}

// Service returns what an alert is about: its label "service", or else its integration.
func (a Alert) Service(in Integration) string {
	if s := a.Labels["service"]; s != "" {
		return s
	}
	return in.Name
}

// over reports whether the storm takes in no more alerts.
func (s *Storm) over(now time.Time) bool {
	return s.OverAt != nil || !now.Before(s.LastAt.Add(stormQuiet)) || !now.Before(s.Began.Add(stormLongest))
}

// knows reports whether the storm has had alerts of a service.
func (s *Storm) knows(service string) bool { return slices.Contains(s.Services, service) }

// storming reports whether the incident is a storm that still takes in alerts. A storm that a person
// resolved doesn't. A storm whose alerts have all cleared does, and it reopens.
func (in Incident) storming(now time.Time) bool {
	return in.Storm != nil && !in.Storm.over(now) && in.MergedInto == 0 && (in.Open() || in.ResolvedBy.User == "")
}

// Storming reports whether the incident is a storm that EndStorm has not ended yet.
func (in Incident) Storming() bool { return in.Storm != nil && in.Storm.OverAt == nil }

// AbsorbedByStorm reports whether the incident became part of a storm before its message was posted.
func (in Incident) AbsorbedByStorm() bool { return in.MergedInto != 0 && in.ResolvedBy.User == "" }

// StateVersion returns the latest version that changed more than a storm's counters. Only the message in the channel shows
// the counters; all others are redrawn when StateVersion grows.
func (in Incident) StateVersion() int64 {
	if in.Storm == nil {
		return in.Version
	}
	return in.Stated
}

// AddRecent adds incidents that the integration opened recently. Those that a new storm may take in must be in the
// fold as well, with their firing alerts.
func (f *Fold) AddRecent(recent ...RecentIncident) { f.recent = append(f.recent, recent...) }

// AddPartlyLoaded names incidents whose firing alerts are not all loaded.
func (f *Fold) AddPartlyLoaded(ids ...IncidentID) {
	if f.partlyLoaded == nil {
		f.partlyLoaded = map[IncidentID]bool{}
	}
	for _, id := range ids {
		f.partlyLoaded[id] = true
	}
}

// recentIncidents returns the integration's incidents that began with a policy and were opened within StormCounts, and
// since the last storm: those that led to it, or were opened during it, say nothing about another one.
func (f *Fold) recentIncidents(policy PolicyID) (out []RecentIncident) {
	var last time.Time
	for _, r := range f.recent {
		if r.Storm && r.PolicyID == policy {
			last = latest(last, r.OpenedAt)
			if r.EndedAt != nil {
				last = latest(last, *r.EndedAt)
			}
		}
	}
	for _, r := range f.recent {
		if !r.Storm && r.PolicyID == policy && f.arrivedAt.Sub(r.OpenedAt) < StormCounts && r.OpenedAt.After(last) {
			out = append(out, r)
		}
	}
	return out
}

// storm returns the current storm of the integration and a policy; nil: none.
func (f *Fold) storm(policy PolicyID) *Change {
	var found IncidentID
	for id, c := range f.incidents {
		in := &c.Incident
		home := in.HomePolicy
		if home == 0 {
			home = in.PolicyID
		}
		if in.IntegrationID == f.Integration.ID && home == policy && id > found && in.storming(f.arrivedAt) {
			found = id
		}
	}
	return f.change(found)
}

// joinStorm adds an alert to the current storm, if there is one, and reports whether it did. A
// critical alert about a service that is new to the storm gets its own incident instead, up to
// StormLimit times.
func (f *Fold) joinStorm(change *Change, alert *Alert) bool {
	if change == nil {
		return false
	}
	s := change.editStorm()
	if alert.Severity == Critical && !s.knows(alert.Service(f.Integration)) {
		s.Own = slices.DeleteFunc(s.Own, func(t time.Time) bool { return f.arrivedAt.Sub(t) >= StormCounts })
		if len(s.Own) < max(f.Integration.StormLimit, 1) {
			return false
		}
	}
	f.takeAlert(change, alert)
	return true
}

// editStorm gives the incident a copy of its Storm and returns it, because the loaded one must not change.
func (c *Change) editStorm() *Storm {
	s := *c.Incident.Storm
	s.Services, s.Own, s.Misread = slices.Clone(s.Services), slices.Clone(s.Own), slices.Clone(s.Misread)
	c.Incident.Storm = &s
	return &s
}

// redrawStorm queues one redraw of a storm's counters within seconds.
func (c *Change) redrawStorm(now time.Time) {
	in := &c.Incident
	if in.RedrawAt == nil || !in.RedrawAt.After(now) {
		in.RedrawAt = new(now.Add(redrawStormAfter))
	}
	c.Tasks = append(c.Tasks, Task{Args: Draw{Incident: in.ID, Version: in.Version, Count: true}, At: *in.RedrawAt})
}

// takeAlert adds an alert to a storm. The storm's holders are paged if it got worse or is about another service now.
func (f *Fold) takeAlert(change *Change, alert *Alert) {
	service, in := alert.Service(f.Integration), &change.Incident
	switch {
	case in.Open():
	case in.snoozing(f.arrivedAt):
		change.reopenSnoozed(firesAgain)
	default:
		f.reopenOrFlap(change, alert.Severity)
	}
	s := change.editStorm()
	s.LastAt = latest(s.LastAt, f.arrivedAt)
	fresh := s.addService(service)
	if alert.Severity.Worse(in.Severity) {
		in.Title = stormTitle(f.Integration, alert)
	}
	was := in.Severity
	change.count(alert.Severity)
	if fresh && in.Severity == was {
		change.pageAboutService(service, alert.Title)
	}
}

// addService adds a service to the storm, and reports whether it is new.
func (s *Storm) addService(service string) bool {
	if s.knows(service) || len(s.Services) >= maxStormServices {
		return false
	}
	s.Services = append(s.Services, service)
	return true
}

// pageAboutService pages the holders about an alert for a service that is new to the incident. The
// page names the alert, because the incident's title may not.
func (c *Change) pageAboutService(service, title string) {
	in := &c.Incident
	if in.Status != Acknowledged {
		return
	}
	c.record(EventServiceJoined, c.by, Detail{Text: service})
	c.pageOthers(in.Holders(), Say(joinedBecause+"%s", cutTitle(title)))
}

// joinedBecause begins the reason of a page about an alert that joined an incident.
const joinedBecause = "of another service's alert in it: "

// JoinedAlert returns the title of the alert that joined the incident, if that is why somebody is paged; otherwise nothing.
func JoinedAlert(why Sentence) string {
	if len(why) != 1 || !strings.HasPrefix(why[0], joinedBecause) {
		return ""
	}
	return strings.TrimPrefix(why[0], joinedBecause)
}

func stormTitle(in Integration, a *Alert) string {
	return fmt.Sprintf("Alert storm from %s, such as %s", in.Name, cutTitle(a.Title))
}

// startsStorm reports whether an alert begins a storm because StormLimit incidents were opened within
// StormCounts. A critical alert about a service that none of these incidents covers still opens its
// own incident, up to twice the limit.
func (f *Fold) startsStorm(a *Alert) bool {
	limit, recent := f.Integration.StormLimit, f.recentIncidents(f.policyOf(a))
	if limit <= 0 || len(recent) < limit {
		return false
	}
	if a.Severity != Critical || len(recent) >= 2*limit {
		return true
	}
	for _, r := range recent {
		if f.hasService(r.ID, a.Service(f.Integration)) {
			return true
		}
	}
	return false
}

// hasService reports whether an incident has or had an alert of a service.
func (f *Fold) hasService(id IncidentID, service string) bool {
	of := func(a *Alert) bool { return a.Service(f.Integration) == service }
	if slices.Contains(f.services[id], service) || slices.ContainsFunc(f.elsewhere[id], of) || f.others[id].isOf(service, f.Integration) {
		return true
	}
	for _, a := range f.alerts {
		if a.IncidentID == id && of(a) {
			return true
		}
	}
	return false
}

// openStorm opens a storm, which takes in the latest incidents that have not been posted yet.
func (f *Fold) openStorm(a *Alert) *Change {
	f.LastIncident++
	in := f.newIncident(f.LastIncident, a)
	in.Title, in.Body, in.Link = stormTitle(f.Integration, a), "", ""
	in.GroupKey = fmt.Sprintf("\x01storm/%d", in.ID) // no monitor can send it
	in.Storm = &Storm{Began: f.arrivedAt, LastAt: f.arrivedAt, Services: []string{a.Service(f.Integration)}}
	change := f.add(in)
	change.record(EventOpened, change.by, Detail{Text: a.Title})
	var taken []IncidentID
	for _, r := range f.absorbable(a) {
		f.absorb(change, r)
		taken = append(taken, r)
	}
	f.recent = append(f.recent, RecentIncident{ID: in.ID, PolicyID: in.PolicyID, OpenedAt: f.arrivedAt, Storm: true})
	change.record(EventStorm, change.by, Detail{Count: f.Integration.StormLimit, Incidents: taken})
	f.pagesFromNow(change)
	change.runStep()
	return change
}

// absorbable returns the incidents that a new storm takes in. It leaves out critical incidents that
// alone cover their service, and incidents that somebody has acted on.
func (f *Fold) absorbable(first *Alert) (ids []IncidentID) {
	services := map[string]bool{first.Service(f.Integration): true}
	worst := map[IncidentID]*Alert{}
	for _, r := range f.recentIncidents(f.policyOf(first)) {
		c := f.incidents[r.ID]
		if c == nil || r.Posted || !c.Incident.untouched() || len(f.elsewhere[r.ID]) > 0 || f.partlyLoaded[r.ID] {
			continue
		}
		for _, a := range f.alerts {
			if a.Firing && a.IncidentID == r.ID && (worst[r.ID] == nil || a.Severity.Worse(worst[r.ID].Severity)) {
				worst[r.ID] = a
			}
		}
		if a := worst[r.ID]; a != nil && a.Severity != Critical {
			services[a.Service(f.Integration)] = true
		}
	}
	for id, a := range worst {
		if a.Severity != Critical || services[a.Service(f.Integration)] {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// untouched reports whether neither people nor later decisions have changed the incident since it opened.
func (in Incident) untouched() bool {
	return in.Status == Triggered && len(in.Acks) == 0 && len(in.Responders) == 0 && len(in.Links) == 0 &&
		in.MergedInto == 0 && in.Storm == nil && in.Flaps == 0 && in.HomePolicy == 0
}

// absorb makes an incident part of a storm. Its own message will never be posted.
func (f *Fold) absorb(c *Change, id IncidentID) {
	from := f.change(id)
	from.stop()
	in := &from.Incident
	in.Status, in.MergedInto, in.ResolvedBy, in.ResolvedAt = Resolved, c.Incident.ID, from.by, new(f.arrivedAt)
	from.Calls, from.Notices = nil, nil // if this fold opened it, they have not been saved yet
	from.record(EventTakenIn, from.by, Detail{Incident: c.Incident.ID})
	to := &c.Incident
	to.SignalCount += in.SignalCount
	for _, a := range f.alerts {
		if !a.Firing || a.IncidentID != id {
			continue
		}
		a.IncidentID = to.ID
		f.touch(a)
		to.Storm.addService(a.Service(f.Integration))
		if a.Severity.Worse(to.Severity) {
			to.Severity, to.Title = a.Severity, stormTitle(f.Integration, a)
		}
	}
}

// split gives an alert of a storm its own incident, at somebody's request.
func (f *Fold) split(signal Signal) FoldedSignal {
	alert := f.alerts[signal.DedupKey]
	if alert == nil || !alert.Firing {
		return FoldedSignal{Signal: signal, Result: FoldUnmatched}
	}
	change := f.change(alert.IncidentID)
	if change == nil || change.Incident.Storm == nil || !change.Incident.Open() {
		return change.folded(signal, FoldUnmatched)
	}
	by := ByUser(signal.By)
	own := f.open(alert)
	alert.IncidentID = own.Incident.ID
	f.touch(alert)
	own.record(EventSplitFrom, by, Detail{Incident: change.Incident.ID})
	change.record(EventSplitOff, by, Detail{Incident: own.Incident.ID, Text: alert.Title})
	if !f.fires(change.Incident.ID) {
		_ = change.resolve(Act{Do: ActResolve}) // an open incident can always be resolved
	}
	return own.folded(signal, FoldOpened)
}

// EndStorm ends a storm whose time is over, and sums it up in the timeline. It reports false if the storm continues.
func (in Incident) EndStorm(t StormTally, now time.Time) (Change, bool) {
	if in.Storm == nil || in.Storm.OverAt != nil || in.Open() && !in.Storm.over(now) {
		return Change{}, false
	}
	if !in.Open() && in.storming(now) {
		return Change{}, false
	}
	change := in.begin(ByTimer(), Facts{}, now)
	s := change.editStorm()
	s.OverAt, s.Own = new(now), nil
	services := make([]string, 0, len(t.Services))
	for _, n := range t.Services {
		services = append(services, n.Name)
	}
	change.record(EventStormOver, ByTimer(), Detail{
		Count: t.Alerts, Of: t.Firing, Names: services, Until: latest(s.LastAt, s.Began), Since: s.Began,
		Over: !in.Open(),
	})
	return change.done(), true
}

// A StormTally counts the alerts of a storm.
type StormTally struct {
	Alerts, Firing int
	Severities     []TallyCount // the worst first
	Services       []TallyCount // the MaxTally largest
	Labels         []TallyCount // the MaxTally largest, named "name=value"
}

// MaxTally is how many services and labels a tally lists.
const MaxTally = 10

// A TallyCount counts alerts with something in common.
type TallyCount struct {
	Name           string
	Alerts, Firing int
}

// MaySplit refuses to split off an alert if that makes no sense. The argument found is how many firing alerts of the
// incident the act may mean.
func (in Incident) MaySplit(a Act, found int) error {
	if err := in.refuseClosed(); err != nil {
		return err
	}
	switch {
	case in.Storm == nil:
		return Refuse("Incident %s is no storm: there is nothing to split off.", in.ID)
	case a.Alert == 0 && a.Text == "":
		return Refuse("Say which alert, by its dedup key or its title.")
	case found == 0:
		return Refuse("No such alert of incident %s fires.", in.ID)
	case found > 1:
		return Refuse("Several alerts of incident %s are called so: say which one by its dedup key.", in.ID)
	}
	return nil
}
