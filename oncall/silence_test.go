package oncall

import (
	"slices"
	"testing"
	"time"
)

// silencedFacts returns the facts of an incident that Ann acknowledged at noon, with two alerts of an integration that silences.
func silencedFacts() SilenceFacts {
	labels := map[string]string{"alertname": "HighLatency", "cluster": "eu1", "instance": "web-1", "service": "checkout", "severity": "critical"}
	return SilenceFacts{
		Incident: Incident{ID: 7, Status: Acknowledged, AckedBy: Actor{User: "U0ANN"}},
		Alerts: []Alert{
			{ID: 1, IntegrationID: 3, IncidentID: 7, Firing: true, DedupKey: "bdf5e1dbd55ce721", Labels: labels, FirstAt: noon.Add(-time.Hour)},
		},
		Integrations: map[IntegrationID]Integration{3: {ID: 3, Silencing: &Silencing{URL: "http://am:9093", On: SilenceCauses, For: 3600}}},
		Asked:        noon, Now: noon.Add(time.Second),
	}
}

func TestSilencePlanAsksForOneStepAtMost(t *testing.T) {
	t.Parallel()
	have := Silence{
		ID: 5, IncidentID: 7, AlertID: 1, IntegrationID: 3, URL: "http://am:9093", Cause: SilenceOnAck, By: "U0ANN",
		EndsAt: noon.Add(time.Hour), Remote: "x", RemoteEndsAt: new(noon.Add(time.Hour)), Tried: true, LookAt: noon,
	}
	const none = SilenceStep(-1)
	for name, c := range map[string]struct {
		change func(*SilenceFacts)
		want   SilenceStep
		unfit  int
		busy   bool
	}{
		"acknowledged":            {func(*SilenceFacts) {}, SilenceMake, 0, false},
		"nobody has asked":        {func(f *SilenceFacts) { f.Asked = time.Time{} }, none, 0, false},
		"by a monitor":            {func(f *SilenceFacts) { f.Incident.AckedBy = Actor{Name: "pagerduty"} }, none, 0, false},
		"triggered":               {func(f *SilenceFacts) { f.Incident.Status = Triggered }, none, 0, false},
		"the alert came later":    {func(f *SilenceFacts) { f.Alerts[0].FirstAt = noon.Add(time.Second / 2) }, none, 0, false},
		"labels are missing":      {func(f *SilenceFacts) { f.Alerts[0].Labels = map[string]string{"alertname": "HighLatency"} }, none, 1, false},
		"no labels":               {func(f *SilenceFacts) { f.Alerts[0].Labels = nil }, none, 1, false},
		"only snoozes":            {func(f *SilenceFacts) { f.Integrations[3].Silencing.On = []SilenceCause{SilenceOnSnooze} }, none, 0, false},
		"it doesn't silence":      {func(f *SilenceFacts) { f.Integrations[3] = Integration{} }, none, 0, false},
		"it is there":             {func(f *SilenceFacts) { f.Silences = []Silence{have} }, SilenceLook, 0, false},
		"it is there, and looked": {func(f *SilenceFacts) { have := have; have.LookAt = noon.Add(time.Minute); f.Silences = []Silence{have} }, none, 0, false},
		"it was not made":         {func(f *SilenceFacts) { have := have; have.Remote = ""; f.Silences = []Silence{have} }, SilenceMake, 0, false},
		"somebody is making it": {func(f *SilenceFacts) {
			have := have
			have.LookAt = noon.Add(2 * time.Minute)
			f.Silences = []Silence{have}
		}, none, 0, true},
		"again, for longer":    {func(f *SilenceFacts) { f.Asked = noon.Add(time.Second); f.Silences = []Silence{have} }, SilenceMake, 0, false},
		"given back":           {func(f *SilenceFacts) { f.Incident.Status = Triggered; f.Silences = []Silence{have} }, SilenceEnd, 0, false},
		"resolved":             {func(f *SilenceFacts) { f.Incident.Status = Resolved; f.Silences = []Silence{have} }, SilenceEnd, 0, false},
		"the alert is over":    {func(f *SilenceFacts) { f.Alerts = nil; f.Silences = []Silence{have} }, SilenceEnd, 0, false},
		"another Alertmanager": {func(f *SilenceFacts) { f.Integrations[3].Silencing.URL = "http://other"; f.Silences = []Silence{have} }, SilenceEnd, 0, false},
		"no longer wanted":     {func(f *SilenceFacts) { f.Integrations[3] = Integration{}; f.Silences = []Silence{have} }, SilenceEnd, 0, false},
		"its time is over":     {func(f *SilenceFacts) { f.Now = noon.Add(time.Hour); f.Silences = []Silence{have} }, SilenceOver, 0, false},
		"snoozed for half a minute": {func(f *SilenceFacts) {
			f.Incident = Incident{ID: 7, Status: Snoozed, SnoozedBy: Actor{User: "U0ANN"}, SnoozedUntil: new(noon.Add(30 * time.Second))}
		}, none, 0, false},
		"snoozed after it was acknowledged": {func(f *SilenceFacts) {
			f.Incident = Incident{ID: 7, Status: Snoozed, SnoozedBy: Actor{User: "U0BO"}, SnoozedUntil: new(noon.Add(2 * time.Hour))}
			f.Silences = []Silence{have}
		}, SilenceMake, 0, false},
	} {
		f := silencedFacts()
		c.change(&f)
		plan := f.Plan()
		got := none
		if len(plan.Steps) == 1 {
			got = plan.Steps[0].Do
		}
		if got != c.want || len(plan.Steps) > 1 {
			t.Errorf("%s: got step %d of %d, want %d of at most 1", name, got, len(plan.Steps), c.want)
		}
		if plan.Unfit != c.unfit || plan.Busy != c.busy {
			t.Errorf("%s: got %d unfit, busy %t, want %d, %t", name, plan.Unfit, plan.Busy, c.unfit, c.busy)
		}
	}
}

