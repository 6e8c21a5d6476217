package oncall

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Times of heartbeats.
const (
	// HeartbeatLeast is the shortest interval between pings that can be configured.
	HeartbeatLeast Seconds = 30
	// HeartbeatEvery and HeartbeatGrace are the defaults of a heartbeat that was created by its first ping.
	HeartbeatEvery Seconds = 24 * 3600
	HeartbeatGrace Seconds = 3600
	// heartbeatLongest is the longest interval, grace and runtime that can be configured.
	heartbeatLongest Seconds = 366 * 24 * 3600
	// heartbeatRepeat is how often the signal that a heartbeat is down is repeated: its integration may have been
	// muted, or somebody may have resolved the incident.
	heartbeatRepeat = 5 * time.Minute
	// HeartbeatTick is how often the watch notes that it runs. If it has noted nothing for awayAfter, Watchbill
	// itself was down.
	HeartbeatTick = 3 * time.Second
	awayAfter     = 10 * time.Second
	// After our own downtime, deadlines move by its length plus a heartbeat's interval, bounded by these.
	awayMargin     = time.Minute
	awayMostMargin = 5 * time.Minute
	// Heartbeats that go missing within togetherWithin of each other go missing together; others may join until
	// togetherLasts after the last of them.
	togetherWithin = time.Minute
	togetherLasts  = 5 * time.Minute
	// At least togetherLeast heartbeats, and more than togetherShare of ten watched ones, must be missing for that.
	togetherLeast = 3
	togetherShare = 3
)

// MaxHeartbeats is how many heartbeats an integration may have. It is limited because anybody with the
// integration's key can create one.
const MaxHeartbeats = 500

// PingSignal is the action of a signal that is a ping of the heartbeat named by DedupKey. Pings have a table of their
// own and never go into the inbox.
const PingSignal Action = "ping"

// A PingKind is what a ping says.
type PingKind string

// The kinds of pings.
const (
	PingSuccess PingKind = "success"
	PingStart   PingKind = "start" // a run begins, which ends with a success or a failure
	PingFail    PingKind = "fail"
	PingLog     PingKind = "log" // only its text is kept
)

// A Ping is a heartbeat's report that it is alive or has failed. It is stored as JSON: fields are only ever added.
type Ping struct {
	Kind   PingKind `json:"kind"`
	Run    string   `json:"run,omitempty"`    // which run, if several overlap
	Exit   int      `json:"exit,omitempty"`   // the exit status of a failure
	Create bool     `json:"create,omitempty"` // create the heartbeat if it doesn't exist
	Every  Seconds  `json:"every,omitempty"`  // with Create
	Grace  Seconds  `json:"grace,omitempty"`  // with Create
}

// NewPing makes the signal that is a ping.
func NewPing(name string, p Ping, body string) Signal {
	return Signal{Action: PingSignal, DedupKey: name, Body: body, Ping: &p}
}

// A HeartbeatSpec says when pings of a heartbeat are expected.
type HeartbeatSpec struct {
	Every      Seconds // the interval between two successes
	Grace      Seconds // how much later a success may be
	MaxRuntime Seconds // how long a run may take; 0: Grace
	Severity   Severity
}

// runtime returns how long a run may take.
func (s HeartbeatSpec) runtime() time.Duration {
	if s.MaxRuntime > 0 {
		return s.MaxRuntime.Duration()
	}
	return s.Grace.Duration()
}

// CheckHeartbeat says what is wrong with the spec.
func (s HeartbeatSpec) CheckHeartbeat() error {
	switch {
	case s.Every < HeartbeatLeast || s.Every > heartbeatLongest:
		return fmt.Errorf("every may be 30s to 366 days")
	case s.Grace < 0 || s.Grace > heartbeatLongest:
		return fmt.Errorf("grace may be up to 366 days")
	case s.MaxRuntime < 0 || s.MaxRuntime > heartbeatLongest:
		return fmt.Errorf("max_runtime may be up to 366 days")
	}
	return nil
}

