package rest

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// A pagerDutyIncidentShown is an incident in PagerDuty's format.
type pagerDutyIncidentShown struct {
	pagerDutyRef
	Number      int64               `json:"incident_number"`
	Title       string              `json:"title"`
	Description string              `json:"description"`
	Status      string              `json:"status"`
	Urgency     string              `json:"urgency"`
	Priority    pagerDutyPriority   `json:"priority"`
	CreatedAt   *string             `json:"created_at"`
	UpdatedAt   *string             `json:"updated_at"`
	ResolvedAt  *string             `json:"resolved_at"`
	ChangedAt   *string             `json:"last_status_change_at"`
	ChangedBy   *pagerDutyRef       `json:"last_status_change_by"`
	Key         *string             `json:"incident_key"`
	Service     pagerDutyRef        `json:"service"`
	Policy      *pagerDutyRef       `json:"escalation_policy"`
	Teams       []pagerDutyRef      `json:"teams"`
	Assignments []pagerDutyAssigned `json:"assignments"`
	Acks        []pagerDutyAcked    `json:"acknowledgements"`
	Pending     []pagerDutyPending  `json:"pending_actions"`
	Body        map[string]any      `json:"body"`
	Counts      *pagerDutyCounts    `json:"alert_counts,omitempty"`
}

type pagerDutyPriority struct {
	pagerDutyRef
	Name string `json:"name"`
}

type pagerDutyAssigned struct {
	At       *string      `json:"at"`
	Assignee pagerDutyRef `json:"assignee"`
}

type pagerDutyAcked struct {
	At           *string      `json:"at"`
	Acknowledger pagerDutyRef `json:"acknowledger"`
}

type pagerDutyPending struct {
	Type string  `json:"type"`
	At   *string `json:"at"`
}

type pagerDutyCounts struct {
	All       int `json:"all"`
	Triggered int `json:"triggered"`
	Resolved  int `json:"resolved"`
}

// pagerDutyPriorities are PagerDuty's names for our severities.
var pagerDutyPriorities = map[oncall.Severity]string{oncall.Critical: "P1", oncall.High: "P2", oncall.Medium: "P3", oncall.Low: "P4"}

// pagerDutyStatus returns PagerDuty's status: a snoozed incident counts as acknowledged until the snooze
// ends.
func pagerDutyStatus(s oncall.Status) string {
	if s == oncall.Snoozed {
		return string(oncall.Acknowledged)
	}
	return string(s)
}

func pagerDutyUrgency(s oncall.Severity) string {
	if s == oncall.Low {
		return "low"
	}
	return "high"
}

func (dr *dialectRequest) pagerDutyService(id oncall.IntegrationID) pagerDutyRef {
	if id == 0 {
		return dr.pagerDutyReference("service", "0", "Paged by hand")
	}
	return dr.pagerDutyReference("service", pagerDutyNumber(id), dr.IntegrationName(id))
}

func (dr *dialectRequest) pagerDutyIncident(in oncall.Incident) pagerDutyIncidentShown {
	name := cmp.Or(pagerDutyPriorities[in.Severity], "P2")
	out := pagerDutyIncidentShown{
		pagerDutyRef: dr.pagerDutyObject("incident", pagerDutyNumber(in.ID), "["+in.ID.String()+"] "+in.Title), Number: int64(in.ID), Title: in.Title, Description: in.Title,
		Status: pagerDutyStatus(in.Status), Urgency: pagerDutyUrgency(in.Severity), Priority: pagerDutyPriority{dr.pagerDutyReference("priority", name, name), name},
		CreatedAt: dr.stamp(&in.OpenedAt), ResolvedAt: dr.stamp(in.ResolvedAt), Service: dr.pagerDutyService(in.IntegrationID), Policy: dr.pagerDutyPolicyRef(in.PolicyID),
		Teams: []pagerDutyRef{}, Assignments: []pagerDutyAssigned{}, Acks: []pagerDutyAcked{}, Pending: []pagerDutyPending{}, Body: map[string]any{"type": "incident_body", "details": in.Body},
	}
	if t, known := dr.Team(in.TeamID); known && dr.sees(t.ID) {
		out.Teams = append(out.Teams, dr.pagerDutyTeamRef(t))
	}
	changed, by := in.OpenedAt, in.RaisedBy
	if in.AckedAt != nil {
		changed, by = *in.AckedAt, in.AckedBy
	}
	if in.ResolvedAt != nil {
		changed, by = *in.ResolvedAt, in.ResolvedBy
	}
	out.ChangedAt, out.ChangedBy = dr.stamp(&changed), dr.pagerDutyAgent(by)
	out.UpdatedAt = dr.stamp(new(later(changed, in.LastSignalAt)))
	for _, u := range in.Holders() {
		out.Acks = append(out.Acks, pagerDutyAcked{dr.stamp(in.AckedAt), dr.pagerDutyUserRef(u)})
	}
	if in.Open() {
		for _, u := range dr.assigned(in) {
			out.Assignments = append(out.Assignments, pagerDutyAssigned{dr.stamp(&in.OpenedAt), dr.pagerDutyUserRef(u)})
		}
	}
	if in.Status == oncall.Snoozed {
		out.Pending = append(out.Pending, pagerDutyPending{"unacknowledge", dr.stamp(in.SnoozedUntil)})
	}
	return out
}

