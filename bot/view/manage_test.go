package view

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	texts "github.com/watchbill/watchbill/hostile"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/audit"
	"github.com/watchbill/watchbill/slacksim"
)

// integrationsWith returns integrations as their manager sees them, with a text wherever others can write.
func integrationsWith(text string) []Integration {
	ago, until := noon.Add(-time.Hour), noon.Add(2*time.Hour)
	return []Integration{
		{ID: 1, Name: text, Format: "generic", Team: text, Policy: text, Manages: true, Key: Key{Hint: "a1b2"}},
		{
			ID: 2, Name: text, Format: "grafana", Monitors: text, Team: text, Policy: text, Manages: true, Muted: true, MutedUntil: &until, MutedBy: bo,
			Key: Key{Hint: "a1b2", Used: &ago}, Old: []Key{{Hint: "c3d4", Ends: until}},
		},
		{
			ID: 3, Name: text, Format: "zabbix", Team: text, Policy: text,
			Key: Key{Hint: "a1b2", Used: &ago}, Old: []Key{{Hint: "e5f6", Ends: ago, Used: &ago, Refused: true}},
		},
	}
}

func belongingsWith(text string) Belongings {
	ended := noon.Add(-time.Hour)
	return Belongings{
		User: bo, Reached: OthersReach(bo, annsReach().Reach, nil, time.UTC), LinksEndedAt: &ended, Location: time.UTC, Message: "It was ended before.",
		Contacts: []Belonging{{ID: 1, What: "SMS …0102"}, {ID: 2, What: text, Note: Unused}},
		Feeds:    []Belonging{{ID: 3, What: text, Note: Since(noon, time.UTC)}},
	}
}

func auditEntriesWith(text string) []audit.Entry {
	entry := audit.Entry{
		ID: 7, At: noon, By: oncall.ByUser(ann), Kind: audit.Policy, Name: text, Act: audit.Changed,
		Changes: []audit.Change{{What: text, Before: oncall.Say("%s and %s", ann, text), After: oncall.Say("%s", text)}, {What: "more", After: oncall.Say("2")}},
	}
	by := entry
	by.ID, by.By, by.Kind, by.Act, by.About, by.Changes = 6, oncall.ByCommandLine(text), audit.Person, audit.ContactRemoved, bo, nil
	refused := entry
	refused.ID, refused.By, refused.Act = 5, oncall.ByIntegration(text), audit.Refused
	return []audit.Entry{entry, by, refused}
}

func pendingWith(text string) Drawing {
	give, take := berlinWeek(ann, 0), berlinWeek(cy, 1)
	give.Name, take.Name = text, text
	open := oncall.Swap{ID: 1, State: oncall.SwapOpen, Give: give, Take: take, Note: text, ExpiresAt: noon.Add(48 * time.Hour)}
	agreed := open
	agreed.State = oncall.SwapAccepted
	return Pending([]oncall.Swap{open, agreed}, []oncall.Cover{{ID: 2, Stint: give, Note: text, Asked: []oncall.CoverAsk{{User: cy}}}}, "Europe/Berlin")
}

// payloadsWith returns payloads, with a text wherever others can write.
func payloadsWith(text string) []Payload {
	return []Payload{
		{ID: 12, At: noon, Request: "POST /v1/signals/KEY?" + text, Monitor: "Uptime Kuma", Signals: 1, Incidents: []oncall.IncidentID{7}, Body: `{"msg":"` + text + `"}`, Size: 90},
		{ID: 11, At: noon.Add(-time.Hour), Request: "POST /v1/signals/KEY", Trouble: text, Signals: 1, Body: "```" + strings.Repeat(text+"\n", 20), Incidents: []oncall.IncidentID{1, 2, 3, 4, 5}},
		{ID: 10, At: noon.Add(-2 * time.Hour), Request: "GET /v1/signals/KEY", Monitor: text, Signals: 30},
	}
}

