package oncall

import (
	"time"
)

// EventKind says what happened.
type EventKind string

// The kinds of event of an incident's timeline.
const (
	EventOpened         EventKind = "opened"
	EventPaging         EventKind = "paging"  // a step of the policy decided whom to page
	EventWaits          EventKind = "waits"   // a step waits for working hours, until Until, when Users will be on call
	EventSkipped        EventKind = "skipped" // a step had nobody to page
	EventExhausted      EventKind = "exhausted"
	EventAcknowledged   EventKind = "acknowledged"
	EventResolved       EventKind = "resolved"
	EventReopened       EventKind = "reopened"
	EventSeverity       EventKind = "severity"
	EventAlertJoined    EventKind = "alert_joined"
	EventAlertResolved  EventKind = "alert_resolved"
	EventRetitled       EventKind = "retitled"       // an alert's title was Text before
	EventMisread        EventKind = "signal_misread" // Text says which part of a signal was not understood
	EventRecognised     EventKind = "recognised"     // the integration has no format, and its signals look like Text's
	EventLate           EventKind = "signal_late"    // a signal of the alert in Text came too late to count
	EventPageDelivered  EventKind = "page_delivered"
	EventPageFailed     EventKind = "page_failed"
	EventPageReceipt    EventKind = "page_receipt" // a page was "delivered", "answered" or "unanswered", as Text says
	EventPageBlocked    EventKind = "page_blocked" // an admin has to act before the page can be sent
	EventUnreached      EventKind = "unreached"    // a step reached none of its people
	EventNobodyNotified EventKind = "untold"       // the policy has run out and nobody could be told
	EventAdopted        EventKind = "adopted"      // Users came on call and were paged, since nobody had the incident
	EventPassedOn       EventKind = "handed_over"  // passed on to the policy in Text, which begins at Until
	EventUnassigned     EventKind = "unassigned"   // no step had anybody to page, so the fallback people were paged

	EventAckCounted     EventKind = "ack_counted"     // Count of Of people have acknowledged, so more must
	EventAckTakenBack   EventKind = "ack_taken_back"  // one acknowledgement was withdrawn; Acked, Count of Of, remain
	EventUnacknowledged EventKind = "unacknowledged"  // Users lost it or gave it back, and it pages again; Acked remain
	EventStillOnAsked   EventKind = "still_on_asked"  // Users, who have it, are to answer until Until
	EventStillOn        EventKind = "still_on"        // one of them has answered
	EventAckAgain       EventKind = "ack_again"       // severity rose, and Users must acknowledge again before Until
	EventSnoozed        EventKind = "snoozed"         // until Until
	EventUnsnoozed      EventKind = "unsnoozed"       // the snooze by Users has ended, and it pages again
	EventEscalated      EventKind = "escalated"       // somebody asked for the next step now
	EventReassigned     EventKind = "reassigned"      // to Users, or to the policy in Text
	EventAsked          EventKind = "responder_asked" // Users are asked to help
	EventAccepted       EventKind = "responder_accepted"
	EventDeclined       EventKind = "responder_declined" // Users had asked for help
	EventNote           EventKind = "note"
	EventVerdict        EventKind = "verdict"      // verdict in Names; Text says what helped
	EventLinked         EventKind = "linked"       // with Incident
	EventMerged         EventKind = "merged"       // Incident became part of this one, with its responders Users
	EventMergedInto     EventKind = "merged_into"  // this one became part of Incident
	EventMergeUndone    EventKind = "merge_undone" // this one and Incident are two again

	EventAged EventKind = "aged" // the alert in Text has no key, and its last signal is long ago

	EventFlapping   EventKind = "flapping"   // reopened Count times in a short time; it now closes only after a quiet while
	EventUnattended EventKind = "unattended" // it flaps and nobody answered before the policy ran out, so escalation starts over

	EventStorm            EventKind = "storm"              // Count incidents opened in a minute; it takes in further ones, and Incidents
	EventTakenIn          EventKind = "taken_in"           // this one became part of Incident, a storm
	EventServiceJoined    EventKind = "service_joined"     // an alert of the service in Text joined after the acknowledgement
	EventStormOwn         EventKind = "storm_own"          // a critical alert of the service in Text got its own Incident
	EventSplitOff         EventKind = "split_off"          // the alert in Text became Incident
	EventSplitFrom        EventKind = "split_from"         // its alert was part of Incident
	EventRouted           EventKind = "routed"             // the rule in Text did what Names say; To is the policy
	EventRouteShadow      EventKind = "route_shadow"       // the rule in Text, in shadow, would have done what Names say
	EventRouteFailed      EventKind = "route_failed"       // the rule in Text could not be evaluated; Names say why
	EventSilenced         EventKind = "silenced"           // Count alerts are silenced in the Alertmanager in To, until Until
	EventUnsilenced       EventKind = "unsilenced"         // the silences of Count alerts in To have ended
	EventSilenceFailed    EventKind = "silence_failed"     // silencing Count alerts failed because of Text; Over: ending a silence failed
	EventChannelAsked     EventKind = "channel_asked"      // somebody wants a channel of its own for it
	EventChannel          EventKind = "channel"            // it has a channel of its own, To
	EventChannelFailed    EventKind = "channel_failed"     // Text says why it can't have one
	EventChannelArchived  EventKind = "channel_archived"   // the incident's own channel, To, a day after the end
	EventUpdate           EventKind = "update"             // Text was posted in the channels To, as the update of number Count
	EventReviewAction     EventKind = "review_action"      // Users are to do Text after it, by Until
	EventReviewActionDone EventKind = "review_action_done" // what Users were to do, Text, is done
	EventStormOver        EventKind = "storm_over"         // Count alerts came between Since and Until; Of still fire; Names are the services
)

