package rest_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/watchbill/watchbill/api/rest"
	"github.com/watchbill/watchbill/oncall"
)

// An exchange is a request of another vendor's client, and the parts of the response that it reads.
type exchange struct {
	method, path, body string
	code               int
	reads              []string // "path=value"; a number in a path is a place in a list, # how long it is, and null is null
}

// valueAt returns the value at a path of a JSON document, as text.
func valueAt(t *testing.T, text, path string) string {
	t.Helper()
	var at any
	if err := json.Unmarshal([]byte(text), &at); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for name := range strings.SplitSeq(path, ".") {
		switch in := at.(type) {
		case map[string]any:
			var known bool
			if at, known = in[name]; !known {
				return "missing"
			}
		case []any:
			n, err := strconv.Atoi(name)
			if name == "#" {
				return strconv.Itoa(len(in))
			} else if err != nil || n >= len(in) {
				return "missing"
			}
			at = in[n]
		default:
			return "missing"
		}
	}
	switch v := at.(type) {
	case nil:
		return "null"
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(at)
}

// exchangeAll makes requests one after the other, and checks what the client reads.
func (w *world) exchangeAll(t *testing.T, prefix string, all []exchange, header ...string) {
	t.Helper()
	for _, x := range all {
		r := w.ask("", x.method, prefix+x.path, x.body, header...)
		if r.code != x.code {
			t.Errorf("%s %s %s: %d, want %d: %s", x.method, x.path, x.body, r.code, x.code, r.text)
			continue
		}
		if x.code != 204 && r.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: got Content-Type %q, want JSON", x.method, x.path, r.header.Get("Content-Type"))
		}
		for _, read := range x.reads {
			path, want, _ := strings.Cut(read, "=")
			if got := valueAt(t, r.text, path); got != want {
				t.Errorf("%s %s: %s is %q, want %q: %s", x.method, x.path, path, got, want, r.text)
			}
		}
	}
}

