package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// PagerDuty's clients look for exactly these codes and fields.
func TestPagerDutyResponses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addAutoIntegration(replayKey)
	send := func(path, body string) reply {
		t.Helper()
		return w.send(http.MethodPost, path, strings.NewReader(strings.ReplaceAll(body, "KEY", replayKey)), "Content-Type: application/json")
	}
	w.want(send("/v2/enqueue", `{"routing_key":"KEY","event_action":"trigger","dedup_key":"d/1","payload":{"summary":"x","source":"s","severity":"error"}}`),
		202, `{"dedup_key":"d/1","message":"Event processed","status":"success"}`+"\n")
	w.want(send("/v1/signals/"+replayKey+"/v2/enqueue", `{"routing_key":"other","event_action":"resolve","dedup_key":"d/1"}`),
		202, `{"dedup_key":"d/1","message":"Event processed","status":"success"}`+"\n")
	w.want(send("/v2/change/enqueue", `{"routing_key":"KEY","payload":{"summary":"deploy"}}`),
		202, `{"message":"Change event processed","status":"success"}`+"\n")
	w.want(send("/generic/2010-04-15/create_event.json", `{"service_key":"KEY","event_type":"trigger","incident_key":"i","description":"x"}`),
		200, `{"incident_key":"i","message":"Event processed","status":"success"}`+"\n")

	made := send("/v2/enqueue", `{"routing_key":"KEY","event_action":"trigger","payload":{"summary":"made","source":"s","severity":"info"}}`)
	var key struct {
		DedupKey string `json:"dedup_key"`
	}
	w.must(json.Unmarshal([]byte(made.body), &key))
	if n := w.storedSignals(`signal->>'dedup_key' = $1`, key.DedupKey); n != 1 || key.DedupKey == "" {
		t.Errorf("the key that was made is %q, and %d signals have it, want 1", key.DedupKey, n)
	}
	for _, tt := range []struct {
		path, body string
		code       int
		says       string
	}{
		{"/v2/enqueue", `{"routing_key":"KEY","event_action":"trigger"}`, 400, `"status":"invalid event"`},
		{"/v2/enqueue", `{"routing_key":"0000","event_action":"resolve","dedup_key":"d"}`, 401, `"errors":["No integration has this key`},
		{"/v2/enqueue", `no JSON`, 401, `"error":{"code":401`},
		{"/generic/2010-04-15/create_event.json", `{"service_key":"0000","event_type":"resolve","incident_key":"d"}`, 403, "invalid event"},
		{"/v2/enqueue", `{"routing_key":"KEY","x":"` + strings.Repeat("x", 2<<20) + `"}`, 413, "larger than 1 MiB"},
	} {
		if got := send(tt.path, tt.body); got.code != tt.code || !strings.Contains(got.body, tt.says) {
			t.Errorf("%s %.60s: got %d %s, want %v with %v", tt.path, tt.body, got.code, got.body, tt.code, tt.says)
		}
	}
}

// An alert of Opsgenie's API is identified by its alias, by the id in a request's status, or by a
// short one.
func TestOpsgenieIdentifiers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.startFolding()
	w.addAutoIntegration(replayKey)
	ask := func(method, path, body string) (reply, map[string]any) {
		t.Helper()
		got := w.send(method, path, strings.NewReader(body), "Authorization: GenieKey "+replayKey)
		var out map[string]any
		w.must(json.Unmarshal([]byte(got.body), &out))
		return got, out
	}
	created, answer := ask("POST", "/v2/alerts", `{"message":"Disk is full","alias":"db-1/disk","priority":"P1"}`)
	if created.code != 202 || answer["result"] != "Request will be processed" || created.header.Get("X-Request-Id") != answer["requestId"] {
		t.Fatalf("got %d %s, want 202, result \"Request will be processed\" and X-Request-Id %v", created.code, created.body, answer["requestId"])
	}
	state := func(request any) map[string]any {
		t.Helper()
		for {
			got, out := ask("GET", "/v2/alerts/requests/"+request.(string), "")
			if got.code == 200 {
				return out["data"].(map[string]any)
			}
			if got.code != 404 || got.header.Get("X-Opsgenie-Errortype") != "RequestNotProcessed" {
				t.Fatalf("got %d %s, want 404 and X-Opsgenie-Errortype \"RequestNotProcessed\"", got.code, got.body)
			}
		}
	}
	first := state(answer["requestId"])
	if first["success"] != true || first["alias"] != "db-1/disk" || first["action"] != "Create" {
		t.Errorf("state: got %v, want the success of Create for db-1/disk", first)
	}
	id := first["alertId"].(string)
	got, shown := ask("GET", "/v2/alerts/"+id, "")
	if data, _ := shown["data"].(map[string]any); got.code != 200 || data["status"] != "open" || data["message"] != "Disk is full" {
		t.Fatalf("got %d %s, want 200, status \"open\" and message \"Disk is full\"", got.code, got.body)
	}
	tiny := shown["data"].(map[string]any)["tinyId"].(string)
	for _, step := range []struct{ path, action string }{
		{"/v2/alerts/" + tiny + "/acknowledge?identifierType=tiny", "acknowledge"},
		{"/opsgenie/v2/alerts/db-1/disk/notes?identifierType=alias", "update"},
		{"/v1/signals/" + replayKey + "/v2/alerts/" + id + "/close", "resolve"},
	} {
		_, answer := ask("POST", step.path, `{"note":"on it"}`)
		if done := state(answer["requestId"]); done["success"] != true || done["alias"] != "db-1/disk" {
			t.Errorf("%s: got %v, want success for db-1/disk", step.path, done)
		}
	}
	if _, shown := ask("GET", "/v2/alerts/db-1/disk?identifierType=alias", ""); shown["data"].(map[string]any)["status"] != "closed" {
		t.Errorf("it is %v, want status \"closed\"", shown["data"])
	}
	_, answer = ask("POST", "/v2/alerts/nothing/close?identifierType=alias", `{}`)
	if missing := state(answer["requestId"]); missing["success"] != false {
		t.Errorf("state: got %v, want no success", missing)
	}
	if got, out := ask("POST", "/v2/alerts", `{"priority":"P1"}`); got.code != 422 || out["errors"].(map[string]any)["message"] == nil {
		t.Errorf("got %d %s, want 422 and a message", got.code, got.body)
	}
	if got := w.send("GET", "/v2/heartbeats/backup/ping", nil, "Authorization: GenieKey "+replayKey); got.code != 202 || !strings.Contains(got.body, "PONG") {
		t.Errorf("got %d %s, want 202 with \"PONG\"", got.code, got.body)
	}
	if got := w.send("POST", "/v2/alerts", strings.NewReader(`{"message":"x"}`), "Authorization: GenieKey "+unknownKey); got.code != 401 || !strings.Contains(got.body, `"requestId"`) {
		t.Errorf("got %d %s, want 401 with %q", got.code, got.body, `"requestId"`)
	}
}