// assigned returns who has an incident or, if nobody does yet, the current targets of its policy's
// latest step.
func (dr *dialectRequest) assigned(in oncall.Incident) []oncall.UserID {
	if held := in.Holders(); len(held) > 0 {
		return held
	}
	p := dr.Policies[in.PolicyID]
	at := min(max(in.Step-1, 0), len(p.Steps)-1)
	if at < 0 {
		return nil
	}
	var out []oncall.UserID
	for _, t := range p.Steps[at].Targets {
		people := dr.always(t)
		if sched, known := dr.Schedule(t.Schedule); known {
			for _, shift := range dr.onDuty(sched, t.Role, dr.caller.now, dr.caller.now, true) {
				people = append(people, shift.Users...)
			}
		}
		for _, u := range people {
			if !slices.Contains(out, u) {
				out = append(out, u)
			}
		}
	}
	return out
}

// pagerDutyAgent returns the actor: a person, or a monitor, a key or Watchbill itself as a service.
func (dr *dialectRequest) pagerDutyAgent(by oncall.Actor) *pagerDutyRef {
	switch {
	case by == (oncall.Actor{}):
		return nil
	case by.User != "":
		return new(dr.pagerDutyUserRef(by.User))
	}
	return new(dr.pagerDutyReference("service", "0", by.String()))
}

// pagerDutyMaxListed is how many incidents a list covers, newest first.
const pagerDutyMaxListed = 1000

func (s *server) pagerDutyIncidents(f *dialectRequest) (dialectResponse, error) {
	filter, err := f.pagerDutyFilter()
	if err != nil {
		return dialectResponse{}, err
	}
	found, err := s.incidentsOf(f.ctx(), f.caller.by, filter, pagerDutyMaxListed)
	if err != nil {
		return dialectResponse{}, err
	}
	all := []pagerDutyIncidentShown{}
	for _, in := range found {
		switch shown := f.pagerDutyIncident(in); {
		case !f.has("statuses", shown.Status), !f.has("urgencies", shown.Urgency), !f.has("team_ids", pagerDutyNumber(in.TeamID)):
		case len(f.list("user_ids")) > 0 && !slices.ContainsFunc(shown.Assignments, func(a pagerDutyAssigned) bool { return f.has("user_ids", a.Assignee.ID) }):
		default:
			all = append(all, shown)
		}
	}
	if order := f.query.Get("sort_by"); order != "" && !strings.HasSuffix(order, ":desc") {
		slices.Reverse(all)
	}
	return pagerDutyPage(f, "incidents", all)
}

// pagerDutyFilter parses the filter for incidents: by default, those of the last month.
func (dr *dialectRequest) pagerDutyFilter() (filter store.IncidentFilter, err error) {
	if filter.Since, err = dr.instant("since"); err != nil {
		return filter, err
	}
	if filter.Until, err = dr.instant("until"); err != nil {
		return filter, err
	}
	if filter.Since.IsZero() && dr.query.Get("date_range") != "all" {
		filter.Since = dr.caller.now.Add(-30 * 24 * time.Hour)
	}
	for _, id := range dr.list("service_ids") {
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			n = -1 // matches no team
		}
		filter.Integrations = append(filter.Integrations, oncall.IntegrationID(n))
	}
	open := []oncall.Status{}
	for _, status := range dr.list("statuses") {
		switch status {
		case "triggered":
			open = append(open, oncall.Triggered)
		case "acknowledged":
			open = append(open, oncall.Acknowledged, oncall.Snoozed)
		case "resolved":
			open = append(open, oncall.Resolved)
		default:
			return filter, invalid("There is no status " + strconv.Quote(status) + ".")
		}
	}
	filter.Statuses = open
	return filter, nil
}

