package oncall

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A Verdict is what somebody said an incident was, once it was over.
type Verdict string

// The verdicts.
const (
	NoVerdict     Verdict = ""
	VerdictReal   Verdict = "real"
	VerdictNoise  Verdict = "noise"
	VerdictUnsure Verdict = "unsure"
)

// Verdicts returns the verdicts that can be given.
func Verdicts() []Verdict { return []Verdict{VerdictReal, VerdictNoise, VerdictUnsure} }

// MaxHelped is how long the line may be that says what helped, in characters.
const MaxHelped = 300

// recordVerdict notes what the incident was, and what helped. What is left out stays as it was said before.
func (c *Change) recordVerdict(act Act) error {
	in := &c.Incident
	helped := strings.Join(strings.Fields(strings.ReplaceAll(strings.ToValidUTF8(act.Text, ""), "\x00", "")), " ")
	switch n := utf8.RuneCountInString(helped); {
	case in.Open():
		return Refuse("Incident %s is open; say what it was once it is resolved.", in.ID)
	case in.MergedInto != 0:
		return in.refuseClosed()
	case act.Verdict != NoVerdict && !slices.Contains(Verdicts(), act.Verdict):
		return Refuse("%q is no verdict; say real, noise or unsure.", string(act.Verdict))
	case act.Verdict == NoVerdict && helped == "":
		return Refuse("Say what it was: real, noise or unsure.")
	case n > MaxHelped:
		return Refuse("What helped can have %d characters, not %d.", MaxHelped, n)
	}
	before := *in
	if act.Verdict != NoVerdict {
		in.Verdict = act.Verdict
	}
	if helped != "" {
		in.Helped = helped
	}
	if in.Verdict == before.Verdict && in.Helped == before.Helped {
		return nil
	}
	d := Detail{Names: []string{string(in.Verdict)}}
	if in.Helped != before.Helped {
		d.Text = in.Helped
	}
	c.record(EventVerdict, c.by, d)
	return nil
}

// AsksVerdict reports whether the thread asks what the incident was: once, when a person first resolves it. Events are
// those of a reply, among all of the incident's.
func (in Incident) AsksVerdict(events, all []Event) bool {
	by := func(e Event) bool { return e.Kind == EventResolved && e.Actor.User != "" }
	first := slices.IndexFunc(all, by)
	if first < 0 || in.Open() || in.MergedInto != 0 || in.Verdict != NoVerdict {
		return false
	}
	return slices.ContainsFunc(events, func(e Event) bool { return by(e) && e.ID == all[first].ID })
}

// A PastIncident is an incident that is over, and was about the same as another one.
type PastIncident struct {
	ID         IncidentID
	OpenedAt   time.Time
	ResolvedAt time.Time
	ResolvedBy Actor
	Verdict    Verdict
	Helped     string
}