// The requests of Backstage's plugin, of python-pagerduty and of PagerDuty's MCP server, with only the address changed.
func TestPagerDutyClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.open(signalKey, "disk full")
	w.open("fedcba9876543210fedcba9876543210", "merger")
	one := fmt.Sprintf("/incidents/%d", id)
	manage := func(status string) string {
		return fmt.Sprintf(`{"incidents": [{"id": "%d", "type": "incident_reference", "status": %q}]}`, id, status)
	}
	key := w.key(oncall.APIKey{Name: "backstage"}, oncall.ScopeAct, oncall.ScopePage)
	w.exchangeAll(t, "/pagerduty", []exchange{
		{"GET", "/services?include[]=integrations&include[]=escalation_policies&time_zone=UTC&query=" + signalKey, "", 200, []string{
			"services.#=1", "services.0.name=grafana", "services.0.status=critical", "services.0.integrations.0.integration_key=null",
			"services.0.escalation_policy.escalation_rules.0.targets.0.type=schedule_reference", "services.0.teams.0.name=payments", "more=false", "total=null",
		}},
		{"GET", "/services?id[]=1&id[]=999&limit=100", "", 200, []string{"services.#=1", "services.0.id=1"}},
		{"GET", "/services?id[]=999", "", 200, []string{"services.#=0"}},
		{"GET", "/service_dependencies/technical_services/1", "", 200, []string{"relationships.#=0"}},
		{"GET", "/services?total=true&limit=1&offset=0", "", 200, []string{"services.#=1", "total=1", "limit=1", "offset=0"}},
		{"GET", "/services/1", "", 200, []string{"service.id=1", "service.type=service", "service.escalation_policy.type=escalation_policy_reference"}},
		{"GET", "/oncalls?time_zone=UTC&include[]=users&escalation_policy_ids[]=1", "", 200, []string{
			"oncalls.#=2", "oncalls.0.user.name=ann", "oncalls.0.user.email=ann@example.com", "oncalls.0.escalation_level=1", "oncalls.0.schedule.summary=primary",
			"oncalls.0.end=2026-03-09T08:00:00Z", "oncalls.1.user.name=bo", "oncalls.1.schedule=null", "oncalls.1.end=null", "oncalls.1.escalation_level=2",
		}},
		{"GET", "/oncalls?since=2026-03-02T11:00:00Z&until=2026-03-16T11:00:00Z&schedule_ids[]=1&earliest=true", "", 200, []string{"oncalls.#=2"}},
		{"GET", "/incidents?service_ids[]=1&statuses[]=triggered&statuses[]=acknowledged&sort_by=created_at:desc", "", 200, []string{
			"incidents.#=1", "incidents.0.status=triggered", "incidents.0.urgency=high", "incidents.0.assignments.0.assignee.summary=ann", "incidents.0.service.summary=grafana",
			"incidents.0.created_at=2026-03-02T11:00:00Z", "incidents.0.priority.summary=P1",
		}},
		{"GET", "/services/1/change_events?limit=5&sort_by=timestamp", "", 200, []string{"change_events.#=0"}},
		{"GET", "/standards/scores/technical_services/1", "", 200, []string{"score.total=0"}},
		{"POST", "/analytics/metrics/incidents/services", `{"filters": {"service_ids": ["1"], "created_at_start": "2026-02-01T00:00:00Z"}}`, 200, []string{
			"data.0.total_incident_count=1", "data.0.mean_seconds_to_resolve=null", "data.0.service_id=1",
		}},
		{"POST", "/services", `{}`, 403, []string{"error.code=2010"}},
		{"GET", "/abilities", "", 200, []string{"abilities.#=0"}},
		{"GET", "/users?query=ann", "", 200, []string{"users.#=1", "users.0.id=U0ANN", "users.0.time_zone=Europe/Berlin", "users.0.teams.0.summary=payments"}},
		{"GET", "/users/U0BO", "", 200, []string{"user.email=bo@example.com", "user.type=user"}},
		{"GET", "/users/me", "", 400, []string{"error.code=2001"}},
		{"GET", "/teams?query=pay", "", 200, []string{"teams.#=1", "teams.0.name=payments"}},
		{"GET", "/teams/1/members?include[]=users", "", 200, []string{"members.#=3", "members.0.user.name=ann", "members.0.role=manager", "members.1.role=responder"}},
		{"GET", "/escalation_policies?total=true&sort_by=name&limit=50", "", 200, []string{
			"escalation_policies.#=2", "escalation_policies.0.name=default", "escalation_policies.0.escalation_rules.0.escalation_delay_in_minutes=5", "total=2",
		}},
		{"GET", "/escalation_policies/1", "", 200, []string{"escalation_policy.services.0.summary=grafana"}},
		{"GET", "/schedules?query=prim", "", 200, []string{"schedules.#=1", "schedules.0.time_zone=Europe/Berlin"}},
		{"GET", "/schedules/1?since=2026-03-02T00:00:00Z&until=2026-03-16T00:00:00Z&time_zone=Europe/Berlin", "", 200, []string{
			"schedule.final_schedule.rendered_coverage_percentage=100", "schedule.final_schedule.rendered_schedule_entries.#=3",
			"schedule.final_schedule.rendered_schedule_entries.0.start=2026-03-02T01:00:00+01:00", "schedule.users.#=2", "schedule.escalation_policies.0.summary=default",
		}},
		{"GET", "/schedules/1/users?since=2026-03-02T11:00:00Z&until=2026-03-02T11:00:01Z", "", 200, []string{"users.#=1", "users.0.id=U0ANN", "limit=missing"}},
		{"POST", "/schedules/1/overrides", `{"overrides": [{"start": "2026-03-03T11:00:00Z", "end": "2026-03-03T12:00:00Z", "user": {"id": "U0CY", "type": "user_reference"}}]}`, 201, []string{
			"0.status=201", "0.override.user.id=U0CY",
		}},
		{"GET", "/schedules/1/overrides?since=2026-03-03T00:00:00Z&until=2026-03-04T00:00:00Z", "", 200, []string{"overrides.#=1", "overrides.0.id=1", "overrides.0.start=2026-03-03T11:00:00Z"}},
		{"DELETE", "/schedules/1/overrides/1", "", 204, nil},
		{"DELETE", "/schedules/1/overrides/1", "", 404, []string{"error.code=2100"}},
		{"PUT", "/incidents", manage("acknowledged"), 200, []string{"incidents.0.status=acknowledged"}},
		{"PUT", "/incidents", manage("acknowledged"), 200, []string{"incidents.0.status=acknowledged"}},
		{"PUT", one, `{"incident": {"type": "incident_reference", "assignments": [{"assignee": {"id": "U0BO", "type": "user_reference"}}], "urgency": "low"}}`, 200, []string{
			"incident.urgency=low", "incident.status=triggered",
		}},
		{"POST", one + "/notes", `{"note": {"content": "rolled back"}}`, 201, []string{"note.content=rolled back", "note.user.summary=the API key backstage, for bo"}},
		{"GET", one + "/notes", "", 200, []string{"notes.#=1"}},
		{"POST", one + "/snooze", `{"duration": 3600}`, 201, []string{"incident.status=acknowledged", "incident.pending_actions.0.at=2026-03-02T12:00:00Z"}},
		{"PUT", one, `{"incident": {"status": "resolved", "resolution": "disk grew"}}`, 200, []string{"incident.status=resolved"}},
		{"PUT", "/incidents", manage("triggered"), 200, []string{"incidents.0.status=triggered"}},
		{"GET", one, "", 200, []string{"incident.incident_key=disk full", "incident.alert_counts.triggered=1"}},
		{"GET", one + "/alerts", "", 200, []string{"alerts.0.alert_key=disk full", "alerts.0.severity=critical"}},
		{"GET", one + "/log_entries?is_overview=true", "", 200, []string{"log_entries.0.type=assign_log_entry", "log_entries.1.type=trigger_log_entry", "log_entries.0.incident.id=" + strconv.FormatInt(id, 10)}},
		{"POST", "/incidents", `{"incident": {"type": "incident", "title": "checkout", "service": {"id": "1", "type": "service_reference"}, "incident_key": "c", "body": {"type": "incident_body", "details": "since ten"}}}`, 201, []string{
			"incident.title=checkout", "incident.body.details=checkout\nsince ten", "incident.service.summary=grafana",
		}},
		{"POST", "/incidents", `{"incident": {"type": "incident", "title": "checkout", "service": {"id": "1", "type": "service_reference"}, "incident_key": "c"}}`, 400, []string{"error.code=2001"}},
		{"POST", "/incidents", `{"incident": {"type": "incident", "title": "checkout", "service": {"id": "2", "type": "service_reference"}}}`, 400, nil}, // a private team's
		{"PUT", "/incidents/2", `{"incident": {"status": "resolved"}}`, 404, nil},
		{"GET", "/schedules/2", "", 404, []string{"error.code=2100", "error.errors.#=1"}},
		{"GET", "/v3/schedules", "", 404, []string{"error.code=2100"}},
		{"GET", "/schedules?limit=many", "", 400, []string{"error.code=2001"}},
	}, "Authorization: Token token="+key, "Accept: application/vnd.pagerduty+json;version=2", "From: bo@example.com")
	own := w.key(oncall.APIKey{Name: "anns", Owner: "U0ANN"}, oncall.ScopeRead)
	w.exchangeAll(t, "/pagerduty", []exchange{
		{"GET", "/users/me", "", 200, []string{"user.id=U0ANN"}},
		{"PUT", "/incidents", manage("resolved"), 403, []string{"error.code=2010"}},
	}, "Authorization: Bearer "+own)
	w.exchangeAll(t, "/pagerduty", []exchange{{"GET", "/oncalls", "", 401, []string{"error.code=2006"}}}, "Authorization: Token token=wb_0000")
}

