package rest

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// An Incident is a problem for which people are paged.
type Incident struct {
	ID             int64       `json:"id" doc:"As people see it, without the #."`
	Title          string      `json:"title"`
	Body           string      `json:"body,omitempty"`
	Link           string      `json:"link,omitempty"`
	State          string      `json:"state" enum:"triggered,acknowledged,snoozed,resolved"`
	Severity       string      `json:"severity" enum:"critical,high,medium,low"`
	Team           Ref         `json:"team"`
	Policy         *Ref        `json:"policy,omitempty" doc:"Left out where it is of a private team."`
	Integration    *Ref        `json:"integration,omitempty"`
	OpenedAt       time.Time   `json:"opened_at"`
	AcknowledgedAt *time.Time  `json:"acknowledged_at,omitempty"`
	AcknowledgedBy *Actor      `json:"acknowledged_by,omitempty"`
	Holders        []Person    `json:"holders" doc:"Who has it."`
	SnoozedUntil   *time.Time  `json:"snoozed_until,omitempty"`
	ResolvedAt     *time.Time  `json:"resolved_at,omitempty"`
	ResolvedBy     *Actor      `json:"resolved_by,omitempty"`
	NextStepAt     *time.Time  `json:"next_step_at,omitempty" doc:"When the policy goes on, if nobody does anything."`
	Exhausted      bool        `json:"exhausted,omitempty" doc:"The policy has run out, and nobody has it."`
	Responders     []Responder `json:"responders,omitempty" doc:"Who was asked to help."`
	Signals        int         `json:"signals" doc:"How many were about it."`
	MergedInto     int64       `json:"merged_into,omitempty"`
	Linked         []int64     `json:"linked,omitempty"`
	Storm          bool        `json:"storm,omitempty" doc:"It takes in what a flood of alerts would have opened."`
	Verdict        string      `json:"verdict,omitempty" enum:"real,noise,unsure" doc:"What people said it was, once it was over."`
	Helped         string      `json:"helped,omitempty" doc:"And what helped."`
	Channel        *Channel    `json:"channel,omitempty" doc:"Its own in Slack, while it is open."`
	Version        int64       `json:"version" doc:"Grows with every change."`
}

// A Channel is one in Slack.
type Channel struct {
	ID   string `json:"id" example:"C024BE91L"`
	Name string `json:"name" example:"inc-12-disk-full"`
}

// A Responder is a person who was asked to help.
type Responder struct {
	Person
	State string `json:"state" example:"asked"`
}

// An IncidentDetail is an incident with its alerts, timeline and pages.
type IncidentDetail struct {
	Incident
	Alerts      []Alert `json:"alerts" doc:"The first 100: those that fire, then the latest that have cleared."`
	AlertsTotal int     `json:"alerts_total"`
	Timeline    []Event `json:"timeline" doc:"The oldest first."`
	Pages       []Page  `json:"pages" doc:"The latest 300."`
}

// An Alert is all signals under one key until it clears.
type Alert struct {
	ID        int64             `json:"id"`
	Key       string            `json:"key,omitempty" doc:"By which its monitor knows it."`
	Title     string            `json:"title"`
	Body      string            `json:"body,omitempty"`
	Link      string            `json:"link,omitempty"`
	Severity  string            `json:"severity"`
	Firing    bool              `json:"firing"`
	Labels    map[string]string `json:"labels,omitempty"`
	Count     int               `json:"count" doc:"Of its signals."`
	FirstAt   time.Time         `json:"first_at"`
	LastAt    time.Time         `json:"last_at"`
	ClearedAt *time.Time        `json:"cleared_at,omitempty"`
}

// An Event is one line of a timeline.
type Event struct {
	ID     int64          `json:"id"`
	At     time.Time      `json:"at"`
	Kind   string         `json:"kind" example:"acknowledged" doc:"Others may come."`
	By     *Actor         `json:"by,omitempty"`
	Users  []Person       `json:"users,omitempty" doc:"Whom it is about."`
	Text   string         `json:"text,omitempty"`
	Detail *oncall.Detail `json:"detail,omitempty" doc:"What else is kept of it."`
}

