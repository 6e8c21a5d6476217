package oncall

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// nameFrom is the number of alerts from which on an incident's title is what they have in common.
	nameFrom = 5
	// maxLead is the longest title of an alert within the title of an incident, in characters.
	maxLead = 200
	// retitleEvery is the shortest time between two events about changed titles.
	retitleEvery = 5 * time.Minute
)

// retitle gives the incident the title, text and link of its worst firing alert. When no alert fires, the incident
// keeps those it had.
func (f *Fold) retitle(in *Incident) {
	var firing []*Alert
	for _, a := range f.alerts {
		if a.Firing && a.IncidentID == in.ID {
			firing = append(firing, a)
		}
	}
	firing = append(firing, f.elsewhere[in.ID]...)
	others := f.others[in.ID]
	if others.Count > 0 {
		firing = append(firing, &others.Worst)
	}
	if len(firing) == 0 {
		return
	}
	foreign := func(a *Alert) int { // alerts of merged incidents come after its own
		if a.IntegrationID == in.IntegrationID && a.GroupKey == in.GroupKey {
			return 0
		}
		return 1
	}
	slices.SortFunc(firing, func(a, b *Alert) int {
		return cmp.Or(b.Severity.rank()-a.Severity.rank(), foreign(a)-foreign(b), cmp.Compare(a.ID, b.ID))
	})
	in.Title, in.Body, in.Link = headline(firing, others), cutLead(firing[0].Body), firing[0].Link
}

// headline is one title for several alerts, the worst first. Others sums up those that are not loaded.
func headline(firing []*Alert, others OtherAlerts) string {
	lead, n := firing[0].Title, len(firing)+max(others.Count-1, 0)
	name := common(firing, func(a *Alert) string { return a.Labels["alertname"] })
	title := common(firing, func(a *Alert) string { return a.Title })
	if others.Count > 0 && others.Named != name {
		name = ""
	}
	if others.Count > 0 && others.Titled != title {
		title = ""
	}
	switch {
	case n == 1:
		return lead
	case n < nameFrom || name == "" && title == "":
		return fmt.Sprintf("%s +%d more", cutTitle(lead), n-1)
	case title == "" || title == name:
		return fmt.Sprintf("%s (%d alerts)", cutTitle(name), n)
	case name == "" || strings.Contains(strings.ToLower(title), strings.ToLower(name)):
		return fmt.Sprintf("%s (%d alerts)", cutTitle(title), n)
	}
	return fmt.Sprintf("%s: %s (%d alerts)", strings.TrimRight(cutTitle(title), "."), cutTitle(name), n)
}

// common returns the value that all alerts share, or "" if they differ.
func common(alerts []*Alert, of func(*Alert) string) string {
	first := of(alerts[0])
	if slices.ContainsFunc(alerts, func(a *Alert) bool { return of(a) != first }) {
		return ""
	}
	return first
}

func cutTitle(s string) string {
	if utf8.RuneCountInString(s) <= maxLead {
		return s
	}
	return string([]rune(s)[:maxLead-1]) + "…"
}

// maxText is how much of an alert's text is stored in its incident, in characters; messages show less.
const maxText = 4_000

func cutLead(body string) string {
	if utf8.RuneCountInString(body) <= maxText {
		return body
	}
	return string([]rune(body)[:maxText])
}

// retitled notes an alert's previous title in the timeline, at most once in retitleEvery.
func (c *Change) retitled(was string) {
	if at := c.Incident.RetitledAt; was == "" || at != nil && c.now.Sub(*at) < retitleEvery {
		return
	}
	c.Incident.RetitledAt = new(c.now)
	c.record(EventRetitled, c.by, Detail{Text: was})
}