// What python-pagerduty and the older pdpyras make of their methods. Booleans are written in three ways, by age, and an object
// stands for its address.
func TestPythonClients(t *testing.T) {
	t.Parallel()
	const at = "https://watchbill.example.com"
	w := newWorld(t, func(c *rest.Config) { c.Address, c.Pages = at+"/", at })
	incident := fmt.Sprintf("/incidents/%d", w.open(signalKey, "disk full"))
	key := w.key(oncall.APIKey{Name: "script"}, oncall.ScopeAct)
	w.exchangeAll(t, "/pagerduty", []exchange{
		// list_all, iter_all, dict_all
		{"GET", "/users?limit=100&total=false&offset=0", "", 200, []string{"users.0.id=U0ANN", "more=false", "total=null"}},
		{"GET", "/users?limit=100&total=0&offset=0", "", 200, []string{"total=null"}},
		{"GET", "/users?limit=1&total=1&offset=1", "", 200, []string{"users.#=1", "more=true", "offset=1", "total=4"}},
		{"GET", "/schedules?include%5B%5D=schedule_layers&limit=100&total=false&offset=0", "", 200, []string{"schedules.#=1"}},
		// get_total
		{"GET", "/users?total=True&limit=1&offset=0", "", 200, []string{"total=4"}},
		{"GET", "/incidents?date_range=all&total=true&limit=1&offset=0", "", 200, []string{"total=1"}},
		// find, which compares by itself
		{"GET", "/users?query=bo%40example.com&limit=100&total=false&offset=0", "", 200, []string{"users.#=1", "users.0.email=bo@example.com"}},
		{"GET", "/escalation_policies?query=default&limit=100&total=0&offset=0", "", 200, []string{"escalation_policies.0.name=default", "escalation_policies.0.self=" + at + "/pagerduty/escalation_policies/1"}},
		// what rget(object) and rput(object) go to
		{"GET", "/users/U0ANN", "", 200, []string{"user.self=" + at + "/pagerduty/users/U0ANN", "user.teams.0.self=" + at + "/pagerduty/teams/1", "user.html_url=null"}},
		{"GET", "/oncalls?limit=100&total=false&offset=0", "", 200, []string{
			"oncalls.0.user.self=" + at + "/pagerduty/users/U0ANN", "oncalls.0.schedule.self=" + at + "/pagerduty/schedules/1",
		}},
		{"GET", incident, "", 200, []string{
			"incident.self=" + at + "/pagerduty" + incident, "incident.html_url=" + at + incident, "incident.priority.self=null",
			"incident.service.self=" + at + "/pagerduty/services/1", "incident.service.html_url=" + at + "/integrations/grafana", "incident.teams.0.html_url=" + at + "/teams/payments",
		}},
		{"PUT", incident, `{"incident": {"type": "incident_reference", "status": "acknowledged"}}`, 200, []string{"incident.status=acknowledged"}},
		// rpost, rdelete
		{"POST", incident + "/notes", `{"note": {"content": "rolled back"}}`, 201, []string{"note.content=rolled back"}},
		{"POST", "/schedules/1/overrides", `{"overrides": [{"start": "2026-03-03T11:00:00+00:00", "end": "2026-03-03T12:00:00+0000", "user": {"id": "U0CY", "type": "user_reference"}}]}`, 201, []string{
			"0.override.self=null",
		}},
		{"DELETE", "/schedules/1/overrides/1", "", 204, nil},
		// api_key_access
		{"GET", "/users/me", "", 400, []string{"error.code=2001"}},
	}, "Authorization: Token token="+key, "Accept: application/vnd.pagerduty+json;version=2", "From: bo@example.com", "Content-Type: application/json")
}

