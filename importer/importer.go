// Package importer turns what another vendor knows of an installation into our set-up file, and says what could not
// be carried over. It is pure: the command line fetches the answers, or reads them from files, and writes the file.
package importer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall/setup"
)

// A Result is what became of a vendor's set-up.
type Result struct {
	Setup   setup.Setup
	Lost    []Loss   // what could not be carried over
	Finals  []Final  // what the vendor says of its schedules, to compare ours with
	Senders []Sender // what sends to the vendor now
}

// A Loss is something that the set-up file has no place for, or that somebody must decide.
type Loss struct {
	Where Location
	What  string // a sentence
}

// A Location is a thing and, in Detail, a part of it: schedule, Payments, layer Nights.
type Location struct{ Kind, Name, Detail string }

func (p Location) at(detail string) Location {
	p.Detail = detail
	return p
}

func (p Location) String() string {
	text := p.Kind + " " + p.Name
	if p.Detail != "" {
		text += ", " + p.Detail
	}
	return text
}

// A Final is who a vendor says is on call by a schedule, all layers and overrides considered.
type Final struct {
	Schedule string // by our name
	From, To time.Time
	Shifts   []FinalShift
}

// A FinalShift is a stretch with one person.
type FinalShift struct {
	User     string // by our name
	From, To time.Time
}

// A Sender is a monitor that is to be pointed at one of our integrations.
type Sender struct {
	Integration string // by our name
	What        string // as the vendor calls it: "Datadog", "Events API v2"
	Speaks      Speaks
	Name        string // of the heartbeat that it pings
}

// Speaks is the API that a monitor is set up for, if any.
type Speaks string

// What monitors may speak; all else is told by what comes.
const (
	SpeaksPagerDuty Speaks = "pagerduty"
	SpeaksOpsgenie  Speaks = "opsgenie"
	SpeaksPings     Speaks = "pings"
)

// lose notes what could not be carried over.
func (r *Result) lose(where Location, format string, args ...any) {
	r.Lost = append(r.Lost, Loss{Where: where, What: fmt.Sprintf(format, args...)})
}

// says notes who a vendor says is on call by a schedule, for the time for which it was asked. What was is not carried over.
func (r *Result) says(schedule string, when asked, now time.Time, shifts []FinalShift) {
	f := Final{Schedule: schedule, From: when.Since, To: when.Until}
	if f.From.Before(now) {
		f.From = now
	}
	if !f.To.After(f.From) {
		return
	}
	f.Shifts = slices.DeleteFunc(shifts, func(s FinalShift) bool { return s.User == "" })
	r.Finals = append(r.Finals, f)
}

// names gives each thing of a kind a name of its own, since our file refers by name and vendors refer by id.
type names struct {
	byID map[string]string
	used map[string]bool
}

func newNames() *names { return &names{byID: map[string]string{}, used: map[string]bool{}} }

// of returns the name of the thing with an id; the first time it is made of what the vendor calls it.
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

// has reports whether there is such a thing.
func (n *names) has(id string) bool { _, ok := n.byID[id]; return ok }

// channelOf is a Slack channel for a team, as it would be called.
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