// A Page is one decision's message to a person or a channel.
type Page struct {
	ID      int64      `json:"id"`
	User    *Person    `json:"user,omitempty" doc:"Left out where it is for a channel or a webhook."`
	Method  string     `json:"method" example:"sms"`
	Why     string     `json:"why" doc:"Completes: you are paged because."`
	State   string     `json:"state" enum:"waiting,delivered,failed,skipped"`
	At      *time.Time `json:"at,omitempty" doc:"Not sent earlier."`
	EndedAt *time.Time `json:"ended_at,omitempty"`
	Receipt string     `json:"receipt,omitempty" doc:"What the provider has reported since: delivered, answered, unanswered." example:"delivered"`
}

// IncidentQuery are the parameters of the list of incidents.
type IncidentQuery struct {
	Paged
	State    []string  `query:"state" enum:"open,triggered,acknowledged,snoozed,resolved" doc:"In one of these states; open is all but resolved."`
	Team     string    `query:"team" doc:"Of one team only: its name or id."`
	Severity []string  `query:"severity" enum:"critical,high,medium,low" doc:"Of one of these severities."`
	Since    time.Time `query:"since" doc:"Opened then or later."`
	Until    time.Time `query:"until" doc:"Opened before."`
	Text     string    `query:"text" maxLength:"200" doc:"In the title, whatever its case."`
}

// IncidentPath is the path of one incident.
type IncidentPath struct {
	ID int64 `path:"id" minimum:"1" doc:"The incident's number."`
}

func (s *server) incidentRoutes() {
	handle(s, operation{
		method: http.MethodGet, path: "/incidents", id: "list-incidents", tag: "incidents", summary: "List incidents, the newest first", scope: oncall.ScopeRead,
	}, s.listIncidents)
	handle(s, operation{
		method: http.MethodGet, path: "/incidents/{id}", id: "get-incident", tag: "incidents", summary: "Get an incident with its timeline, alerts, pages and receipts",
		scope: oncall.ScopeRead, errors: []int{404},
	}, s.getIncident)
}

func (s *server) listIncidents(ctx context.Context, c caller, in *IncidentQuery) (*ListResponse[Incident], error) {
	v, err := s.viewFor(ctx, c)
	if err != nil {
		return nil, err
	}
	before, err := in.position()
	if err != nil {
		return nil, err
	}
	f := store.IncidentFilter{Since: in.Since, Until: in.Until, Text: in.Text, Before: oncall.IncidentID(before), Limit: in.Limit}
	for _, state := range in.State {
		if state == "open" {
			f.Statuses = append(f.Statuses, oncall.Triggered, oncall.Acknowledged, oncall.Snoozed)
		} else {
			f.Statuses = append(f.Statuses, oncall.Status(state))
		}
	}
	for _, severity := range in.Severity {
		f.Severities = append(f.Severities, oncall.Severity(severity))
	}
	team, _, err := filterValue(in.Team, v.team, "team")
	if err != nil {
		return nil, err
	}
	f.Team = team.ID
	found, more, err := s.Store.Incidents(ctx, c.by, f)
	if err != nil {
		return nil, err
	}
	out := &ListResponse[Incident]{Body: List[Incident]{Items: make([]Incident, 0, len(found))}}
	for _, one := range found {
		out.Body.Items = append(out.Body.Items, v.incident(one))
	}
	if more {
		out.Body.Next = cursor(int64(found[len(found)-1].ID))
	}
	return out, nil
}