// Merely opening the address, or previewing the link, opens no incident.
func TestGETWithoutSignalOpensNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addAutoIntegration(replayKey)
	for _, method := range []string{"GET", "HEAD"} {
		if got := w.send(method, "/v1/signals/"+replayKey+"?utm_source=x", nil); got.code != 200 {
			t.Errorf("%s: got %d %s, want 200", method, got.code, got.body)
		}
	}
	if n := w.storedSignals("true"); n != 0 {
		t.Errorf("got %d signals, want 0", n)
	}
	w.send("GET", "/v1/signals/"+replayKey+"?title=Disk+is+full&severity=critical", nil)
	w.send("GET", "/v1/signals?status=ok&title=Disk+is+full&key="+replayKey, nil)
	w.send("POST", "/v1/signals/"+replayKey+"?title=Disk+is+full&status=ok", nil)
	if n := w.storedSignals(`signal->>'title' = 'Disk is full'`); n != 3 {
		t.Errorf("%d signals, want 3", n)
	}
}

// The key may be in many places.
func TestKeyIsFoundInEveryPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addAutoIntegration(replayKey)
	for _, header := range []string{
		"Authorization: Bearer " + replayKey, "Authorization: GenieKey " + replayKey, "Authorization: Token token=" + replayKey,
		"Authorization: Basic " + basic("watchbill", replayKey), "Authorization: Basic " + basic(replayKey, ""), "Authorization: " + replayKey, "X-Api-Key: " + replayKey,
	} {
		if got := w.send("POST", "/v1/signals", strings.NewReader(`{"title":"x"}`), header); got.code != 202 {
			t.Errorf("%.24s: got %d %s, want 202", header, got.code, got.body)
		}
	}
	if got := w.send("POST", "/api/v2/generic/incoming?token="+replayKey, strings.NewReader(`{"summary":"x"}`)); got.code != 204 {
		t.Errorf("got %d %s, want 204", got.code, got.body)
	}
	if got := w.send("POST", "/v1/signals/"+replayKey+"/alert/events/uptimekuma", strings.NewReader(`{"title":"x"}`)); got.code != 202 {
		t.Errorf("with a path of the sender's own: got %d %s, want 202", got.code, got.body)
	}
	if got := w.send("GET", "/v1/signals/"+replayKey+"/alert/events", nil); got.code != 404 {
		t.Errorf("got %d %s, want 404", got.code, got.body)
	}
	w.want(w.send("POST", "/integrations/generic/20131114/alert/"+replayKey+"/ops", strings.NewReader(`{"message_type":"CRITICAL","entity_id":"db-1/disk"}`)),
		200, `{"entity_id":"db-1/disk","result":"success"}`+"\n")
	if got := w.send("POST", "/integrations/v1/webhook/"+replayKey+"/", strings.NewReader(`{"title":"x"}`)); got.code != 200 || got.body != "\"Ok.\"\n" {
		t.Errorf("got %d %s, want 200 and %q", got.code, got.body, "\"Ok.\"\n")
	}
}

func basic(user, password string) string {
	r, _ := http.NewRequest(http.MethodGet, "/", nil)
	r.SetBasicAuth(user, password)
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Basic ")
}

// Without a chosen format, the response tells what the body was taken for, and so does the first
// incident.
func TestAutoReportsTheRecognisedFormat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addAutoIntegration(replayKey)
	body := `{"heartbeat":{"monitorID":1,"status":0,"msg":"timeout"},"monitor":{"id":1,"name":"shop"},"msg":"x"}`
	w.want(w.post(replayKey, body), 202, `{"status":"accepted","signals":1,"taken_for":"kuma"}`+"\n")
	if n := w.storedSignals(`signal->>'taken_for' = 'Uptime Kuma'`); n != 1 {
		t.Errorf("%d signals say it, want 1", n)
	}
}
