package oncall

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A HookID identifies a hook.
type HookID int64

// A Hook is an address outside that is told what happens to incidents.
type Hook struct {
	ID       HookID
	Name     string
	TeamID   TeamID // 0: of all teams but private ones
	URL      string
	Headers  []string    // "Name: value", such as an Authorization
	Kinds    []EventKind // none: all
	Template HookTemplate
	Options  map[string]string // of the template
}

// A HookTemplate is what the body of a call looks like.
type HookTemplate string

// The templates. Those of ticket systems make a ticket of each incident that opens.
const (
	HookEvents     HookTemplate = "events"
	HookJira       HookTemplate = "jira"
	HookGitHub     HookTemplate = "github"
	HookGitLab     HookTemplate = "gitlab"
	HookServiceNow HookTemplate = "servicenow"
)

// HookTemplates are all of them.
func HookTemplates() []HookTemplate {
	return []HookTemplate{HookEvents, HookJira, HookGitHub, HookGitLab, HookServiceNow}
}

// hookPauses are how long to wait after each failure; after the last the event is passed over.
var hookPauses = []time.Duration{
	5 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour,
}

// HookPause returns the time to wait after the given number of failures of one event; false means that it is given up.
func HookPause(failures int) (time.Duration, bool) {
	if failures < 1 || failures > len(hookPauses) {
		return 0, false
	}
	return hookPauses[failures-1], true
}

var (
	headerName   = regexp.MustCompile(`^[A-Za-z0-9-]{1,60}$`)
	ownedHeaders = []string{"host", "content-length", "content-type", "connection", "transfer-encoding", "user-agent"}
)

// Check says what can't be right with a hook that is to be made.
func (h Hook) Check() error {
	u, err := url.Parse(h.URL)
	switch {
	case !keyNames.MatchString(h.Name):
		return Refuse("A webhook needs a name of at most 64 letters, digits, blanks and . _ @ / -.")
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil:
		return Refuse("The address has to begin with https:// or http://, and has no password in it; use a header for that.")
	case !slices.Contains(HookTemplates(), h.Template):
		return Refuse("There is no template %q.", string(h.Template))
	case h.Template == HookJira && h.Options["project"] == "":
		return Refuse("The template jira needs the option project: the key of the project, such as OPS.")
	case len(h.Headers) > 10:
		return Refuse("There can be ten headers at most.")
	}
	for name, value := range h.Options {
		if text := name + value; len(text) > 1000 || Storable(text) != text {
			return Refuse("An option of a template is a short text.")
		}
	}
	for _, line := range h.Headers {
		name, value, ok := strings.Cut(line, ":")
		if !ok || !headerName.MatchString(name) || strings.TrimSpace(value) == "" || strings.ContainsAny(line, "\r\n\x00") {
			return Refuse("A header is written as Name: value.")
		}
		if low := strings.ToLower(name); slices.Contains(ownedHeaders, low) || strings.HasPrefix(low, "webhook-") {
			return Refuse("The header %q is set by Watchbill.", name)
		}
	}
	return nil
}

// Host returns the part of the address that people may see.
func (h Hook) Host() string {
	u, err := url.Parse(h.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

// Matches reports whether a hook is called for an event of a team's incident.
func (h Hook) Matches(e Event, in Incident, private bool) bool {
	switch {
	case in.ID.Canary() || h.TeamID != 0 && in.TeamID != h.TeamID || h.TeamID == 0 && private:
		return false
	case h.Template != HookEvents && e.Kind != EventOpened:
		return false
	}
	return len(h.Kinds) == 0 || slices.Contains(h.Kinds, e.Kind)
}

// A HookEvent is an event as a hook tells it.
type HookEvent struct {
	Event
	Incident    Incident
	Team        string
	Integration string
	People      map[UserID]string
}

// hookBody is the JSON sent for an event. Fields are only ever added.
type hookBody struct {
	Type      string       `json:"type"`
	Timestamp time.Time    `json:"timestamp"`
	Data      hookBodyData `json:"data"`
}

type hookBodyData struct {
	Event    hookBodyEvent    `json:"event"`
	Incident hookBodyIncident `json:"incident"`
}

type hookBodyEvent struct {
	ID    int64    `json:"id"`
	Kind  string   `json:"kind"`
	By    string   `json:"by"`
	User  UserID   `json:"user,omitempty"`
	Users []UserID `json:"users,omitempty"`
	Text  string   `json:"text,omitempty"`
}

type hookBodyIncident struct {
	ID          IncidentID `json:"id"`
	Title       string     `json:"title"`
	Body        string     `json:"body,omitempty"`
	Link        string     `json:"link,omitempty"`
	State       Status     `json:"state"`
	Severity    Severity   `json:"severity"`
	Team        string     `json:"team"`
	Integration string     `json:"integration,omitempty"`
	OpenedAt    time.Time  `json:"opened_at"`
}

// Body returns the request body that reports an event to a hook.
func (h Hook) Body(e HookEvent) ([]byte, error) {
	in := e.Incident
	name := func(id UserID) string {
		if n := e.People[id]; n != "" {
			return n
		}
		return string(id)
	}
	title := cutText(shownLines(in.ID.String()+" "+in.Title), 250)
	text := ticketText(h.Template,
		"Watchbill incident "+in.ID.String()+" of the team "+e.Team+", severity "+string(in.Severity)+", opened "+in.OpenedAt.UTC().Format(time.RFC3339)+".",
		in.Body, in.Link)
	var body any
	switch h.Template {
	case HookJira:
		kind := h.Options["issue_type"]
		if kind == "" {
			kind = "Task"
		}
		body = map[string]any{"fields": map[string]any{
			"project": map[string]string{"key": h.Options["project"]}, "issuetype": map[string]string{"name": kind}, "summary": title, "description": text,
			"labels": []string{"watchbill"},
		}}
	case HookGitHub:
		body = map[string]any{"title": title, "body": text, "labels": hookLabels(h.Options["labels"])}
	case HookGitLab:
		body = map[string]any{"title": title, "description": text, "labels": strings.Join(hookLabels(h.Options["labels"]), ",")}
	case HookServiceNow:
		rank := map[Severity]string{Critical: "1", High: "2"}[in.Severity]
		if rank == "" {
			rank = "3"
		}
		body = map[string]any{
			"short_description": cutText(title, 155), "description": text, "urgency": rank, "impact": rank,
			"correlation_id": "watchbill-" + strings.TrimPrefix(in.ID.String(), "#"), "correlation_display": "Watchbill", "assignment_group": h.Options["assignment_group"],
		}
	default:
		body = hookBody{"incident." + string(e.Kind), e.At.UTC(), hookBodyData{
			hookBodyEvent{e.ID, string(e.Kind), e.Actor.Shown(name), e.Actor.User, e.Detail.Users, e.Detail.Text},
			hookBodyIncident{in.ID, in.Title, in.Body, in.Link, in.Status, in.Severity, e.Team, e.Integration, in.OpenedAt.UTC()},
		}}
	}
	return json.Marshal(body)
}

func hookLabels(text string) []string {
	labels := []string{"watchbill"}
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimSpace(one); one != "" {
			labels = append(labels, one)
		}
	}
	return labels
}
