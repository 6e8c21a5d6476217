package oncall

import (
	"fmt"
	"hash/fnv"
	"maps"
	"net/url"
	"slices"
	"time"
)

// A SilenceCause is an act on an incident that silences its alerts in their Alertmanager.
type SilenceCause string

// The causes of a silence.
const (
	SilenceOnAck    SilenceCause = "acknowledge"
	SilenceOnSnooze SilenceCause = "snooze"
)

// SilenceCauses lists all causes.
var SilenceCauses = []SilenceCause{SilenceOnAck, SilenceOnSnooze}

// A Silencing says which acts on incidents silence their alerts in the Alertmanager that sends them. It is stored as
// JSON: fields are only ever added.
type Silencing struct {
	URL string         `json:"url"` // of the Alertmanager, without a trailing slash
	On  []SilenceCause `json:"on"`
	For Seconds        `json:"for"` // after an acknowledgement; a snooze has its own end
}

// Host returns the Alertmanager's host, as shown to people.
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
	SilenceUsually  Seconds = 4 * 3600        // the default of Silencing.For
	MaxSilences             = 100             // of an incident
	silenceLook             = time.Minute     // how often we check whether a silenced alert still fires
	silenceBusy             = 2 * time.Minute // how long a job may take for a step
	silenceGoneFor          = 3 * time.Minute // how long an alert must be missing; a restarted Alertmanager is empty for up to a minute
	silenceLingers          = time.Minute     // how long after a silence lists may still leave its alert out
	silenceShortest         = time.Minute
)

// A Silence is a silence in an Alertmanager that we want or have. It matches all labels of one alert, so that it
// silences no other.
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
	Remade bool        `db:"-"` // it exists in Alertmanager with another end
}

// A SilenceStep is what to do about a silence now.
type SilenceStep int

// The steps.
const (
	SilenceKeep SilenceStep = iota
	SilenceMake             // create it, or change its end
	SilenceLook             // check whether its alert still fires
	SilenceEnd
	SilenceOver // it has expired
)

// SilenceFacts is what the silences of an incident depend on.
type SilenceFacts struct {
	Incident     Incident
	Alerts       []Alert   // the incident's firing alerts
	Silences     []Silence // its silences that have not ended
	Integrations map[IntegrationID]Integration
	Asked        time.Time // see MatchSilences.At
	Now          time.Time
}

// A SilencePlan is what to do about an incident's silences.
type SilencePlan struct {
	Steps []Silence
	Unfit int  // alerts that can't be silenced by their labels
	Busy  bool // another job is working on one of the silences
}

