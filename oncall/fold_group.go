package oncall

import (
	"fmt"
	"strings"
)

// GroupWindow is the default of Grouping.Window.
const GroupWindow Seconds = 300

// A Grouping says which alerts of an integration form one incident: those that have the same values
// for all these labels and come within Window of the first. Alerts that the monitor grouped itself are
// left alone. It is stored as JSON: fields are only ever added.
type Grouping struct {
	By     []string `json:"by"`
	Window Seconds  `json:"window"`
}

// groupMark is the prefix of group keys that a Grouping makes. No monitor can send it.
const groupMark = "\x01group/"

// isGenerated reports whether the group key was made by a Grouping rather than the monitor.
func isGenerated(group string) bool { return strings.HasPrefix(group, groupMark) }

// GroupOf returns the group key of a signal: the monitor's, or else one made from the labels by which
// the integration groups. A signal with none of these labels forms its own group.
func (in Integration) GroupOf(s Signal) string { return in.groupOf(s, nil) }

// groupOf is GroupOf for a signal that a rule may have changed.
func (in Integration) groupOf(signal Signal, r *AlertRoute) string {
	by := in.grouping(r)
	if signal.GroupKey != "" || by == nil {
		return signal.group()
	}
	var key strings.Builder
	found := false
	for _, name := range by.By {
		value := signal.Labels[name]
		found = found || value != ""
		fmt.Fprintf(&key, "%s=%q,", name, value)
	}
	if !found {
		return signal.group()
	}
	return groupMark + key.String()
}

// joins reports whether a new alert belongs to the latest incident of its group. A group made by a
// Grouping takes alerts within its window, and alerts that were part of the incident before.
func (f *Fold) joins(c *Change, a *Alert, was IncidentID) bool {
	g := f.Integration.grouping(a.Route)
	if c == nil || g == nil || !strings.HasPrefix(a.GroupKey, groupMark) {
		return c != nil
	}
	return f.arrivedAt.Sub(c.Incident.OpenedAt) < g.Window.Duration() || was == c.Incident.ID
}

// joinGroup adds an alert to the open incident of its group. If the incident is acknowledged, the thread mentions
// the alert, and the holders are paged if it is worse or about another service.
func (f *Fold) joinGroup(c *Change, a *Alert) {
	service, in := a.Service(f.Integration), &c.Incident
	fresh := !f.hasService(in.ID, service)
	c.record(EventAlertJoined, c.by, Detail{Text: a.Title, Shown: in.Status == Acknowledged})
	was := in.Severity
	c.count(a.Severity)
	if fresh && in.Severity == was {
		c.pageAboutService(service, a.Title)
	}
}
