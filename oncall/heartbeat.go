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
	// HeartbeatLeast is the shortest time between two pings that can be expected.
	HeartbeatLeast Seconds = 30
	// HeartbeatEvery and HeartbeatGrace are what a heartbeat has that came up by its first ping.
	HeartbeatEvery Seconds = 24 * 3600
	HeartbeatGrace Seconds = 3600
	// heartbeatLongest bounds how rarely something can be expected.
	heartbeatLongest Seconds = 366 * 24 * 3600
	// heartbeatRepeat is how often it is said again that one is missing: its integration may have been muted, or
	// somebody has resolved the incident while nothing came.
	heartbeatRepeat = 5 * time.Minute
	// HeartbeatTick is how often it is written down that somebody looks, and awayAfter how long nobody may have until
	// that counts as our own downtime.
	HeartbeatTick = 3 * time.Second
	awayAfter     = 10 * time.Second
	// awayMargin is what senders get beside the time that we were away: until their next ping, if that is soon.
	awayMargin     = time.Minute
	awayMostMargin = 5 * time.Minute
	// togetherWithin is the time in which heartbeats that go missing are one thing, and togetherLasts how long
	// after the last of them others still belong to it.
	togetherWithin = time.Minute
	togetherLasts  = 5 * time.Minute
	// togetherLeast is how many must go missing, and togetherShare of ten that are watched more than how many.
	togetherLeast = 3
	togetherShare = 3
)

// MaxHeartbeats is how many heartbeats an integration may have, for whoever has its key can make one.
const MaxHeartbeats = 500

// PingSignal is the action of a signal that is a ping of the heartbeat named by DedupKey. It never goes into the
// inbox.
const PingSignal Action = "ping"

// A PingKind is what a ping says.
type PingKind string

// The kinds of pings.
const (
	PingSuccess PingKind = "success"
	PingStart   PingKind = "start" // something begins that ends with a success or a failure
	PingFail    PingKind = "fail"
	PingLog     PingKind = "log" // only what was written with it is kept
)

// A Ping is one sign of life of a heartbeat. It is stored as JSON: fields are only ever added.
type Ping struct {
	Kind   PingKind `json:"kind"`
	Run    string   `json:"run,omitempty"`    // of which run, where there may be several at a time
	Exit   int      `json:"exit,omitempty"`   // the exit status of what failed
	Create bool     `json:"create,omitempty"` // the heartbeat is made if there is none
	Every  Seconds  `json:"every,omitempty"`  // of one that is made
	Grace  Seconds  `json:"grace,omitempty"`  // the same
}

// NewPing makes the signal that is a ping.
func NewPing(name string, p Ping, body string) Signal {
	return Signal{Action: PingSignal, DedupKey: name, Body: body, Ping: &p}
}

// A HeartbeatSpec is what is expected of a heartbeat.
type HeartbeatSpec struct {
	Every      Seconds // between two successes
	Grace      Seconds // how much later it may be
	MaxRuntime Seconds // how long after a start there must be a success; 0: as long as Grace
	Severity   Severity
}

// runtime is how long a run may take.
func (s HeartbeatSpec) runtime() time.Duration {
	if s.MaxRuntime > 0 {
		return s.MaxRuntime.Duration()
	}
	return s.Grace.Duration()
}

// CheckHeartbeat says what is wrong with what is expected of a heartbeat.
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

// HeartbeatWords can't be names of heartbeats, because they end addresses: ".../start".
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

// A Heartbeat is something that pings as long as all is well.
type Heartbeat struct {
	ID            HeartbeatID
	IntegrationID IntegrationID
	Name          string // unique in its integration
	HeartbeatSpec

	PingedAt *time.Time // the latest success
	RunAt    *time.Time // the latest start that has not ended
	Run      string     // which that is, if it says so
	DueAt    *time.Time // when it is down unless something comes; nil: nothing has come yet, or it is down
	DownAt   *time.Time // since when it is down; nil: it is not
	Why      string     // it is down, in words
	Failed   bool       // it has said so itself
	Together bool       // many went missing with it

	MutedAt    *time.Time // nil: it pages
	MutedUntil *time.Time // nil: until somebody unmutes it
	ToldAt     *time.Time // when its integration was told last that it is down; nil: it was not
	Removed    bool
}

// A HeartbeatState is how a heartbeat is, in a word.
type HeartbeatState string

// The states of a heartbeat.
const (
	HeartbeatNew  HeartbeatState = "new"   // nothing has come yet, and nothing is expected
	HeartbeatUp   HeartbeatState = "up"    // it was heard in time
	HeartbeatLate HeartbeatState = "grace" // something is expected, but not yet late enough
	HeartbeatDown HeartbeatState = "down"
)

// State is how the heartbeat is at an instant.
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

// Muted reports whether it pages nobody at an instant.
func (h Heartbeat) Muted(at time.Time) bool {
	return h.MutedAt != nil && (h.MutedUntil == nil || at.Before(*h.MutedUntil))
}

