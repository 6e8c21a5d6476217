package main

import (
	"context"
	"errors"
	"time"

	"github.com/PagerDuty/go-pagerduty"
	"github.com/opsgenie/opsgenie-go-sdk-v2/alert"
	"github.com/opsgenie/opsgenie-go-sdk-v2/client"
	"github.com/opsgenie/opsgenie-go-sdk-v2/schedule"
	"github.com/opsgenie/opsgenie-go-sdk-v2/team"
)

// pagerDutyREST reads and acts as tools do that are built on go-pagerduty.
func pagerDutyREST(ctx context.Context, address, key string) {
	c := pagerduty.NewClient(key, pagerduty.WithAPIEndpoint(address))
	calls, err := c.ListOnCallsWithContext(ctx, pagerduty.ListOnCallOptions{Includes: []string{"users"}})
	check("go-pagerduty reads who is on call", err == nil && len(calls.OnCalls) == 1 && calls.OnCalls[0].User.Email == "ann@example.com" && calls.OnCalls[0].EscalationLevel == 1, calls, err)
	schedules, err := c.ListSchedulesWithContext(ctx, pagerduty.ListSchedulesOptions{Query: "orders"})
	check("go-pagerduty lists schedules", err == nil && len(schedules.Schedules) == 1, schedules, err)
	if err != nil || len(schedules.Schedules) == 0 {
		return
	}
	id := schedules.Schedules[0].ID
	one, err := c.GetScheduleWithContext(ctx, id, pagerduty.GetScheduleOptions{Since: "2026-03-02T00:00:00Z", Until: "2026-03-09T00:00:00Z"})
	check("go-pagerduty reads a schedule", err == nil && len(one.FinalSchedule.RenderedScheduleEntries) == 1 && one.FinalSchedule.RenderedCoveragePercentage == 100, one, err)
	users, err := c.ListOnCallUsersWithContext(ctx, id, pagerduty.ListOnCallUsersOptions{Since: "2026-03-02T11:00:00Z", Until: "2026-03-02T11:00:01Z"})
	check("go-pagerduty reads who is on call in a schedule", err == nil && len(users) == 1 && users[0].Name == "ann", users, err)
	made, err := c.CreateOverrideWithContext(ctx, id, pagerduty.Override{Start: "2026-03-03T11:00:00Z", End: "2026-03-03T12:00:00Z", User: pagerduty.APIObject{ID: "U0BO", Type: "user_reference"}})
	check("go-pagerduty makes an override", err == nil && made.ID != "" && made.User.ID == "U0BO", made, err)
	if err == nil {
		check("go-pagerduty ends an override", c.DeleteOverrideWithContext(ctx, id, made.ID) == nil)
	}
	services, err := c.ListServicesWithContext(ctx, pagerduty.ListServiceOptions{Includes: []string{"integrations"}})
	check("go-pagerduty lists services", err == nil && len(services.Services) > 1 && services.Services[0].Integrations[0].IntegrationKey == "", services, err)
	policies, err := c.ListEscalationPoliciesWithContext(ctx, pagerduty.ListEscalationPoliciesOptions{})
	check("go-pagerduty lists policies", err == nil && len(policies.EscalationPolicies) == 1 && policies.EscalationPolicies[0].EscalationRules[0].Targets[0].Summary == "orders-primary", policies, err)
	teams, err := c.ListTeamsWithContext(ctx, pagerduty.ListTeamOptions{})
	check("go-pagerduty lists teams", err == nil && len(teams.Teams) == 1, teams, err)
	members, err := c.ListTeamMembers(ctx, teams.Teams[0].ID, pagerduty.ListTeamMembersOptions{})
	check("go-pagerduty lists members", err == nil && len(members.Members) == 1, members, err)
	_, err = c.GetCurrentUserWithContext(ctx, pagerduty.GetCurrentUserOptions{})
	var refused pagerduty.APIError
	check("go-pagerduty understands a refusal", errors.As(err, &refused) && refused.StatusCode == 400 && refused.APIError.Valid && refused.APIError.ErrorObject.Code == 2001, err)
	_, err = c.GetScheduleWithContext(ctx, "999", pagerduty.GetScheduleOptions{})
	check("go-pagerduty understands that something is not there", errors.As(err, &refused) && refused.NotFound(), err)
	pagerDutyIncidents(ctx, c, services.Services[0].ID)
}

