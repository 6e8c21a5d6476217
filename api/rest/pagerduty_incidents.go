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

// A pdIncidentShown is an incident in PagerDuty's format.
type pdIncidentShown struct {
	pdRef
	Number      int64          `json:"incident_number"`
	Title       string         `json:"title"`
	Description string         `json:"description"`
	Status      string         `json:"status"`
	Urgency     string         `json:"urgency"`
	Priority    pdPriority     `json:"priority"`
	CreatedAt   *string        `json:"created_at"`
	UpdatedAt   *string        `json:"updated_at"`
	ResolvedAt  *string        `json:"resolved_at"`
	ChangedAt   *string        `json:"last_status_change_at"`
	ChangedBy   *pdRef         `json:"last_status_change_by"`
	Key         *string        `json:"incident_key"`
	Service     pdRef          `json:"service"`
	Policy      *pdRef         `json:"escalation_policy"`
	Teams       []pdRef        `json:"teams"`
	Assignments []pdAssigned   `json:"assignments"`
	Acks        []pdAcked      `json:"acknowledgements"`
	Pending     []pdPending    `json:"pending_actions"`
	Body        map[string]any `json:"body"`
	Counts      *pdCounts      `json:"alert_counts,omitempty"`
}

type pdPriority struct {
	pdRef
	Name string `json:"name"`
}

type pdAssigned struct {
	At       *string `json:"at"`
	Assignee pdRef   `json:"assignee"`
}

type pdAcked struct {
	At           *string `json:"at"`
	Acknowledger pdRef   `json:"acknowledger"`
}

type pdPending struct {
	Type string  `json:"type"`
	At   *string `json:"at"`
}

type pdCounts struct {
	All       int `json:"all"`
	Triggered int `json:"triggered"`
	Resolved  int `json:"resolved"`
}

// pdPriorities are PagerDuty's names for our severities.
var pdPriorities = map[oncall.Severity]string{oncall.Critical: "P1", oncall.High: "P2", oncall.Medium: "P3", oncall.Low: "P4"}

// pdStatus returns PagerDuty's status: a snoozed incident counts as acknowledged until the snooze
// ends.
func pdStatus(s oncall.Status) string {
	if s == oncall.Snoozed {
		return string(oncall.Acknowledged)
	}
	return string(s)
}

func pdUrgency(s oncall.Severity) string {
	if s == oncall.Low {
		return "low"
	}
	return "high"
}

func (dr *dialectRequest) pdService(id oncall.IntegrationID) pdRef {
	if id == 0 {
		return dr.pdReference("service", "0", "Paged by hand")
	}
	return dr.pdReference("service", pdNumber(id), dr.IntegrationName(id))
}

