package view

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

func TestHomeWithNothingSetUp(t *testing.T) {
	t.Parallel()
	h := HomeTab{Zone: time.UTC, Now: noon}
	if n := len(h.Draw().Blocks.BlockSet); n < 5 || n > 100 {
		t.Errorf("%d blocks", n)
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
		h.Open, h.Links[in.ID] = append(h.Open, in), "https://slack.example.com/archives/C0PAY/p1"
	}
	v := h.Draw()
	if n := len(v.Blocks.BlockSet); n > 100 {
		t.Errorf("%d blocks", n)
	}
	all, err := json.Marshal(v)
	if err != nil || len(all) > 250_000 || !strings.Contains(string(all), "and 330 more") || !strings.Contains(string(all), "Open incidents: 350") {
		t.Errorf("%d bytes, %v: %.300s", len(all), err, all)
	}
}
