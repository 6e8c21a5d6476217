package oncall

import "time"

// TimeOffID identifies a TimeOff.
type TimeOffID int64

// A TimeOff is a stretch of time in which a person is away. It changes nobody's shifts by itself.
type TimeOff struct {
	ID        TimeOffID
	UserID    UserID
	Start     time.Time
	End       time.Time
	Note      string
	Source    string // the calendar it was imported from; empty: a person said so
	UID       string // the event there
	CreatedAt time.Time
}
