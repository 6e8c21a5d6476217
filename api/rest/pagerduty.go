package rest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/watchbill/watchbill/oncall"
)

// pagerDuty is the dialect of PagerDuty's clients: go-pagerduty reads errors only with this content
// type.
var pagerDuty = dialect{
	key: func(r *http.Request) string {
		key := bearer(r.Header.Get("Authorization"), "Bearer", "Token")
		return strings.Trim(strings.TrimPrefix(key, "token="), `"`)
	},
	refuse: refusePagerDuty,
}

// pagerDutyCodes maps HTTP statuses to PagerDuty's error codes.
var pagerDutyCodes = map[int]int{
	http.StatusBadRequest: 2001, http.StatusUnauthorized: 2006, http.StatusForbidden: 2010, http.StatusNotFound: 2100,
	http.StatusTooManyRequests: 2020, http.StatusServiceUnavailable: 2000, http.StatusInternalServerError: 2000,
}

func refusePagerDuty(w http.ResponseWriter, status int, sentence string) {
	message := "Invalid Input Provided"
	switch status {
	case http.StatusConflict, http.StatusUnprocessableEntity, http.StatusPreconditionFailed:
		status = http.StatusBadRequest
	case http.StatusNotFound:
		message = "Not Found"
	case http.StatusUnauthorized, http.StatusForbidden:
		message = "Access Denied"
	case http.StatusTooManyRequests:
		message = "Rate Limit Exceeded"
	case http.StatusServiceUnavailable, http.StatusInternalServerError:
		message = "Internal Server Error"
	}
	writeJSON(w, status, map[string]any{"error": map[string]any{"message": message, "code": pagerDutyCodes[status], "errors": []string{sentence}}})
}

// pagerDutyRoutes registers the parts of PagerDuty's REST API, version 2, that clients read, and
// the few writes.
func (s *server) pagerDutyRoutes(mux *http.ServeMux) {
	at := func(pattern string, scope oncall.Scope, do func(*dialectRequest) (dialectResponse, error)) {
		method, path, _ := strings.Cut(pattern, " ")
		s.handleDialect(pagerDuty, mux, method+" /pagerduty"+path, scope, func(f *dialectRequest) (dialectResponse, error) {
			if name := f.query.Get("time_zone"); name != "" {
				zone, err := time.LoadLocation(name)
				if err != nil {
					return dialectResponse{}, invalid("There is no time zone " + strconv.Quote(name) + ".")
				}
				f.zone = zone
			}
			return do(f)
		})
	}
	at("GET /oncalls", oncall.ScopeRead, s.pagerDutyOnCalls)
	at("GET /schedules", oncall.ScopeRead, pagerDutySchedules)
	at("GET /schedules/{id}", oncall.ScopeRead, s.pagerDutySchedule)
	at("GET /schedules/{id}/users", oncall.ScopeRead, s.pagerDutyScheduleUsers)
	at("GET /schedules/{id}/overrides", oncall.ScopeRead, s.pagerDutyOverrides)
	at("POST /schedules/{id}/overrides", oncall.ScopeAct, s.pagerDutyOverride)
	at("DELETE /schedules/{id}/overrides/{override}", oncall.ScopeAct, s.pagerDutyOverrideEnd)
	at("GET /users", oncall.ScopeRead, pagerDutyUsers)
	at("GET /users/{id}", oncall.ScopeRead, pagerDutyUser)
	at("GET /escalation_policies", oncall.ScopeRead, pagerDutyPolicies)
	at("GET /escalation_policies/{id}", oncall.ScopeRead, pagerDutyPolicy)
	at("GET /services", oncall.ScopeRead, s.pagerDutyServices)
	at("GET /services/{id}", oncall.ScopeRead, s.pagerDutyService)
	at("GET /teams", oncall.ScopeRead, pagerDutyTeams)
	at("GET /teams/{id}", oncall.ScopeRead, pagerDutyTeam)
	at("GET /teams/{id}/members", oncall.ScopeRead, pagerDutyMembers)
	at("GET /incidents", oncall.ScopeRead, s.pagerDutyIncidents)
	at("POST /incidents", oncall.ScopePage, s.pagerDutyCreateIncident)
	at("PUT /incidents", oncall.ScopeAct, s.pagerDutyUpdateIncidents)
	at("GET /incidents/{id}", oncall.ScopeRead, s.pagerDutyIncident)
	at("PUT /incidents/{id}", oncall.ScopeAct, s.pagerDutyUpdateIncident)
	at("GET /incidents/{id}/notes", oncall.ScopeRead, s.pagerDutyNotes)
	at("POST /incidents/{id}/notes", oncall.ScopeAct, s.pagerDutyNote)
	at("POST /incidents/{id}/snooze", oncall.ScopeAct, s.pagerDutySnooze)
	at("GET /incidents/{id}/log_entries", oncall.ScopeRead, s.pagerDutyLog)
	at("GET /incidents/{id}/alerts", oncall.ScopeRead, s.pagerDutyAlerts)
	at("POST /analytics/metrics/incidents/services", oncall.ScopeRead, s.pagerDutyAnalytics)
	at("GET /abilities", oncall.ScopeRead, pagerDutyConstant(map[string]any{"abilities": []string{}}))
	at("GET /services/{id}/change_events", oncall.ScopeRead, func(f *dialectRequest) (dialectResponse, error) { return pagerDutyPage(f, "change_events", []any{}) })
	at("GET /standards/scores/technical_services/{id}", oncall.ScopeRead, func(f *dialectRequest) (dialectResponse, error) {
		return dialectResponse{http.StatusOK, map[string]any{
			"resource_id": f.r.PathValue("id"), "resource_type": "technical_service", "standards": []any{}, "score": map[string]int{"passing": 0, "total": 0},
		}}, nil
	})
	at("GET /service_dependencies/technical_services/{id}", oncall.ScopeRead, pagerDutyConstant(map[string]any{"relationships": []any{}}))
	for _, pattern := range []string{"POST /services", "POST /services/{id}/integrations", "POST /service_dependencies/associate", "POST /service_dependencies/disassociate"} {
		at(pattern, oncall.ScopeRead, func(*dialectRequest) (dialectResponse, error) {
			return dialectResponse{}, huma.NewError(http.StatusForbidden, "Integrations are made in Watchbill: in the set-up file, or by PUT "+Base+"/integrations/NAME.")
		})
	}
	s.handleDialect(pagerDuty, mux, "/pagerduty/", oncall.ScopeRead, func(*dialectRequest) (dialectResponse, error) { return dialectResponse{}, oncall.ErrNotFound })
}

