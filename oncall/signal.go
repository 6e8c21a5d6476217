package oncall

import "time"

// Action is what a monitor says of an alert.
type Action string

// The actions of a signal, except PingSignal, which heartbeat.go declares.
const (
	Trigger   Action = "trigger"
	AckSignal Action = "acknowledge"
	Clear     Action = "resolve"
	// Split gives an alert of a storm an incident of its own. No monitor sends it; a person, By, asks for it.
	Split Action = "split"
	// Reconcile says that of the alerts under GroupKey only those in Present are
	// firing still: what the monitor no longer lists has cleared. It comes after the signals of
	// the alerts that are listed; those in Ended were listed as resolved.
	Reconcile Action = "reconcile"
	// Update changes an alert that fires. It opens nothing.
	Update Action = "update"
	// Release lets an alert fire that a maintenance window has kept or a rule has held. No monitor sends it. It
	// carries everything known of the alert, so that an older Watchbill, to which it is an unknown action, opens
	// an incident.
	Release Action = "release"
)

// A Signal is what a monitor sends once, in our words. It is stored as JSON
// between its arrival and its folding: fields are only ever added.
type Signal struct {
	Action   Action            `json:"action"`
	DedupKey string            `json:"dedup_key,omitempty"` // one alert under one key until it clears
	GroupKey string            `json:"group_key,omitempty"` // one incident under one group; empty: the alert's own
	Title    string            `json:"title,omitempty"`
	Body     string            `json:"body,omitempty"`
	Link     string            `json:"link,omitempty"`
	Severity Severity          `json:"severity,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"`
	StartsAt time.Time         `json:"starts_at,omitzero"` // when the monitor says this episode began
	EndsAt   time.Time         `json:"ends_at,omitzero"`
	Present  []string          `json:"present,omitempty"` // dedup keys, for Reconcile
	Ended    []string          `json:"ended,omitempty"`   // dedup keys, for Reconcile
	Hints    []Hint            `json:"hints,omitempty"`   // what was not understood of it
	Links    []Link            `json:"links,omitempty"`   // beside Link, runbooks first
	Details  map[string]string `json:"details,omitempty"` // what else was sent
	Note     string            `json:"note,omitempty"`    // what somebody has written there about it
	// Expires is until when a trigger counts unless it is repeated. If it is past, the alert is over.
	Expires time.Time `json:"expires,omitzero"`
	Keyless bool      `json:"keyless,omitempty"`   // it has no key of its own: DedupKey is made of the title
	Aged    bool      `json:"aged,omitempty"`      // for Clear: by age, not by the monitor
	Unread  bool      `json:"unread,omitempty"`    // it stands for a body that could not be understood
	Sender  string    `json:"taken_for,omitempty"` // what sent it, where that was recognised anew
	By      UserID    `json:"by,omitempty"`        // for Split
	Kind    Format    `json:"kind,omitempty"`      // what it was read as
	Ping    *Ping     `json:"ping,omitempty"`      // for PingSignal
}

// A Link is an address that a monitor sends, and what it is called.
type Link struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

// A Hint says what of a signal was not understood, and what it counts as.
type Hint struct {
	Field string `json:"field"` // of the payload
	Text  string `json:"text"`
}

func (s Signal) group() string {
	if s.GroupKey != "" {
		return s.GroupKey
	}
	return s.DedupKey
}

// lateWithin is how long after an alert's end a signal that it fires may still come from another member
// of an Alertmanager cluster, which hadn't heard of the end.
const lateWithin = 2 * time.Minute

// An Alert is all signals under one dedup key until it clears. A cleared one is
// kept as a tombstone, so that a late signal of an old episode is recognised.
type Alert struct {
	ID            AlertID
	IntegrationID IntegrationID
	DedupKey      string
	GroupKey      string
	IncidentID    IncidentID // 0: a resolve that nothing was open for, or it is kept
	Firing        bool
	Title         string
	Body          string
	Link          string
	Severity      Severity
	Labels        map[string]string
	Links         []Link            // beside Link, runbooks first
	Details       map[string]string // what else was sent
	Count         int
	FirstAt       time.Time
	LastAt        time.Time
	StartsAt      time.Time // zero where the monitor doesn't say
	ClearedAt     *time.Time
	LateUntil     *time.Time // until when a signal of the episode that ended may have come late
	ExpiresAt     time.Time  // until when it holds if the monitor doesn't repeat it; zero where the monitor doesn't say
	Keyless       bool       // its monitor has never given it a key, and may not be able to end it
	Misread       []string   // fields of signals that were not understood, of which the timeline has a line

	Kept        bool          // it fires, but for a maintenance window it has no incident that is open
	Maintenance MaintenanceID // the window that has kept it last; 0: none
	Route       *AlertRoute   // what a rule has made of it; nil: none has
	HeldUntil   *time.Time    // it fires, and opens no incident before; nil: it isn't held
	Dropped     bool          // it fires, and a rule drops it

	SilencedUntil *time.Time // until when Alertmanager says nothing of it, as we have asked it
}

// refresh takes over what the signal says; empty fields say nothing.
func (a *Alert) refresh(s Signal, at time.Time) {
	a.Count++
	a.LastAt = at
	if s.Title != "" {
		a.Title = s.Title
	}
	if s.Body != "" {
		a.Body = s.Body
	}
	if s.Link != "" {
		a.Link = s.Link
	}
	if s.Severity != "" {
		a.Severity = s.Severity
	}
	if len(s.Labels) > 0 {
		a.Labels = s.Labels
	}
	if len(s.Links) > 0 {
		a.Links = s.Links
	}
	if len(s.Details) > 0 {
		a.Details = s.Details
	}
	if (s.Action == Trigger || s.Action == Update) && !s.Keyless { // whoever knows the key can end it
		a.Keyless = false
	}
	a.StartsAt = latest(a.StartsAt, s.StartsAt)
	a.Route.apply(a, len(s.Labels) > 0)
}

// late reports whether a firing signal speaks of the episode that this tombstone ended, and has come
// so soon after the monitor said so that it may have been sent before. An alert may begin again with the
// start that it had, as Prometheus keeps it; so only the first such signal is taken for late: who
// lists the alert again means it.
func (a *Alert) late(s Signal, now time.Time) bool {
	return !a.Firing && a.LateUntil != nil && now.Before(*a.LateUntil) &&
		!s.StartsAt.IsZero() && !s.StartsAt.After(a.StartsAt)
}

// lateEnd reports whether the end that a signal tells of lies before the beginning of what fires now.
func (a *Alert) lateEnd(s Signal) bool {
	return a.Firing && !s.StartsAt.IsZero() && s.StartsAt.Before(a.StartsAt) &&
		!s.EndsAt.IsZero() && s.EndsAt.Before(a.StartsAt)
}

// ended notes that the monitor itself has said that the alert is over.
func (a *Alert) ended(s Signal, now time.Time) {
	a.LateUntil = new(now.Add(lateWithin))
	a.StartsAt = latest(a.StartsAt, s.StartsAt)
}
