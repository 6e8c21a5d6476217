package oncall

import "slices"

// MaxFiring is the maximum number of firing alerts of an incident that a fold loads, besides those its
// signals are about. For a larger incident, OtherAlerts sums up the rest.
const MaxFiring = 500

// OtherAlerts sums up the firing alerts of an incident that are not in the fold.
type OtherAlerts struct {
	Incident IncidentID
	Count    int
	Worst    Alert    // the one that would give the incident its title
	Named    string   // their common label "alertname"; empty: none
	Titled   string   // their common title; empty: none
	Services []string // those of their "service" labels that signals of the fold have too; "" stands for no label
}

// AddOthers adds summaries of alerts that are not loaded.
func (f *Fold) AddOthers(others ...OtherAlerts) {
	if f.others == nil {
		f.others = map[IncidentID]OtherAlerts{}
	}
	for _, o := range others {
		f.others[o.Incident] = o
		f.AddPartlyLoaded(o.Incident)
	}
}

// isOf reports whether any of these alerts belongs to a service.
func (o OtherAlerts) isOf(service string, in Integration) bool {
	return slices.ContainsFunc(o.Services, func(label string) bool {
		return Alert{Labels: map[string]string{"service": label}}.Service(in) == service
	})
}
