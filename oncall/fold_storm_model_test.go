package oncall

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// A monitor sends few or many signals, about several services and with several severities, while
// messages are posted, people act and storms end. After each signal the result is compared with the
// simplest possible model.
func TestStormsAgainstAModel(t *testing.T) {
	t.Parallel()
	storms, splits, quieted := 0, 0, 0
	for seed := range seeds(400) {
		w := &weather{
			Rand: rand.New(rand.NewPCG(11, seed)), now: noon,
			product: stored{limit: 3, posted: map[IncidentID]bool{}}, alerts: map[string]*stormAlert{},
		}
		for range 120 {
			w.step()
			if err := w.compare(); err != nil {
				t.Fatalf("seed %d: %v\nafter\n%s", seed, err, w.log)
			}
		}
		for _, m := range w.incidents {
			if m.storm {
				storms++
			}
		}
		splits += w.splits
		quieted += w.quieted
	}
	enough(t, "storms", storms, 400)
	enough(t, "splits", splits, 50)
	enough(t, "closed after flapping", quieted, 20)
}

// A stormAlert is what the model knows about an alert. Its key contains its service and severity.
type stormAlert struct {
	firing   bool
	in       *stormIncident
	severity Severity
	service  string
}

// A stormIncident is what the model knows about an incident.
type stormIncident struct {
	status   Status
	mergedIn *stormIncident
	opened   time.Time
	closed   time.Time
	byPerson bool
	key      string // of the alert that opened it
	touched  bool   // people acted on it, or it was reopened
	posted   bool

	storm       bool
	began, last time.Time
	over        bool
	overAt      time.Time
	services    []string
	own         []time.Time
	severity    Severity
	paged       int

	reopened []time.Time // by its monitor
	flaps    bool
	quiet    time.Time // when its last alert stopped firing; zero: one still fires
}

type weather struct {
	*rand.Rand
	now       time.Time
	product   stored
	alerts    map[string]*stormAlert
	incidents []*stormIncident
	log       diary
	pages     int
	splits    int
	quieted   int
	last      time.Time // see lastStorm, when the signals came
}

func (w *weather) note(format string, args ...any) {
	w.log.note(w.now, format, args...)
}

func (w *weather) step() {
	w.now = w.now.Add(time.Duration(w.IntN(9)) * time.Second)
	switch w.IntN(24) {
	case 0:
		w.now = w.now.Add(time.Duration(w.IntN(400)) * time.Second)
	case 1, 2:
		w.person()
	case 3, 4, 5:
		if n := len(w.incidents); n > 0 {
			i := w.IntN(n)
			w.incidents[i].posted, w.product.posted[IncidentID(i+1)] = true, true
			w.note("#%d is posted", i+1)
		}
	case 6:
		w.end()
	case 7:
		w.split()
	case 8, 9, 10, 11:
		w.send(Clear)
	default:
		w.send(Trigger)
	}
}

func (w *weather) key() (string, *stormAlert) {
	service, severity := []string{"web", "db", "cache", "mail"}[w.IntN(4)], []Severity{Critical, High, High, Medium}[w.IntN(4)]
	if w.IntN(3) > 0 {
		service, severity = "web", High
	}
	k := fmt.Sprintf("%s %s %d", service, severity, w.IntN(6))
	if w.alerts[k] == nil {
		w.alerts[k] = &stormAlert{service: service, severity: severity}
	}
	return k, w.alerts[k]
}

// send has the monitor send a few signals together.
func (w *weather) send(do Action) {
	var signals []Signal
	w.last = w.lastStorm()
	for range 1 + w.IntN(6) {
		k, a := w.key()
		s := about(a.service, a.severity, k)
		s.Action = do
		signals = append(signals, s)
		w.note("%s %s", do, k)
		if do == Clear {
			w.clear(a)
		} else {
			w.fire(k, a)
		}
	}
	for _, c := range w.product.fold(w.now, signals...) {
		w.pages += len(c.Calls)
	}
}

// storming returns the storm that absorbs new alerts, if there is one.
func (w *weather) storming() (found *stormIncident) {
	for _, m := range w.incidents {
		goes := m.storm && !m.over && w.now.Sub(m.last) < 5*time.Minute && w.now.Sub(m.began) < time.Hour
		if goes && (m.status != Resolved || !m.byPerson) {
			found = m
		}
	}
	return found
}