// The same for Backstage's plugin for Opsgenie, and scripts that look up who is on call.
func TestOpsgenieClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.open(signalKey, "disk full")
	w.open("fedcba9876543210fedcba9876543210", "merger")
	key := w.key(oncall.APIKey{Name: "backstage"}, oncall.ScopeAct)
	all := w.ask("", "GET", "/opsgenie/v2/alerts?limit=20&query="+`tag:%22service:none%22`, "", "Authorization: GenieKey "+key)
	if valueAt(t, all.text, "data.#") != "0" {
		t.Errorf("alerts of another service: got %s, want none", all.text)
	}
	all = w.ask("", "GET", "/opsgenie/v2/alerts?limit=20&query=status:open", "", "Authorization: GenieKey "+key)
	alert := "/v2/alerts/" + valueAt(t, all.text, "data.0.id")
	for _, prefix := range []string{"/opsgenie", ""} {
		w.exchangeAll(t, prefix, []exchange{
			{"GET", "/v2/schedules?expand=rotation", "", 200, []string{
				"data.#=1", "data.0.name=primary", "data.0.timezone=Europe/Berlin", "data.0.ownerTeam.name=payments", "data.0.rotations.0.type=weekly",
				"data.0.rotations.0.startDate=2026-01-05T08:00:00Z", "data.0.rotations.0.participants.0.username=ann@example.com",
			}},
			{"GET", "/v2/schedules/primary?identifierType=name", "", 200, []string{"data.id=1", "data.enabled=true"}},
			{"GET", "/v2/schedules/1/on-calls?flat=true", "", 200, []string{"data._parent.name=primary", "data.onCallRecipients.0=ann@example.com"}},
			{"GET", "/v2/schedules/primary/on-calls?scheduleIdentifierType=name&date=2026-03-10T11:00:00.000Z", "", 200, []string{
				"data.onCallParticipants.#=1", "data.onCallParticipants.0.name=bo@example.com", "data.onCallParticipants.0.type=user",
			}},
			{"GET", "/v2/schedules/on-calls?flat=false", "", 200, []string{"data.#=1", "data.0.onCallParticipants.0.id=U0ANN"}},
			{"GET", "/v2/schedules/1/next-on-calls?flat=true", "", 200, []string{"data.nextOnCallParticipants.0=bo@example.com"}},
			{"GET", "/v2/schedules/1/timeline?interval=2&intervalUnit=weeks", "", 200, []string{
				"data.finalTimeline.rotations.0.periods.#=3", "data.finalTimeline.rotations.0.periods.0.recipient.name=ann@example.com",
			}},
			{"GET", "/v2/teams", "", 200, []string{"data.#=2", "data.0.name=orders"}},
			{"GET", "/v2/schedules", "", 200, []string{"data.0.id=1", "data.0.name=primary", "data.0.ownerTeam.name=payments"}},
			{"GET", "/v2/schedules/1/on-calls", "", 200, []string{"data.onCallParticipants.0.id=U0ANN", "data.onCallParticipants.0.type=user"}},
			{"GET", "/v1/incidents?limit=20&sort=createdAt&order=desc", "", 200, []string{"data.#=0", "paging.next=missing"}},
			{"GET", "/v2/alerts?limit=20&query=status:open", "", 200, []string{"data.#=1", "data.0.message=disk full", "data.0.priority=P1", "paging.next=missing"}},
			{"GET", "/v2/alerts?query=owner:ann", "", 422, nil},
			{"GET", alert, "", 200, []string{"data.alias=disk full", "data.status=open"}},
			{"POST", alert + "/acknowledge", `{"source": "Backstage — Opsgenie plugin"}`, 202, nil},
			{"POST", alert + "/acknowledge", `{"source": "Backstage", "user": "bo"}`, 202, []string{"result=Request will be processed"}},
			{"GET", "/v2/alerts/disk%20full?identifierType=alias", "", 200, []string{"data.acknowledged=true"}},
			{"GET", "/v2/schedules/2/on-calls", "", 404, nil},
		}, "Authorization: GenieKey "+key)
	}
	w.exchangeAll(t, "/opsgenie", []exchange{
		{"POST", alert + "/close", `{"user": "bo", "note": "disk grew"}`, 202, nil},
		{"GET", alert, "", 200, []string{"data.status=closed"}},
		{"GET", "/v2/nothing", "", 404, nil},
	}, "Authorization: GenieKey "+key)
	if r := w.get(key, fmt.Sprintf("/incidents/%d", id), 200); !strings.Contains(r.text, "backstage, for bo") {
		t.Errorf("who has done it: got %s, want it with \"backstage, for bo\"", r.text)
	}
	w.exchangeAll(t, "", []exchange{{"GET", "/v2/schedules", "", 401, nil}}, "Authorization: GenieKey wb_0000")
}