// Receive takes in a ping that came at an instant. What is older than what is known changes nothing, for pings may
// have been kept on a disk meanwhile.
func (h *Heartbeat) Receive(p Ping, at time.Time) {
	switch p.Kind {
	case PingLog:
	case PingFail:
		if h.PingedAt != nil && at.Before(*h.PingedAt) {
			return
		}
		h.RunAt, h.Run = nil, ""
		why := "it said that it failed"
		if p.Exit != 0 {
			why = fmt.Sprintf("it ended with status %d", p.Exit)
		}
		h.goDown(at, why)
		h.Failed = true
	case PingStart:
		h.start(p, at)
	default:
		h.succeed(p, at)
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
	default: // another run goes on
		if end := h.RunAt.Add(h.runtime()); end.Before(due) {
			due = end
		}
	}
	if h.DownAt != nil && due.Before(*h.DownAt) { // it was late even so
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

// Away is a time in which nobody looked at the heartbeats.
type Away struct{ From, Until time.Time }

// WeWereAway reports whether heartbeats went unwatched between two instants for so long that pings may
// have been lost.
func WeWereAway(last, now time.Time) (Away, bool) {
	return Away{last, now}, now.Sub(last) > awayAfter
}

// ReceiveLate is Receive for pings that may have come before or while we were away. Then the next one may
// be late, too.
func (h *Heartbeat) ReceiveLate(p Ping, at time.Time, last Away) {
	before := h.DueAt
	h.Receive(p, at)
	if h.DueAt != nil && h.DueAt != before && at.Before(last.Until) {
		h.Excuse(last)
	}
}

// Excuse gives the heartbeat more time, because we were away. One that pings once a day and doesn't retry
// isn't excused for that day: better say that a ping is missing.
func (h *Heartbeat) Excuse(away Away) {
	if h.DueAt != nil {
		h.DueAt = new(h.DueAt.Add(away.Until.Sub(away.From) + min(max(h.Every.Duration(), awayMargin), awayMostMargin)))
	}
}

// Respec replaces what is expected of the heartbeat from now on.
func (h *Heartbeat) Respec(s HeartbeatSpec, now time.Time) {
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

// watched reports whether people are to hear of it if it goes missing.
func (h Heartbeat) watched(now time.Time) bool {
	return !h.Removed && !h.Muted(now) && (h.DueAt != nil || h.DownAt != nil)
}

// missing reports whether it has gone missing within the last minute, or is about to within the next.
func (h Heartbeat) missing(now time.Time) bool {
	switch {
	case !h.watched(now) || h.Failed:
		return false
	case h.DownAt != nil:
		return now.Sub(*h.DownAt) <= togetherWithin || h.Together && now.Sub(*h.DownAt) <= togetherLasts
	}
	return h.State(now) == HeartbeatLate && h.DueAt.Sub(now) <= togetherWithin
}

// JudgeHeartbeats finds which heartbeats have gone missing. Down are indexes into all, which must be all
// heartbeats there are: if many are missing at once, the cause is the network or Watchbill itself, and
// their alerts share one incident of their integration.
func JudgeHeartbeats(all []Heartbeat, now time.Time) (down []int) {
	for i := range all {
		h := &all[i]
		if h.Removed || h.DownAt != nil || h.DueAt == nil || now.Before(*h.DueAt) {
			continue
		}
		why := "nothing has come in time"
		switch {
		case h.RunAt != nil:
			why = "it began at " + h.RunAt.UTC().Format(heartbeatStamp) + " and has not ended"
		case h.PingedAt != nil:
			why = "nothing has come since " + h.PingedAt.UTC().Format(heartbeatStamp)
		}
		h.goDown(now, why)
		h.Together = false
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

// heartbeatsGroup is the group of the heartbeats of an integration that go missing together.
const heartbeatsGroup = "heartbeats"

// Tell returns the signal about a heartbeat that is due for its integration, if any: that it is down,
// repeated from time to time, or that it is back. Said is what was written with the ping.
func (h *Heartbeat) Tell(said string, now time.Time) (s Signal, ok bool) {
	key := "heartbeat/" + h.Name
	switch {
	case (h.DownAt == nil || h.Removed) && h.ToldAt != nil:
		h.ToldAt, h.Together = nil, false
		return Signal{Action: Clear, DedupKey: key}, true
	case h.DownAt == nil || h.Removed || h.Muted(now) || h.ToldAt != nil && now.Sub(*h.ToldAt) < heartbeatRepeat && said == "":
		return s, false
	}
	h.ToldAt = new(now)
	verb := "is missing"
	if h.Failed {
		verb = "failed"
	}
	s = Signal{
		Action: Trigger, DedupKey: key, Title: fmt.Sprintf("Heartbeat %s %s: %s", h.Name, verb, h.Why), Severity: h.Severity,
		Labels: map[string]string{"heartbeat": h.Name}, StartsAt: *h.DownAt,
		Body: said,
	}
	if !h.Failed && said == "" {
		s.Body = fmt.Sprintf("It is expected every %s, with %s of grace.", h.Every.Duration(), h.Grace.Duration())
	}
	if h.Together {
		s.GroupKey = heartbeatsGroup
		s.Body += " Many others went missing at the same time, so that the network may have been away, or Watchbill."
	}
	return s, true
}

// LookAt is when there is something to judge or to tell without a ping; nil: never.
func (h Heartbeat) LookAt(now time.Time) *time.Time {
	switch {
	case h.Removed && h.ToldAt != nil:
		return new(now)
	case h.Removed:
		return nil
	case h.DownAt == nil:
		return h.DueAt
	case h.Muted(now):
		return h.MutedUntil
	case h.ToldAt == nil:
		return new(now)
	}
	return new(h.ToldAt.Add(heartbeatRepeat))
}
