package oncall

import (
	"time"
)

// EventKind says what happened.
type EventKind string

// The kinds of event of an incident's timeline.
const (
	EventOpened        EventKind = "opened"
	EventPaging        EventKind = "paging"  // a step of the policy decided whom to page
	EventWaits         EventKind = "waits"   // a step waits for working hours, until Until; then Users are on call
	EventSkipped       EventKind = "skipped" // a step had nobody to page
	EventExhausted     EventKind = "exhausted"
	EventAcknowledged  EventKind = "acknowledged"
	EventResolved      EventKind = "resolved"
	EventReopened      EventKind = "reopened"
	EventSeverity      EventKind = "severity"
	EventAlertJoined   EventKind = "alert_joined"
	EventAlertResolved EventKind = "alert_resolved"
	EventRetitled      EventKind = "retitled"       // an alert was called Text before
	EventMisread       EventKind = "signal_misread" // Text says what of a signal was not understood
	EventRecognised    EventKind = "recognised"     // nobody has chosen the integration's kind: it is taken for Text
	EventLate          EventKind = "signal_late"    // a signal of the alert in Text was taken for late
	EventPageDelivered EventKind = "page_delivered"
	EventPageFailed    EventKind = "page_failed"
	EventPageReceipt   EventKind = "page_receipt" // what the provider reports of one that it accepted: Text is "delivered", "answered" or "unanswered"
	EventPageBlocked   EventKind = "page_blocked" // retried until somebody has acted
	EventUnreached     EventKind = "unreached"    // a step could reach none of its people
	EventUntold        EventKind = "untold"       // the policy has run out and nobody could be told
	EventAdopted       EventKind = "adopted"      // nobody had it, and somebody has come on call
	EventPassedOn      EventKind = "handed_over"  // to the policy in Text, from Until on
	EventUnassigned    EventKind = "unassigned"   // no step had anybody, so the fallback people were paged

	EventAckCounted     EventKind = "ack_counted"     // somebody has acknowledged, but more must: Count of Of
	EventAckTakenBack   EventKind = "ack_taken_back"  // one of several; Acked still have acknowledged, Count of Of
	EventUnacknowledged EventKind = "unacknowledged"  // given back by Users; it pages again, though Acked still have acknowledged
	EventStillOnAsked   EventKind = "still_on_asked"  // Users, who have it, can answer until Until
	EventStillOn        EventKind = "still_on"        // and one of them has answered
	EventAckAgain       EventKind = "ack_again"       // it got worse: Users, who have it, are to acknowledge again until Until
	EventSnoozed        EventKind = "snoozed"         // until Until
	EventUnsnoozed      EventKind = "unsnoozed"       // the snooze of Users has ended; it pages again
	EventEscalated      EventKind = "escalated"       // somebody wants the next step now
	EventReassigned     EventKind = "reassigned"      // to Users, or to the policy in Text
	EventAsked          EventKind = "responder_asked" // Users are asked to help
	EventAccepted       EventKind = "responder_accepted"
	EventDeclined       EventKind = "responder_declined" // Users asked for it
	EventNote           EventKind = "note"
	EventLinked         EventKind = "linked"      // with Incident
	EventMerged         EventKind = "merged"      // Incident has become part of this one; Users help with it as well
	EventMergedInto     EventKind = "merged_into" // it has become part of Incident

	EventAged EventKind = "aged" // nothing has come about the alert in Text for long, and its monitor gave it no key

	EventFlapping   EventKind = "flapping"   // it was reopened Count times in a short time, and closes only when it has been quiet for a while
	EventUnattended EventKind = "unattended" // it flaps, the policy has run out, and nobody has answered since: it begins again

	EventStorm         EventKind = "storm"          // it takes in what comes after Count incidents in a minute, and Incidents
	EventTakenIn       EventKind = "taken_in"       // it has become part of Incident, a storm
	EventServiceJoined EventKind = "service_joined" // an alert of the service in Text has joined what somebody has
	EventStormOwn      EventKind = "storm_own"      // a critical alert of the service in Text has an incident of its own: Incident
	EventSplitOff      EventKind = "split_off"      // the alert in Text is Incident by itself
	EventSplitFrom     EventKind = "split_from"     // its alert was part of Incident
	EventRouted        EventKind = "routed"         // the rule in Text of the list in To has decided: Names say what
	EventRouteShadow   EventKind = "route_shadow"   // the rule in Text, in shadow, would have done what Names say
	EventRouteFailed   EventKind = "route_failed"   // the rule in Text could not be evaluated: Names say why
	EventSilenced      EventKind = "silenced"       // Count alerts are silent in the Alertmanager in To, until Until
	EventUnsilenced    EventKind = "unsilenced"     // and no longer
	EventSilenceFailed EventKind = "silence_failed" // that has failed for Count alerts, because of Text; Over: to end it
	EventStormOver     EventKind = "storm_over"     // Count alerts from Since until Until, of which Of still fire, of the services in Names
)