var heartbeatName = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,99}$`)

// HeartbeatWords can't be names of heartbeats, because addresses of pings end in them: ".../start".
var HeartbeatWords = []string{"start", "fail", "log"}

// CheckHeartbeatName says why a name can't be a heartbeat's.
func CheckHeartbeatName(name string) error {
	switch {
	case !heartbeatName.MatchString(name):
		return fmt.Errorf("the heartbeat %q needs a name of up to 100 small letters, digits and -, _ or ., as it stands in its address", cutText(name, 100))
	case slices.Contains(HeartbeatWords, name) || !strings.ContainsFunc(name, func(r rune) bool { return r < '0' || r > '9' }):
		return fmt.Errorf("the heartbeat %q needs another name: start, fail, log and numbers end an address", name)
	}
	return nil
}

// HeartbeatNameOf turns any text into a name that a heartbeat can have.
func HeartbeatNameOf(name string) string {
	slug := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', strings.ContainsRune("-_.", r):
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, name), "-_.")
	if slug = slug[:min(len(slug), 100)]; CheckHeartbeatName(slug) != nil {
		return "heartbeat"
	}
	return slug
}

// HeartbeatID identifies a heartbeat.
type HeartbeatID int64

// A Heartbeat is a job or program that is expected to ping regularly.
type Heartbeat struct {
	ID            HeartbeatID
	IntegrationID IntegrationID
	Name          string // unique in its integration
	HeartbeatSpec

	PingedAt *time.Time // the latest success
	RunAt    *time.Time // when the current run began; nil: none
	Run      string     // the current run, if it was named
	DueAt    *time.Time // when it goes down without a ping; nil: no ping has come yet, or it is down
	DownAt   *time.Time // since when it is down; nil: it isn't
	Why      string     // why it is down
	Failed   bool       // down because it reported a failure
	Together bool       // went missing together with many others

	MutedAt    *time.Time // nil: it pages
	MutedUntil *time.Time // nil: until somebody unmutes it
	SignaledAt *time.Time // when the signal that it is down was last sent; nil: never
	Removed    bool
}

// A HeartbeatState is the state of a heartbeat.
type HeartbeatState string

// The states of a heartbeat.
const (
	HeartbeatNew  HeartbeatState = "new"   // no ping has come yet, so none is missing
	HeartbeatUp   HeartbeatState = "up"    // the latest ping came in time
	HeartbeatLate HeartbeatState = "grace" // a ping is late, but within the grace
	HeartbeatDown HeartbeatState = "down"
)

// State returns the heartbeat's state at an instant.
func (h Heartbeat) State(now time.Time) HeartbeatState {
	switch {
	case h.DownAt != nil:
		return HeartbeatDown
	case h.DueAt == nil:
		return HeartbeatNew
	case h.RunAt == nil && !now.Before(h.DueAt.Add(-h.Grace.Duration())):
		return HeartbeatLate
	}
	return HeartbeatUp
}

// Muted reports whether the heartbeat is muted at an instant.
func (h Heartbeat) Muted(at time.Time) bool {
	return h.MutedAt != nil && (h.MutedUntil == nil || at.Before(*h.MutedUntil))
}

// Receive updates the heartbeat with a ping that arrived at an instant. Pings may have waited in a spool, so one older
// than the stored state changes nothing.
func (h *Heartbeat) Receive(ping Ping, at time.Time) {
	switch ping.Kind {
	case PingLog:
	case PingFail:
		if h.PingedAt != nil && at.Before(*h.PingedAt) {
			return
		}
		h.RunAt, h.Run = nil, ""
		why := "it said that it failed"
		if ping.Exit != 0 {
			why = fmt.Sprintf("it ended with status %d", ping.Exit)
		}
		h.goDown(at, why)
		h.Failed = true
	case PingStart:
		h.start(ping, at)
	default:
		h.succeed(ping, at)
	}
}

// start begins a run. Starting again before a run has ended gives no more time: a job that dies and
// restarts has not succeeded.
func (h *Heartbeat) start(p Ping, at time.Time) {
	if h.PingedAt != nil && at.Before(*h.PingedAt) || h.RunAt != nil && at.Before(*h.RunAt) {
		return
	}
	again := h.RunAt != nil
	h.RunAt, h.Run = new(at), p.Run
	if h.DownAt == nil && !again {
		h.DueAt = new(at.Add(h.runtime()))
	}
}

func (h *Heartbeat) succeed(p Ping, at time.Time) {
	if h.PingedAt != nil && at.Before(*h.PingedAt) || h.Failed && h.DownAt != nil && at.Before(*h.DownAt) {
		return
	}
	h.PingedAt = new(at)
	due := at.Add(h.Every.Duration() + h.Grace.Duration())
	switch {
	case h.RunAt == nil || at.Before(*h.RunAt):
	case p.Run == "" || h.Run == "" || p.Run == h.Run:
		h.RunAt, h.Run = nil, ""
	default: // another run continues
		if end := h.RunAt.Add(h.runtime()); end.Before(due) {
			due = end
		}
	}
	if h.DownAt != nil && due.Before(*h.DownAt) { // even with this ping, it would have gone down
		return
	}
	h.DueAt, h.DownAt, h.Why, h.Failed = &due, nil, "", false
}

func (h *Heartbeat) goDown(at time.Time, why string) {
	if h.DownAt == nil {
		h.DownAt = new(at)
	}
	h.Why, h.DueAt = why, nil
}

// UnwatchedTime is a time in which no instance watched the heartbeats.
type UnwatchedTime struct{ From, Until time.Time }

// Unwatched reports whether heartbeats went unwatched for so long between two instants that pings may have been
// lost.
func Unwatched(last, now time.Time) (UnwatchedTime, bool) {
	return UnwatchedTime{last, now}, now.Sub(last) > awayAfter
}

// ReceiveLate is Receive for a ping that may have arrived before or during our latest downtime. If it did, the next
// deadline is extended.
func (h *Heartbeat) ReceiveLate(p Ping, at time.Time, last UnwatchedTime) {
	before := h.DueAt
	h.Receive(p, at)
	if h.DueAt != nil && h.DueAt != before && at.Before(last.Until) {
		h.ExtendDeadline(last)
	}
}

// ExtendDeadline extends the deadline after our own downtime. A daily ping that was lost is not excused for the whole day: a
// false alarm is better than a missed one.
func (h *Heartbeat) ExtendDeadline(away UnwatchedTime) {
	if h.DueAt != nil {
		h.DueAt = new(h.DueAt.Add(away.Until.Sub(away.From) + min(max(h.Every.Duration(), awayMargin), awayMostMargin)))
	}
}

// SetSpec replaces the spec, and moves the deadline accordingly.
func (h *Heartbeat) SetSpec(s HeartbeatSpec, now time.Time) {
	was := h.HeartbeatSpec
	h.HeartbeatSpec = s
	if h.DueAt == nil || s == was {
		return
	}
	due := now.Add(s.Every.Duration() + s.Grace.Duration())
	switch {
	case h.RunAt != nil:
		due = h.RunAt.Add(s.runtime())
	case h.PingedAt != nil:
		due = h.PingedAt.Add(s.Every.Duration() + s.Grace.Duration())
	}
	h.DueAt = new(latest(due, now.Add(awayMargin))) // an edit is no reason to page
}

// watched reports whether people are paged if the heartbeat goes missing.
func (h Heartbeat) watched(now time.Time) bool {
	return !h.Removed && !h.Muted(now) && (h.DueAt != nil || h.DownAt != nil)
}

// missing reports whether the heartbeat has gone missing recently, or will within togetherWithin.
func (h Heartbeat) missing(now time.Time) bool {
	switch {
	case !h.watched(now) || h.Failed:
		return false
	case h.DownAt != nil:
		return now.Sub(*h.DownAt) <= togetherWithin || h.Together && now.Sub(*h.DownAt) <= togetherLasts
	}
	return h.State(now) == HeartbeatLate && h.DueAt.Sub(now) <= togetherWithin
}

// JudgeHeartbeats updates the heartbeats that have just gone missing, and returns their indexes. All must hold every
// heartbeat there is: if many are missing at once, the cause is probably the network or Watchbill itself, and
// their alerts share one incident for each integration.
func JudgeHeartbeats(all []Heartbeat, now time.Time) (down []int) {
	for i := range all {
		beat := &all[i]
		if beat.Removed || beat.DownAt != nil || beat.DueAt == nil || now.Before(*beat.DueAt) {
			continue
		}
		why := "nothing has come in time"
		switch {
		case beat.RunAt != nil:
			why = "it began at " + beat.RunAt.UTC().Format(heartbeatStamp) + " and has not ended"
		case beat.PingedAt != nil:
			why = "nothing has come since " + beat.PingedAt.UTC().Format(heartbeatStamp)
		}
		beat.goDown(now, why)
		beat.Together = false
		down = append(down, i)
	}
	if len(down) == 0 {
		return nil
	}
	missing, watched := 0, 0
	ours := map[IntegrationID][2]int{}
	for _, h := range all {
		if !h.watched(now) {
			continue
		}
		n := ours[h.IntegrationID]
		n[1]++
		watched++
		if h.missing(now) {
			n[0]++
			missing++
		}
		ours[h.IntegrationID] = n
	}
	for _, i := range down {
		n := ours[all[i].IntegrationID]
		all[i].Together = many(missing, watched) || many(n[0], n[1])
	}
	return down
}

func many(missing, watched int) bool {
	return missing >= togetherLeast && missing*10 > watched*togetherShare
}

const heartbeatStamp = "2006-01-02 15:04:05 UTC"

// heartbeatsGroup is the group key of heartbeats that go missing together.
const heartbeatsGroup = "heartbeats"

// NextSignal returns the signal that is due, if any: that the heartbeat is down, which is repeated from time to time, or
// that it is up again. Said is the text of a failure that has just been reported.
func (h *Heartbeat) NextSignal(text string, now time.Time) (signal Signal, ok bool) {
	key := "heartbeat/" + h.Name
	switch {
	case (h.DownAt == nil || h.Removed) && h.SignaledAt != nil:
		h.SignaledAt, h.Together = nil, false
		return Signal{Action: Clear, DedupKey: key}, true
	case h.DownAt == nil || h.Removed || h.Muted(now) || h.SignaledAt != nil && now.Sub(*h.SignaledAt) < heartbeatRepeat && text == "":
		return signal, false
	}
	h.SignaledAt = new(now)
	verb := "is missing"
	if h.Failed {
		verb = "failed"
	}
	signal = Signal{
		Action: Trigger, DedupKey: key, Title: fmt.Sprintf("Heartbeat %s %s: %s", h.Name, verb, h.Why), Severity: h.Severity,
		Labels: map[string]string{"heartbeat": h.Name}, StartsAt: *h.DownAt,
		Body: text,
	}
	if !h.Failed && text == "" {
		signal.Body = fmt.Sprintf("It is expected every %s, with %s of grace.", h.Every.Duration(), h.Grace.Duration())
	}
	if h.Together {
		signal.GroupKey = heartbeatsGroup
		signal.Body += " Many others went missing at the same time, so that the network may have been away, or Watchbill."
	}
	return signal, true
}

// NextCheck returns when the heartbeat must be checked even without a ping; nil: never.
func (h Heartbeat) NextCheck(now time.Time) *time.Time {
	switch {
	case h.Removed && h.SignaledAt != nil:
		return new(now)
	case h.Removed:
		return nil
	case h.DownAt == nil:
		return h.DueAt
	case h.Muted(now):
		return h.MutedUntil
	case h.SignaledAt == nil:
		return new(now)
	}
	return new(h.SignaledAt.Add(heartbeatRepeat))
}
