package oncall

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The canary is an incident by which Watchbill tests itself every few minutes, end to end: a signal is accepted and
// folded, opens an incident, pages at once and again after a timer, and is resolved. Nobody is paged, since its
// sender sends nothing. Its incidents have negative numbers. Its team, policy and integration are rows of the
// schema that are marked as removed, so that nothing lists them.
const (
	CanaryIntegration IntegrationID = -1
	// MethodCanary is the method of the canary's pages.
	MethodCanary Method = "canary"
	// CanaryPages is how many pages a canary causes: one when it opens, and one by a timer.
	CanaryPages = 2
	// CanaryWithin is how long a canary may take before admins are told.
	CanaryWithin = time.Minute
)

const canaryKey = "canary/"

// Canary reports whether the incident is a canary.
func (id IncidentID) Canary() bool { return id < 0 }

// CanaryIncident returns the incident of a canary, by the canary's number.
func CanaryIncident(number int64) IncidentID { return IncidentID(-number) }

// CanarySignal opens or ends a canary. Its severity is that of most pages, so that it waits in the queues as long
// as they do.
func CanarySignal(number int64, do Action) Signal {
	return Signal{Action: do, DedupKey: fmt.Sprint(canaryKey, number), Title: "The canary of Watchbill", Severity: High}
}

// canary returns the incident that a canary's alert opens; 0: the alert isn't a canary's.
func (f *Fold) canary(a *Alert) IncidentID {
	if f.Integration.ID != CanaryIntegration {
		return 0
	}
	n, _ := strconv.ParseInt(strings.TrimPrefix(a.DedupKey, canaryKey), 10, 64)
	return CanaryIncident(max(n, 1))
}

// hideCanary drops the notices and drawings that would show a canary to people.
func (c *Change) hideCanary() {
	if !c.Incident.ID.Canary() {
		return
	}
	c.Notices = nil
	c.Tasks = slices.DeleteFunc(c.Tasks, func(t Task) bool { _, drawn := t.Args.(Draw); return drawn })
}

// NoticeCanary tells the admins that the canary has not come through, and later that it does again.
const NoticeCanary NoticeKind = "canary"

// CanaryNotices tell once of an outage that began at since or, with an end, that it is over.
func CanaryNotices(to []string, since time.Time, end *time.Time) []Notice {
	key := "late"
	d := Saying(Say("Watchbill has sent itself an incident, as it does every few minutes, and it has not come through within a minute. Signals, timers or pages may be stuck, so that people are not paged. The log says what has happened to it, and so does /readyz?verbose."))
	if end != nil {
		key = "through"
		d = Saying(Say("Watchbill's own incidents come through again, after %s.", roundedText(end.Sub(since))))
		d.State, d.StateAt = key, *end
	}
	var out []Notice
	for _, who := range to {
		out = append(out, Notice{Key: fmt.Sprintf("canary/%d/%s/%s", since.UnixMilli(), key, who), To: who, Kind: NoticeCanary, Detail: d})
	}
	return out
}
