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

// pdCodes maps HTTP statuses to PagerDuty's error codes.
var pdCodes = map[int]int{
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
	writeJSON(w, status, map[string]any{"error": map[string]any{"message": message, "code": pdCodes[status], "errors": []string{sentence}}})
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
	at("GET /oncalls", oncall.ScopeRead, s.pdOnCalls)
	at("GET /schedules", oncall.ScopeRead, pdSchedules)
	at("GET /schedules/{id}", oncall.ScopeRead, s.pdSchedule)
	at("GET /schedules/{id}/users", oncall.ScopeRead, s.pdScheduleUsers)
	at("GET /schedules/{id}/overrides", oncall.ScopeRead, s.pdOverrides)
	at("POST /schedules/{id}/overrides", oncall.ScopeAct, s.pdOverride)
	at("DELETE /schedules/{id}/overrides/{override}", oncall.ScopeAct, s.pdOverrideEnd)
	at("GET /users", oncall.ScopeRead, pdUsers)
	at("GET /users/{id}", oncall.ScopeRead, pdUser)
	at("GET /escalation_policies", oncall.ScopeRead, pdPolicies)
	at("GET /escalation_policies/{id}", oncall.ScopeRead, pdPolicy)
	at("GET /services", oncall.ScopeRead, s.pdServices)
	at("GET /services/{id}", oncall.ScopeRead, s.pdService)
	at("GET /teams", oncall.ScopeRead, pdTeams)
	at("GET /teams/{id}", oncall.ScopeRead, pdTeam)
	at("GET /teams/{id}/members", oncall.ScopeRead, pdMembers)
	at("GET /incidents", oncall.ScopeRead, s.pdIncidents)
	at("POST /incidents", oncall.ScopePage, s.pdRaise)
	at("PUT /incidents", oncall.ScopeAct, s.pdManage)
	at("GET /incidents/{id}", oncall.ScopeRead, s.pdIncident)
	at("PUT /incidents/{id}", oncall.ScopeAct, s.pdManageOne)
	at("GET /incidents/{id}/notes", oncall.ScopeRead, s.pdNotes)
	at("POST /incidents/{id}/notes", oncall.ScopeAct, s.pdNote)
	at("POST /incidents/{id}/snooze", oncall.ScopeAct, s.pdSnooze)
	at("GET /incidents/{id}/log_entries", oncall.ScopeRead, s.pdLog)
	at("GET /incidents/{id}/alerts", oncall.ScopeRead, s.pdAlerts)
	at("POST /analytics/metrics/incidents/services", oncall.ScopeRead, s.pdAnalytics)
	at("GET /abilities", oncall.ScopeRead, pdConstant(map[string]any{"abilities": []string{}}))
	at("GET /services/{id}/change_events", oncall.ScopeRead, func(f *dialectRequest) (dialectResponse, error) { return pdPage(f, "change_events", []any{}) })
	at("GET /standards/scores/technical_services/{id}", oncall.ScopeRead, func(f *dialectRequest) (dialectResponse, error) {
		return dialectResponse{http.StatusOK, map[string]any{
			"resource_id": f.r.PathValue("id"), "resource_type": "technical_service", "standards": []any{}, "score": map[string]int{"passing": 0, "total": 0},
		}}, nil
	})
	at("GET /service_dependencies/technical_services/{id}", oncall.ScopeRead, pdConstant(map[string]any{"relationships": []any{}}))
	for _, pattern := range []string{"POST /services", "POST /services/{id}/integrations", "POST /service_dependencies/associate", "POST /service_dependencies/disassociate"} {
		at(pattern, oncall.ScopeRead, func(*dialectRequest) (dialectResponse, error) {
			return dialectResponse{}, huma.NewError(http.StatusForbidden, "Integrations are made in Watchbill: in the set-up file, or by PUT "+Base+"/integrations/NAME.")
		})
	}
	s.handleDialect(pagerDuty, mux, "/pagerduty/", oncall.ScopeRead, func(*dialectRequest) (dialectResponse, error) { return dialectResponse{}, oncall.ErrNotFound })
}

func pdConstant(body any) func(*dialectRequest) (dialectResponse, error) {
	return func(*dialectRequest) (dialectResponse, error) { return dialectResponse{http.StatusOK, body}, nil }
}

// A pdRef is a reference in PagerDuty's format.
type pdRef struct {
	ID      string  `json:"id"`
	Type    string  `json:"type"`
	Summary string  `json:"summary"`
	Self    *string `json:"self"`
	HTMLURL *string `json:"html_url"`
}

// pdNumber formats an id as text, as PagerDuty's are.
func pdNumber[N ~int64](id N) string { return strconv.FormatInt(int64(id), 10) }

// pdPaths has where objects are served. Clients pass an object for its address: python-pagerduty's rget, rput.
var pdPaths = map[string]string{
	"user": "/users/", "team": "/teams/", "service": "/services/", "escalation_policy": "/escalation_policies/", "schedule": "/schedules/", "incident": "/incidents/",
}

// pdReference makes a reference to an object; pdObject is the object itself.
func (v view) pdReference(kind, id, name string) pdRef {
	out := v.pdObject(kind, id, name)
	out.Type += "_reference"
	return out
}

func (v view) pdObject(kind, id, name string) pdRef {
	out := pdRef{ID: id, Type: kind, Summary: name}
	path, served := pdPaths[kind]
	if !served || id == "0" {
		return out
	}
	if v.address != "" {
		out.Self = new(v.address + "/pagerduty" + path + id)
	}
	if v.pages != "" {
		out.HTMLURL = pdWebPage(v.pages, kind, id, name)
	}
	return out
}

// pdWebPage returns the address of the web page of an object, if it has one.
func pdWebPage(pages, kind, id, name string) *string {
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

// pdPage responds with the requested page of a list, under the list's name.
func pdPage[T any](f *dialectRequest, name string, all []T) (dialectResponse, error) {
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