// reopen has the monitor reopen an incident. The third time within 15 minutes, it begins to flap.
func (w *weather) reopen(m *stormIncident) {
	m.status, m.paged, m.touched = Triggered, m.paged+1, true
	m.reopened = append(slices.DeleteFunc(m.reopened, func(t time.Time) bool { return w.now.Sub(t) > 15*time.Minute }), w.now)
	if len(m.reopened) == 3 {
		m.flaps, m.reopened = true, nil
	}
}

func (w *weather) fire(k string, a *stormAlert) {
	if a.firing {
		if a.in.status == Resolved { // by a person
			a.in.status, a.in.touched = Triggered, true
		}
		return
	}
	a.firing = true
	var own *stormIncident // the latest that was opened for the key
	for _, m := range w.incidents {
		if m.key == k {
			own = m
		}
	}
	if own != nil && own.mergedIn == nil {
		if own.status != Resolved {
			a.in = own
			return
		}
		if !own.byPerson && w.now.Sub(own.closed) < 5*time.Minute {
			a.in = own
			w.reopen(own)
			return
		}
	}
	if s := w.storming(); s != nil {
		s.own = slices.DeleteFunc(s.own, func(t time.Time) bool { return w.now.Sub(t) >= time.Minute })
		if a.severity == Critical && !slices.Contains(s.services, a.service) && len(s.own) < 3 {
			s.own = append(s.own, w.now)
			a.in = w.open(k, a)
			return
		}
		w.join(s, a)
		return
	}
	var recent []*stormIncident
	known := a.severity != Critical
	for _, m := range w.incidents {
		if m.storm || w.now.Sub(m.opened) >= time.Minute || !m.opened.After(w.last) {
			continue
		}
		recent = append(recent, m)
		known = known || w.speaksOf(m, a.service)
	}
	if len(recent) < 3 || !known && len(recent) < 6 {
		a.in = w.open(k, a)
		return
	}
	w.begin(a, recent)
}

// lastStorm returns when the count began anew: at the latest beginning or end of a storm.
func (w *weather) lastStorm() (at time.Time) {
	for _, m := range w.incidents {
		if !m.storm {
			continue
		}
		at = latest(at, m.opened)
		switch {
		case m.over:
			at = latest(at, m.overAt)
		case m.status == Resolved:
			at = latest(at, m.closed)
		}
	}
	return at
}

// speaksOf reports whether an incident had an alert about a service.
func (w *weather) speaksOf(m *stormIncident, service string) bool {
	for _, other := range w.alerts {
		if other.in == m && other.service == service {
			return true
		}
	}
	return false
}

func (w *weather) open(k string, a *stormAlert) *stormIncident {
	m := &stormIncident{status: Triggered, opened: w.now, key: k, severity: a.severity, paged: 1}
	w.incidents = append(w.incidents, m)
	return m
}

func (w *weather) join(s *stormIncident, a *stormAlert) {
	a.in, s.last = s, w.now
	fresh, worse := !slices.Contains(s.services, a.service), a.severity.Worse(s.severity)
	if fresh {
		s.services = append(s.services, a.service)
	}
	if worse {
		s.severity = a.severity
	}
	switch {
	case s.status == Resolved:
		w.reopen(s)
	case s.status == Acknowledged && (fresh || worse):
		s.paged++
	}
}

func (w *weather) begin(a *stormAlert, recent []*stormIncident) {
	s := &stormIncident{status: Triggered, opened: w.now, storm: true, began: w.now, last: w.now, severity: a.severity, services: []string{a.service}, paged: 1}
	a.in = s
	free := func(m *stormIncident) bool {
		return m.status == Triggered && !m.touched && !m.posted && m.mergedIn == nil
	}
	common := []string{a.service}
	for _, m := range recent {
		if x := w.alerts[m.key]; free(m) && x.severity != Critical {
			common = append(common, x.service)
		}
	}
	for _, m := range recent {
		x := w.alerts[m.key]
		if !free(m) || x.severity == Critical && !slices.Contains(common, x.service) {
			continue
		}
		m.status, m.mergedIn, m.closed = Resolved, s, w.now
		x.in = s
		if !slices.Contains(s.services, x.service) {
			s.services = append(s.services, x.service)
		}
		if x.severity.Worse(s.severity) {
			s.severity = x.severity
		}
	}
	w.incidents = append(w.incidents, s)
	w.last = w.now
}

func (w *weather) clear(a *stormAlert) {
	if !a.firing {
		return
	}
	a.firing = false
	if !w.fires(a.in) {
		w.settle(a.in)
	}
}

