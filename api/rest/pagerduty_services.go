package rest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// A pagerDutyServiceShown is an integration in the format of PagerDuty's services.
type pagerDutyServiceShown struct {
	pagerDutyRef
	Name         string                 `json:"name"`
	Description  *string                `json:"description"`
	Status       string                 `json:"status"`
	Policy       any                    `json:"escalation_policy"`
	Teams        []pagerDutyTeamShown   `json:"teams"`
	Integrations []pagerDutyIntegration `json:"integrations"`
	Creation     string                 `json:"alert_creation"`
}

// A pagerDutyIntegration is the inbound side of a service. Its key is never returned.
type pagerDutyIntegration struct {
	pagerDutyRef
	Name    string        `json:"name"`
	Key     *string       `json:"integration_key"`
	Vendor  *pagerDutyRef `json:"vendor"`
	Service pagerDutyRef  `json:"service"`
}

func (dr *dialectRequest) pagerDutyServiceOf(in oncall.Integration, status string) pagerDutyServiceShown {
	out := pagerDutyServiceShown{
		pagerDutyRef: dr.pagerDutyObject("service", pagerDutyNumber(in.ID), in.Name), Name: in.Name, Status: status, Policy: dr.pagerDutyPolicyRef(in.PolicyID), Creation: "create_alerts_and_incidents",
		Teams:        []pagerDutyTeamShown{},
		Integrations: []pagerDutyIntegration{{dr.pagerDutyObject("events_api_v2_inbound_integration", pagerDutyNumber(in.ID), in.Name), in.Name, nil, nil, dr.pagerDutyService(in.ID)}},
	}
	if p, known := dr.Policies[in.PolicyID]; known && dr.includes("escalation_policies") {
		out.Policy = dr.pagerDutyPolicy(p)
	}
	if t, known := dr.Team(in.TeamID); known {
		out.Teams = append(out.Teams, dr.pagerDutyTeamOf(t))
	}
	return out
}

// pagerDutyStates returns the state of each integration: whether it has an open incident, and whether it
// may page.
func (s *server) pagerDutyStates(f *dialectRequest) (map[oncall.IntegrationID]string, error) {
	open, err := s.incidentsOf(f.ctx(), f.caller.by, store.IncidentFilter{Statuses: []oncall.Status{oncall.Triggered, oncall.Acknowledged, oncall.Snoozed}}, pagerDutyMaxListed)
	if err != nil {
		return nil, err
	}
	out := map[oncall.IntegrationID]string{}
	for _, in := range open {
		if in.Status == oncall.Triggered {
			out[in.IntegrationID] = "critical"
		} else if out[in.IntegrationID] == "" {
			out[in.IntegrationID] = "warning"
		}
	}
	for _, in := range f.Integrations {
		maintained := slices.ContainsFunc(f.Maintenance, func(m oncall.Maintenance) bool {
			over := m.TeamID == in.TeamID && (m.IntegrationID == 0 || m.IntegrationID == in.ID) && len(m.Match) == 0
			return over && !m.StartsAt.After(f.caller.now) && m.EndsAt.After(f.caller.now)
		})
		switch {
		case in.IsMuted(f.caller.now):
			out[in.ID] = "disabled"
		case maintained:
			out[in.ID] = "maintenance"
		case out[in.ID] == "":
			out[in.ID] = "active"
		}
	}
	return out, nil
}

// pagerDutyServices lists integrations. A query may be an integration key, as Backstage sends it.
func (s *server) pagerDutyServices(f *dialectRequest) (dialectResponse, error) {
	states, err := s.pagerDutyStates(f)
	if err != nil {
		return dialectResponse{}, err
	}
	query := f.query.Get("query")
	keyed, isKey := f.IntegrationOfKey(query)
	all := []pagerDutyServiceShown{}
	for _, in := range f.Integrations {
		meant := strings.Contains(strings.ToLower(in.Name), strings.ToLower(query))
		if isKey {
			meant = in.ID == keyed
		}
		if meant && f.has("team_ids", pagerDutyNumber(in.TeamID)) && f.has("id", pagerDutyNumber(in.ID)) {
			all = append(all, f.pagerDutyServiceOf(in, states[in.ID]))
		}
	}
	return pagerDutyPage(f, "services", all)
}

func (s *server) pagerDutyService(f *dialectRequest) (dialectResponse, error) {
	id, err := f.id()
	if err != nil {
		return dialectResponse{}, err
	}
	i := slices.IndexFunc(f.Integrations, func(in oncall.Integration) bool { return int64(in.ID) == id })
	if i < 0 {
		return dialectResponse{}, oncall.ErrNotFound
	}
	states, err := s.pagerDutyStates(f)
	if err != nil {
		return dialectResponse{}, err
	}
	in := f.Integrations[i]
	return dialectResponse{http.StatusOK, map[string]any{"service": f.pagerDutyServiceOf(in, states[in.ID])}}, nil
}
