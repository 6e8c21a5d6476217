package oncall

import (
	"fmt"
	"hash/fnv"
	"maps"
	"net/url"
	"slices"
	"time"
)

// A SilenceCause is what people do with an incident so that its alerts are silenced where they come from.
type SilenceCause string

// The causes of a silence.
const (
	SilenceOnAck    SilenceCause = "acknowledge"
	SilenceOnSnooze SilenceCause = "snooze"
)

// SilenceCauses are all of them.
var SilenceCauses = []SilenceCause{SilenceOnAck, SilenceOnSnooze}

// A Silencing says that what people do with incidents silences their alerts in the Alertmanager that sends them. It is
// stored as JSON: fields are only ever added.
type Silencing struct {
	URL string         `json:"url"` // of that Alertmanager, without a slash at its end
	On  []SilenceCause `json:"on"`
	For Seconds        `json:"for"` // for what is acknowledged; a snooze says itself until when
}

// Host is where that is, as people are told.
func (s Silencing) Host() string { return hostOfURL(s.URL) }

func hostOfURL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// Bounds of silences.
const (
	SilenceUsually  Seconds = 4 * 3600    // an acknowledgement, where the set-up doesn't say
	MaxSilences             = 100         // of an incident
	silenceLook             = time.Minute // how often it is looked whether the alert is still there
	silenceBusy             = 2 * time.Minute
	silenceGoneFor          = 3 * time.Minute // after it restarts, an Alertmanager learns of its alerts within a minute
	silenceLingers          = time.Minute     // until what is said without an alert that was silenced has come
	silenceShortest         = time.Minute
)

// A Silence is one that we want, or have, in an Alertmanager: of one alert, by all of its labels, so that no other alert
// is silenced by it.
type Silence struct {
	ID            int64
	IncidentID    IncidentID
	AlertID       AlertID
	IntegrationID IntegrationID
	URL           string
	DedupKey      string
	Labels        map[string]string
	Cause         SilenceCause
	By            UserID
	EndsAt        time.Time
	Token         string
	Remote        string
	RemoteEndsAt  *time.Time
	Tried         bool
	Failed        string
	SeenAt        *time.Time
	MissingAt     *time.Time
	LookAt        time.Time

	Do     SilenceStep `db:"-"`
	Remade bool        `db:"-"` // it was there before, with another end
}

// A SilenceStep is what is to be done about a silence now.
type SilenceStep int

// The steps.
const (
	SilenceKeep SilenceStep = iota
	SilenceMake             // or give it another end
	SilenceLook             // whether its alert is still there
	SilenceEnd
	SilenceOver // it has ended by itself
)

// SilenceFacts are what the silences of an incident depend on.
type SilenceFacts struct {
	Incident     Incident
	Alerts       []Alert   // that fire, in the incident
	Silences     []Silence // that have not ended
	Integrations map[IntegrationID]Integration
	Asked        time.Time // as MatchSilences says
	Now          time.Time
}

// A SilencePlan is what is to be done about an incident's silences.
type SilencePlan struct {
	Steps []Silence
	Unfit int  // alerts that can't be silenced by their labels
	Busy  bool // somebody else is doing something about one of them
}

// quietBy is by whom, why and until when alerts of an integration are to be silent.
func (f SilenceFacts) quietBy(s *Silencing) (by UserID, cause SilenceCause, until time.Time, is bool) {
	switch in := f.Incident; {
	case s == nil:
		return "", "", time.Time{}, false
	case in.Status == Acknowledged && in.AckedBy.User != "":
		by, cause, until = in.AckedBy.User, SilenceOnAck, f.Asked.Add(s.For.Duration())
	case in.Status == Snoozed && in.SnoozedBy.User != "" && in.SnoozedUntil != nil:
		by, cause, until = in.SnoozedBy.User, SilenceOnSnooze, *in.SnoozedUntil
	}
	return by, cause, until, cause != "" && slices.Contains(s.On, cause)
}

// Plan says what is to be done. A silence stands as long as its alert fires in an incident that is quiet because a
// person said so.
func (f SilenceFacts) Plan() SilencePlan {
	var plan SilencePlan
	firing := map[AlertID]Alert{}
	for _, a := range f.Alerts {
		firing[a.ID] = a
	}
	have := map[AlertID]bool{}
	for _, s := range f.Silences {
		have[s.AlertID] = true
		if s.LookAt.Sub(f.Now) > silenceLook { // somebody has begun a step
			plan.Busy = true
			continue
		}
		a, fires := firing[s.AlertID]
		if s = f.step(s, fires && a.IncidentID == s.IncidentID); s.Do != SilenceKeep {
			plan.Steps = append(plan.Steps, s)
		}
	}
	if f.Asked.IsZero() {
		return plan
	}
	for _, a := range f.Alerts {
		silencing := f.Integrations[a.IntegrationID].Silencing
		by, cause, until, is := f.quietBy(silencing)
		if have[a.ID] || !is || a.FirstAt.After(f.Asked) || until.Sub(f.Now) < silenceShortest {
			continue
		}
		labels, whole := a.AlertmanagerLabels()
		if !whole || len(have) >= MaxSilences {
			plan.Unfit++
			continue
		}
		have[a.ID] = true
		plan.Steps = append(plan.Steps, Silence{
			IncidentID: f.Incident.ID, AlertID: a.ID, IntegrationID: a.IntegrationID, URL: silencing.URL, DedupKey: a.DedupKey,
			Labels: labels, Cause: cause, By: by, EndsAt: until, Do: SilenceMake,
		})
	}
	return plan
}

