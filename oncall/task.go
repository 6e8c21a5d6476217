package oncall

import "time"

// A Task is work that follows from a decision. It is queued in the transaction
// that made it necessary. A zero At means at once. Where many wait the
// Severity decides what goes first, and how many of the team's incidents go Ahead.
type Task struct {
	Do       Job
	At       time.Time
	Severity Severity
	Ahead    int
}

// A Job names the work. The methods make these plain structs job arguments of
// the queue, so that the rules name the work without knowing the queue. They are
// stored as JSON: fields are only ever added.
type Job interface{ Kind() string }

// IncidentTimer runs what an incident waits for, unless Seq has moved on.
type IncidentTimer struct {
	Incident IncidentID `json:"incident"`
	Seq      int64      `json:"seq"`
}

// SendPage makes one attempt to reach one person.
type SendPage struct {
	Page PageID `json:"page"`
	Line string `json:"line,omitempty"` // the page's, as Page.Line says; empty: it waits in none
}

// Draw brings an incident's Slack messages to Version or later.
type Draw struct {
	Incident IncidentID `json:"incident"`
	Version  int64      `json:"version"`
}

// Kind names the job.
func (IncidentTimer) Kind() string { return "escalate" }

// Kind names the job.
func (SendPage) Kind() string { return "page" }

// Kind names the job.
func (Draw) Kind() string { return "draw" }
