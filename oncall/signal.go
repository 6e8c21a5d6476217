package oncall

import "time"

// Action says what a signal does to an alert.
type Action string

// The actions of a signal, except PingSignal, which heartbeat.go declares.
const (
	Trigger   Action = "trigger"
	AckSignal Action = "acknowledge"
	Clear     Action = "resolve"
	// Split gives an alert of a storm its own incident, at the request of the person By. No monitor sends it.
	Split Action = "split"
	// Reconcile says that of the alerts in the group GroupKey only those in Present still fire, so all others have
	// cleared. Ended are the alerts that the monitor listed as resolved. It comes after the signals of the listed
	// alerts.
	Reconcile Action = "reconcile"
	// Update changes an alert that is firing already.
	Update Action = "update"
	// Release makes a fold reconsider an alert that maintenance kept or a rule held. No monitor sends it. It carries
	// all data of the alert: an older release, which doesn't know the action, treats it as a trigger and opens an
	// incident.
	Release Action = "release"
)

// A Signal is one message of a monitor, parsed. It is stored as JSON between its arrival and its folding: fields are
// only ever added.
type Signal struct {
	Action   Action            `json:"action"`
	DedupKey string            `json:"dedup_key,omitempty"` // identifies the alert until it clears
	GroupKey string            `json:"group_key,omitempty"` // alerts with the same one share an incident; empty: none
	Title    string            `json:"title,omitempty"`
	Body     string            `json:"body,omitempty"`
	Link     string            `json:"link,omitempty"`
	Severity Severity          `json:"severity,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"`
	StartsAt time.Time         `json:"starts_at,omitzero"` // when this episode of the alert began, by the monitor's clock
	EndsAt   time.Time         `json:"ends_at,omitzero"`
	Present  []string          `json:"present,omitempty"` // dedup keys, for Reconcile
	Ended    []string          `json:"ended,omitempty"`   // dedup keys, for Reconcile
	Hints    []Hint            `json:"hints,omitempty"`   // fields that were not understood
	Links    []Link            `json:"links,omitempty"`   // besides Link, runbooks first
	Details  map[string]string `json:"details,omitempty"` // other fields of the payload
	Note     string            `json:"note,omitempty"`    // a note that somebody wrote in the monitor
	// Expires is when the alert ends unless the trigger is repeated. If it is past, the alert has ended.
	Expires    time.Time `json:"expires,omitzero"`
	Keyless    bool      `json:"keyless,omitempty"`   // the monitor sent no key, so DedupKey is made of the title
	Aged       bool      `json:"aged,omitempty"`      // for Clear: the alert is closed by age, not by its monitor
	Unread     bool      `json:"unread,omitempty"`    // it stands for a body that could not be parsed
	NewMonitor string    `json:"taken_for,omitempty"` // the monitor, if it was newly recognised
	By         UserID    `json:"by,omitempty"`        // for Split
	Format     Format    `json:"kind,omitempty"`      // the format that it was parsed as
	Ping       *Ping     `json:"ping,omitempty"`      // for PingSignal
}

// A Link is a URL that a monitor sent, with its text.
type Link struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

// A Hint says that a field of a payload was not understood, and how it was interpreted.
type Hint struct {
	Field string `json:"field"` // the field of the payload
	Text  string `json:"text"`
}

func (s Signal) group() string {
	if s.GroupKey != "" {
		return s.GroupKey
	}
	return s.DedupKey
}

// lateWithin is how long after an alert's end another member of an Alertmanager cluster, which has not heard of the
// end, may still send that the alert fires.
const lateWithin = 2 * time.Minute

// An Alert is the state of all signals with one dedup key until it clears. A cleared alert is kept for a while as a
// tombstone, so that late signals of its episode are recognised.
type Alert struct {
	ID            AlertID
	IntegrationID IntegrationID
	DedupKey      string
	GroupKey      string
	IncidentID    IncidentID // 0: none, for the tombstone of an unmatched end, and while it is kept, held or dropped
	Firing        bool
	Title         string
	Body          string
	Link          string
	Severity      Severity
	Labels        map[string]string
	Links         []Link            // besides Link, runbooks first
	Details       map[string]string // other fields of the payload
	Count         int               // signals
	FirstAt       time.Time
	LastAt        time.Time
	StartsAt      time.Time // zero: the monitor doesn't say
	ClearedAt     *time.Time
	LateUntil     *time.Time // until when a firing signal of the ended episode counts as late
	ExpiresAt     time.Time  // when it ends unless the monitor repeats it; zero: the monitor doesn't say
	Keyless       bool       // its monitor has never sent a key, and may not be able to end it
	Misread       []string   // fields that were not understood and that the timeline already names

	Kept        bool          // it fires, and a maintenance window keeps it from opening an incident
	Maintenance MaintenanceID // the last window that kept it; 0: none
	Route       *AlertRoute   // how a rule has changed it; nil: no rule has
	HeldUntil   *time.Time    // it fires, and a rule holds it until then; nil: none does
	Dropped     bool          // it fires, and a rule drops it

	SilencedUntil *time.Time // until when its Alertmanager sends nothing about it, because we silenced it there
}

// refresh updates the alert from a signal; empty fields change nothing.
func (a *Alert) refresh(signal Signal, at time.Time) {
	a.Count++
	a.LastAt = at
	if signal.Title != "" {
		a.Title = signal.Title
	}
	if signal.Body != "" {
		a.Body = signal.Body
	}
	if signal.Link != "" {
		a.Link = signal.Link
	}
	if signal.Severity != "" {
		a.Severity = signal.Severity
	}
	if len(signal.Labels) > 0 {
		a.Labels = signal.Labels
	}
	if len(signal.Links) > 0 {
		a.Links = signal.Links
	}
	if len(signal.Details) > 0 {
		a.Details = signal.Details
	}
	if (signal.Action == Trigger || signal.Action == Update) && !signal.Keyless { // the person who knows the key can end it
		a.Keyless = false
	}
	a.StartsAt = latest(a.StartsAt, signal.StartsAt)
	a.Route.apply(a, len(signal.Labels) > 0)
}

// late reports whether a firing signal belongs to the episode that has just ended, and was probably sent before the
// end. Since Prometheus may restart an alert with its old start time, only the first such signal counts as late.
func (a *Alert) late(s Signal, now time.Time) bool {
	return !a.Firing && a.LateUntil != nil && now.Before(*a.LateUntil) &&
		!s.StartsAt.IsZero() && !s.StartsAt.After(a.StartsAt)
}

// lateEnd reports whether a signal's end belongs to an episode before the one that fires now.
func (a *Alert) lateEnd(s Signal) bool {
	return a.Firing && !s.StartsAt.IsZero() && s.StartsAt.Before(a.StartsAt) &&
		!s.EndsAt.IsZero() && s.EndsAt.Before(a.StartsAt)
}

// ended notes that the monitor itself has ended the alert.
func (a *Alert) ended(s Signal, now time.Time) {
	a.LateUntil = new(now.Add(lateWithin))
	a.StartsAt = latest(a.StartsAt, s.StartsAt)
}