// Detail is what else is known of an event. It is stored as JSON, so
// fields are only ever added.
type Detail struct {
	Round  int      `json:"round,omitempty"` // from 1, as people count; so are the next two
	Step   int      `json:"step,omitempty"`
	Run    int      `json:"run,omitempty"`
	Users  []UserID `json:"users,omitempty"`
	Method Method   `json:"method,omitempty"`
	Text   string   `json:"text,omitempty"`
	Page   PageID   `json:"page,omitempty"` // the page that is in trouble
	To     []string `json:"to,omitempty"`   // channels, and the hosts of webhooks

	Until    time.Time  `json:"until,omitzero"`
	Count    int        `json:"count,omitempty"`
	Of       int        `json:"of,omitempty"`
	Acked    []UserID   `json:"acked,omitempty"`    // who has acknowledged, where more must
	Incident IncidentID `json:"incident,omitempty"` // another one
	Quiet    bool       `json:"quiet,omitempty"`    // nobody needs to hear of it: the incident is snoozed
	Over     bool       `json:"over,omitempty"`     // what was said late is that the alert is over

	Incidents []IncidentID `json:"incidents,omitempty"` // several others
	Names     []string     `json:"names,omitempty"`     // of services
	Since     time.Time    `json:"since,omitzero"`
	Told      bool         `json:"told,omitempty"` // the thread says so, since somebody has the incident
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

// Public reports whether the event belongs in the Slack thread, which shows
// only what people need; the whole timeline is in the database.
func (e Event) Public() bool {
	if e.Detail.Quiet {
		return false
	}
	switch e.Kind {
	case EventAlertJoined, EventRouted: // who opens the incident finds by which rule; the thread says it once it got worse
		return e.Detail.Told
	case EventPaging:
		// The message itself shows the first page.
		return e.Detail.Round > 1 || e.Detail.Step > 1 || e.Detail.Run > 1 || !e.Detail.Until.IsZero()
	case EventRetitled, EventMisread, EventRecognised, EventLate, EventWaits, EventSkipped, EventExhausted, EventAcknowledged, EventResolved,
		EventReopened, EventSeverity, EventPageFailed, EventPageBlocked, EventUnreached, EventUntold, EventAdopted,
		EventPassedOn, EventUnassigned,
		EventAckCounted, EventAckTakenBack, EventUnacknowledged, EventStillOnAsked, EventAckAgain, EventUnattended, EventAged, EventStillOn, EventSnoozed, EventUnsnoozed, EventEscalated,
		EventReassigned, EventAsked, EventAccepted, EventDeclined, EventNote, EventLinked, EventMerged, EventMergedInto,
		EventStorm, EventTakenIn, EventServiceJoined, EventStormOwn, EventSplitOff, EventSplitFrom, EventStormOver,
		EventRouteShadow, EventRouteFailed, EventSilenced, EventUnsilenced, EventSilenceFailed:
		return true
	default:
		return false
	}
}

// Loud reports whether the event is also shown in the channel itself, outside
// the thread.
func (e Event) Loud() bool {
	return e.Kind == EventExhausted || e.Kind == EventUntold || e.Kind == EventUnassigned
}

// Unheard reports whether the event says that the policy has run out and nobody could be
// told of it.
func (e Event) Unheard() bool {
	return e.Kind == EventUntold || e.Kind == EventExhausted && len(e.Detail.Users) == 0
}
