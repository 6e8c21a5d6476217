package report

import (
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// Facts are the input of a report.
type Facts struct {
	Period    Period
	Incidents []Incident // opened in the period or mentioned by its pages, with all that were merged into them
	Pages     []Page     // received from Lead before the period until Lead after it
	People    map[oncall.UserID]Person
	Schedules []schedule.Definition
	Since     map[oncall.ScheduleID]time.Time // when the schedules were made: nobody was on call in them before
	Ways      map[oncall.OverrideID]Way       // overrides made by a swap or a cover
	Only      oncall.UserID                   // the person the report is for; empty: a team
}

// Range returns the time for which facts are needed, for a period and the one before it.
func Range(p Period) (from, to time.Time) { return p.Before().From.Add(-Lead), p.To.Add(Lead) }

// A Comparison is a report together with that of the previous period.
type Comparison struct {
	Now    Report    `json:"now"`
	Before Report    `json:"before"`
	Kept   time.Time `json:"kept_since,omitzero"` // incidents resolved before this have been removed and aren't counted; zero: all are kept
	Name   string    `json:"name"`                // of the team; empty: a person's report
}

// KeptFor notes since when incidents are kept, if the report reaches further back: they are removed
// a term after their end.
func (comp Comparison) KeptFor(term time.Duration, now time.Time) Comparison {
	if since := now.Add(-term); term > 0 && comp.Before.Period.From.Before(since) {
		comp.Kept = since
	}
	return comp
}

// Compare makes the reports of the facts' period and the previous one. Figures of single people are
// only for those who may see them.
func Compare(f Facts, people bool) Comparison {
	earlier := f
	earlier.Period = f.Period.Before()
	comp := Comparison{Now: Make(f), Before: Make(earlier)}
	if !people {
		comp.Now.People, comp.Before.People = nil, nil
	}
	return comp
}

// An Incident is what is counted of one.
type Incident struct {
	ID          oncall.IncidentID
	Integration string
	Service     string // the service label of its first alert; empty if it has none
	Severity    oncall.Severity
	OpenedAt    time.Time
	AckedAt     *time.Time // when a person first acknowledged it, even if that was undone later
	ResolvedAt  *time.Time // nil: still open
	ByPerson    bool       // resolved by a person
	MergedInto  oncall.IncidentID
	Verdict     Verdict
}

// source returns the incident's service, as routes and storms define it.
func (in Incident) source() string {
	if in.Service != "" {
		return in.Service
	}
	return in.Integration
}

// A Verdict is what people called an incident after it was over.
type Verdict = oncall.Verdict

// The verdicts.
const (
	NoVerdict = oncall.NoVerdict
	Real      = oncall.VerdictReal
	Noise     = oncall.VerdictNoise
	Unsure    = oncall.VerdictUnsure
)

// A Page is a page that a person received by one contact method.
type Page struct {
	User     oncall.UserID
	At       time.Time // when its provider accepted it
	Incident oncall.IncidentID
	Seq      int64 // the incident's decision that made it; together with Asked it identifies a call
	Asked    int64
	Message  oncall.PageID // the page whose message carried it: itself, or the lead of its bundle
}

// Rings reports whether a page by this method interrupts people. A mail waits to be read, and
// webhooks go to programs.
func Rings(m oncall.Method) bool {
	return m != oncall.MethodEmail && m != oncall.MethodWebhook && m != oncall.MethodChannel
}

// Ringing returns the methods that interrupt people.
func Ringing() []oncall.Method {
	return slices.DeleteFunc(oncall.Methods(), func(m oncall.Method) bool { return !Rings(m) })
}

// A Person is when somebody works and sleeps.
type Person struct {
	TimeZone string            // IANA name
	Hours    []schedule.Window // in that zone; none: the default hours
}

// A Way is how a person came to be on call unplanned.
type Way string

// The ways.
const (
	ByOverride Way = "override"
	BySwap     Way = "swap"
	ByCover    Way = "cover"
)