// routeListsWith returns lists of rules, with a text wherever others can write.
func routeListsWith(text string) []RouteList {
	return []RouteList{
		{Of: text, Version: 3, Versions: 3, SavedAt: noon, SavedBy: oncall.ByUser(ann), Rules: []RouteRule{
			{Name: text, Asks: []string{text, "labels.env is staging"}, Does: "drop it", Tally: oncall.RouteTally{Matched: 12, Dropped: 12, At: noon}},
			{Name: "try", Asks: []string{text}, Does: text, Shadow: true, Tally: oncall.RouteTally{Shadow: 2, Failed: 1, Error: text, At: noon}},
			{Name: "hold", Does: "hold it for 5m0s", Tally: oncall.RouteTally{Matched: 4, Held: 4, Passed: 3, At: noon}},
		}},
		{Of: "team " + text, Version: 1, Versions: 1, Shadow: true, SavedAt: noon, SavedBy: oncall.ByCommandLine(text), Rules: []RouteRule{{Name: text, Does: text, Shadow: true}}},
		{Of: text},
	}
}

func manyRules(text string) RouteList {
	l := RouteList{Of: text, Version: 1, SavedAt: noon, SavedBy: oncall.ByUser(ann)}
	for range 200 {
		l.Rules = append(l.Rules, RouteRule{Name: text, Asks: []string{text}, Does: text})
	}
	return l
}

// triedWith returns a payload with every possible result.
func triedWith(text string) Tried {
	list := oncall.RouteOwner{Integration: 3}
	out := Tried{ID: 12, Of: text, At: noon, Kind: text, Maps: true}
	outcome := oncall.Outcome{
		Action: oncall.Trigger, Title: text, DedupKey: text, Severity: oncall.High, Hold: 300, Group: &oncall.Grouping{By: []string{text}, Window: 300},
		Rule: oncall.RouteName{RouteOwner: list, Rule: text}, Why: text,
	}
	rules := []TriedRule{{text, text, "no", text}, {text, "shy", "in shadow", text}, {"team " + text, "last", "yes", text}, {"team " + text, "more", "not asked", ""}}
	dropped, muted, kept := outcome, outcome, outcome
	dropped.Dropped, muted.Muted = true, true
	kept.Window, kept.Hold, kept.Group, kept.Rule = &oncall.Maintenance{ID: 4}, 0, nil, oncall.RouteName{}
	labels := map[string]string{text: text, "env": "prod"}
	out.Signals = []TriedSignal{
		{Fires: true, Outcome: outcome, Labels: labels, Details: labels, Rules: rules, Policy: text, Pages: []oncall.UserID{ann, bo}},
		{Fires: true, Outcome: dropped, Rules: rules},
		{Fires: true, Outcome: muted, Policy: text},
		{Fires: true, Outcome: kept, Policy: text, Unknown: true},
		{Says: "resolve", Outcome: oncall.Outcome{Title: text}},
		{Fires: true, Outcome: kept, Policy: text},
	}
	return out
}

func mappingWith(text string) oncall.Mapping {
	return oncall.Mapping{Each: "payload.alarms", Title: text, Body: text, DedupKey: "${item.id}", Labels: map[string]string{"site": text}}
}

