package report

import (
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// Facts are what a report is made of.
type Facts struct {
	Period    Period
	Incidents []Incident // opened within the period, or told of by the pages, and what has become part of them
	Pages     []Page     // that people got from Lead before the period until Lead after it
	People    map[oncall.UserID]Person
	Schedules []schedule.Definition
	Ways      map[oncall.OverrideID]Way // of overrides that a swap or a cover has made
	Only      oncall.UserID             // whose report it is; empty: a team's
}

// Range is from when until when the facts of a period and the one before it are needed.
func Range(p Period) (from, to time.Time) { return p.Before().From.Add(-Lead), p.To.Add(Lead) }

// A Told is a report with the one of the period before it.
type Told struct {
	Now    Report    `json:"now"`
	Before Report    `json:"before"`
	Kept   time.Time `json:"kept_since,omitzero"` // incidents that were over by then are not kept, and not counted; zero: all are
	Name   string    `json:"name"`                // of the team; empty: it is one person's
}

// KeptFor says since when incidents are kept, if the report reaches before that: they leave a term after their end.
func (t Told) KeptFor(term time.Duration, now time.Time) Told {
	if since := now.Add(-term); term > 0 && t.Before.Period.From.Before(since) {
		t.Kept = since
	}
	return t
}

// Tell makes the reports of the facts' period and the one before it. Only who may see single people gets them.
func Tell(f Facts, people bool) Told {
	earlier := f
	earlier.Period = f.Period.Before()
	t := Told{Now: Make(f), Before: Make(earlier)}
	if !people {
		t.Now.People, t.Before.People = nil, nil
	}
	return t
}

// An Incident is what is counted of one.
type Incident struct {
	ID          oncall.IncidentID
	Integration string
	Service     string // the label of its first alert; empty: it has none
	Severity    oncall.Severity
	OpenedAt    time.Time
	AckedAt     *time.Time // when a person first acknowledged it, whatever became of that
	ResolvedAt  *time.Time // nil: it is open
	ByPerson    bool       // a person resolved it
	MergedInto  oncall.IncidentID
	Verdict     Verdict
}

// source is what an incident is about, as routes and storms have it.
func (in Incident) source() string {
	if in.Service != "" {
		return in.Service
	}
	return in.Integration
}

// A Verdict is what somebody said an incident was, once it was over.
type Verdict = oncall.Verdict

// The verdicts.
const (
	NoVerdict = oncall.NoVerdict
	Real      = oncall.VerdictReal
	Noise     = oncall.VerdictNoise
	Unsure    = oncall.VerdictUnsure
)

// A Page is a page that a person got by one contact method.
type Page struct {
	User     oncall.UserID
	At       time.Time // when its provider took it
	Incident oncall.IncidentID
	Seq      int64 // which of the incident's decisions made it; with Asked, they name a call
	Asked    int64
	Message  oncall.PageID // the page whose message told of it: its own, or the lead of its bundle
}

// Rings reports whether a page by this method disturbs somebody. A mail waits until it is read, and of a webhook only
// programs know.
func Rings(m oncall.Method) bool {
	return m != oncall.MethodEmail && m != oncall.MethodWebhook && m != oncall.MethodChannel
}

// Ringing are the methods that do.
func Ringing() []oncall.Method {
	return slices.DeleteFunc(oncall.Methods(), func(m oncall.Method) bool { return !Rings(m) })
}

// A Person is when somebody works and sleeps.
type Person struct {
	TimeZone string            // IANA name
	Hours    []schedule.Window // in that zone; none: Monday to Friday, 09:00 to 18:00
}

// A Way is how somebody came to be on call who was not planned to be.
type Way string

// The ways.
const (
	ByOverride Way = "override"
	BySwap     Way = "swap"
	ByCover    Way = "cover"
)