// quietBy returns by whom, why and until when alerts of an integration should be silenced.
func (f SilenceFacts) quietBy(s *Silencing) (by UserID, cause SilenceCause, until time.Time, ok bool) {
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

// Plan decides the steps. A silence is kept as long as its alert fires in the incident and the act that caused the
// silence is in force.
func (f SilenceFacts) Plan() SilencePlan {
	var plan SilencePlan
	firing := map[AlertID]Alert{}
	for _, a := range f.Alerts {
		firing[a.ID] = a
	}
	have := map[AlertID]bool{}
	for _, s := range f.Silences {
		have[s.AlertID] = true
		if s.LookAt.Sub(f.Now) > silenceLook { // another job has begun a step
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
	for _, alert := range f.Alerts {
		silencing := f.Integrations[alert.IntegrationID].Silencing
		by, cause, until, ok := f.quietBy(silencing)
		if have[alert.ID] || !ok || alert.FirstAt.After(f.Asked) || until.Sub(f.Now) < silenceShortest {
			continue
		}
		labels, whole := alert.AlertmanagerLabels()
		if !whole || len(have) >= MaxSilences {
			plan.Unfit++
			continue
		}
		have[alert.ID] = true
		plan.Steps = append(plan.Steps, Silence{
			IncidentID: f.Incident.ID, AlertID: alert.ID, IntegrationID: alert.IntegrationID, URL: silencing.URL, DedupKey: alert.DedupKey,
			Labels: labels, Cause: cause, By: by, EndsAt: until, Do: SilenceMake,
		})
	}
	return plan
}

// step decides what to do about a silence; fires says whether its alert fires in the incident.
func (f SilenceFacts) step(silence Silence, fires bool) Silence {
	silencing := f.Integrations[silence.IntegrationID].Silencing
	by, cause, until, ok := f.quietBy(silencing)
	switch {
	case !silence.EndsAt.After(f.Now):
		silence.Do = SilenceOver
	case !ok || !fires || silencing.URL != silence.URL:
		silence.Do = SilenceEnd
	case (!f.Asked.IsZero() || cause != silence.Cause) && !until.Equal(silence.EndsAt) && until.Sub(f.Now) >= silenceShortest:
		silence.By, silence.Cause, silence.EndsAt, silence.Do, silence.Remade = by, cause, until, SilenceMake, silence.Remote != ""
	case silence.Remote == "" || silence.RemoteEndsAt == nil || !silence.RemoteEndsAt.Equal(silence.EndsAt):
		silence.Do, silence.Remade = SilenceMake, silence.Remote != ""
	case !silence.LookAt.After(f.Now):
		silence.Do = SilenceLook
	}
	return silence
}

// SilenceBusyUntil is until when no other job begins a step.
func SilenceBusyUntil(now time.Time) time.Time { return now.Add(silenceBusy) }

// AlertmanagerLabels returns the labels that the alert has in its Alertmanager, and whether they are certainly complete:
// then the alert's key is Alertmanager's fingerprint of them. With incomplete labels, a silence would match too much.
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

// silenced reports whether the alert may be missing from its monitor's lists because we silenced it.
func (a *Alert) silenced(at time.Time) bool {
	return a.SilencedUntil != nil && at.Before(*a.SilencedUntil)
}

// A SilenceOutcome is the result of a step.
type SilenceOutcome struct {
	Silence
	Why   string // why the step failed; empty: it succeeded
	Fires bool   // for SilenceLook: the alert still fires
}

// A SteppedSilence is a silence after a step.
type SteppedSilence struct {
	Silence
	Lingers time.Time // until when lists of the monitor may leave its alert out; zero: unchanged
	Ended   bool      // the silence is over
	Gone    bool      // its alert is gone from Alertmanager
}

// After returns the silence after the step.
func (o SilenceOutcome) After(now time.Time) SteppedSilence {
	after := SteppedSilence{Silence: o.Silence, Lingers: o.EndsAt.Add(silenceLingers)}
	silence := &after.Silence
	silence.LookAt, silence.Failed = now.Add(silenceLook), o.Why
	switch {
	case silence.Do == SilenceOver, silence.Do == SilenceEnd && o.Why == "":
		after.Lingers, after.Ended = now.Add(silenceLingers), true
	case o.Why != "":
		if silence.Remote == "" {
			after.Lingers = time.Time{}
		}
	case silence.Do == SilenceMake:
		silence.RemoteEndsAt = &silence.EndsAt
	case silence.Do == SilenceLook && o.Fires:
		silence.SeenAt, silence.MissingAt = &now, nil
	case silence.Do == SilenceLook && silence.SeenAt != nil && silence.MissingAt == nil:
		silence.MissingAt = &now
	case silence.Do == SilenceLook && silence.SeenAt != nil:
		after.Gone = now.Sub(*silence.MissingAt) >= silenceGoneFor
	}
	return after
}

// GoneSignal ends an alert that is gone from Alertmanager, which doesn't notify us of the end of silenced alerts.
func (s Silence) GoneSignal() Signal {
	return Signal{Action: Clear, DedupKey: s.DedupKey, Note: "It no longer fires in Alertmanager, which tells nobody so while it is silenced."}
}

// RecordSilences notes the results of the steps in the timeline. It reports false if there is nothing to note.
func (in Incident) RecordSilences(outcomes []SilenceOutcome, unfit int, now time.Time) (Change, bool) {
	change := in.begin(ByTimer(), Facts{}, now)
	var created, ended, failed Detail
	for _, o := range outcomes {
		host := []string{hostOfURL(o.URL)}
		switch {
		case o.Why != "" && o.Failed == "":
			failed.Count, failed.Text, failed.To = failed.Count+1, o.Why, host
			failed.Over = o.Do == SilenceEnd
		case o.Why != "":
		case o.Do == SilenceMake && !o.Remade:
			created.Count, created.Until, created.To = created.Count+1, latest(created.Until, o.EndsAt), host
		case o.Do == SilenceEnd && o.Remote != "":
			ended.Count, ended.To = ended.Count+1, host
		}
	}
	if created.Count > 0 {
		change.record(EventSilenced, change.by, created)
	}
	if ended.Count > 0 {
		change.record(EventUnsilenced, change.by, ended)
	}
	if failed.Count > 0 {
		change.record(EventSilenceFailed, change.by, failed)
	}
	if unfit > 0 {
		change.record(EventSilenceFailed, change.by, Detail{Count: unfit})
	}
	return change.done(), len(change.Events) > 0
}

// quietChanged reports whether an acknowledgement or snooze has begun, changed or ended.
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
