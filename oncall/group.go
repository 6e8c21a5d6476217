package oncall

import (
	"fmt"
	"strings"
)

// GroupWindow is how long alerts join the incident of their group where the set-up doesn't say.
const GroupWindow Seconds = 300

// A Grouping says which alerts of an integration are one incident: those that agree in all of these labels and
// come within the window after the first. What a monitor has grouped itself stays as it is. It is stored as
// JSON: fields are only ever added.
type Grouping struct {
	By     []string `json:"by"`
	Window Seconds  `json:"window"`
}

// groupMark begins the keys of groups that we have made; no monitor can send it.
const groupMark = "\x01group/"

// made reports whether we have made the group key, rather than the monitor.
func made(group string) bool { return strings.HasPrefix(group, groupMark) }

// GroupOf is the key of the group of a signal: what the monitor says, else its labels by which the integration groups,
// or, where it has none of them, its own.
func (in Integration) GroupOf(s Signal) string { return in.groupOf(s, nil) }

// groupOf is GroupOf for a signal of which a rule may have made something.
func (in Integration) groupOf(s Signal, r *AlertRoute) string {
	by := in.grouping(r)
	if s.GroupKey != "" || by == nil {
		return s.group()
	}
	var key strings.Builder
	found := false
	for _, name := range by.By {
		value := s.Labels[name]
		found = found || value != ""
		fmt.Fprintf(&key, "%s=%q,", name, value)
	}
	if !found {
		return s.group()
	}
	return groupMark + key.String()
}

// joins reports whether an alert that begins to fire belongs to the latest incident of its group. A group
// that we have made takes alerts in within its window, and those that were part of the incident before.
func (f *Fold) joins(c *Change, a *Alert, was IncidentID) bool {
	g := f.Integration.grouping(a.Route)
	if c == nil || g == nil || !strings.HasPrefix(a.GroupKey, groupMark) {
		return c != nil
	}
	return f.now.Sub(c.Incident.OpenedAt) < g.Window.Duration() || was == c.Incident.ID
}

// joinGroup adds an alert to the open incident of its group. Where somebody has acknowledged it, the thread says so,
// and they are paged if it has become worse or is about another service as well.
func (f *Fold) joinGroup(c *Change, a *Alert) {
	service, in := a.Service(f.Integration), &c.Incident
	fresh := !f.has(in.ID, service)
	c.record(EventAlertJoined, c.by, Detail{Text: a.Title, Told: in.Status == Acknowledged})
	was := in.Severity
	c.count(a.Severity)
	if fresh && in.Severity == was {
		c.tellOfService(service)
	}
}
