package oncall

import "time"

// TimeOffID identifies a TimeOff.
type TimeOffID int64

// A TimeOff is a period in which a person is away. It doesn't change their shifts.
type TimeOff struct {
	ID        TimeOffID
	UserID    UserID
	Start     time.Time
	End       time.Time
	Note      string
	Source    string // the calendar that it was imported from; empty: a person entered it
	UID       string // the id of the calendar's event
	CreatedAt time.Time
}
