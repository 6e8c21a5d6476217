package rest

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// A pagerDutyID is a reference in a client's request.
type pagerDutyID struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// A pagerDutyChange is the change to an incident that a client requests.
type pagerDutyChange struct {
	pagerDutyID
	Status      string       `json:"status"`
	Title       string       `json:"title"`
	Urgency     string       `json:"urgency"`
	Resolution  string       `json:"resolution"`
	Level       int          `json:"escalation_level"`
	Policy      *pagerDutyID `json:"escalation_policy"`
	Assignments []struct {
		Assignee pagerDutyID `json:"assignee"`
	} `json:"assignments"`
}

// from returns the actor: the key, whose rights count, and the person in the header From.
func (dr *dialectRequest) from() oncall.Actor {
	u, err := dr.user(dr.r.Header.Get("From"))
	if err != nil {
		return dr.caller.by
	}
	return dr.onBehalf(dr.Name(u.ID))
}

// pagerDutyUpdateIncidents changes several incidents.
func (s *server) pagerDutyUpdateIncidents(f *dialectRequest) (dialectResponse, error) {
	var body struct {
		Incidents []pagerDutyChange `json:"incidents"`
	}
	if err := f.body(&body); err != nil {
		return dialectResponse{}, err
	}
	if len(body.Incidents) == 0 || len(body.Incidents) > 250 {
		return dialectResponse{}, invalid("incidents are one to 250 of them.")
	}
	out := []pagerDutyIncidentShown{}
	for _, c := range body.Incidents {
		in, err := s.pagerDutyApply(f, c)
		if err != nil {
			return dialectResponse{}, err
		}
		out = append(out, f.pagerDutyIncident(in))
	}
	return dialectResponse{http.StatusOK, map[string]any{"incidents": out}}, nil
}

// pagerDutyUpdateIncident changes one.
func (s *server) pagerDutyUpdateIncident(f *dialectRequest) (dialectResponse, error) {
	var body struct {
		Incident pagerDutyChange `json:"incident"`
	}
	if err := f.body(&body); err != nil {
		return dialectResponse{}, err
	}
	body.Incident.ID = f.r.PathValue("id")
	in, err := s.pagerDutyApply(f, body.Incident)
	return dialectResponse{http.StatusOK, map[string]any{"incident": f.pagerDutyIncident(in)}}, err
}

// pagerDutyApply carries out a change to an incident, act by act.
func (s *server) pagerDutyApply(f *dialectRequest, c pagerDutyChange) (oncall.Incident, error) {
	id, err := strconv.ParseInt(c.ID, 10, 64)
	if err != nil || id <= 0 {
		return oncall.Incident{}, oncall.ErrNotFound
	}
	in, err := s.Store.Incident(f.ctx(), f.caller.by, oncall.IncidentID(id))
	if err != nil {
		return in, err
	}
	acts, err := f.pagerDutyActs(in, c)
	if err != nil {
		return in, err
	}
	for _, a := range acts {
		if in, err = s.Store.Act(f.ctx(), in.ID, f.from(), a, f.caller.now); err != nil {
			return in, err
		}
	}
	return in, nil
}

// pagerDutyActs returns the acts that a change requires.
func (dr *dialectRequest) pagerDutyActs(in oncall.Incident, c pagerDutyChange) (acts []oncall.Act, err error) {
	do := func(kind oncall.ActKind) { acts = append(acts, oncall.Act{Do: kind}) }
	if c.Title != "" && c.Title != in.Title {
		return nil, invalid("The title is the monitor's, and can't be changed.")
	}
	if c.Urgency != "" && c.Urgency != pagerDutyUrgency(in.Severity) {
		to := map[string]oncall.Severity{"low": oncall.Low, "high": oncall.High}[c.Urgency]
		if to == "" {
			return nil, invalid("urgency is high or low.")
		}
		acts = append(acts, oncall.Act{Do: oncall.ActSeverity, Severity: to})
	}
	if c.Policy != nil {
		p, err := dr.policy(c.Policy.ID)
		if err != nil {
			return nil, invalid("There is no escalation policy of this id.")
		}
		acts = append(acts, oncall.Act{Do: oncall.ActReassign, Policy: p.ID})
	}
	for i, a := range c.Assignments {
		u, err := dr.user(a.Assignee.ID)
		if err != nil {
			return nil, invalid("There is no user of this id.")
		}
		act := oncall.Act{Do: oncall.ActReassign, User: u.ID}
		if i > 0 { // the first is assigned, the others are asked to help
			act.Do = oncall.ActAsk
		}
		acts = append(acts, act)
	}
	if c.Level > in.Step {
		do(oncall.ActEscalate)
	}
	if text := strings.TrimSpace(c.Resolution); text != "" {
		acts = append(acts, oncall.Act{Do: oncall.ActNote, Text: text})
	}
	switch is := pagerDutyStatus(in.Status); {
	case c.Status == "" || c.Status == is:
	case c.Status == "acknowledged":
		if is == "resolved" {
			do(oncall.ActReopen)
		}
		do(oncall.ActAck)
	case c.Status == "resolved":
		do(oncall.ActResolve)
	case c.Status == "triggered" && is == "resolved":
		do(oncall.ActReopen)
	case c.Status == "triggered" && in.Status == oncall.Snoozed:
		do(oncall.ActUnsnooze)
	case c.Status == "triggered":
		do(oncall.ActUnack)
	default:
		return nil, invalid("status is triggered, acknowledged or resolved.")
	}
	return acts, nil
}

