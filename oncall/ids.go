package oncall

// Ids are distinct types so that one can't be handed over for another.
type (
	// UserID is a Slack user id ("U…" or "W…"): Watchbill has no second identity.
	UserID string
	// TeamID identifies a team.
	TeamID int64
	// ScheduleID identifies a schedule.
	ScheduleID int64
	// OverrideID identifies an override; a later one was made later.
	OverrideID int64
	// PolicyID identifies an escalation policy.
	PolicyID int64
	// IntegrationID identifies an inbound key.
	IntegrationID int64
	// AlertID identifies an alert.
	AlertID int64
	// IncidentID identifies an incident; people see it as "#12".
	IncidentID int64
	// PageID identifies one attempt to reach one person by one contact method.
	PageID int64
)