// incidentsOf lists incidents, newest first, reading as many pages as that takes.
func (s *server) incidentsOf(ctx context.Context, by oncall.Actor, f store.IncidentFilter, limit int) (all []oncall.Incident, err error) {
	f.Limit = store.MostListed
	for len(all) < limit {
		found, more, err := s.Store.Incidents(ctx, by, f)
		if err != nil {
			return nil, err
		}
		if all = append(all, found...); !more || len(found) == 0 {
			break
		}
		f.Before = found[len(found)-1].ID
	}
	return all[:min(len(all), limit)], nil
}

// incidentInPath returns the incident in the path.
func (s *server) incidentInPath(f *dialectRequest) (oncall.Incident, error) {
	id, err := f.id()
	if err != nil {
		return oncall.Incident{}, err
	}
	return s.Store.Incident(f.ctx(), f.caller.by, oncall.IncidentID(id))
}

func (s *server) pagerDutyIncident(f *dialectRequest) (dialectResponse, error) {
	in, err := s.incidentInPath(f)
	if err != nil {
		return dialectResponse{}, err
	}
	alerts, total, err := s.Store.Alerts(f.ctx(), f.caller.by, in.ID, 0, alertsShown)
	if err != nil {
		return dialectResponse{}, err
	}
	out := f.pagerDutyIncident(in)
	out.Counts = &pagerDutyCounts{All: total}
	for _, a := range alerts {
		if a.Firing {
			out.Counts.Triggered++
		}
		if a.DedupKey != "" && out.Key == nil {
			out.Key = &a.DedupKey
		}
	}
	out.Counts.Resolved = total - out.Counts.Triggered
	return dialectResponse{http.StatusOK, map[string]any{"incident": out}}, nil
}

// A pagerDutyNoteShown is a note in PagerDuty's format.
type pagerDutyNoteShown struct {
	ID        string       `json:"id"`
	User      pagerDutyRef `json:"user"`
	Content   string       `json:"content"`
	CreatedAt *string      `json:"created_at"`
}

// pagerDutyNotesOf returns an incident's notes, oldest first.
func (s *server) pagerDutyNotesOf(f *dialectRequest, id oncall.IncidentID) ([]pagerDutyNoteShown, error) {
	events, err := s.Store.Events(f.ctx(), f.caller.by, id)
	if err != nil {
		return nil, err
	}
	all := []pagerDutyNoteShown{}
	for _, e := range events {
		if e.Kind == oncall.EventNote {
			all = append(all, pagerDutyNoteShown{pagerDutyNumber(e.ID), *cmp.Or(f.pagerDutyAgent(e.Actor), &pagerDutyRef{}), e.Detail.Text, f.stamp(&e.At)})
		}
	}
	return all, nil
}

func (s *server) pagerDutyNotes(f *dialectRequest) (dialectResponse, error) {
	in, err := s.incidentInPath(f)
	if err != nil {
		return dialectResponse{}, err
	}
	all, err := s.pagerDutyNotesOf(f, in.ID)
	return dialectResponse{http.StatusOK, map[string]any{"notes": all}}, err
}

// pagerDutyEntries are the timeline events that PagerDuty has too, and its names for them.
var pagerDutyEntries = map[oncall.EventKind]string{
	oncall.EventOpened: "trigger", oncall.EventReopened: "trigger", oncall.EventAcknowledged: "acknowledge", oncall.EventUnacknowledged: "unacknowledge",
	oncall.EventResolved: "resolve", oncall.EventEscalated: "escalate", oncall.EventPaging: "assign", oncall.EventReassigned: "assign",
	oncall.EventSnoozed: "snooze", oncall.EventNote: "annotate", oncall.EventPageDelivered: "notify", oncall.EventAsked: "responder_request",
	oncall.EventExhausted: "exhaust_escalation_path", oncall.EventSeverity: "priority_change", oncall.EventMerged: "merge",
}

