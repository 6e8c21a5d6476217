package oncall

import (
	"fmt"
	"slices"
	"time"
)

// Bounds of flapping.
const (
	// An incident flaps once its monitor has reopened it flapReopens times within flapWithin.
	flapReopens = 3
	flapWithin  = 15 * time.Minute
	// flapQuiet is how long no alert may fire before a flapping incident is closed.
	flapQuiet = 10 * time.Minute
	// flapUnattended is how long a flapping incident waits for an acknowledgement before it escalates.
	flapUnattended = 30 * time.Minute
)

// A Flap records how often and since when an incident flaps. It is stored as JSON: fields are only ever added.
type Flap struct {
	Reopened []time.Time `json:"reopened,omitempty"`    // recent reopenings by the monitor, while it isn't flapping
	Since    *time.Time  `json:"since,omitempty"`       // when it began to flap; nil: it never did
	OverAt   *time.Time  `json:"over_at,omitempty"`     // when it stopped flapping
	Times    int         `json:"times,omitempty"`       // how often it has fired again
	QuietAt  *time.Time  `json:"quiet_since,omitempty"` // since when no alert fires; nil: one does
	LookAt   *time.Time  `json:"look_at,omitempty"`     // when a job checks whether to close it
}

// Flapping reports whether the incident flaps, so that it stays open although its monitor closes it.
func (in Incident) Flapping() bool {
	return in.Open() && in.Flap != nil && in.Flap.Since != nil && in.Flap.OverAt == nil
}

// ClosesAt returns when a flapping incident will close unless it fires again. Zero means that it isn't
// flapping or that an alert fires.
func (in Incident) ClosesAt() time.Time {
	if !in.Flapping() || in.Flap.QuietAt == nil {
		return time.Time{}
	}
	return in.Flap.QuietAt.Add(flapQuiet)
}

// editFlap gives the incident a copy of its Flap and returns it, because the loaded one must not change.
func (c *Change) editFlap() *Flap {
	var fl Flap
	if c.Incident.Flap != nil {
		fl = *c.Incident.Flap
	}
	fl.Reopened = slices.Clone(fl.Reopened)
	c.Incident.Flap = &fl
	return &fl
}

// reopenOrFlap reopens an incident that its monitor closed a moment ago, and pages from the first step. Once that
// has happened often enough the incident flaps, and this is its only page for a while.
func (f *Fold) reopenOrFlap(change *Change, sev Severity) {
	change.reopenByMonitor(firesAgain, f.arrivedAt)
	flaps := change.countReopening()
	change.worsen(sev)
	f.pagesFromNow(change)
	before := len(change.Calls)
	change.runStep()
	if !flaps {
		return
	}
	for i := before; i < len(change.Calls); i++ {
		change.Calls[i].Why = Say("%s; it keeps coming and going, so that this page is the only one for a while", change.Calls[i].Why)
	}
	if in := &change.Incident; in.NextAt != nil {
		in.NextAt = new(latest(*in.NextAt, change.now.Add(flapUnattended)))
	}
}

// refireFlapping makes an alert of a flapping incident fire again under its old id. Only the counts
// grow, because an event and a new alert each time would flood the timeline.
func (f *Fold) refireFlapping(c *Change, before, a *Alert) FoldResult {
	f.AlertIDs = slices.Insert(f.AlertIDs, 0, a.ID)
	delete(f.touched, a.ID)
	a.ID, a.FirstAt, a.Count = before.ID, before.FirstAt, before.Count+1
	f.touch(a)
	c.count(a.Severity)
	return FoldFlapping
}

// countReopening notes that the monitor has reopened the incident, and reports whether it begins to flap.
func (c *Change) countReopening() bool {
	c.endFlapping() // an earlier release may have closed the incident without this
	fl := c.editFlap()
	fl.Reopened = slices.DeleteFunc(fl.Reopened, func(t time.Time) bool { return c.now.Sub(t) > flapWithin })
	fl.Reopened = append(fl.Reopened, c.now)
	if len(fl.Reopened) < flapReopens {
		return false
	}
	*fl = Flap{Since: new(c.now.Truncate(time.Microsecond)), Times: len(fl.Reopened)}
	c.record(EventFlapping, c.by, Detail{Count: fl.Times})
	return true
}

// keepOpen keeps a flapping incident open although nothing fires any more.
func (c *Change) keepOpen() {
	fl := c.editFlap()
	fl.QuietAt = new(c.now)
	if fl.LookAt == nil || !fl.LookAt.After(c.now) {
		c.queueCloseCheck(c.now.Add(flapQuiet))
	}
	c.recountAlerts()
}

// queueCloseCheck queues the job that closes the incident if no alert has fired for long enough.
func (c *Change) queueCloseCheck(at time.Time) {
	c.Incident.Flap.LookAt = &at
	c.Tasks = append(c.Tasks, Task{Args: CloseTimer(c.Incident.ID), At: at})
}

// noteRefired notes that a flapping incident fires again.
func (c *Change) noteRefired() {
	if c.Incident.Flapping() && c.Incident.Flap.QuietAt != nil {
		fl := c.editFlap()
		fl.QuietAt = nil
		fl.Times++
	}
}

// endFlapping notes that the incident no longer flaps.
func (c *Change) endFlapping() {
	if fl := c.Incident.Flap; fl != nil && fl.Since != nil && fl.OverAt == nil {
		c.Incident.Flap = &Flap{Since: fl.Since, Times: fl.Times, OverAt: new(c.now)}
	}
}

// recountAlerts redraws the number of firing alerts, without an event.
func (c *Change) recountAlerts() {
	c.counted = true
	c.recount()
}

// CloseIfQuiet closes a flapping incident if no alert has fired for long enough, and otherwise queues
// the next check if one is needed. It reports false if there is nothing to do. The argument fires says
// whether any of the incident's alerts fires.
func (in Incident) CloseIfQuiet(fires bool, now time.Time) (Change, bool) {
	if !in.Flapping() || in.Flap.LookAt == nil || in.Flap.LookAt.After(now) {
		return Change{}, false
	}
	change := in.begin(ByTimer(), Facts{}, now)
	fl := change.editFlap()
	fl.LookAt = nil
	switch {
	case fires || fl.QuietAt == nil: // keepOpen queues the next check once nothing fires
		fl.QuietAt = nil
	case now.Before(in.ClosesAt()):
		change.queueCloseCheck(in.ClosesAt())
	default:
		change.endFlapping()
		_ = change.resolve(Act{Do: ActResolve}) // an open incident can always be resolved
		change.Events[len(change.Events)-1].Detail.Text = "nothing has fired for 10 minutes"
		return change.done(), true
	}
	change.recount()
	return change.done(), true
}

// State identifies the text of the reply about the flapping, which is edited only when State changes.
func (fl Flap) State() string {
	at := func(t *time.Time) int64 {
		if t == nil {
			return 0
		}
		return t.Unix()
	}
	return fmt.Sprintf("%d/%d/%d", fl.Times, at(fl.QuietAt), at(fl.OverAt))
}