// step is what is to be done about a silence of an alert that fires in the incident, or not.
func (f SilenceFacts) step(s Silence, fires bool) Silence {
	silencing := f.Integrations[s.IntegrationID].Silencing
	by, cause, until, is := f.quietBy(silencing)
	switch {
	case !s.EndsAt.After(f.Now):
		s.Do = SilenceOver
	case !is || !fires || silencing.URL != s.URL:
		s.Do = SilenceEnd
	case (!f.Asked.IsZero() || cause != s.Cause) && !until.Equal(s.EndsAt) && until.Sub(f.Now) >= silenceShortest:
		s.By, s.Cause, s.EndsAt, s.Do, s.Remade = by, cause, until, SilenceMake, s.Remote != ""
	case s.Remote == "" || s.RemoteEndsAt == nil || !s.RemoteEndsAt.Equal(s.EndsAt):
		s.Do, s.Remade = SilenceMake, s.Remote != ""
	case !s.LookAt.After(f.Now):
		s.Do = SilenceLook
	}
	return s
}

// SilenceBusyUntil is until when nobody else begins a step.
func SilenceBusyUntil(now time.Time) time.Time { return now.Add(silenceBusy) }

// AlertmanagerLabels are the labels that the alert has in the Alertmanager that sent it, and whether these are certainly
// all: its key is then the fingerprint that Alertmanager makes of them. Of an alert with others missing too much would
// be silenced.
func (a Alert) AlertmanagerLabels() (labels map[string]string, whole bool) {
	labels = maps.Clone(a.sentLabels())
	maps.DeleteFunc(labels, func(_, value string) bool { return value == "" })
	if len(labels) == 0 {
		return nil, false
	}
	h := fnv.New64a()
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		_, _ = h.Write([]byte(name + "\xff" + labels[name] + "\xff"))
	}
	return labels, fmt.Sprintf("%016x", h.Sum64()) == a.DedupKey
}

// Silenced reports whether a list of a group without the alert says nothing about it.
func (a *Alert) silenced(at time.Time) bool {
	return a.SilencedUntil != nil && at.Before(*a.SilencedUntil)
}

// A SilenceOutcome is what has become of a step.
type SilenceOutcome struct {
	Silence
	Why   string // it failed; empty: it hasn't
	Fires bool   // for SilenceLook: the alert is still there
}

// Became is a silence after a step. lingers is until when a list without its alert says nothing, ended whether the
// silence has, and gone whether its alert is no longer in Alertmanager.
func (o SilenceOutcome) Became(now time.Time) (s Silence, lingers time.Time, ended, gone bool) {
	s = o.Silence
	lingers, s.LookAt, s.Failed = s.EndsAt.Add(silenceLingers), now.Add(silenceLook), o.Why
	switch {
	case s.Do == SilenceOver, s.Do == SilenceEnd && o.Why == "":
		return s, now.Add(silenceLingers), true, false
	case o.Why != "":
		if s.Remote == "" {
			lingers = time.Time{}
		}
	case s.Do == SilenceMake:
		s.RemoteEndsAt = &s.EndsAt
	case s.Do == SilenceLook && o.Fires:
		s.SeenAt, s.MissingAt = &now, nil
	case s.Do == SilenceLook && s.SeenAt != nil && s.MissingAt == nil:
		s.MissingAt = &now
	case s.Do == SilenceLook && s.SeenAt != nil:
		gone = now.Sub(*s.MissingAt) >= silenceGoneFor
	}
	return s, lingers, false, gone
}

// GoneSignal is the signal that ends an alert which is no longer in Alertmanager: of what ends under a silence nothing
// is said.
func (s Silence) GoneSignal() Signal {
	return Signal{Action: Clear, DedupKey: s.DedupKey, Note: "It no longer fires in Alertmanager, which tells nobody so while it is silenced."}
}

// TellSilences notes in the timeline what has become of an incident's silences; false: there is nothing to tell.
func (in Incident) TellSilences(outcomes []SilenceOutcome, unfit int, now time.Time) (Change, bool) {
	c := in.begin(ByTimer(), Facts{}, now)
	var made, ended, failed Detail
	for _, o := range outcomes {
		host := []string{hostOfURL(o.URL)}
		switch {
		case o.Why != "" && o.Failed == "":
			failed.Count, failed.Text, failed.To = failed.Count+1, o.Why, host
			failed.Over = o.Do == SilenceEnd
		case o.Why != "":
		case o.Do == SilenceMake && !o.Remade:
			made.Count, made.Until, made.To = made.Count+1, latest(made.Until, o.EndsAt), host
		case o.Do == SilenceEnd && o.Remote != "":
			ended.Count, ended.To = ended.Count+1, host
		}
	}
	if made.Count > 0 {
		c.record(EventSilenced, c.by, made)
	}
	if ended.Count > 0 {
		c.record(EventUnsilenced, c.by, ended)
	}
	if failed.Count > 0 {
		c.record(EventSilenceFailed, c.by, failed)
	}
	if unfit > 0 {
		c.record(EventSilenceFailed, c.by, Detail{Count: unfit})
	}
	return c.done(), len(c.Events) > 0
}

// quietChanged reports whether somebody has made the incident quiet, or it is no longer.
func (c *Change) quietChanged() bool {
	quiet := func(in Incident) bool { return in.Status == Acknowledged || in.Status == Snoozed }
	was, is := c.before, c.Incident
	if !quiet(was) && !quiet(is) {
		return false
	}
	ends := func(in Incident) time.Time {
		if in.SnoozedUntil == nil {
			return time.Time{}
		}
		return *in.SnoozedUntil
	}
	return was.Status != is.Status || was.AckedBy != is.AckedBy || !ends(was).Equal(ends(is))
}