func (w *weather) fires(m *stormIncident) bool {
	for _, a := range w.alerts {
		if a.firing && a.in == m {
			return true
		}
	}
	return false
}

// settle closes an incident with no firing alerts, unless it flaps.
func (w *weather) settle(m *stormIncident) {
	switch {
	case m.status == Resolved:
	case m.flaps:
		m.quiet = w.now
	default:
		m.status, m.closed, m.byPerson = Resolved, w.now, false
	}
}

func (w *weather) person() {
	n := len(w.incidents)
	if n == 0 {
		return
	}
	i := w.IntN(n)
	act := []ActKind{ActAck, ActAck, ActResolve}[w.IntN(3)]
	policy, roster := payments()
	c, err := w.product.incidents[IncidentID(i+1)].Do(Act{Do: act}, ByUser(bo), facts(policy, roster), w.now)
	if err != nil {
		return
	}
	w.note("Bo: %s #%d", act, i+1)
	w.product.incidents[IncidentID(i+1)] = c.Incident
	m := w.incidents[i]
	m.touched = true
	if m.status = Acknowledged; act == ActResolve {
		m.status, m.closed, m.byPerson = Resolved, w.now, true
		m.flaps, m.reopened = false, nil
	}
}

// end closes what the upkeep closes every minute.
func (w *weather) end() {
	if w.IntN(3) == 0 {
		w.now = w.now.Add(10 * time.Minute)
	}
	for i, m := range w.incidents {
		c, due := w.product.incidents[IncidentID(i+1)].EndStorm(StormTally{}, w.now)
		if due {
			w.note("the storm #%d is over", i+1)
			w.product.incidents[IncidentID(i+1)], m.over = c.Incident, true
			m.overAt = w.now
		}
		for again := true; again; {
			c, again = w.product.incidents[IncidentID(i+1)].CloseIfQuiet(w.fires(m), w.now)
			if again {
				w.product.incidents[IncidentID(i+1)] = c.Incident
			}
		}
		if m.flaps && m.status != Resolved && !w.fires(m) && w.now.Sub(m.quiet) >= 10*time.Minute {
			w.note("#%d has been quiet", i+1)
			m.status, m.closed, m.byPerson, m.flaps = Resolved, w.now, false, false
			w.quieted++
		}
	}
}

func (w *weather) split() {
	k, a := w.key()
	for _, c := range w.product.fold(w.now, Signal{Action: Split, DedupKey: k, By: bo}) {
		w.pages += len(c.Calls)
	}
	if !a.firing || !a.in.storm || a.in.status == Resolved {
		return
	}
	w.note("%s is split off", k)
	w.splits++
	from := a.in
	a.in = w.open(k, a)
	if !w.fires(from) && from.status != Resolved {
		from.status, from.closed, from.byPerson, from.flaps = Resolved, w.now, false, false
	}
}

func (w *weather) compare() error {
	if len(w.product.incidents) != len(w.incidents) {
		return fmt.Errorf("%d incidents, want %d", len(w.product.incidents), len(w.incidents))
	}
	paged := 0
	for i, m := range w.incidents {
		in := w.product.incidents[IncidentID(i+1)]
		paged += m.paged
		if m.mergedIn != nil {
			paged -= m.paged
		}
		if in.Status != m.status || (in.Storm != nil) != m.storm || (in.MergedInto != 0) != (m.mergedIn != nil) {
			return fmt.Errorf("%s is %q, storm %v, merged into %d; want %+v", in.ID, in.Status, in.Storm != nil, in.MergedInto, *m)
		}
		if in.Open() && in.NextAt == nil && in.Status == Triggered && !in.Exhausted {
			return fmt.Errorf("%s is triggered and nothing follows", in.ID)
		}
	}
	seen := map[string]bool{}
	for id := AlertID(len(w.product.alerts)); id > 0; id-- {
		a := w.product.alerts[id]
		if seen[a.DedupKey] {
			continue
		}
		seen[a.DedupKey] = true
		m := w.alerts[a.DedupKey]
		if a.Firing != m.firing {
			return fmt.Errorf("%s: firing %v, want %v", a.DedupKey, a.Firing, m.firing)
		}
		if m.firing && w.incidents[a.IncidentID-1] != m.in {
			return fmt.Errorf("%s belongs to %s and should not", a.DedupKey, a.IncidentID)
		}
	}
	// Incidents absorbed after they were stored have paged already, so only a lower bound is known.
	if w.pages < paged {
		return fmt.Errorf("%d pages, want %d at least", w.pages, paged)
	}
	return nil
}