func (v view) incident(in oncall.Incident) Incident {
	out := Incident{
		ID: int64(in.ID), Title: in.Title, Body: in.Body, Link: in.Link, State: string(in.Status), Severity: string(in.Severity),
		Team: v.teamRef(in.TeamID), OpenedAt: in.OpenedAt, AcknowledgedAt: in.AckedAt, AcknowledgedBy: v.actor(in.AckedBy), Holders: v.people(in.Holders()),
		SnoozedUntil: in.SnoozedUntil, ResolvedAt: in.ResolvedAt, ResolvedBy: v.actor(in.ResolvedBy), Exhausted: in.Exhausted,
		Signals: in.SignalCount, MergedInto: int64(in.MergedInto), Storm: in.Storm != nil, Version: in.Version, Verdict: string(in.Verdict), Helped: in.Helped,
	}
	if in.Status == oncall.Triggered {
		out.NextStepAt = in.NextAt
	}
	if in.Status != oncall.Snoozed {
		out.SnoozedUntil = nil
	}
	if p, known := v.Policies[in.PolicyID]; known {
		out.Policy = &Ref{int64(p.ID), p.Name}
	}
	if name := v.IntegrationName(in.IntegrationID); name != "" {
		out.Integration = &Ref{int64(in.IntegrationID), name}
	}
	if own := in.Channel; own != nil && own.ID != "" && !own.Archived {
		out.Channel = &Channel{own.ID, own.Name}
	}
	for _, r := range in.Responders {
		out.Responders = append(out.Responders, Responder{v.person(r.User), string(r.State)})
	}
	for _, id := range in.Links {
		out.Linked = append(out.Linked, int64(id))
	}
	return out
}

const alertsShown = 100

func (s *server) getIncident(ctx context.Context, c caller, in *struct {
	IncidentPath
	Fields
},
) (*VersionedResponse[IncidentDetail], error) {
	v, err := s.viewFor(ctx, c)
	if err != nil {
		return nil, err
	}
	return s.incidentDetail(ctx, v, oncall.IncidentID(in.ID))
}

func (s *server) incidentDetail(ctx context.Context, v view, id oncall.IncidentID) (*VersionedResponse[IncidentDetail], error) {
	by := v.caller.by
	in, err := s.Store.Incident(ctx, by, id)
	if err != nil {
		return nil, err
	}
	alerts, total, err := s.Store.Alerts(ctx, by, id, 0, alertsShown)
	if err != nil {
		return nil, err
	}
	events, err := s.Store.Events(ctx, by, id)
	if err != nil {
		return nil, err
	}
	pages, err := s.Store.PageHistory(ctx, by, id)
	if err != nil {
		return nil, err
	}
	out := IncidentDetail{Incident: v.incident(in), Alerts: []Alert{}, AlertsTotal: total, Timeline: []Event{}, Pages: []Page{}}
	out.Alerts = mapSlice(alerts, alertOf)
	receipts := map[oncall.PageID]string{}
	for _, e := range events {
		if e.Kind == oncall.EventPageReceipt && e.Detail.Page != 0 {
			receipts[e.Detail.Page] = e.Detail.Text
		}
		out.Timeline = append(out.Timeline, v.event(e))
	}
	for _, p := range pages {
		out.Pages = append(out.Pages, v.page(p, receipts[p.ID]))
	}
	return &VersionedResponse[IncidentDetail]{ETag: incidentETag(in), Body: out}, nil
}

func alertOf(a oncall.Alert) Alert {
	return Alert{
		ID: int64(a.ID), Key: a.DedupKey, Title: a.Title, Body: a.Body, Link: a.Link, Severity: string(a.Severity), Firing: a.Firing,
		Labels: a.Labels, Count: a.Count, FirstAt: a.FirstAt, LastAt: a.LastAt, ClearedAt: a.ClearedAt,
	}
}

func incidentETag(in oncall.Incident) string { return versionETag(in.Version) }

func (v view) event(e oncall.Event) Event {
	out := Event{ID: e.ID, At: e.At, Kind: string(e.Kind), By: v.actor(e.Actor), Text: e.Detail.Text, Detail: &e.Detail}
	if len(e.Detail.Users) > 0 {
		out.Users = v.people(e.Detail.Users)
	}
	return out
}

func (v view) page(p store.PageOutcome, receipt string) Page {
	out := Page{ID: int64(p.ID), Method: string(p.Method), Why: strings.TrimSpace(p.Why.Shown(v.Name)), State: string(p.State), EndedAt: p.Ended, Receipt: receipt}
	if p.UserID != "" {
		out.User = new(v.person(p.UserID))
	}
	if p.At.Year() > 1 {
		out.At = &p.At
	}
	return out
}