// pagerDutyCreateIncident pages by hand.
func (s *server) pagerDutyCreateIncident(f *dialectRequest) (dialectResponse, error) {
	var body struct {
		Incident struct {
			pagerDutyChange
			Key     string       `json:"incident_key"`
			Service *pagerDutyID `json:"service"`
			Body    *struct {
				Details string `json:"details"`
			} `json:"body"`
		} `json:"incident"`
	}
	if err := f.body(&body); err != nil {
		return dialectResponse{}, err
	}
	b := body.Incident
	raise, err := s.pagerDutyRecipient(f, b.pagerDutyChange, b.Service)
	if err != nil {
		return dialectResponse{}, err
	}
	if raise.Text = b.Title; b.Body != nil {
		raise.Text += "\n" + b.Body.Details
	}
	if b.Urgency == "low" {
		raise.Severity = oncall.Low
	}
	if b.Key != "" {
		raise.Key = "pagerduty/" + b.Key
	}
	raised, err := s.Store.Raise(f.ctx(), f.from(), raise, store.MessageRef{}, f.caller.now)
	switch {
	case err != nil:
		return dialectResponse{}, err
	case raised.NeedsConfirmation != nil:
		return dialectResponse{}, oncall.Refuse("%s Nobody was paged; POST %s/incidents does it with confirm: true.", raised.NeedsConfirmation, Base)
	case raised.Again && b.Key != "":
		return dialectResponse{}, invalid("Open incident with matching dedup key already exists on this service")
	}
	out := f.pagerDutyIncident(raised.Incident)
	if b.Service != nil {
		id, _ := strconv.ParseInt(b.Service.ID, 10, 64)
		out.Service = f.pagerDutyService(oncall.IntegrationID(id))
	}
	return dialectResponse{http.StatusCreated, map[string]any{"incident": out}}, nil
}

// pagerDutyRecipient returns the team of the service or escalation policy, and the assigned person.
func (s *server) pagerDutyRecipient(f *dialectRequest, c pagerDutyChange, service *pagerDutyID) (raise oncall.RaiseRequest, err error) {
	var whom store.Whom
	if service != nil {
		team, err := s.Store.TeamToPageFor(f.ctx(), f.caller.by, service.ID, "")
		if err != nil {
			return raise, invalid("There is no service of this id.")
		}
		whom.Team = pagerDutyNumber(team)
	}
	if c.Policy != nil {
		team, err := s.Store.TeamToPageFor(f.ctx(), f.caller.by, "", c.Policy.ID)
		if err != nil {
			return raise, invalid("There is no escalation policy of this id.")
		}
		whom.Team = pagerDutyNumber(team)
	}
	if len(c.Assignments) > 0 {
		whom.User = c.Assignments[0].Assignee.ID
	}
	raise, err = s.Store.FindToPage(f.ctx(), f.caller.by, whom)
	if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
		return raise, invalid(refusal.Error())
	}
	return raise, err
}

func (s *server) pagerDutyNote(f *dialectRequest) (dialectResponse, error) {
	var body struct {
		Note struct {
			Content string `json:"content"`
		} `json:"note"`
	}
	in, err := s.incidentInPath(f)
	if err != nil {
		return dialectResponse{}, err
	}
	if err := f.body(&body); err != nil {
		return dialectResponse{}, err
	}
	if in, err = s.Store.Act(f.ctx(), in.ID, f.from(), oncall.Act{Do: oncall.ActNote, Text: body.Note.Content}, f.caller.now); err != nil {
		return dialectResponse{}, err
	}
	all, err := s.pagerDutyNotesOf(f, in.ID)
	if err != nil || len(all) == 0 {
		return dialectResponse{}, errors.Join(err, oncall.ErrNotFound)
	}
	return dialectResponse{http.StatusCreated, map[string]any{"note": all[len(all)-1]}}, nil
}

