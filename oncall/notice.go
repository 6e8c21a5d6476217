package oncall

import (
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// NoticeID identifies a notice.
type NoticeID int64

// NoticeKind says what a notice is about, and so how it is drawn.
type NoticeKind string

// A Notice is something that Watchbill tells one person or one channel, once. Its Slack
// message is a drawing of Detail: when that changes, the message follows.
type Notice struct {
	ID      NoticeID
	Key     string // of all notices with one key only the first is told
	To      string // a Slack user or channel
	Kind    NoticeKind
	About   int64 // what it belongs to: a swap, a hand-off, an incident, a team …, as its kind says; 0: nothing
	Detail  NoticeDetail
	Version int64 // grows with every change of the detail

	At    time.Time  // not told earlier; zero: at once
	Until *time.Time // not told later: a reminder of what is over helps nobody
}

// NoticeDetail is all that a notice shows. Every kind uses what it needs. It is stored
// as JSON, so fields are only ever added.
type NoticeDetail struct {
	Schedule     ScheduleID       `json:"schedule,omitempty"`
	ScheduleName string           `json:"schedule_name,omitempty"`
	Role         string           `json:"role,omitempty"`
	Start        time.Time        `json:"start,omitzero"`
	End          time.Time        `json:"end,omitzero"`
	Users        []UserID         `json:"users,omitempty"`  // whom it is about
	Others       []UserID         `json:"others,omitempty"` // who was, or comes next
	By           UserID           `json:"by,omitempty"`     // who did it
	Incidents    []IncidentID     `json:"incidents,omitempty"`
	Count        int              `json:"count,omitempty"` // of all, where some are listed
	Lines        []string         `json:"lines,omitempty"` // sentences that were composed with the facts at hand
	Said         Sentence         `json:"said,omitempty"`  // one that speaks of people
	Stays        []UserID         `json:"stays,omitempty"` // who was on call and still is
	Next         []UserID         `json:"next,omitempty"`  // who comes at End
	Moves        []schedule.Move  `json:"moves,omitempty"` // what somebody gains and loses
	Findings     []Finding        `json:"findings,omitempty"`
	State        string           `json:"state,omitempty"` // what has become of it; empty: open
	StateAt      time.Time        `json:"state_at,omitzero"`
	Stints       []schedule.Stint `json:"stints,omitempty"`  // the shifts that change hands
	Clashes      []schedule.Stint `json:"clashes,omitempty"` // where somebody is on call at the same time
	Takes        []CoverTake      `json:"takes,omitempty"`
	Note         string           `json:"note,omitempty"`     // what a person has written, or why
	TimeZone     string           `json:"timezone,omitempty"` // the reader's, if it is one person
	Method       Method           `json:"method,omitempty"`   // of reaching people
	Address      string           `json:"address,omitempty"`
	Team         string           `json:"team,omitempty"`
	Answered     int              `json:"settled,omitempty"` // of Incidents: acknowledged, snoozed or resolved
	Over         int              `json:"over,omitempty"`    // of Incidents: resolved
}

// Saying returns the detail of a notice that is a sentence. A release that doesn't know Said shows
// Lines.
func Saying(s Sentence) NoticeDetail { return NoticeDetail{Said: s, Lines: []string{s.String()}} }

// A NoticeClose closes the notices of some kinds that are still open, with what has become of them.
type NoticeClose struct {
	Kinds []NoticeKind
	About int64
	State string
	By    UserID
	At    time.Time
}
