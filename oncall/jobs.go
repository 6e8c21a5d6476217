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
	Close    bool       `json:"close,omitempty"` // it is one of CloseTimer
}

// CloseTimer closes a flapping incident that has been quiet. Earlier releases take it for a stale timer.
func CloseTimer(id IncidentID) IncidentTimer {
	return IncidentTimer{Incident: id, Seq: -1, Close: true}
}

// Kind names the job.
func (IncidentTimer) Kind() string { return "escalate" }

// SwapTimer expires a swap that nobody has answered, and ends the time in which one can be undone.
type SwapTimer struct {
	Swap SwapID `json:"swap"`
}

// Kind names the job.
func (SwapTimer) Kind() string { return "swap_timer" }

// CoverTimer asks the next people and sends reminders.
type CoverTimer struct {
	Cover CoverID `json:"cover"`
}

// Kind names the job.
func (CoverTimer) Kind() string { return "cover_timer" }

// MaintenanceTimer does what is due when a maintenance window begins or ends.
type MaintenanceTimer struct {
	Maintenance MaintenanceID `json:"maintenance"`
}

// Kind names the job.
func (MaintenanceTimer) Kind() string { return "maintenance" }

// CheckSchedule does the hand-offs and reminders of a schedule that are due.
type CheckSchedule struct {
	Schedule ScheduleID `json:"schedule"`
}

// Kind names the job.
func (CheckSchedule) Kind() string { return "look" }

// SettleSchedule tells people what the edits of a schedule have changed, once the editing has stopped.
type SettleSchedule struct {
	Schedule ScheduleID `json:"schedule"`
}

// Kind names the job.
func (SettleSchedule) Kind() string { return "settle" }

// ChaseHandoff tells others, some time after a hand-off, if nobody has confirmed it.
type ChaseHandoff struct {
	Number int64 `json:"number"`
}

// Kind names the job.
func (ChaseHandoff) Kind() string { return "chase_handoff" }

// SendPage sends a page, in as many attempts as that takes.
type SendPage struct {
	Page PageID `json:"page"`
	Lane string `json:"line,omitempty"` // as Page.Lane says, by the name that older releases know; empty: it waits in none

	Convoy ConvoyID `json:"convoy,omitempty"` // it looks after the pages that wait in it as well
}

// Kind names the job.
func (SendPage) Kind() string { return "page" }

// SendPulse tells an independent service that Watchbill works. It waits among the pages, so that no pulse goes out
// where no page would.
type SendPulse struct{}

// Kind names the job.
func (SendPulse) Kind() string { return "pulse" }

// Draw brings an incident's Slack messages to Version or later. At most one waits for an incident.
type Draw struct {
	Incident IncidentID `json:"incident"`
	Version  int64      `json:"version"`
	Asked    bool       `json:"asked,omitempty"` // a person has acted on it and looks at it
	Count    bool       `json:"count,omitempty"` // nothing has changed but a count
}

// Kind names the job.
func (Draw) Kind() string { return "draw" }

// Tell brings a notice's Slack message to the notice's state: it posts or edits it.
type Tell struct {
	Notice NoticeID `json:"notice"`
	Bundle bool     `json:"bundle,omitempty"` // it is a bundle that was sent: it is drawn like an incident
	Asked  bool     `json:"asked,omitempty"`  // a person has acted on it and looks at it
}

// Kind names the job.
func (Tell) Kind() string { return "tell" }

// SendProof sends the code that proves a contact method.
type SendProof struct {
	Contact ContactID `json:"contact"`
}

// Kind names the job.
func (SendProof) Kind() string { return "verify" }

// TestPage shows a person how a page by one contact method looks; 0 is Slack.
type TestPage struct {
	User    UserID    `json:"user"`
	Contact ContactID `json:"contact"`
}

// Kind names the job.
func (TestPage) Kind() string { return "test_page" }

// CheckReach asks a person whether a contact method still reaches them.
type CheckReach struct {
	Contact ContactID `json:"contact"`
}

// Kind names the job.
func (CheckReach) Kind() string { return "check_reach" }

// SyncGroups brings Slack's user groups to who is on call.
type SyncGroups struct{}

// Kind names the job.
func (SyncGroups) Kind() string { return "sync_groups" }

// SetTopic brings the topic of a team's channel to who is on call.
type SetTopic struct {
	Team TeamID `json:"team"`
}

// Kind names the job.
func (SetTopic) Kind() string { return "set_topic" }

// CheckCoverage looks for times when nobody will be on call, and for other gaps.
type CheckCoverage struct{}

// Kind names the job.
func (CheckCoverage) Kind() string { return "guard" }

// MatchSilences brings an incident's silences in its Alertmanagers in line with what people did with the incident. An
// action at At silences the alerts that the incident had then; a zero At creates no silence.
type MatchSilences struct {
	Incident IncidentID `json:"incident"`
	At       time.Time  `json:"at,omitzero"`
}

// Kind names the job.
func (MatchSilences) Kind() string { return "match_silences" }

// CallHook tells a hook of what has happened since it was called last.
type CallHook struct {
	Hook HookID `json:"hook"`
}

// Kind names the job.
func (CallHook) Kind() string { return "hook" }
