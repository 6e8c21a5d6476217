package oncall

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestHooksAreChecked(t *testing.T) {
	t.Parallel()
	good := Hook{Name: "tickets", URL: "https://hooks.example.com/x", Template: HookEvents, Headers: []string{"Authorization: Bearer x"}}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for what, change := range map[string]func(*Hook){
		"no name":             func(h *Hook) { h.Name = "" },
		"no web address":      func(h *Hook) { h.URL = "ftp://hooks.example.com" },
		"a password":          func(h *Hook) { h.URL = "https://a:b@hooks.example.com" },
		"no template":         func(h *Hook) { h.Template = "trello" },
		"jira without":        func(h *Hook) { h.Template = HookJira },
		"a header of ours":    func(h *Hook) { h.Headers = []string{"Webhook-Signature: x"} },
		"the host":            func(h *Hook) { h.Headers = []string{"Host: x"} },
		"a line too many":     func(h *Hook) { h.Headers = []string{"X: a\r\nHost: x"} },
		"a header of nothing": func(h *Hook) { h.Headers = []string{"X"} },
	} {
		bad := good
		change(&bad)
		if bad.Check() == nil {
			t.Errorf("%s: the hook is taken, want an error", what)
		}
	}
}

// Each template's request about an incident that opens; no other event makes a ticket.
func TestHookBodiesFitEachTemplate(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)
	e := HookEvent{
		Event:    Event{ID: 7, At: at, Kind: EventOpened, Actor: ByIntegration("grafana")},
		Incident: Incident{ID: 12, TeamID: 1, Title: `disk "full" <!channel>`, Body: "of db-1", Link: "https://grafana.example.com/d/1", Status: Triggered, Severity: Critical, OpenedAt: at},
		Team:     "payments", Integration: "grafana",
	}
	for template, want := range map[HookTemplate][]string{
		HookEvents:     {`"type":"incident.opened"`, `"timestamp":"2026-03-02T11:00:00Z"`, `"by":"grafana"`, `"id":12`, `"team":"payments"`},
		HookJira:       {`"project":{"key":"OPS"}`, `"issuetype":{"name":"Bug"}`, `"summary":"#12 disk`},
		HookGitHub:     {`"title":"#12 disk`, `"labels":["watchbill","sev"]`, `of db-1`},
		HookGitLab:     {`"labels":"watchbill,sev"`, `"description":"Watchbill incident #12`},
		HookServiceNow: {`"urgency":"1"`, `"correlation_id":"watchbill-12"`, `"short_description":"#12 disk`},
	} {
		h := Hook{Template: template, Options: map[string]string{"project": "OPS", "issue_type": "Bug", "labels": "sev"}}
		body, err := h.Body(e)
		if err != nil || !json.Valid(body) {
			t.Fatalf("%s: got %s, %v, want valid JSON", template, body, err)
		}
		for _, part := range want {
			if !strings.Contains(string(body), part) {
				t.Errorf("%s: %s is not in %s", template, part, body)
			}
		}
		note := Event{Kind: EventNote}
		if h.Matches(note, e.Incident, false) != (template == HookEvents) || !h.Matches(e.Event, e.Incident, false) {
			t.Errorf("%s tells of the wrong events; want notes only by %s, and what happened by all", template, HookEvents)
		}
	}
	all, own := Hook{Template: HookEvents}, Hook{Template: HookEvents, TeamID: 2, Kinds: []EventKind{EventOpened}}
	equal(t, "every team's hook is told of a private incident", all.Matches(e.Event, e.Incident, true), false)
	equal(t, "every team's hook is told of the canary", all.Matches(e.Event, Incident{ID: -1}, false), false)
	equal(t, "a team's hook is told of another team's incident", own.Matches(e.Event, e.Incident, false), false)
	equal(t, "a team's hook is told of its private incident", own.Matches(e.Event, Incident{ID: 1, TeamID: 2}, true), true)
}

func TestHooksAreTriedForADay(t *testing.T) {
	t.Parallel()
	var all time.Duration
	for n := 1; ; n++ {
		pause, again := HookPause(n)
		if !again {
			break
		}
		all += pause
	}
	if all < 24*time.Hour || all > 48*time.Hour {
		t.Errorf("it is given up after %s; want at least %s and at most %s", all, 24*time.Hour, 48*time.Hour)
	}
}
