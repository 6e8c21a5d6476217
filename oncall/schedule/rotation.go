package schedule

import "time"

// A Rotation is one layer of a schedule: people who take turns. It is stored as JSON, so fields are
// only ever added, and unknown ones are ignored.
type Rotation struct {
	Name      string     `json:"name"`
	Role      string     `json:"role,omitempty"`     // "" is RolePrimary
	Priority  int        `json:"priority,omitempty"` // a higher one replaces lower ones of its role; equal ones combine
	TimeZone  string     `json:"timezone,omitempty"` // "" is the schedule's
	Period    Period     `json:"period"`
	StartDate Date       `json:"start_date"` // the first hand-off; nobody is on call before it
	HandOff   TimeOfDay  `json:"hand_off"`   // not used with cron
	Turns     [][]UserID `json:"turns"`      // in order; an empty turn means nobody, on purpose
	FirstTurn int        `json:"first_turn,omitempty"`
	Until     *time.Time `json:"until,omitempty"` // when the rotation ends
	Windows   []Window   `json:"windows,omitempty"`
	Advance   Advance    `json:"advance,omitempty"`
	Members   []Member   `json:"members,omitempty"`
	Holidays  *Holidays  `json:"holidays,omitempty"`
}

// The roles with a meaning. Any other word is a role too, independent of all others.
const (
	RolePrimary   = "primary"
	RoleSecondary = "secondary"
	RoleShadow    = "shadow" // notified, but never counts as coverage
)

// A Period is how often a rotation hands off: every so many hours, days, weeks or months on the
// wall clock, or whenever a cron expression matches. A monthly hand-off falls on the last day of a
// month that is too short.
type Period struct {
	Every int    `json:"every,omitempty"` // 0 means 1
	Unit  Unit   `json:"unit,omitempty"`
	Cron  string `json:"cron,omitempty"` // instead of Every and Unit
}

// Unit is the unit of a period.
type Unit string

// The units of a period.
const (
	HourUnit  Unit = "hours"
	DayUnit   Unit = "days"
	WeekUnit  Unit = "weeks"
	MonthUnit Unit = "months"
)

// Advance is what moves turns on.
type Advance string

// The ways to advance. AdvanceActive skips days (or periods of hours) in which no window opens, so
// that on weekdays only, everybody gets as many Mondays as Fridays.
const (
	AdvanceCalendar Advance = "calendar" // the default
	AdvanceActive   Advance = "active"
)

// A Member limits when a person takes part in a rotation: in turns that begin on or after From and
// before Until; either may be missing. A turn without members is skipped. A person without a Member
// always takes part.
type Member struct {
	User  UserID `json:"user"`
	From  Date   `json:"from,omitzero"`
	Until Date   `json:"until,omitzero"`
}

// maxEvery keeps the arithmetic of hand-offs far from overflow.
const maxEvery = 10000
