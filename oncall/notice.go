package oncall

import (
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// NoticeID identifies a notice.
type NoticeID int64

// NoticeKind says what a notice is about, and thereby how it is drawn.
type NoticeKind string

// A Notice is a Slack message to one person or channel that is not about a single incident. Its message is drawn from
// Detail, and redrawn when Detail changes.
type Notice struct {
	ID      NoticeID
	Key     string // of several notices with the same key only the first is sent
	To      string // a Slack user or channel
	Kind    NoticeKind
	About   int64 // the id of the swap, hand-off, incident, team … that it is about, depending on Kind; 0: none
	Detail  NoticeDetail
	Version int64 // grows with every change of Detail

	At    time.Time  // not sent before; zero: at once
	Until *time.Time // not sent after: a reminder of a past event helps nobody
}

// NoticeDetail is the content of a notice. Every kind uses the fields that it needs. It is stored as JSON, so fields
// are only ever added.
type NoticeDetail struct {
	Schedule     ScheduleID       `json:"schedule,omitempty"`
	ScheduleName string           `json:"schedule_name,omitempty"`
	Role         string           `json:"role,omitempty"`
	Start        time.Time        `json:"start,omitzero"`
	End          time.Time        `json:"end,omitzero"`
	Users        []UserID         `json:"users,omitempty"`  // whom it is about
	Others       []UserID         `json:"others,omitempty"` // the people before them, or other people involved
	By           UserID           `json:"by,omitempty"`     // who did it
	Incidents    []IncidentID     `json:"incidents,omitempty"`
	Count        int              `json:"count,omitempty"` // of all, if only some are listed
	Lines        []string         `json:"lines,omitempty"` // sentences that the rules composed
	Said         Sentence         `json:"said,omitempty"`  // a sentence that mentions people
	Stays        []UserID         `json:"stays,omitempty"` // who was on call and still is
	Next         []UserID         `json:"next,omitempty"`  // who comes on call at End
	Moves        []schedule.Move  `json:"moves,omitempty"` // shifts that somebody gains and loses
	Findings     []Finding        `json:"findings,omitempty"`
	Departures   []Departure      `json:"departures,omitempty"` // by team, in a NoticeLeaver
	Void         []VoidShift      `json:"void,omitempty"`       // in a NoticeVoid, by start
	State        string           `json:"state,omitempty"`      // how it ended; empty: still open
	StateAt      time.Time        `json:"state_at,omitzero"`
	Stints       []schedule.Stint `json:"stints,omitempty"`  // the shifts that change hands
	Clashes      []schedule.Stint `json:"clashes,omitempty"` // shifts elsewhere at the same time
	Takes        []CoverTake      `json:"takes,omitempty"`
	Unasked      []CoverUnasked   `json:"unasked,omitempty"`  // who isn't asked to cover, if nobody is
	Note         string           `json:"note,omitempty"`     // a person's words, or a reason
	TimeZone     string           `json:"timezone,omitempty"` // the reader's, if the reader is a person
	Method       Method           `json:"method,omitempty"`
	Address      string           `json:"address,omitempty"`
	Team         string           `json:"team,omitempty"`
	Answered     int              `json:"settled,omitempty"` // of Incidents: acknowledged, snoozed or resolved
	Over         int              `json:"over,omitempty"`    // of Incidents: resolved
	Title        string           `json:"title,omitempty"`   // an incident's
	Status       Status           `json:"status,omitempty"`
	Severity     Severity         `json:"severity,omitempty"`
}

// Saying returns the detail of a notice that is just a sentence. Releases that don't know Said show Lines.
func Saying(s Sentence) NoticeDetail { return NoticeDetail{Said: s, Lines: []string{s.String()}} }

// A NoticeClose sets the state of the open notices of some kinds about one thing.
type NoticeClose struct {
	Kinds []NoticeKind
	About int64
	State string
	By    UserID
	At    time.Time
}
