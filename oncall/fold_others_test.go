package oncall

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// othersOf returns a summary of the incidents' firing alerts except those with the given keys, as the store computes it
// in SQL.
func (s *stored) othersOf(keys []string) (out []OtherAlerts) {
	for id := IncidentID(1); int(id) <= len(s.incidents); id++ {
		var all []Alert
		for n := AlertID(1); int(n) <= len(s.alerts); n++ {
			if a := s.alerts[n]; a.Firing && a.IncidentID == id && !slices.Contains(keys, a.DedupKey) {
				all = append(all, a)
			}
		}
		if len(all) == 0 {
			continue
		}
		o := OtherAlerts{Incident: id, Count: len(all), Worst: all[0], Named: all[0].Labels["alertname"], Titled: all[0].Title}
		for _, a := range all {
			if a.Severity.Worse(o.Worst.Severity) {
				o.Worst = a
			}
			if a.Labels["alertname"] != o.Named {
				o.Named = ""
			}
			if a.Title != o.Titled {
				o.Titled = ""
			}
			if !slices.Contains(o.Services, a.Labels["service"]) {
				o.Services = append(o.Services, a.Labels["service"])
			}
		}
		out = append(out, o)
	}
	return out
}

// A fold decides the same whether it loaded all alerts of an incident, or only a summary of those
// without signals in the batch.
func TestFoldDecidesTheSameWithFewerAlerts(t *testing.T) {
	t.Parallel()
	for seed := range seeds(100) {
		r := rand.New(rand.NewPCG(11, seed))
		all, few := stored{ends: true}, stored{ends: true, few: true}
		now := noon
		for range 40 {
			now = now.Add(time.Duration(r.IntN(200)) * time.Second)
			var signals []Signal
			for range 1 + r.IntN(3) {
				key := fmt.Sprint(r.IntN(8))
				labels := map[string]string{"alertname": []string{"DiskFull", "DiskFull", "DiskGone"}[r.IntN(3)]}
				if n := r.IntN(3); n > 0 {
					labels["service"] = []string{"db", "web"}[n-1]
				}
				sig := titled(key, []string{"disk full", "disk full", "disk full on " + key}[r.IntN(3)], []Severity{Low, High, Critical}[r.IntN(3)], labels)
				if r.IntN(3) == 0 {
					sig = Signal{Action: Clear, DedupKey: key}
				}
				signals = append(signals, sig)
			}
			for _, s := range []*stored{&all, &few} {
				s.fold(now, signals...)
			}
			if r.IntN(6) == 0 {
				for _, s := range []*stored{&all, &few} {
					s.ack(now)
				}
			}
			if !reflect.DeepEqual(all.incidents, few.incidents) || !reflect.DeepEqual(all.alerts, few.alerts) || !reflect.DeepEqual(all.events, few.events) {
				t.Fatalf("seed %d, after %+v (-all +few):\nincidents %s\nalerts %s\nevents %s", seed, signals,
					cmp.Diff(all.incidents, few.incidents), cmp.Diff(all.alerts, few.alerts), cmp.Diff(all.events, few.events))
			}
			all.events, few.events = nil, nil // they are the same so far
		}
	}
}

// ack has somebody acknowledge all triggered incidents.
func (s *stored) ack(now time.Time) {
	policy, roster := payments()
	for id, in := range s.incidents {
		if in.Status == Triggered {
			if c, err := in.Do(Act{Do: ActAck}, ByUser(bo), facts(policy, roster), now); err == nil {
				s.incidents[id] = c.Incident
			}
		}
	}
}
