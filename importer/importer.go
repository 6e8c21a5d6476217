// Package importer turns another vendor's set-up into our set-up file, and lists what could not be
// carried over. It is pure: the command line fetches the responses, or reads them from files, and
// writes the file.
package importer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall/setup"
)

// A Result is the outcome of an import.
type Result struct {
	Setup   setup.Setup
	Lost    []Loss          // what could not be carried over
	Finals  []FinalSchedule // the vendor's final schedules, to compare ours with
	Senders []Sender        // monitors that now send to the vendor
}

// A Loss is something that has no place in the set-up file, or needs a decision.
type Loss struct {
	Where Location
	What  string // a sentence
}

// A Location is an object and, in Detail, a part of it: schedule, Payments, layer Nights.
type Location struct{ Kind, Name, Detail string }

func (l Location) at(detail string) Location {
	l.Detail = detail
	return l
}

func (l Location) String() string {
	text := l.Kind + " " + l.Name
	if l.Detail != "" {
		text += ", " + l.Detail
	}
	return text
}

// A FinalSchedule is a vendor's final schedule, with all layers and overrides applied.
type FinalSchedule struct {
	Schedule string // by our name
	From, To time.Time
	Shifts   []FinalShift
}

// A FinalShift is a stretch with one person.
type FinalShift struct {
	User     string // by our name
	From, To time.Time
}

// A Sender is a monitor to be pointed at one of our integrations.
type Sender struct {
	Integration string // by our name
	What        string // as the vendor calls it: "Datadog", "Events API v2"
	Speaks      SenderAPI
	Name        string // of the heartbeat that it pings
}

// SenderAPI is the API that a monitor is configured for, if any.
type SenderAPI string

// The APIs that monitors may be configured for; anything else is recognised from what it sends.
const (
	SpeaksPagerDuty SenderAPI = "pagerduty"
	SpeaksOpsgenie  SenderAPI = "opsgenie"
	SpeaksPings     SenderAPI = "pings"
)

// addLoss records what could not be carried over.
func (res *Result) addLoss(where Location, format string, args ...any) {
	res.Lost = append(res.Lost, Loss{Where: where, What: fmt.Sprintf(format, args...)})
}

// addFinal records a vendor's final schedule for the requested period. The past is not carried over.
func (res *Result) addFinal(schedule string, when finalPeriod, now time.Time, shifts []FinalShift) {
	f := FinalSchedule{Schedule: schedule, From: when.Since, To: when.Until}
	if f.From.Before(now) {
		f.From = now
	}
	if !f.To.After(f.From) {
		return
	}
	f.Shifts = slices.DeleteFunc(shifts, func(s FinalShift) bool { return s.User == "" })
	res.Finals = append(res.Finals, f)
}

// names gives each object of a kind a unique name, because our file refers by name and vendors
// refer by id.
type names struct {
	byID map[string]string
	used map[string]bool
}

func newNames() *names { return &names{byID: map[string]string{}, used: map[string]bool{}} }

// of returns the name for an id; the first time, it is derived from the vendor's name.
func (n *names) of(id, called string) string {
	if name, ok := n.byID[id]; ok {
		return name
	}
	called = strings.Join(strings.Fields(called), " ")
	if called == "" {
		called = id
	}
	name := called
	for i := 2; n.used[strings.ToLower(name)]; i++ {
		name = fmt.Sprintf("%s %d", called, i)
	}
	n.byID[id], n.used[strings.ToLower(name)] = name, true
	return name
}

// has reports whether an id is known.
func (n *names) has(id string) bool { _, ok := n.byID[id]; return ok }

// channelOf derives a Slack channel's name from a team's.
func channelOf(team string) string {
	letters := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, team)
	for strings.Contains(letters, "--") {
		letters = strings.ReplaceAll(letters, "--", "-")
	}
	letters = strings.Trim(letters, "-")
	if letters == "" {
		letters = "oncall"
	}
	return "#" + letters[:min(len(letters), 80)]
}

// sorted returns a set's members in order.
func sorted(set map[string]bool) (out []string) {
	for s := range set {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}