// A flood is not silenced alert by alert without an end.
func TestSilencesAreNotWithoutEnd(t *testing.T) {
	t.Parallel()
	f := silencedFacts()
	one := f.Alerts[0]
	f.Alerts = nil
	for i := range MaxSilences + 1 {
		a := one
		a.ID = AlertID(i + 1)
		f.Alerts = append(f.Alerts, a)
	}
	plan := f.Plan()
	if len(plan.Steps) != MaxSilences || plan.Unfit != 1 {
		t.Errorf("%d steps, %d unfit; want %d and 1", len(plan.Steps), plan.Unfit, MaxSilences)
	}
}

// The labels that a rule has set are not Alertmanager's.
func TestAlertmanagerHasTheLabelsThatItSent(t *testing.T) {
	t.Parallel()
	a := silencedFacts().Alerts[0]
	sent := a.Labels
	a.Labels = withLabels(sent, map[string]string{"env": "prod", "severity": "low"})
	a.Route = &AlertRoute{Was: map[string]string{"env": "", "severity": "critical"}}
	labels, whole := a.AlertmanagerLabels()
	if !whole || labels["severity"] != "critical" || len(labels) != len(sent) {
		t.Errorf(`%v, whole: %v; want them whole, with the severity critical and %d in all`, labels, whole, len(sent))
	}
}

// An alert is taken for over only once it was seen, and was missing for some minutes: an Alertmanager that restarts knows
// of no alerts at first.
func TestSilencedAlertsEndOnceTheyAreGone(t *testing.T) {
	t.Parallel()
	s := Silence{Do: SilenceLook, Remote: "x", EndsAt: noon.Add(time.Hour)}
	look := func(at time.Time, fires bool) bool {
		t.Helper()
		after := SilenceOutcome{Silence: s, Fires: fires}.After(at)
		if after.Ended {
			t.Errorf("a look at %s ends the silence, want it to go on", at)
		}
		s = after.Silence
		return after.Gone
	}
	var gone []bool
	for i, fires := range []bool{false, false, false, false, false, true, false, true, false, false, false, false} {
		gone = append(gone, look(noon.Add(time.Duration(i)*time.Minute), fires))
	}
	if want := append(make([]bool, 11), true); !slices.Equal(gone, want) {
		t.Errorf("got %v, want %v", gone, want)
	}
	if after := (SilenceOutcome{Silence: s, Why: "it has not answered"}).After(noon.Add(time.Hour)); after.Gone {
		t.Errorf("without an answer of Alertmanager the silence is %+v, want its alert to be there still", after)
	}
}

// A list leaves out silenced alerts and shows all others.
func TestListsSayNothingOfWhatIsSilenced(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		until *time.Time
		want  bool
	}{"not silenced": {nil, false}, "silenced": {new(noon.Add(time.Minute)), true}, "no longer": {new(noon), false}} {
		a := Alert{SilencedUntil: c.until}
		if got := a.silenced(noon); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
