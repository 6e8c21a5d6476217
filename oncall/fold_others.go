package oncall

import "slices"

// MaxFiring is how many firing alerts of an incident a fold loads at most, apart from those that its signals
// are about. Of a larger incident, OtherAlerts sums up the rest.
const MaxFiring = 500

// OtherAlerts sums up the firing alerts of an incident that are not in the fold.
type OtherAlerts struct {
	Incident IncidentID
	Count    int
	Worst    Alert    // the one that would give the incident its title
	Named    string   // the label "alertname" that all have; empty: they differ, or have none
	Titled   string   // the title that all have; empty: they differ
	Services []string // their labels "service", as far as signals of the fold have the same; empty: without one
}

// AddOthers notes what is true of alerts that are not in the fold.
func (f *Fold) AddOthers(others ...OtherAlerts) {
	if f.others == nil {
		f.others = map[IncidentID]OtherAlerts{}
	}
	for _, o := range others {
		f.others[o.Incident] = o
		f.AddCalm(o.Incident)
	}
}

// isOf reports whether one of them is of a service.
func (o OtherAlerts) isOf(service string, in Integration) bool {
	return slices.ContainsFunc(o.Services, func(label string) bool {
		return Alert{Labels: map[string]string{"service": label}}.Service(in) == service
	})
}
