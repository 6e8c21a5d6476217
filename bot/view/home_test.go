package view

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	texts "github.com/watchbill/watchbill/hostile"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// homesOf returns the home tabs of an engineer and of newcomers, with a text wherever others can write.
func homesOf(text string) map[string]HomeTab {
	give, take := berlinWeek(bo, 1), berlinWeek(ann, 0)
	give.Name, take.Name = text, text
	mine, theirs := triggered().Incident, acknowledged().Incident
	mine.Title, theirs.Title, theirs.ID = text, text, 8
	engineer := HomeTab{
		Reader: ann, InTeam: true, Shifts: []schedule.Stint{take, berlinWeek(ann, 2)}, Reached: "You are reached by Slack and SMS.", Teams: 3, Others: 2,
		Swaps:  []oncall.Swap{{ID: 1, State: oncall.SwapOpen, Give: give, Take: take, ExpiresAt: noon.Add(48 * time.Hour)}},
		Covers: []oncall.Cover{{ID: 2, Stint: give}}, Open: []oncall.Incident{mine, theirs}, Mine: 1, Own: 1, Covering: true, Edits: true, TimeZone: "Europe/Berlin",
		Links: map[oncall.IncidentID]string{mine.ID: "https://slack.example.com/archives/C0PAY/p1"}, Watched: map[oncall.IncidentID]bool{8: true}, Zone: time.UTC, Now: noon,
	}
	newcomer := HomeTab{Reader: cy, Reached: "You are reached by Slack.", Zone: time.UTC, Now: noon}
	first, asks, visitor := newcomer, newcomer, newcomer
	first.Makes, asks.Admins = true, []oncall.UserID{ann}
	visitor.Teams, visitor.Others, visitor.Managers = 3, 3, []oncall.UserID{ann, bo}
	admin := engineer
	admin.FoundAt = noon
	admin.Findings = []DoctorFinding{
		{Bad: true, Area: "slack", Text: "the app lacks the scope usergroups:write of " + text, Remedy: "Paste manifest.yaml anew."},
		{Area: "people", Text: "on call within a week and reached in Slack only, which wakes nobody: " + text, Remedy: "Ask them to type `/oncall contact` and to add a phone."},
	}
	for range homeFindings {
		admin.Findings = append(admin.Findings, DoctorFinding{Area: "signals", Text: text, Remedy: text})
	}
	teams := engineer
	teams.Mine, teams.Own = 1, 2
	others := engineer
	others.Mine, others.Own = 0, 2
	return map[string]HomeTab{"home_teams": teams, "home_teams_only": others, "home_admin": admin, "home": engineer, "home_first": first, "home_asks": asks, "home_visitor": visitor}
}

func TestHomeIsDrawnForEachKindOfPerson(t *testing.T) {
	t.Parallel()
	for name, h := range homesOf("Payments & <co>") {
		golden(t, name, h.Draw())
	}
	for _, h := range texts.Texts {
		for name, tab := range homesOf(h.Text) {
			harmless(t, name+" of "+h.Name, tab.Draw())
		}
	}
}

func TestHomeWithNothingSetUp(t *testing.T) {
	t.Parallel()
	h := HomeTab{Zone: time.UTC, Now: noon}
	if n := len(h.Draw().Blocks.BlockSet); n < 5 || n > 100 {
		t.Errorf("the home tab has %d blocks, want 5 to 100", n)
	}
	s, err := schedule.Compile(weekly())
	if err != nil {
		t.Fatal(err)
	}
	h.Overrides = func(oncall.OverrideID) (schedule.Override, bool) { return schedule.Override{}, false }
	for range 201 {
		h.Schedules = append(h.Schedules, s)
	}
	h.Links = map[oncall.IncidentID]string{}
	for i := range 350 {
		in := triggered().Incident
		in.ID, in.Title = oncall.IncidentID(i), strings.Repeat("<long> ", 100)
		in.Responders = []oncall.Responder{{User: ann, State: oncall.ResponderAsked}}
		h.Swaps, h.Covers = append(h.Swaps, oncall.Swap{ID: oncall.SwapID(i)}), append(h.Covers, oncall.Cover{ID: oncall.CoverID(i)})
		h.Open, h.Links[in.ID] = append(h.Open, in), "https://slack.example.com/archives/C0PAY/p1"
	}
	h.InTeam, h.Mine, h.Own, h.Others = true, 120, 300, 199
	v := h.Draw()
	if n := len(v.Blocks.BlockSet); n > 100 {
		t.Errorf("the home tab has %d blocks, want 5 to 100", n)
	}
	all, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) > 250_000 {
		t.Errorf("the home tab has %d bytes, want at most 250000", len(all))
	}
	for _, want := range []string{
		"and 280 more of yours and your teams'", "Your open incidents: 120", "Your teams' open incidents: 180", "and 50 more open",
	} {
		if !strings.Contains(string(all), want) {
			t.Errorf("the home tab doesn't say %q: %.300s", want, all)
		}
	}
}
