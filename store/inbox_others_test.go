package store_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
)

// An incident with too many alerts to load for a batch is named, joined, made worse and closed like
// any other.
func TestLargeGroupIsOneIncident(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stop := w.run(w.System)
	defer stop()
	one := func(n int, severity oncall.Severity, service string) oncall.Signal {
		s := trigger(fmt.Sprintf("db-%04d", n))
		s.GroupKey, s.Severity, s.Labels = "disks", severity, map[string]string{"alertname": "DiskFull", "service": service}
		return s
	}
	const most = oncall.MaxFiring + 150
	var signals []oncall.Signal
	for n := range most {
		signals = append(signals, one(n, oncall.High, "db"))
	}
	w.accept(signals...)
	w.fold()
	called := func(what, title string, severity oncall.Severity) {
		t.Helper()
		in := w.incident(1)
		if d := cmp.Diff([]string{title, string(severity)}, []string{in.Title, string(in.Severity)}); d != "" {
			t.Errorf("%s (-want +got):\n%s", what, d)
		}
	}
	called("at first", fmt.Sprintf("DiskFull (%d alerts)", most), oncall.High)
	w.accept(one(most, oncall.Critical, "db"))
	w.fold()
	called("one more", fmt.Sprintf("DiskFull (%d alerts)", most+1), oncall.Critical)
	w.accept(oncall.Signal{Action: oncall.Clear, DedupKey: "db-0000"})
	w.fold()
	called("one is over", fmt.Sprintf("DiskFull (%d alerts)", most), oncall.Critical)
	if n := w.count(`SELECT count(*) FROM incidents WHERE status = 'triggered'`); n != 1 {
		t.Errorf("%d incidents, want the one", n)
	}
	// The holder is paged about another service, but not about one that other, unloaded alerts already have.
	must[oncall.Incident](t)(w.Act(t.Context(), 1, oncall.ByUser(ann), oncall.Act{Do: oncall.ActAck}, start))
	pages := w.count(`SELECT count(*) FROM pages`)
	w.accept(one(most+1, oncall.High, "db"))
	w.fold()
	if n := w.count(`SELECT count(*) FROM pages`); n != pages {
		t.Errorf("%d pages about a service that is known, want 0", n-pages)
	}
	w.accept(one(most+2, oncall.High, "web"))
	w.fold()
	if n := w.count(`SELECT count(*) FROM pages`); n <= pages {
		t.Errorf("nobody is paged about another service: got %v, want more than %v", n, pages)
	}
	other := one(most+3, oncall.High, "web")
	other.Labels["alertname"] = "DiskGone"
	w.accept(other)
	w.fold()
	called("they have nothing in common", fmt.Sprintf("db-%04d is full +%d more", most, most+2), oncall.Critical)
	// The incident closes with its last alert, and not before.
	signals = signals[:0]
	for n := range most + 3 {
		signals = append(signals, oncall.Signal{Action: oncall.Clear, DedupKey: fmt.Sprintf("db-%04d", n)})
	}
	w.accept(signals...)
	w.fold()
	if in := w.incident(1); in.Status != oncall.Acknowledged || in.Title != other.Title {
		t.Errorf("%s, %q; want %s and %q", in.Status, in.Title, oncall.Acknowledged, other.Title)
	}
	w.accept(oncall.Signal{Action: oncall.Clear, DedupKey: fmt.Sprintf("db-%04d", most+3)})
	w.fold()
	if in := w.incident(1); in.Status != oncall.Resolved {
		t.Errorf("all are over, and it is %s, want %s", in.Status, oncall.Resolved)
	}
}
