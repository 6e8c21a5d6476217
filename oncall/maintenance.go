package oncall

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// MaintenanceID identifies a maintenance window; people see it as "M12".
type MaintenanceID int64

// String gives the id as people see it: "M12".
func (id MaintenanceID) String() string { return "M" + strconv.FormatInt(int64(id), 10) }

// Bounds of a maintenance window.
const (
	maintenanceShortest = time.Minute
	maintenanceLongest  = 30 * 24 * time.Hour
	maintenanceAhead    = 366 * 24 * time.Hour
	maxMaintenance      = 50 // unfinished windows of a team
	maxMatchers         = 10
	maxMatcher          = 300 // bytes
	maxReason           = 500 // characters
)

// A Maintenance is a window in which alerts of a team are kept and counted, but open no incident and page nobody. An
// alert that still fires once no window covers it pages then.
type Maintenance struct {
	ID            MaintenanceID
	TeamID        TeamID
	IntegrationID IntegrationID // 0: all of the team's integrations
	Match         []Matcher     // an alert must meet all of them; none: every alert does
	StartsAt      time.Time
	EndsAt        time.Time // exclusive; moved if somebody ended the window early
	Reason        string
	By            Actor
	PagesCritical bool       // critical alerts page all the same
	Name          string     // its name in the set-up file; empty: it isn't in the file
	BegunAt       *time.Time // when its beginning was announced; nil: not yet
}

// Active reports whether the window is in force at an instant.
func (m Maintenance) Active(at time.Time) bool { return !at.Before(m.StartsAt) && at.Before(m.EndsAt) }

// Covers reports whether the window keeps an alert of an integration from opening an incident at an instant.
func (m Maintenance) Covers(in Integration, a Alert, at time.Time) bool {
	switch {
	case m.TeamID != in.TeamID, m.IntegrationID != 0 && m.IntegrationID != in.ID, !m.Active(at):
		return false
	case m.PagesCritical && a.Severity == Critical:
		return false
	}
	for _, match := range m.Match {
		if !match.meets(in, a) {
			return false
		}
	}
	return true
}

// Check refuses a window that makes no sense. Open is how many unfinished windows its team has.
func (m Maintenance) Check(open int, now time.Time) error {
	if err := m.CheckShape(); err != nil {
		return err
	}
	switch {
	case !m.EndsAt.After(now):
		return Refuse("The maintenance would be over already, and nothing was changed.")
	case m.StartsAt.After(now.Add(maintenanceAhead)):
		return Refuse("A maintenance window begins within a year, and nothing was changed.")
	case open >= maxMaintenance:
		return Refuse("The team has %d maintenance windows that are not over, which is the most. Nothing was changed.", open)
	}
	return nil
}

// CheckShape returns the part of Check that doesn't depend on the time.
func (m Maintenance) CheckShape() error {
	switch length := m.EndsAt.Sub(m.StartsAt); {
	case length <= 0:
		return Refuse("The maintenance would end before it begins, and nothing was changed.")
	case length < maintenanceShortest:
		return Refuse("A maintenance window is a minute long at least, and nothing was changed.")
	case length > maintenanceLongest:
		return Refuse("A maintenance window is 30 days long at most, so that nothing stays quiet for ever. Nothing was changed.")
	case len(m.Match) > maxMatchers:
		return Refuse("A maintenance window has %d conditions at most, and nothing was changed.", maxMatchers)
	case utf8.RuneCountInString(m.Reason) > maxReason:
		return Refuse("The reason of a maintenance window has %d characters at most, and nothing was changed.", maxReason)
	}
	return nil
}

// Timers returns the timers for the window's beginning and end.
func (m Maintenance) Timers(now time.Time) []Task {
	begins, ends := Task{Args: MaintenanceTimer{Maintenance: m.ID}}, Task{Args: MaintenanceTimer{Maintenance: m.ID}, At: m.EndsAt}
	if m.StartsAt.After(now) {
		begins.At = m.StartsAt
	}
	return []Task{begins, ends}
}

// Scope says which of the team's alerts the window covers: "integration demo, service=checkout", or "" for all.
func (m Maintenance) Scope(integration string) string {
	var parts []string
	if m.IntegrationID != 0 {
		parts = append(parts, "integration "+cmp.Or(integration, "that was removed"))
	}
	for _, match := range m.Match {
		parts = append(parts, match.String())
	}
	if m.PagesCritical {
		parts = append(parts, "not critical alerts")
	}
	return strings.Join(parts, ", ")
}

// A Matcher is one condition of a maintenance window, in Alertmanager's syntax. It is stored as JSON: fields are only
// ever added.
type Matcher struct {
	Field string `json:"field"` // "title", "service" as Alert.Service says, or a label
	Op    string `json:"op"`    // "=", "!=", "=~" or "!~"
	Value string `json:"value"`

	whole *regexp.Regexp // for =~ and !~
}