func (dr *dialectRequest) pdIncident(in oncall.Incident) pdIncidentShown {
	name := cmp.Or(pdPriorities[in.Severity], "P2")
	out := pdIncidentShown{
		pdRef: dr.pdObject("incident", pdNumber(in.ID), "["+in.ID.String()+"] "+in.Title), Number: int64(in.ID), Title: in.Title, Description: in.Title,
		Status: pdStatus(in.Status), Urgency: pdUrgency(in.Severity), Priority: pdPriority{dr.pdReference("priority", name, name), name},
		CreatedAt: dr.stamp(&in.OpenedAt), ResolvedAt: dr.stamp(in.ResolvedAt), Service: dr.pdService(in.IntegrationID), Policy: dr.pdPolicyRef(in.PolicyID),
		Teams: []pdRef{}, Assignments: []pdAssigned{}, Acks: []pdAcked{}, Pending: []pdPending{}, Body: map[string]any{"type": "incident_body", "details": in.Body},
	}
	if t, known := dr.Team(in.TeamID); known && dr.sees(t.ID) {
		out.Teams = append(out.Teams, dr.pdTeamRef(t))
	}
	changed, by := in.OpenedAt, in.RaisedBy
	if in.AckedAt != nil {
		changed, by = *in.AckedAt, in.AckedBy
	}
	if in.ResolvedAt != nil {
		changed, by = *in.ResolvedAt, in.ResolvedBy
	}
	out.ChangedAt, out.ChangedBy = dr.stamp(&changed), dr.pdAgent(by)
	out.UpdatedAt = dr.stamp(new(later(changed, in.LastSignalAt)))
	for _, u := range in.Holders() {
		out.Acks = append(out.Acks, pdAcked{dr.stamp(in.AckedAt), dr.pdUserRef(u)})
	}
	if in.Open() {
		for _, u := range dr.assigned(in) {
			out.Assignments = append(out.Assignments, pdAssigned{dr.stamp(&in.OpenedAt), dr.pdUserRef(u)})
		}
	}
	if in.Status == oncall.Snoozed {
		out.Pending = append(out.Pending, pdPending{"unacknowledge", dr.stamp(in.SnoozedUntil)})
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
		if is, known := dr.Schedule(t.Schedule); known {
			for _, shift := range dr.onDuty(is, t.Role, dr.caller.now, dr.caller.now, true) {
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

// pdAgent returns the actor: a person, or a monitor, a key or Watchbill itself as a service.
func (dr *dialectRequest) pdAgent(by oncall.Actor) *pdRef {
	switch {
	case by == (oncall.Actor{}):
		return nil
	case by.User != "":
		return new(dr.pdUserRef(by.User))
	}
	return new(dr.pdReference("service", "0", by.String()))
}

// pdMaxListed is how many incidents a list covers, newest first.
const pdMaxListed = 1000

func (s *server) pdIncidents(f *dialectRequest) (dialectResponse, error) {
	filter, err := f.pdFilter()
	if err != nil {
		return dialectResponse{}, err
	}
	found, err := s.incidentsOf(f.ctx(), f.caller.by, filter, pdMaxListed)
	if err != nil {
		return dialectResponse{}, err
	}
	all := []pdIncidentShown{}
	for _, in := range found {
		switch shown := f.pdIncident(in); {
		case !f.has("statuses", shown.Status), !f.has("urgencies", shown.Urgency), !f.has("team_ids", pdNumber(in.TeamID)):
		case len(f.list("user_ids")) > 0 && !slices.ContainsFunc(shown.Assignments, func(a pdAssigned) bool { return f.has("user_ids", a.Assignee.ID) }):
		default:
			all = append(all, shown)
		}
	}
	if order := f.query.Get("sort_by"); order != "" && !strings.HasSuffix(order, ":desc") {
		slices.Reverse(all)
	}
	return pdPage(f, "incidents", all)
}

// pdFilter parses the filter for incidents: by default, those of the last month.
func (dr *dialectRequest) pdFilter() (filter store.IncidentFilter, err error) {
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
func (s *server) incidentsOf(ctx context.Context, by oncall.Actor, f store.IncidentFilter, most int) (all []oncall.Incident, err error) {
	f.Limit = store.MostListed
	for len(all) < most {
		found, more, err := s.Store.Incidents(ctx, by, f)
		if err != nil {
			return nil, err
		}
		if all = append(all, found...); !more || len(found) == 0 {
			break
		}
		f.Before = found[len(found)-1].ID
	}
	return all[:min(len(all), most)], nil
}

// incidentInPath returns the incident in the path.
func (s *server) incidentInPath(f *dialectRequest) (oncall.Incident, error) {
	id, err := f.id()
	if err != nil {
		return oncall.Incident{}, err
	}
	return s.Store.Incident(f.ctx(), f.caller.by, oncall.IncidentID(id))
}

func (s *server) pdIncident(f *dialectRequest) (dialectResponse, error) {
	in, err := s.incidentInPath(f)
	if err != nil {
		return dialectResponse{}, err
	}
	alerts, total, err := s.Store.Alerts(f.ctx(), f.caller.by, in.ID, 0, alertsShown)
	if err != nil {
		return dialectResponse{}, err
	}
	out := f.pdIncident(in)
	out.Counts = &pdCounts{All: total}
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

// A pdNoteShown is a note in PagerDuty's format.
type pdNoteShown struct {
	ID        string  `json:"id"`
	User      pdRef   `json:"user"`
	Content   string  `json:"content"`
	CreatedAt *string `json:"created_at"`
}

// pdNotesOf returns an incident's notes, oldest first.
func (s *server) pdNotesOf(f *dialectRequest, id oncall.IncidentID) ([]pdNoteShown, error) {
	events, err := s.Store.Events(f.ctx(), f.caller.by, id)
	if err != nil {
		return nil, err
	}
	all := []pdNoteShown{}
	for _, e := range events {
		if e.Kind == oncall.EventNote {
			all = append(all, pdNoteShown{pdNumber(e.ID), *cmp.Or(f.pdAgent(e.Actor), &pdRef{}), e.Detail.Text, f.stamp(&e.At)})
		}
	}
	return all, nil
}

func (s *server) pdNotes(f *dialectRequest) (dialectResponse, error) {
	in, err := s.incidentInPath(f)
	if err != nil {
		return dialectResponse{}, err
	}
	all, err := s.pdNotesOf(f, in.ID)
	return dialectResponse{http.StatusOK, map[string]any{"notes": all}}, err
}

// pdEntries are the timeline events that PagerDuty has too, and its names for them.
var pdEntries = map[oncall.EventKind]string{
	oncall.EventOpened: "trigger", oncall.EventReopened: "trigger", oncall.EventAcknowledged: "acknowledge", oncall.EventUnacknowledged: "unacknowledge",
	oncall.EventResolved: "resolve", oncall.EventEscalated: "escalate", oncall.EventPaging: "assign", oncall.EventReassigned: "assign",
	oncall.EventSnoozed: "snooze", oncall.EventNote: "annotate", oncall.EventPageDelivered: "notify", oncall.EventAsked: "responder_request",
	oncall.EventExhausted: "exhaust_escalation_path", oncall.EventSeverity: "priority_change", oncall.EventMerged: "merge",
}

// A pdLogEntry is an event in PagerDuty's format.
type pdLogEntry struct {
	pdRef
	CreatedAt *string        `json:"created_at"`
	Agent     *pdRef         `json:"agent"`
	Channel   map[string]any `json:"channel"`
	Incident  pdRef          `json:"incident"`
	Service   pdRef          `json:"service"`
	Teams     []pdRef        `json:"teams"`
	Contexts  []any          `json:"contexts"`
	Assignees []pdRef        `json:"assignees,omitempty"`
	Details   map[string]any `json:"event_details"`
}

func (s *server) pdLog(f *dialectRequest) (dialectResponse, error) {
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
	all := []pdLogEntry{}
	for _, e := range events {
		kind, known := pdEntries[e.Kind]
		overview := kind != "notify" || f.query.Get("is_overview") != "true"
		if !known || !overview || e.At.Before(since) || !until.IsZero() && !e.At.Before(until) {
			continue
		}
		out := pdLogEntry{
			pdRef: f.pdObject(kind+"_log_entry", pdNumber(e.ID), e.Actor.Shown(f.Name)+": "+strings.ReplaceAll(kind, "_", " ")), CreatedAt: f.stamp(&e.At), Agent: f.pdAgent(e.Actor),
			Channel: map[string]any{"type": cmp.Or(e.Actor.Via, "auto")}, Incident: f.pdReference("incident", pdNumber(in.ID), in.Title), Service: f.pdService(in.IntegrationID),
			Teams: []pdRef{}, Contexts: []any{}, Details: map[string]any{},
		}
		if e.Kind == oncall.EventNote {
			out.Channel["summary"] = e.Detail.Text
		}
		if kind == "assign" {
			out.Assignees = mapSlice(e.Detail.Users, f.pdUserRef)
		}
		all = append(all, out)
	}
	slices.Reverse(all) // newest first
	return pdPage(f, "log_entries", all)
}

// A pdAlertShown is an alert in PagerDuty's format.
type pdAlertShown struct {
	pdRef
	CreatedAt  *string        `json:"created_at"`
	Status     string         `json:"status"`
	Key        string         `json:"alert_key"`
	Severity   string         `json:"severity"`
	Suppressed bool           `json:"suppressed"`
	Body       map[string]any `json:"body"`
	Service    pdRef          `json:"service"`
	Incident   pdRef          `json:"incident"`
	From       pdRef          `json:"integration"`
}

func (s *server) pdAlerts(f *dialectRequest) (dialectResponse, error) {
	in, err := s.incidentInPath(f)
	if err != nil {
		return dialectResponse{}, err
	}
	found, _, err := s.Store.Alerts(f.ctx(), f.caller.by, in.ID, 0, pdMaxListed)
	if err != nil {
		return dialectResponse{}, err
	}
	severities := map[oncall.Severity]string{oncall.Critical: "critical", oncall.High: "error", oncall.Medium: "warning", oncall.Low: "info"}
	all := []pdAlertShown{}
	for _, a := range found {
		status := "resolved"
		if a.Firing {
			status = "triggered"
		}
		if f.has("statuses", status) {
			name := f.IntegrationName(a.IntegrationID)
			all = append(all, pdAlertShown{
				pdRef: f.pdObject("alert", pdNumber(a.ID), a.Title), CreatedAt: f.stamp(&a.FirstAt), Status: status, Key: a.DedupKey, Severity: cmp.Or(severities[a.Severity], "error"),
				Body: map[string]any{"type": "alert_body", "details": a.Details, "contexts": []any{}}, Service: f.pdService(a.IntegrationID),
				Incident: f.pdReference("incident", pdNumber(in.ID), in.Title), From: f.pdReference("generic_events_api_inbound_integration", pdNumber(a.IntegrationID), name),
			})
		}
	}
	return pdPage(f, "alerts", all)
}
