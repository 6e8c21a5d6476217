package oncall

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// groupWindow is how long alerts join the incident of their group where the set-up doesn't say.
const groupWindow Seconds = 300

// A Grouping says which alerts of an integration are one incident: those that agree in all of these labels and
// come within the window after the first. What a monitor has grouped itself stays as it is. It is stored as
// JSON: fields are only ever added.
type Grouping struct {
	By     []string `json:"by"`
	Window Seconds  `json:"window"`
}

// groupMark begins the keys of groups that we have made; no monitor can send it.
const groupMark = "\x01group/"

// GroupOf is the key of the group of a signal: what the monitor says, else its labels by which the integration groups,
// or, where it has none of them, its own.
func (in Integration) GroupOf(s Signal) string {
	if s.GroupKey != "" || in.Grouping == nil {
		return s.group()
	}
	var key strings.Builder
	found := false
	for _, name := range in.Grouping.By {
		value := s.Labels[name]
		found = found || value != ""
		fmt.Fprintf(&key, "%s=%q,", name, value)
	}
	if !found {
		return s.group()
	}
	return groupMark + key.String()
}

// joins reports whether an alert that begins to fire belongs to the latest incident of its group. Where we have
// made the group, that is so within its window, or if it was part of that incident before.
func (f *Fold) joins(c *Change, a *Alert, was IncidentID) bool {
	g := f.Integration.Grouping
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

// Grouping reads how the integration groups; nil: it doesn't.
func (in SetupIntegration) Grouping() (*Grouping, error) {
	if in.Group == nil {
		return nil, nil //nolint:nilnil // it is left out
	}
	g := &Grouping{By: in.Group.By}
	if n := len(g.By); n == 0 || n > maxGroupLabels {
		return nil, fmt.Errorf("group names %d labels in \"by\"; it may be 1 to %d, such as [cluster, service]", n, maxGroupLabels)
	}
	for i, name := range g.By {
		if strings.TrimSpace(name) == "" {
			return nil, fmt.Errorf("group has a label without a name in \"by\"")
		}
		if slices.Contains(g.By[:i], name) {
			return nil, fmt.Errorf("group names the label %q twice", name)
		}
	}
	var err error
	if g.Window, err = parseSpan("group's window", in.Group.Window, groupWindow.Duration(), time.Second); err != nil {
		return nil, err
	}
	if g.Window.Duration() > maxGroupWindow {
		return nil, fmt.Errorf("group's window is %q; it may be a day at most", in.Group.Window)
	}
	return g, nil
}

// Bounds of a grouping.
const (
	maxGroupLabels = 10
	maxGroupWindow = 24 * time.Hour
)

// writeGroup writes what Grouping reads.
func writeGroup(g *Grouping) *SetupGroup {
	if g == nil {
		return nil
	}
	return &SetupGroup{By: g.By, Window: writeSpan(g.Window)}
}