// ParseMatcher parses "service=checkout", "env!=test", "title=~Disk.*" and "host!~web-[0-9]+". A regular expression
// must match the whole value. It reports false for text that isn't a condition.
func ParseMatcher(text string) (m Matcher, ok bool, err error) {
	at := strings.IndexAny(text, "=!")
	if at <= 0 || strings.ContainsAny(text[:at], " \t\"'") {
		return Matcher{}, false, nil
	}
	for _, op := range []string{"=~", "!~", "!=", "="} {
		if value, found := strings.CutPrefix(text[at:], op); found {
			m = Matcher{Field: text[:at], Op: op, Value: strings.Trim(value, `"'“”`)}
			break
		}
	}
	switch {
	case m.Op == "":
		return Matcher{}, false, nil
	case len(text) > maxMatcher:
		return Matcher{}, true, Refuse("A condition has %d bytes at most, and nothing was changed.", maxMatcher)
	}
	if m, err = m.Compiled(); err != nil {
		return Matcher{}, true, Refuse("%q is no regular expression that Watchbill understands, and nothing was changed.", m.Value)
	}
	return m, true, nil
}

// Compiled returns the matcher with its regular expression compiled. Without that, =~ and !~ match nothing.
func (m Matcher) Compiled() (Matcher, error) {
	if m.Op != "=~" && m.Op != "!~" {
		return m, nil
	}
	whole, err := regexp.Compile(`^(?s:` + m.Value + `)$`)
	if err != nil {
		return m, fmt.Errorf("compile %q: %w", m.Value, err)
	}
	m.whole = whole
	return m, nil
}

// String formats the matcher for ParseMatcher.
func (m Matcher) String() string { return m.Field + m.Op + m.Value }

func (m Matcher) meets(in Integration, a Alert) bool {
	value := a.Labels[m.Field]
	switch m.Field {
	case "title":
		value = a.Title
	case "service":
		value = a.Service(in)
	}
	switch m.Op {
	case "=":
		return value == m.Value
	case "!=":
		return value != m.Value
	case "=~":
		return m.whole != nil && m.whole.MatchString(value)
	case "!~":
		return m.whole != nil && !m.whole.MatchString(value)
	}
	return false
}

// CoveringWindow finds the window that covers an alert at an instant; of several, the one that ends last.
func CoveringWindow(all []Maintenance, in Integration, a Alert, at time.Time) (Maintenance, bool) {
	var found Maintenance
	for _, m := range all {
		if m.EndsAt.After(found.EndsAt) && m.Covers(in, a, at) {
			found = m
		}
	}
	return found, found.ID != 0
}

// InForce lists the windows of a team that are in force at an instant, by end.
func InForce(all []Maintenance, team TeamID, at time.Time) []Maintenance {
	var found []Maintenance
	for _, m := range all {
		if m.TeamID == team && m.Active(at) {
			found = append(found, m)
		}
	}
	slices.SortFunc(found, func(a, b Maintenance) int { return cmp.Or(a.EndsAt.Compare(b.EndsAt), cmp.Compare(a.ID, b.ID)) })
	return found
}

// NoticeMaintenance and NoticeMaintenanceOver tell a team's channel that a window has begun, and that it is over.
const (
	NoticeMaintenance     NoticeKind = "maintenance"
	NoticeMaintenanceOver NoticeKind = "maintenance_over"
)

// A MaintenanceTally counts the alerts that a window has kept.
type MaintenanceTally struct {
	Kept   int
	Fire   int // those that still fire and page now
	Longer int // those that another window keeps
}

// BeginNotice tells a team's channel that a window has begun.
func (m Maintenance) BeginNotice(team Team, integration string) Notice {
	return m.notice(NoticeMaintenance, "begun", team, integration)
}

// EndNotice tells a team's channel that a window is over, and which alerts came in it.
func (m Maintenance) EndNotice(team Team, integration string, t MaintenanceTally) Notice {
	n := m.notice(NoticeMaintenanceOver, "over", team, integration)
	n.Detail.Count, n.Detail.Answered, n.Detail.Over = t.Kept, t.Fire, t.Longer
	said := Say("%s. %s", n.Detail.Lines[0], t)
	n.Detail.Lines = []string{said.String()}
	return n
}

func (m Maintenance) notice(kind NoticeKind, what string, team Team, integration string) Notice {
	line := fmt.Sprintf("Maintenance of %s has begun: alerts are kept and page nobody", team.Name)
	if kind == NoticeMaintenanceOver {
		line = fmt.Sprintf("Maintenance of %s is over", team.Name)
	}
	return Notice{
		Key: fmt.Sprintf("maintenance/%d/%s", m.ID, what), To: team.Channel, Kind: kind, About: int64(m.ID),
		Detail: NoticeDetail{
			Team: team.Name, Start: m.StartsAt, End: m.EndsAt, By: m.By.User, Address: m.By.Name, Note: m.Reason,
			Role: m.Scope(integration), Lines: []string{line},
		},
	}
}

// String describes the tally: "3 alerts came, of which 1 still fires and pages now."
func (t MaintenanceTally) String() string {
	if t.Kept == 0 {
		return "No alert came."
	}
	text := plural(t.Kept, "alert came", "alerts came")
	if t.Fire > 0 {
		text += ", of which " + plural(t.Fire, "still fires and pages now", "still fire and page now")
	}
	if t.Longer > 0 {
		text += ", of which " + plural(t.Longer, "fires and is kept by another window", "fire and are kept by another window")
	}
	if t.Fire+t.Longer == 0 {
		text += "; none of them fires any more"
	}
	return text + "."
}

func plural(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
