package schedule

// Ids are distinct types so that one can't be passed for another.
type (
	// UserID is a Slack user id ("U…" or "W…"): Watchbill has no second identity.
	UserID string
	// TeamID identifies a team.
	TeamID int64
	// ID identifies a schedule.
	ID int64
	// OverrideID identifies an override; ids grow with time.
	OverrideID int64
)