// Detail holds an event's data; the comments of the kinds say which fields they use. It is stored as JSON, so
// fields are only ever added.
type Detail struct {
	Round  int      `json:"round,omitempty"` // counted from 1, like Step and Run
	Step   int      `json:"step,omitempty"`
	Run    int      `json:"run,omitempty"`
	Users  []UserID `json:"users,omitempty"`
	Method Method   `json:"method,omitempty"`
	Text   string   `json:"text,omitempty"`
	Page   PageID   `json:"page,omitempty"` // the page that failed or is blocked
	To     []string `json:"to,omitempty"`   // channels, and the hosts of webhooks

	Until    time.Time  `json:"until,omitzero"`
	Day      string     `json:"day,omitempty"` // of Until, where that is the end of a day in somebody's zone
	Count    int        `json:"count,omitempty"`
	Of       int        `json:"of,omitempty"`
	Acked    []UserID   `json:"acked,omitempty"`    // who has acknowledged, if more people must
	Left     []UserID   `json:"left,omitempty"`     // whose acknowledgement counts no more because they have left Slack
	Incident IncidentID `json:"incident,omitempty"` // another incident
	Quiet    bool       `json:"quiet,omitempty"`    // not shown in the thread
	Over     bool       `json:"over,omitempty"`     // EventLate: the late signal was an end; EventStormOver: its incident was resolved; EventSilenceFailed: see there

	Incidents []IncidentID `json:"incidents,omitempty"` // other incidents
	Names     []string     `json:"names,omitempty"`
	Since     time.Time    `json:"since,omitzero"`
	Alerts    []AlertID    `json:"alerts,omitempty"` // EventMergedInto: those that fired, which Incident got
	Shown     bool         `json:"told,omitempty"`   // shown in the thread, which leaves the kind out otherwise
}

// An Event is one line of an incident's timeline. It is never changed or deleted.
type Event struct {
	ID         int64
	IncidentID IncidentID
	At         time.Time
	Kind       EventKind
	Actor      Actor
	Detail     Detail
}

// InThread reports whether the event is shown in the Slack thread, which is shorter than the whole timeline.
func (e Event) InThread() bool {
	if e.Detail.Quiet {
		return false
	}
	switch e.Kind {
	case EventAlertJoined, EventRouted:
		return e.Detail.Shown
	case EventPaging:
		// The first run of the first step is in the message itself.
		return e.Detail.Round > 1 || e.Detail.Step > 1 || e.Detail.Run > 1 || !e.Detail.Until.IsZero()
	case EventRetitled, EventMisread, EventRecognised, EventLate, EventWaits, EventSkipped, EventExhausted, EventAcknowledged, EventResolved,
		EventReopened, EventSeverity, EventPageFailed, EventPageBlocked, EventUnreached, EventNobodyNotified, EventAdopted,
		EventPassedOn, EventUnassigned,
		EventAckCounted, EventAckTakenBack, EventUnacknowledged, EventStillOnAsked, EventAckAgain, EventUnattended, EventAged, EventStillOn, EventSnoozed, EventUnsnoozed, EventEscalated,
		EventReassigned, EventAsked, EventAccepted, EventDeclined, EventNote, EventVerdict, EventLinked, EventMerged, EventMergedInto, EventMergeUndone,
		EventStorm, EventTakenIn, EventServiceJoined, EventStormOwn, EventSplitOff, EventSplitFrom, EventStormOver,
		EventRouteShadow, EventRouteFailed, EventSilenced, EventUnsilenced, EventSilenceFailed,
		EventChannelAsked, EventChannel, EventChannelFailed, EventUpdate,
		EventReviewAction, EventReviewActionDone:
		return true
	default:
		return false
	}
}

// InChannel reports whether the thread's reply is also broadcast to the channel.
func (e Event) InChannel() bool {
	return e.Kind == EventExhausted || e.Kind == EventNobodyNotified || e.Kind == EventUnassigned
}

// NobodyNotified reports whether the event says that the policy has run out and nobody was told.
func (e Event) NobodyNotified() bool {
	return e.Kind == EventNobodyNotified || e.Kind == EventExhausted && len(e.Detail.Users) == 0
}
