package oncall

import (
	"strconv"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// Aliases of the ids that package schedule declares.
type (
	// UserID is a Slack user id ("U…" or "W…"): Watchbill has no second identity.
	UserID = schedule.UserID
	// TeamID identifies a team.
	TeamID = schedule.TeamID
	// ScheduleID identifies a schedule.
	ScheduleID = schedule.ID
	// OverrideID identifies an override; ids grow.
	OverrideID = schedule.OverrideID
)

// Ids are distinct types, so that the compiler notices if they are mixed up.
type (
	// PolicyID identifies an escalation policy.
	PolicyID int64
	// IntegrationID identifies an inbound key.
	IntegrationID int64
	// AlertID identifies an alert.
	AlertID int64
	// IncidentID identifies an incident; people see it as "#12".
	IncidentID int64
	// PageID identifies a page: what one decision has to tell one person by one contact method.
	PageID int64
	// PayloadID identifies the stored body of one request.
	PayloadID int64
)

// String gives the id as people see it: "#12".
func (id IncidentID) String() string { return "#" + strconv.FormatInt(int64(id), 10) }