// managingViews returns what managers, admins and people with swaps see, by golden file.
func managingViews(text string) (messages map[string]Drawing, forms map[string]slack.ModalViewRequest) {
	until := noon.Add(2 * time.Hour)
	made := MadeKey{Name: text, Key: strings.Repeat("0a", 16), Where: "In " + text + ":", Snippet: text, OldHint: "c3d4", OldEnds: until, Local: true}
	gone := made
	gone.AtOnce, gone.Local = true, false
	many := integrationsWith(text)
	for len(many) <= maxDrawn {
		many = append(many, many[0])
	}
	messages = map[string]Drawing{
		"integrations": Integrations(integrationsWith(text), time.UTC), "integrations_many": Integrations(many, time.UTC),
		"integration_muted": Muted(1, text, &until, time.UTC), "integration_muted_on": Muted(1, text, nil, time.UTC), "integration_unmuted": Text(Unmuted(text, true)),
		"payloads": Payloads(text, payloadsWith(text), time.UTC), "payloads_none": Payloads(text, nil, time.UTC),
		"routes": Routes(routeListsWith(text), text, time.UTC), "routes_many": Routes(append(routeListsWith(text), manyRules(text)), text, time.UTC),
		"routes_all": AllRoutes(routeListsWith(text), "", time.UTC), "routes_none": AllRoutes(nil, "", time.UTC),
		"payload_file": PayloadFileComes(text, 12), "payload_no_file": NoPayloadFile(text, 12, text),
		"history": Text(History(auditEntriesWith(text), true, "policy "+text, time.UTC)), "history_none": Text(History(nil, false, "", time.UTC)),
		"pending": pendingWith(text), "pending_none": Pending(nil, nil, "UTC"),
	}
	forms = map[string]slack.ModalViewRequest{
		"integration_rotate": RotateForm(integrationsWith(text)[1], until, time.UTC),
		"payload_tried":      PayloadTried(triedWith(text), time.UTC), "mapping_form": MappingTry{ID: 12, Of: text, Body: text}.Draw(time.UTC),
		"mapping_wrong":   MappingTry{ID: 12, Of: text, Mapping: oncall.Mapping{Title: text}, Problem: text}.Draw(time.UTC),
		"mapping_tried":   MappingTry{ID: 12, Of: text, Mapping: mappingWith(text), Made: new(triedWith(text))}.Draw(time.UTC),
		"integration_key": NewKey(made, time.UTC), "integration_key_at_once": NewKey(gone, time.UTC),
		"holdings": belongingsWith(text).Draw(), "holdings_none": Belongings{User: bo, Reached: "Bo is reached by Slack.", Location: time.UTC}.Draw(),
	}
	maps.Copy(forms, setupViews(text))
	return messages, forms
}

func TestManagingViews(t *testing.T) {
	t.Parallel()
	messages, forms := managingViews("Payments & <co>")
	for name, d := range messages {
		golden(t, name, d)
	}
	for name, v := range forms {
		golden(t, name, v)
	}
}

// No text in them can mention anybody, or make them larger than Slack allows.
func TestManagingViewsOfHostileTexts(t *testing.T) {
	t.Parallel()
	for _, h := range texts.Texts {
		t.Run(h.Name, func(t *testing.T) {
			t.Parallel()
			messages, forms := managingViews(h.Text)
			for name, d := range messages {
				checkLimits(t, d)
				harmless(t, name, d.Blocks)
				harmless(t, name, map[string]any{"type": "mrkdwn", "text": d.Text})
			}
			for name, v := range forms {
				checkView(t, v)
				harmless(t, name, v)
			}
		})
	}
}

// acceptedManaging sends them all to Slack: messages by post, forms by the trigger of a command.
func acceptedManaging(t *testing.T, sim *slacksim.Sim, api *slack.Client, post func(string, Drawing)) {
	t.Helper()
	messages, forms := managingViews("Payments & <co>")
	for _, d := range messages {
		post("C0PAY", d)
	}
	for name, v := range forms {
		if _, err := sim.Slash(t.Context(), string(ann), "#payments", "/oncall"); err != nil {
			t.Fatal(err)
		}
		var payload struct {
			Trigger string `json:"trigger_id"`
		}
		envelopes := sim.Envelopes()
		if err := json.Unmarshal(envelopes[len(envelopes)-1].Payload, &payload); err != nil {
			t.Fatal(err)
		}
		if _, err := api.OpenViewContext(t.Context(), payload.Trigger, v); err != nil {
			t.Errorf("%s: Slack refused the view: %v", name, err)
		}
		if _, err := sim.CloseView(t.Context(), string(ann), true); err != nil {
			t.Errorf("%s: Slack refused the view: %v", name, err)
		}
	}
}