func (s *server) pagerDutySnooze(f *dialectRequest) (dialectResponse, error) {
	var body struct {
		Duration int64 `json:"duration"`
	}
	in, err := s.incidentInPath(f)
	if err != nil {
		return dialectResponse{}, err
	}
	if err := f.body(&body); err != nil {
		return dialectResponse{}, err
	}
	if body.Duration <= 0 || body.Duration > 604_800 {
		return dialectResponse{}, invalid("duration is a number of seconds, a week at most.")
	}
	until := f.caller.now.Add(time.Duration(body.Duration) * time.Second)
	in, err = s.Store.Act(f.ctx(), in.ID, f.from(), oncall.Act{Do: oncall.ActSnooze, Until: until}, f.caller.now)
	return dialectResponse{http.StatusCreated, map[string]any{"incident": f.pagerDutyIncident(in)}}, err
}

// A pagerDutyMetrics is the analytics of a service.
type pagerDutyMetrics struct {
	ID            string `json:"service_id"`
	Name          string `json:"service_name"`
	Incidents     int    `json:"total_incident_count"`
	High          int    `json:"total_high_urgency_incidents"`
	Ack           *int64 `json:"mean_seconds_to_first_ack"`
	Resolve       *int64 `json:"mean_seconds_to_resolve"`
	Interruptions *int   `json:"total_interruptions"` // reported by team and person only, in /reports
	Sleep         *int   `json:"total_sleep_hour_interruptions"`
	Off           *int   `json:"total_off_hour_interruptions"`
	Business      *int   `json:"total_business_hour_interruptions"`
}

func (s *server) pagerDutyAnalytics(f *dialectRequest) (dialectResponse, error) {
	var body struct {
		Filters struct {
			Start    bodyTime `json:"created_at_start"`
			End      bodyTime `json:"created_at_end"`
			Services []string `json:"service_ids"`
			Urgency  string   `json:"urgency"`
		} `json:"filters"`
	}
	if err := f.body(&body); err != nil {
		return dialectResponse{}, err
	}
	filter := store.IncidentFilter{Since: body.Filters.Start.Time, Until: body.Filters.End.Time}
	if filter.Since.IsZero() {
		filter.Since = f.caller.now.Add(-30 * 24 * time.Hour)
	}
	all := []pagerDutyMetrics{}
	for _, name := range f.Integrations {
		if len(body.Filters.Services) > 0 && !slices.Contains(body.Filters.Services, pagerDutyNumber(name.ID)) {
			continue
		}
		filter.Integrations = []oncall.IntegrationID{name.ID}
		found, err := s.incidentsOf(f.ctx(), f.caller.by, filter, pagerDutyMaxListed)
		if err != nil {
			return dialectResponse{}, err
		}
		if m := measured(found, body.Filters.Urgency); m.Incidents > 0 {
			m.ID, m.Name = pagerDutyNumber(name.ID), name.Name
			all = append(all, m)
		}
	}
	return dialectResponse{http.StatusOK, map[string]any{"data": all, "filters": body.Filters, "time_zone": "UTC", "order": "desc", "order_by": "total_incident_count"}}, nil
}

// measured counts incidents and averages their times.
func measured(found []oncall.Incident, urgency string) (m pagerDutyMetrics) {
	var acked, resolved []time.Duration
	for _, in := range found {
		if urgency != "" && urgency != pagerDutyUrgency(in.Severity) {
			continue
		}
		m.Incidents++
		if in.Severity != oncall.Low {
			m.High++
		}
		if in.AckedAt != nil && in.AckedBy.User != "" {
			acked = append(acked, in.AckedAt.Sub(in.OpenedAt))
		}
		if in.ResolvedAt != nil {
			resolved = append(resolved, in.ResolvedAt.Sub(in.OpenedAt))
		}
	}
	m.Ack, m.Resolve = mean(acked), mean(resolved)
	return m
}

func mean(all []time.Duration) *int64 {
	if len(all) == 0 {
		return nil
	}
	var sum time.Duration
	for _, d := range all {
		sum += d
	}
	return new(int64(sum/time.Duration(len(all))) / int64(time.Second))
}
