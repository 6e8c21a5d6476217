package store_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// A set-up file plans, changes and ends its own windows, but not those made in Slack. Ended windows
// stay ended.
func TestMaintenanceOfASetUpFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.System)
	ctx := t.Context()
	doc := withMaintenance(setup.Maintenance{
		Name: "upgrade", Team: "payments", Integration: "grafana", Only: []string{"service=checkout", "title!~x.*"},
		From: "2026-03-02 14:00", Until: "2026-03-02 15:00", TimeZone: "Europe/Berlin", Reason: "nodes",
	}, setup.Maintenance{Name: "past", Team: "payments", From: "2026-03-01 14:00", Until: "2026-03-01 15:00"})
	if wrong := doc.Check(formats); len(wrong) > 0 {
		t.Fatalf("%v, want none", wrong)
	}
	apply := func(doc setup.Setup, prune bool, want ...string) {
		t.Helper()
		report := must[store.ApplyReport](t)(w.Apply(ctx, doc, store.ApplyOptions{Write: true, Prune: prune, By: oncall.ByCommandLine("ci")}, w.clock()))
		if !slices.Equal(report.Changes, want) {
			t.Errorf("changes %q, want %q", report.Changes, want)
		}
	}
	apply(doc, true, `add maintenance "upgrade"`)
	apply(doc, true)
	exported := must[setup.Setup](t)(w.Export(ctx, w.clock()))
	if diff := cmp.Diff([]setup.Maintenance{{
		Name: "upgrade", Team: "payments", Integration: "grafana", Only: []string{"service=checkout", "title!~x.*"},
		From: "2026-03-02 13:00", Until: "2026-03-02 14:00", Reason: "nodes",
	}}, exported.Maintenance); diff != "" {
		t.Errorf("exported (-want +got):\n%s", diff)
	}
	apply(exported, false)
	w.maintain(oncall.ByUser(ann), 0, 10*time.Minute)
	apply(doc, true)

	// The window is in force; changing the file changes its end.
	w.advance(2*time.Hour + time.Minute)
	w.checkMaintenance()
	s := trigger("disk")
	s.Labels = map[string]string{"service": "checkout"}
	w.accept(s)
	w.fold()
	doc.Maintenance[0].Until = "2026-03-02 17:00"
	apply(doc, true, `change maintenance "upgrade": until`)
	w.checkMaintenance()
	w.advance(90 * time.Minute)
	w.checkMaintenance()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 0 {
		t.Errorf("%d incidents, though the window lasts longer by now, want 0", n)
	}
	all := must[[]store.MaintenanceState](t)(w.MaintenanceWindows(ctx, oncall.ByUser(ann), w.clock()))
	if len(all) != 1 || all[0].By.Name != "ci" {
		t.Fatalf(`windows: %+v; want one, made by ci`, all)
	}
	if _, err := w.EndMaintenance(ctx, oncall.ByUser(ann), all[0].ID, w.clock()); err != nil {
		t.Fatal(err)
	}
	w.checkMaintenance()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 1 {
		t.Errorf("%d incidents after its end, want 1", n)
	}
	apply(doc, true)

	// Windows that the file no longer names are ended, if requested.
	next := withMaintenance(setup.Maintenance{Name: "next", Team: "payments", From: "2026-03-03 14:00", Until: "2026-03-03 15:00"})
	apply(next, true, `add maintenance "next"`)
	apply(payments(), false)
	apply(payments(), true, `end maintenance "next"`)
	if got := w.strings(`SELECT act || ' ' || name FROM audit_log WHERE kind = 'maintenance' ORDER BY id`); !slices.Equal(got, []string{"added upgrade", "changed upgrade", "added next", "removed next"}) {
		t.Errorf("in the audit log: %q, want %q", got, []string{"added upgrade", "changed upgrade", "added next", "removed next"})
	}
}

// withMaintenance returns the tests' set-up with maintenance windows.
func withMaintenance(all ...setup.Maintenance) setup.Setup {
	doc := payments()
	doc.Integrations[0].Key = "" // the tests' keys can be guessed
	doc.Maintenance = all
	return doc
}

func TestMaintenanceThatAFileCantHave(t *testing.T) {
	t.Parallel()
	ok := setup.Maintenance{Name: "upgrade", Team: "payments", From: "2026-03-02 14:00", Until: "2026-03-02 15:00"}
	for want, change := range map[string]func(*setup.Maintenance){
		"":                                func(*setup.Maintenance) {},
		"has no name":                     func(m *setup.Maintenance) { m.Name = "" },
		`there is no team of that name`:   func(m *setup.Maintenance) { m.Team = "nobody" },
		`there is no integration of that`: func(m *setup.Maintenance) { m.Integration = "grafna" },
		"from is":                         func(m *setup.Maintenance) { m.From = "tomorrow" },
		"until is":                        func(m *setup.Maintenance) { m.Until = "" },
		"time_zone":                       func(m *setup.Maintenance) { m.TimeZone = "Mars" },
		"30 days long at most":            func(m *setup.Maintenance) { m.Until = "2026-05-02 15:00" },
		"end before it begins":            func(m *setup.Maintenance) { m.Until = "2026-03-02 13:00" },
		`"checkout" is no condition`:      func(m *setup.Maintenance) { m.Only = []string{"checkout"} },
		`"(" is no regular expression`:    func(m *setup.Maintenance) { m.Only = []string{"title=~("} },
	} {
		m := ok
		change(&m)
		wrong := strings.Join(withMaintenance(m).Check(formats), "\n")
		if (want == "") != (wrong == "") || !strings.Contains(wrong, want) {
			t.Errorf("got the problem %q, want %q", wrong, want)
		}
	}
}
