package report

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A Report is the figures of a period.
type Report struct {
	Period Period `json:"period"`

	Incidents int `json:"incidents"` // one merged into another, such as a storm, counts as part of it
	Open      int `json:"open"`      // of them: not resolved yet
	Cleared   int `json:"cleared"`   // of them: resolved before anybody acknowledged, and not by a person
	Unacked   int `json:"unacked"`   // of them: resolved by a person without an acknowledgement

	Ack     Times `json:"ack"`     // from the first signal to the first acknowledgement by a person
	Resolve Times `json:"resolve"` // from the first signal to the end

	BySeverity    []Count `json:"by_severity"`    // worst first
	ByService     []Count `json:"by_service"`     // most first
	ByIntegration []Count `json:"by_integration"` // most first

	Interruptions Bands `json:"interruptions"`
	Woken         int   `json:"nights_woken"` // one per person and night, however often they were woken
	Bad           int   `json:"bad_nights"`   // of those: woken BadNight times or more

	People []PersonReport `json:"people,omitempty"` // sorted by id; only for themselves and managers
	Days   []Day          `json:"days"`             // every day of the period, in its zone
	Hours  time.Duration  `json:"hours"`            // on call, everybody together
}

// A Count is the figures of one severity, service or integration.
type Count struct {
	Name          string `json:"name"`
	Incidents     int    `json:"incidents"`
	Interruptions int    `json:"interruptions"`
	Real          int    `json:"real"` // verdicts on the incidents
	Noise         int    `json:"noise"`
	Unsure        int    `json:"unsure"`
}

// A PersonReport is the figures of one person.
type PersonReport struct {
	User          oncall.UserID `json:"user"`
	Interruptions Bands         `json:"interruptions"`
	Woken         int           `json:"nights_woken"`
	Bad           int           `json:"bad_nights"`
	Hours         Hours         `json:"hours"`
}

// A Day is how often people were interrupted on a day.
type Day struct {
	Date          schedule.Date `json:"date"`
	Incidents     int           `json:"incidents"`
	Interruptions Bands         `json:"interruptions"`
}

// Make computes a report.
func Make(f Facts) Report {
	clock := newClocks(f.People)
	r := Report{Period: f.Period, Days: f.Period.days()}
	counts := newCounts()
	heads := headsOf(f.Incidents)
	r.countIncidents(f, heads, counts)
	disturbed := interruptions(f.Pages, clock)
	people := map[oncall.UserID]*PersonReport{}
	person := func(u oncall.UserID) *PersonReport {
		if people[u] == nil {
			people[u] = &PersonReport{User: u}
		}
		return people[u]
	}
	known := map[oncall.IncidentID]Incident{}
	for _, in := range f.Incidents {
		known[in.ID] = in
	}
	for _, i := range disturbed {
		if !f.Period.Has(i.At) {
			continue
		}
		r.Interruptions.add(i.Band)
		person(i.User).Interruptions.add(i.Band)
		if d := r.day(i.At); d != nil {
			d.Interruptions.add(i.Band)
		}
		counts.interrupted(known[i.Incident], heads.of(i.Incident))
	}
	for _, n := range nights(disturbed) {
		if !f.Period.Has(n.First) {
			continue
		}
		r.Woken++
		person(n.User).Woken++
		if n.Bad() {
			r.Bad++
			person(n.User).Bad++
		}
	}
	for u, h := range duties(f, clock) {
		if f.Only != "" && u != f.Only {
			continue
		}
		person(u).Hours = h
		r.Hours += h.All()
	}
	for _, u := range slices.Sorted(maps.Keys(people)) {
		r.People = append(r.People, *people[u])
	}
	r.BySeverity, r.ByService, r.ByIntegration = counts.lists()
	return r
}

// countIncidents counts the incidents that weren't merged into others.
func (r *Report) countIncidents(f Facts, all heads, counts counts) {
	var acked, resolved []time.Duration
	for _, in := range f.Incidents {
		whole, ok := all.whole[in.ID]
		if !ok || !f.Period.Has(in.OpenedAt) {
			continue
		}
		r.Incidents++
		if d := r.day(in.OpenedAt); d != nil {
			d.Incidents++
		}
		counts.opened(whole)
		switch {
		case whole.AckedAt != nil:
			acked = append(acked, max(0, whole.AckedAt.Sub(whole.OpenedAt)))
		case whole.ResolvedAt != nil && whole.ByPerson:
			r.Unacked++
		case whole.ResolvedAt != nil:
			r.Cleared++
		}
		if whole.ResolvedAt == nil {
			r.Open++
		} else {
			resolved = append(resolved, max(0, whole.ResolvedAt.Sub(whole.OpenedAt)))
		}
	}
	r.Ack, r.Resolve = timesOf(acked), timesOf(resolved)
}

