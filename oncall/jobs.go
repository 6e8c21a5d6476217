package oncall

import "time"

// A Task is a job that follows from a decision, to be queued in the same transaction. A zero At means at once. If
// many jobs wait, they are ordered by Severity, and by how many of the team's incidents go Ahead.
type Task struct {
	Args     Job
	At       time.Time
	Severity Severity
	Ahead    int
}

// A Job says what needs to be done. Its Kind makes it an argument for River, so that the rules can
// name jobs without knowing the queue. Jobs are stored as JSON: fields are only ever added.
type Job interface{ Kind() string }

// IncidentTimer runs the timer of an incident, unless its Seq is stale.
type IncidentTimer struct {
	Incident IncidentID `json:"incident"`
	Seq      int64      `json:"seq"`
	Close    bool       `json:"close,omitempty"` // made by CloseTimer
}

// CloseTimer closes a flapping incident that has been quiet. To earlier releases it is a stale timer.
func CloseTimer(id IncidentID) IncidentTimer {
	return IncidentTimer{Incident: id, Seq: -1, Close: true}
}

// Kind names the job.
func (IncidentTimer) Kind() string { return "escalate" }

// SwapTimer expires an unanswered swap, and ends the time in which an accepted one can be undone.
type SwapTimer struct {
	Swap SwapID `json:"swap"`
}

// Kind names the job.
func (SwapTimer) Kind() string { return "swap_timer" }

// CoverTimer asks the next people to take a shift, and sends reminders.
type CoverTimer struct {
	Cover CoverID `json:"cover"`
}

// Kind names the job.
func (CoverTimer) Kind() string { return "cover_timer" }

// MaintenanceTimer runs when a maintenance window begins or ends.
type MaintenanceTimer struct {
	Maintenance MaintenanceID `json:"maintenance"`
}

// Kind names the job.
func (MaintenanceTimer) Kind() string { return "maintenance" }

// CheckSchedule announces a schedule's hand-offs, and sends the reminders that are due.
type CheckSchedule struct {
	Schedule ScheduleID `json:"schedule"`
}

// Kind names the job.
func (CheckSchedule) Kind() string { return "look" }

// SettleSchedule tells people how their shifts were changed, once the editing of a schedule has stopped.
type SettleSchedule struct {
	Schedule ScheduleID `json:"schedule"`
}

// Kind names the job.
func (SettleSchedule) Kind() string { return "settle" }

// ChaseHandoff tells others if nobody has confirmed a hand-off in time.
type ChaseHandoff struct {
	Number int64 `json:"number"`
}

// Kind names the job.
func (ChaseHandoff) Kind() string { return "chase_handoff" }

// SendPage sends a page, in as many attempts as that takes.
type SendPage struct {
	Page PageID `json:"page"`
	Lane string `json:"line,omitempty"` // see Page.Lane; "line" is the name that older releases know

	Batch PageBatchID `json:"convoy,omitempty"` // the job also handles the pages that wait in this batch
}

// Kind names the job.
func (SendPage) Kind() string { return "page" }

// SendPulse tells an independent monitoring service that Watchbill works. It waits in the queue of pages, so that no
// pulse is sent when no page would be.
type SendPulse struct{}

// Kind names the job.
func (SendPulse) Kind() string { return "pulse" }

// Draw updates an incident's Slack messages to Version or later. At most one waits for each incident.
type Draw struct {
	Incident IncidentID `json:"incident"`
	Version  int64      `json:"version"`
	Asked    bool       `json:"asked,omitempty"` // somebody has acted, and is looking at a message
	Count    bool       `json:"count,omitempty"` // only a count has changed
}

// Kind names the job.
func (Draw) Kind() string { return "draw" }

// DrawNotice posts a notice's Slack message, or edits it.
type DrawNotice struct {
	Notice NoticeID `json:"notice"`
	Bundle bool     `json:"bundle,omitempty"` // a bundle that was sent, which is drawn like an incident
	Asked  bool     `json:"asked,omitempty"`  // somebody has acted, and is looking at the message
}

// Kind names the job.
func (DrawNotice) Kind() string { return "tell" }

// SendProof sends the code that proves a contact method.
type SendProof struct {
	Contact ContactID `json:"contact"`
}

// Kind names the job.
func (SendProof) Kind() string { return "verify" }

// TestPage sends a person a test page by one contact method; 0 is Slack.
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

// SyncGroups updates Slack's user groups to match who is on call.
type SyncGroups struct{}

// Kind names the job.
func (SyncGroups) Kind() string { return "sync_groups" }

// SetTopic updates the topic of a team's channel to match who is on call.
type SetTopic struct {
	Team TeamID `json:"team"`
}

// Kind names the job.
func (SetTopic) Kind() string { return "set_topic" }

// CheckCoverage looks for times when nobody will be on call, and for other problems with coverage.
type CheckCoverage struct{}

// Kind names the job.
func (CheckCoverage) Kind() string { return "guard" }

// MatchSilences updates the silences in an incident's Alertmanagers to the incident's status. At is when somebody
// changed the status: alerts that fired then are silenced. With a zero At no silence is created.
type MatchSilences struct {
	Incident IncidentID `json:"incident"`
	At       time.Time  `json:"at,omitzero"`
}

// Kind names the job.
func (MatchSilences) Kind() string { return "match_silences" }

// ReadAwayCalendar reads a person's calendar as their time off.
type ReadAwayCalendar struct {
	User UserID `json:"user"`
}

// Kind implements Job.
func (ReadAwayCalendar) Kind() string { return "away_calendar" }

// KeepChannel makes an incident's own Slack channel, and brings it up to date.
type KeepChannel struct {
	Incident IncidentID `json:"incident"`
}

// Kind names the job.
func (KeepChannel) Kind() string { return "keep_channel" }

// DraftReview drafts the review of an incident for the person who wants it.
type DraftReview struct {
	Incident IncidentID `json:"incident"`
	By       UserID     `json:"by"`
}

// Kind names the job.
func (DraftReview) Kind() string { return "draft_review" }

// ReadHolidayCalendar reads a calendar of holidays.
type ReadHolidayCalendar struct {
	URL string `json:"url"`
}

// Kind implements Job.
func (ReadHolidayCalendar) Kind() string { return "holiday_calendar" }

// AnswerTimeOff does what a team wants if somebody is away while on call.
type AnswerTimeOff struct {
	Schedule ScheduleID `json:"schedule"`
	Role     string     `json:"role"`
	User     UserID     `json:"user"`
	TimeOff  TimeOffID  `json:"time_off"`
}

// Kind implements Job.
func (AnswerTimeOff) Kind() string { return "answer_time_off" }

// CallHook tells a hook what has happened since its last call.
type CallHook struct {
	Hook HookID `json:"hook"`
}

// Kind names the job.
func (CallHook) Kind() string { return "hook" }