func pagerDutyIncidents(ctx context.Context, c *pagerduty.Client, service string) {
	in, err := c.CreateIncidentWithContext(ctx, "ann@example.com", &pagerduty.CreateIncidentOptions{Title: "checkout is down", Service: &pagerduty.APIReference{ID: service, Type: "service_reference"}, IncidentKey: "c1"})
	check("go-pagerduty opens an incident", err == nil && in.ID != "" && in.Status == "triggered", in, err)
	if err != nil {
		return
	}
	done, err := c.ManageIncidentsWithContext(ctx, "ann@example.com", []pagerduty.ManageIncidentsOptions{{ID: in.ID, Status: "acknowledged"}})
	check("go-pagerduty acknowledges", err == nil && done.Incidents[0].Status == "acknowledged", done, err)
	note, err := c.CreateIncidentNoteWithContext(ctx, in.ID, pagerduty.IncidentNote{Content: "on it", User: pagerduty.APIObject{Summary: "ann@example.com"}})
	check("go-pagerduty adds a note", err == nil && note.Content == "on it", note, err)
	notes, err := c.ListIncidentNotesWithContext(ctx, in.ID)
	check("go-pagerduty reads notes", err == nil && len(notes) == 1, notes, err)
	snoozed, err := c.SnoozeIncidentWithContext(ctx, in.ID, 3600)
	check("go-pagerduty snoozes", err == nil && len(snoozed.PendingActions) == 1, snoozed, err)
	log, err := c.ListIncidentLogEntriesWithContext(ctx, in.ID, pagerduty.ListIncidentLogEntriesOptions{})
	check("go-pagerduty reads the log", err == nil && len(log.LogEntries) > 2, log, err)
	_, err = c.ListIncidentAlertsWithContext(ctx, in.ID, pagerduty.ListIncidentAlertsOptions{})
	check("go-pagerduty reads alerts", err == nil, err)
	done, err = c.ManageIncidentsWithContext(ctx, "ann@example.com", []pagerduty.ManageIncidentsOptions{{ID: in.ID, Status: "resolved"}})
	check("go-pagerduty resolves", err == nil && done.Incidents[0].Status == "resolved", done, err)
	list, err := c.ListIncidentsWithContext(ctx, pagerduty.ListIncidentsOptions{DateRange: "all", Statuses: []string{"resolved"}})
	check("go-pagerduty lists incidents", err == nil && len(list.Incidents) > 0, list, err)
}

// opsgenieREST reads as tools do that are built on Opsgenie's library.
func opsgenieREST(ctx context.Context, address, key string) {
	config := &client.Config{ApiKey: key, OpsGenieAPIURL: client.ApiUrl(address)}
	c, err := schedule.NewClient(config)
	check("opsgenie-go-sdk-v2 starts for schedules", err == nil, err)
	expand := true
	list, err := c.List(ctx, &schedule.ListRequest{Expand: &expand})
	check("opsgenie-go-sdk-v2 lists schedules", err == nil && len(list.Schedule) == 1 && len(list.Schedule[0].Rotations) == 1, list, err)
	flat, deep := true, false
	names, err := c.GetOnCalls(ctx, &schedule.GetOnCallsRequest{Flat: &flat, ScheduleIdentifierType: schedule.Name, ScheduleIdentifier: "orders-primary"})
	check("opsgenie-go-sdk-v2 reads who is on call", err == nil && len(names.OnCallRecipients) == 1 && names.OnCallRecipients[0] == "ann@example.com", names, err)
	at := time.Date(2026, 3, 10, 11, 0, 0, 0, time.UTC)
	people, err := c.GetOnCalls(ctx, &schedule.GetOnCallsRequest{Flat: &deep, Date: &at, ScheduleIdentifierType: schedule.Name, ScheduleIdentifier: "orders-primary"})
	check("opsgenie-go-sdk-v2 reads who will be on call", err == nil && len(people.OnCallParticipants) == 1 && people.Parent.Name == "orders-primary", people, err)
	_, err = c.GetNextOnCall(ctx, &schedule.GetNextOnCallsRequest{Flat: &flat, ScheduleIdentifierType: schedule.Name, ScheduleIdentifier: "orders-primary"})
	check("opsgenie-go-sdk-v2 reads who is next", err == nil, err)
	line, err := c.GetTimeline(ctx, &schedule.GetTimelineRequest{IdentifierType: schedule.Name, IdentifierValue: "orders-primary", IntervalUnit: schedule.Weeks})
	check("opsgenie-go-sdk-v2 reads a timeline", err == nil && len(line.FinalTimeline.Rotations) == 1, line, err)
	t, err := team.NewClient(config)
	check("opsgenie-go-sdk-v2 starts for teams", err == nil, err)
	teams, err := t.List(ctx, &team.ListTeamRequest{})
	check("opsgenie-go-sdk-v2 lists teams", err == nil && len(teams.Teams) == 1, teams, err)
	a, err := alert.NewClient(config)
	check("opsgenie-go-sdk-v2 starts for alerts", err == nil, err)
	_, err = a.List(ctx, &alert.ListAlertRequest{Limit: 10, Query: "status: open"})
	check("opsgenie-go-sdk-v2 lists alerts", err == nil, err)
}
