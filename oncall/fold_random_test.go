package oncall

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestSequencesOfAnyMonitor folds signals in any order, with alerts that change their severity and
// group, while people act. Our state always follows the monitor's latest signal.
func TestSequencesOfAnyMonitor(t *testing.T) {
	t.Parallel()
	for seed := range seeds(1500) {
		m := &anyMonitor{Rand: rand.New(rand.NewPCG(7, seed)), now: noon, last: map[string]Signal{}}
		for range 60 {
			m.now = m.now.Add(time.Duration(m.IntN(400)) * time.Second)
			m.step()
			if err := m.check(); err != nil {
				t.Fatalf("seed %d: %v\nafter\n%s", seed, err, m.log)
			}
		}
	}
}

// An incident that returns with a higher severity pages as that severity requires, and ignores the
// hours for low ones.
func TestReturningAlertRaisesSeverity(t *testing.T) {
	t.Parallel()
	low, critical := fires("a"), fires("a")
	low.Severity, critical.Severity = Low, Critical
	var s stored
	s.fold(noon, low)
	s.fold(noon.Add(time.Minute), clears("a"))
	back := s.fold(noon.Add(2*time.Minute), critical)
	equal(t, "closed by the monitor", []any{s.incidents[1].Severity, s.incidents[1].Status, callsIn(back)}, []any{Critical, Triggered, 1})

	s = stored{}
	s.fold(noon, low)
	policy, roster := payments()
	c, err := s.incidents[1].Do(Act{Do: ActResolve}, ByUser(bo), facts(policy, roster), noon.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	s.incidents[1] = c.Incident
	s.fold(noon.Add(2*time.Minute), critical)
	equal(t, "closed by a person", []any{s.incidents[1].Severity, s.incidents[1].Status, *s.incidents[1].NextAt}, []any{Critical, Triggered, noon.Add(2 * time.Minute)})
}

// A severity that a person has lowered stays while the monitor only repeats itself.
func TestManualSeverityOutlastsRepeatedSignals(t *testing.T) {
	t.Parallel()
	var s stored
	s.fold(noon, fires("a"))
	policy, roster := payments()
	for _, a := range []Act{{Do: ActAck}, {Do: ActSeverity, Severity: Low}} {
		c, err := s.incidents[1].Do(a, ByUser(bo), facts(policy, roster), noon.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		s.incidents[1] = c.Incident
	}
	equal(t, "repeated", callsIn(s.fold(noon.Add(5*time.Minute), fires("a"))), 0)
	equal(t, "severity", s.incidents[1].Severity, Low)
	worse := fires("a")
	worse.Severity = Critical
	s.fold(noon.Add(6*time.Minute), worse)
	equal(t, "got worse", s.incidents[1].Severity, Critical)
}

type anyMonitor struct {
	*rand.Rand
	now      time.Time
	last     map[string]Signal // of each key
	product  stored
	resolved time.Time // when a person last resolved it
	log      diary
}

func (m *anyMonitor) step() {
	_, fires := m.firing()
	for id, in := range m.product.incidents {
		if c, due := in.CloseIfQuiet(fires[id], m.now); due {
			m.product.incidents[id] = c.Incident
		}
	}
	if id := IncidentID(len(m.product.incidents)); id > 0 && m.IntN(5) == 0 {
		id = 1 + IncidentID(m.IntN(int(id)))
		a := []Act{{Do: ActAck}, {Do: ActResolve}, {Do: ActSnooze, Until: m.now.Add(time.Hour)}, {Do: ActUnack}}[m.IntN(4)]
		policy, roster := payments()
		c, err := m.product.incidents[id].Do(a, ByUser(bo), facts(policy, roster), m.now)
		if err == nil {
			m.log.note(m.now, "Bo: %s %s", a.Do, id)
			m.product.incidents[id] = c.Incident
			if a.Do == ActResolve {
				m.resolved = m.now
			}
		}
		return
	}
	var batch []Signal
	for range 1 + m.IntN(4) {
		key := string(rune('a' + m.IntN(4)))
		s := Signal{Action: Trigger, DedupKey: key, Title: key, Severity: []Severity{Critical, High, Medium, Low, ""}[m.IntN(5)]}
		switch m.IntN(6) {
		case 0, 1:
			s.Action = Clear
		case 2:
			s.Action = AckSignal
		}
		if m.IntN(2) == 0 {
			s.GroupKey = []string{"g", "h"}[m.IntN(2)]
		}
		if s.Action != AckSignal {
			m.last[key] = s
		}
		m.log.note(m.now, "%s %s %s in %q", s.Action, key, s.Severity, s.GroupKey)
		batch = append(batch, s)
	}
	before := len(m.product.incidents)
	changes := m.product.fold(m.now, batch...)
	opened := 0
	for _, c := range changes {
		if int(c.Incident.ID) > before && len(c.Calls) > 0 {
			opened++
		}
	}
	m.log.note(m.now, "%d new incidents, %d with pages", len(m.product.incidents)-before, opened)
}

// firing returns the firing alerts, and the incidents that have any.
func (m *anyMonitor) firing() (alerts []Alert, of map[IncidentID]bool) {
	of = map[IncidentID]bool{}
	for id := AlertID(1); int(id) <= len(m.product.alerts); id++ {
		if a := m.product.alerts[id]; a.Firing {
			alerts, of[a.IncidentID] = append(alerts, a), true
		}
	}
	return alerts, of
}

func (m *anyMonitor) check() error {
	alerts, fires := m.firing()
	firing := map[string]Alert{}
	for _, a := range alerts {
		if _, twice := firing[a.DedupKey]; twice {
			return fmt.Errorf("%s fires twice", a.DedupKey)
		}
		firing[a.DedupKey] = a
	}
	for key, s := range m.last {
		a, ok := firing[key]
		if want := s.Action == Trigger; ok != want {
			return fmt.Errorf("%s: firing %v, want %v", key, ok, want)
		}
		in := m.product.incidents[a.IncidentID]
		switch {
		case !ok:
		case !in.Open() && (in.ResolvedBy.User == "" || m.resolved.IsZero()):
			return fmt.Errorf("%s fires, but %s is closed, and not by a person", key, in.ID)
		case in.Open() && a.Severity.Worse(in.Severity):
			return fmt.Errorf("%s is %s, but %s is %s", key, a.Severity, in.ID, in.Severity)
		}
	}
	for id, in := range m.product.incidents {
		if held := in.Flapping() && m.now.Before(in.ClosesAt().Add(7*time.Minute)); in.Open() && !fires[id] && !held {
			return fmt.Errorf("%s is open, and nothing of it fires", id)
		}
	}
	return nil
}