// A pagerDutyLogEntry is an event in PagerDuty's format.
type pagerDutyLogEntry struct {
	pagerDutyRef
	CreatedAt *string        `json:"created_at"`
	Agent     *pagerDutyRef  `json:"agent"`
	Channel   map[string]any `json:"channel"`
	Incident  pagerDutyRef   `json:"incident"`
	Service   pagerDutyRef   `json:"service"`
	Teams     []pagerDutyRef `json:"teams"`
	Contexts  []any          `json:"contexts"`
	Assignees []pagerDutyRef `json:"assignees,omitempty"`
	Details   map[string]any `json:"event_details"`
}

func (s *server) pagerDutyLog(f *dialectRequest) (dialectResponse, error) {
	in, err := s.incidentInPath(f)
	if err != nil {
		return dialectResponse{}, err
	}
	since, err := f.instant("since")
	if err != nil {
		return dialectResponse{}, err
	}
	until, err := f.instant("until")
	if err != nil {
		return dialectResponse{}, err
	}
	events, err := s.Store.Events(f.ctx(), f.caller.by, in.ID)
	if err != nil {
		return dialectResponse{}, err
	}
	all := []pagerDutyLogEntry{}
	for _, event := range events {
		kind, known := pagerDutyEntries[event.Kind]
		overview := kind != "notify" || f.query.Get("is_overview") != "true"
		if !known || !overview || event.At.Before(since) || !until.IsZero() && !event.At.Before(until) {
			continue
		}
		out := pagerDutyLogEntry{
			pagerDutyRef: f.pagerDutyObject(kind+"_log_entry", pagerDutyNumber(event.ID), event.Actor.Shown(f.Name)+": "+strings.ReplaceAll(kind, "_", " ")), CreatedAt: f.stamp(&event.At), Agent: f.pagerDutyAgent(event.Actor),
			Channel: map[string]any{"type": cmp.Or(event.Actor.Via, "auto")}, Incident: f.pagerDutyReference("incident", pagerDutyNumber(in.ID), in.Title), Service: f.pagerDutyService(in.IntegrationID),
			Teams: []pagerDutyRef{}, Contexts: []any{}, Details: map[string]any{},
		}
		if event.Kind == oncall.EventNote {
			out.Channel["summary"] = event.Detail.Text
		}
		if kind == "assign" {
			out.Assignees = mapSlice(event.Detail.Users, f.pagerDutyUserRef)
		}
		all = append(all, out)
	}
	slices.Reverse(all) // newest first
	return pagerDutyPage(f, "log_entries", all)
}

// A pagerDutyAlertShown is an alert in PagerDuty's format.
type pagerDutyAlertShown struct {
	pagerDutyRef
	CreatedAt  *string        `json:"created_at"`
	Status     string         `json:"status"`
	Key        string         `json:"alert_key"`
	Severity   string         `json:"severity"`
	Suppressed bool           `json:"suppressed"`
	Body       map[string]any `json:"body"`
	Service    pagerDutyRef   `json:"service"`
	Incident   pagerDutyRef   `json:"incident"`
	From       pagerDutyRef   `json:"integration"`
}

func (s *server) pagerDutyAlerts(f *dialectRequest) (dialectResponse, error) {
	in, err := s.incidentInPath(f)
	if err != nil {
		return dialectResponse{}, err
	}
	found, _, err := s.Store.Alerts(f.ctx(), f.caller.by, in.ID, 0, pagerDutyMaxListed)
	if err != nil {
		return dialectResponse{}, err
	}
	severities := map[oncall.Severity]string{oncall.Critical: "critical", oncall.High: "error", oncall.Medium: "warning", oncall.Low: "info"}
	all := []pagerDutyAlertShown{}
	for _, alert := range found {
		status := "resolved"
		if alert.Firing {
			status = "triggered"
		}
		if f.has("statuses", status) {
			name := f.IntegrationName(alert.IntegrationID)
			all = append(all, pagerDutyAlertShown{
				pagerDutyRef: f.pagerDutyObject("alert", pagerDutyNumber(alert.ID), alert.Title), CreatedAt: f.stamp(&alert.FirstAt), Status: status, Key: alert.DedupKey, Severity: cmp.Or(severities[alert.Severity], "error"),
				Body: map[string]any{"type": "alert_body", "details": alert.Details, "contexts": []any{}}, Service: f.pagerDutyService(alert.IntegrationID),
				Incident: f.pagerDutyReference("incident", pagerDutyNumber(in.ID), in.Title), From: f.pagerDutyReference("generic_events_api_inbound_integration", pagerDutyNumber(alert.IntegrationID), name),
			})
		}
	}
	return pagerDutyPage(f, "alerts", all)
}