func pagerDutyConstant(body any) func(*dialectRequest) (dialectResponse, error) {
	return func(*dialectRequest) (dialectResponse, error) { return dialectResponse{http.StatusOK, body}, nil }
}

// A pagerDutyRef is a reference in PagerDuty's format.
type pagerDutyRef struct {
	ID      string  `json:"id"`
	Type    string  `json:"type"`
	Summary string  `json:"summary"`
	Self    *string `json:"self"`
	HTMLURL *string `json:"html_url"`
}

// pagerDutyNumber formats an id as text, as PagerDuty's are.
func pagerDutyNumber[N ~int64](id N) string { return strconv.FormatInt(int64(id), 10) }

// pagerDutyPaths has where objects are served. Clients pass an object for its address: python-pagerduty's rget, rput.
var pagerDutyPaths = map[string]string{
	"user": "/users/", "team": "/teams/", "service": "/services/", "escalation_policy": "/escalation_policies/", "schedule": "/schedules/", "incident": "/incidents/",
}

// pagerDutyReference makes a reference to an object; pagerDutyObject is the object itself.
func (v view) pagerDutyReference(kind, id, name string) pagerDutyRef {
	out := v.pagerDutyObject(kind, id, name)
	out.Type += "_reference"
	return out
}

func (v view) pagerDutyObject(kind, id, name string) pagerDutyRef {
	out := pagerDutyRef{ID: id, Type: kind, Summary: name}
	path, served := pagerDutyPaths[kind]
	if !served || id == "0" {
		return out
	}
	if v.address != "" {
		out.Self = new(v.address + "/pagerduty" + path + id)
	}
	if v.pages != "" {
		out.HTMLURL = pagerDutyWebPage(v.pages, kind, id, name)
	}
	return out
}

// pagerDutyWebPage returns the address of the web page of an object, if it has one.
func pagerDutyWebPage(pages, kind, id, name string) *string {
	switch kind {
	case "incident":
		return new(pages + "/incidents/" + id)
	case "team":
		return new(pages + "/teams/" + url.PathEscape(name))
	case "service":
		return new(pages + "/integrations/" + url.PathEscape(name))
	}
	return nil
}

// stamp formats a time in the requested zone; nil stays nil.
func (dr *dialectRequest) stamp(t *time.Time) *string {
	if t == nil || t.IsZero() {
		return nil
	}
	return new(t.In(dr.zone).Format(time.RFC3339))
}

// pagerDutyPage responds with the requested page of a list, under the list's name.
func pagerDutyPage[T any](f *dialectRequest, name string, all []T) (dialectResponse, error) {
	limit, err := f.number("limit", 25, 100)
	if err != nil {
		return dialectResponse{}, err
	}
	offset, err := f.number("offset", 0, 1<<30)
	if err != nil {
		return dialectResponse{}, err
	}
	from := min(offset, len(all))
	end := min(from+limit, len(all))
	some := all[from:end]
	if some == nil {
		some = []T{}
	}
	out := map[string]any{name: some, "limit": limit, "offset": offset, "more": end < len(all), "total": nil}
	if slices.Contains([]string{"true", "1"}, strings.ToLower(f.query.Get("total"))) { // Python's clients send True or 1
		out["total"] = len(all)
	}
	return dialectResponse{http.StatusOK, out}, nil
}
