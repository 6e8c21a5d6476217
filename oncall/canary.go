package oncall

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The canary is an incident of Watchbill's own, which goes the whole way every few minutes: a signal is accepted,
// folded, opens an incident, pages at once and again after a timer, and ends. Nobody is paged: its sender sends
// nothing. It takes no number from people's incidents, as its own are negative, and its team, policy and
// integration are rows that the schema brings along, removed from the beginning.
const (
	CanaryIntegration IntegrationID = -1
	// MethodCanary is how it is paged. It is none of those that people have.
	MethodCanary Method = "canary"
	// CanaryPages is how many pages it must have got: one when it is opened, and one by a timer.
	CanaryPages = 2
	// CanaryWithin is how long it may take before there is an alarm.
	CanaryWithin = time.Minute
)

const canaryKey = "canary/"

// Canary reports whether an incident is one of the canary's.
func (id IncidentID) Canary() bool { return id < 0 }

// CanaryIncident is the incident of the canary with a number.
func CanaryIncident(number int64) IncidentID { return IncidentID(-number) }

// CanarySignal opens it, or ends it. It is as severe as most of what people are paged for, so that it waits as long as that.
func CanarySignal(number int64, do Action) Signal {
	return Signal{Action: do, DedupKey: fmt.Sprint(canaryKey, number), Title: "The canary of Watchbill", Severity: High}
}

// canary is the number of the incident that an alert opens; 0: the next one of people's.
func (f *Fold) canary(a *Alert) IncidentID {
	if f.Integration.ID != CanaryIntegration {
		return 0
	}
	n, _ := strconv.ParseInt(strings.TrimPrefix(a.DedupKey, canaryKey), 10, 64)
	return CanaryIncident(max(n, 1))
}

// unseen takes out what would show a canary to people.
func (c *Change) unseen() {
	if !c.Incident.ID.Canary() {
		return
	}
	c.Notices = nil
	c.Tasks = slices.DeleteFunc(c.Tasks, func(t Task) bool { _, drawn := t.Do.(Draw); return drawn })
}

// NoticeCanary tells the admins that the canary doesn't come through, and that it does so again.
const NoticeCanary NoticeKind = "canary"

// CanaryNotices tell, once, of an outage that began at since; with an end, that it is over.
func CanaryNotices(to []string, since time.Time, end *time.Time) []Notice {
	key := "late"
	d := Saying(Say("Watchbill has sent itself an incident, as it does every few minutes, and it has not come through within a minute. Signals, timers or pages may be stuck, so that people are not paged. The log says what has happened to it, and so does /readyz?verbose."))
	if end != nil {
		key = "through"
		d = Saying(Say("Watchbill's own incidents come through again, after %s.", roughly(end.Sub(since))))
		d.State, d.StateAt = key, *end
	}
	var out []Notice
	for _, who := range to {
		out = append(out, Notice{Key: fmt.Sprintf("canary/%d/%s/%s", since.UnixMilli(), key, who), To: who, Kind: NoticeCanary, Detail: d})
	}
	return out
}
