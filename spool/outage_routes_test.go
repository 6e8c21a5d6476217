package spool_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
)

// withRules gives the integration rules of all kinds, its team one more, and plans maintenance for an
// hour from noon on.
func withRules(doc *setup.Setup) {
	doc.Policies = append(doc.Policies, setup.Policy{Name: "night", Team: "orders", Steps: []setup.Step{{Page: []string{"user bo"}}}})
	doc.Integrations[0].Routes = []setup.Route{
		{Name: "staging", If: []string{"title starts with staging", "severity is not critical"}, Drop: true},
		{Name: "probes", If: []string{"title starts with probe"}, Hold: "5m"},
		{Name: "quiet", When: `title.startsWith("quiet")`, Severity: oncall.Low},
		{Name: "broken", When: `int(title) > 3`, Drop: true},
	}
	doc.Teams[0].Routes = []setup.Route{{Name: "night", If: []string{"title starts with night"}, To: "night"}}
	doc.Maintenance = []setup.Maintenance{{
		Name: "upgrade", Team: "orders", Only: []string{"title=~upgraded.*"}, From: noon.Format("2006-01-02 15:04"), Until: noon.Add(time.Hour).Format("2006-01-02 15:04"),
	}}
}

// During an outage, people are told only about alerts that rules and maintenance let through, as
// far as is known.
func TestRulesApplyDuringAnOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withRules)
	w.stopDatabase()
	w.accept(oncall.Trigger, "staging", oncall.High)
	w.accept(oncall.Trigger, "quiet", oncall.Critical)
	w.accept(oncall.Trigger, "upgraded-1", oncall.Critical)
	w.accept(oncall.Trigger, "upgraded-2", oncall.Critical)
	w.accept(oncall.Clear, "upgraded-2")
	w.accept(oncall.Trigger, "probe-1", oncall.High)
	w.accept(oncall.Trigger, "probe-2", oncall.High)
	w.accept(oncall.Clear, "probe-2")
	w.awaitOutage()
	w.advance(4*time.Minute + 59*time.Second)
	w.wantOnlyMessages()
	w.accept(oncall.Trigger, "probe-1", oncall.High) // a repetition: the hold counts from the first
	w.stop()
	w.instance = w.start() // the set-up and the waiting alerts are on disk
	w.awaitOutage()
	w.wantOnlyMessages()
	w.advance(oncall.OutageGrace) // the new process counts the outage from its start
	const probe = "slack to U0ANN: Watchbill's database is down, and 2 alerts of orders wait, the worst high: probe-1"
	w.wantMessages(probe) // with the quiet alerts, which alone would not cause a message
	w.accept(oncall.Trigger, "night", oncall.Critical)
	const night = "slack to U0BO: Watchbill's database is down, and 3 alerts of orders wait, the worst critical: night"
	w.wantMessages(probe, night)
}

func TestKeptAlertsArePagedWhenMaintenanceEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withRules)
	w.stopDatabase()
	w.accept(oncall.Trigger, "upgraded", oncall.Critical)
	w.awaitOutage()
	w.advance(time.Hour - time.Second)
	w.wantOnlyMessages()
	w.advance(time.Second)
	w.wantMessages("slack to U0ANN: Watchbill's database is down, and an alert of orders waits, critical: upgraded")
}

// In doubt somebody is told: if a rule fails, if the alert is critical, or if the known set-up is
// from a release without rules.
func TestOutagePagesWhenInDoubt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		title    string
		severity oncall.Severity
		forget   bool
	}{
		"a rule fails":         {title: "disk", severity: oncall.Critical},
		"critical is not held": {title: "probe", severity: oncall.Critical},
		"it got critical":      {title: "staging", severity: oncall.Critical},
		"no rules are known":   {title: "staging", severity: oncall.High, forget: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, withRules)
			w.stopDatabase()
			if c.forget {
				w.stop()
				w.forgetPart("routes")
				w.instance = w.start()
			}
			w.accept(oncall.Trigger, c.title, c.severity)
			w.awaitOutage()
			w.advance(oncall.OutageGrace)
			w.wantMessages("slack to U0ANN: Watchbill's database is down, and an alert of orders waits, " + string(c.severity) + ": " + c.title)
		})
	}
}

// forgetPart removes something from the known set-up.
func (w *world) forgetPart(name string) {
	w.Helper()
	path := filepath.Join(w.dir, "known.json")
	text, err := os.ReadFile(path)
	w.must(err)
	var known map[string]json.RawMessage
	w.must(json.Unmarshal(text, &known))
	if known[name] == nil {
		w.Fatalf("%s is not known", name)
	}
	delete(known, name)
	text, err = json.Marshal(known)
	w.must(err)
	w.must(os.WriteFile(path, text, 0o600))
}

// The known integration includes its mapping.
func TestMappingIsKnownDuringAnOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(doc *setup.Setup) {
		doc.Integrations[0].Mapping = &oncall.Mapping{Title: "${payload.name}", Labels: map[string]string{"site": "${payload.site}"}}
	})
	w.stopDatabase()
	w.system.Suspend()
	in, err := w.receiver.IntegrationByKey(t.Context(), integrationKey, w.clock())
	if err != nil || in.Mapping == nil || in.Mapping.Labels["site"] != "${payload.site}" {
		t.Errorf("it is %+v, %v, want no error, some Mapping and site \"${payload.site}\"", in.Mapping, err)
	}
}