// day returns a day of the report.
func (r *Report) day(at time.Time) *Day {
	date := r.Period.date(at)
	i, found := slices.BinarySearchFunc(r.Days, date, func(d Day, date schedule.Date) int {
		return cmp.Or(cmp.Compare(d.Date.Year, date.Year), cmp.Compare(d.Date.Month, date.Month), cmp.Compare(d.Date.Day, date.Day))
	})
	if !found {
		return nil
	}
	return &r.Days[i]
}

// maxMerged is how many merges are followed.
const maxMerged = 50

// heads are the incidents that weren't merged into others, each combined with those merged into it.
type heads struct {
	whole map[oncall.IncidentID]Incident
	head  map[oncall.IncidentID]oncall.IncidentID
}

// headsOf combines incidents with those merged into them. The whole began with its first part, and
// was acknowledged when any part first was. An incident merged into one that isn't among the facts
// is not counted: it belongs to another period.
func headsOf(all []Incident) heads {
	h := heads{whole: map[oncall.IncidentID]Incident{}, head: map[oncall.IncidentID]oncall.IncidentID{}}
	into := map[oncall.IncidentID]oncall.IncidentID{}
	for _, in := range all {
		into[in.ID] = in.MergedInto
		if in.MergedInto == 0 {
			h.whole[in.ID] = in
		}
	}
	for _, in := range all {
		top := in.ID
		for range maxMerged { // even a circular chain ends
			next := into[top]
			if next == 0 {
				break
			}
			top = next
		}
		h.head[in.ID] = top
		whole, ok := h.whole[top]
		if !ok || top == in.ID {
			continue
		}
		if in.OpenedAt.Before(whole.OpenedAt) {
			whole.OpenedAt = in.OpenedAt
		}
		if in.AckedAt != nil && (whole.AckedAt == nil || in.AckedAt.Before(*whole.AckedAt)) {
			whole.AckedAt = in.AckedAt
		}
		h.whole[top] = whole
	}
	return h
}

// of returns the incident that contains another, or that incident itself.
func (h heads) of(id oncall.IncidentID) Incident { return h.whole[h.head[id]] }

// counts collects the figures by severity, service and integration.
type counts struct {
	severity, service, integration map[string]*Count
}

func newCounts() counts {
	return counts{map[string]*Count{}, map[string]*Count{}, map[string]*Count{}}
}

func (c counts) each(in Incident, do func(*Count)) {
	for _, m := range []struct {
		of   map[string]*Count
		name string
	}{{c.severity, string(in.Severity)}, {c.service, in.source()}, {c.integration, in.Integration}} {
		if m.of[m.name] == nil {
			m.of[m.name] = &Count{Name: m.name}
		}
		do(m.of[m.name])
	}
}

func (c counts) opened(in Incident) {
	c.each(in, func(n *Count) {
		n.Incidents++
		switch in.Verdict {
		case Real:
			n.Real++
		case Noise:
			n.Noise++
		case Unsure:
			n.Unsure++
		case NoVerdict:
		}
	})
}

// interrupted counts an interruption for the incident that contains in; one that is no longer known
// counts under no name.
func (c counts) interrupted(in, whole Incident) {
	if whole.ID == 0 {
		whole = in
	}
	c.each(whole, func(n *Count) { n.Interruptions++ })
}

func (c counts) lists() (severity, service, integration []Count) {
	byCount := func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Interruptions, a.Interruptions), cmp.Compare(b.Incidents, a.Incidents), cmp.Compare(a.Name, b.Name))
	}
	list := func(m map[string]*Count, by func(a, b Count) int) []Count {
		out := []Count{}
		for _, n := range m {
			out = append(out, *n)
		}
		slices.SortFunc(out, by)
		return out
	}
	worst := func(a, b Count) int {
		return cmp.Or(cmp.Compare(rank(a.Name), rank(b.Name)), cmp.Compare(a.Name, b.Name))
	}
	return list(c.severity, worst), list(c.service, byCount), list(c.integration, byCount)
}

func rank(severity string) int {
	order := []string{string(oncall.Critical), string(oncall.High), string(oncall.Medium), string(oncall.Low)}
	if i := slices.Index(order, severity); i >= 0 {
		return i
	}
	return len(order)
}
