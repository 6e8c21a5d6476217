package oncall

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Alerts of a group come and go, people act, timers fire in time, late, twice or never, and the upkeep runs every
// minute. The result is compared, step by step, with a model that is as simple as possible.
func TestFlappingAgainstAModel(t *testing.T) {
	t.Parallel()
	flapped, quieted, escalated := 0, 0, 0
	for seed := range seeds(500) {
		w := &swing{Rand: rand.New(rand.NewPCG(17, seed)), now: noon, firing: map[string]bool{}, severity: High}
		for range 150 {
			w.step()
			if err := w.compare(); err != nil {
				t.Fatalf("seed %d: %v\nafter\n%s", seed, err, w.log)
			}
		}
		flapped, quieted, escalated = flapped+w.flapped, quieted+w.quieted, escalated+w.escalated
	}
	enough(t, "flapped", flapped, 500)
	enough(t, "closed after a while", quieted, 100)
	enough(t, "escalated", escalated, 100)
}

// A swing is the model: one group of alerts, whose latest incident is the last.
type swing struct {
	*rand.Rand
	now      time.Time
	product  stored
	firing   map[string]bool
	severity Severity // of the monitor's signals
	log      diary
	timers   []Task

	incidents int // the expected number
	open      bool
	closed    time.Time
	byPerson  bool
	reopened  []time.Time
	flaps     bool
	quiet     time.Time // when the last alert stopped firing

	waits   time.Time // no timer may page anybody before that, unless a person acts
	wrong   string
	flapped int
	quieted int

	escalated int
}

func (w *swing) note(format string, args ...any) {
	w.log.note(w.now, format, args...)
}

func (w *swing) latest() Incident { return w.product.incidents[IncidentID(w.incidents)] }

func (w *swing) fires() bool {
	for _, f := range w.firing {
		if f {
			return true
		}
	}
	return false
}

func (w *swing) step() {
	next := w.now.Add(time.Duration(w.IntN(90)) * time.Second)
	if w.IntN(25) == 0 {
		next = next.Add(time.Duration(w.IntN(3000)) * time.Second)
	}
	w.run(next)
	switch n := w.IntN(40); {
	case n == 0:
		w.act(Act{Do: ActResolve})
	case n < 3:
		w.act(Act{Do: ActAck})
	case n == 3:
		w.act(Act{Do: ActUnack})
	case n == 4 && w.severity == High:
		w.severity = Critical
	default:
		w.signal()
	}
}

// run fires the timers due until an instant, and lets the upkeep of every minute find lost ones.
func (w *swing) run(until time.Time) {
	for {
		slices.SortStableFunc(w.timers, func(a, b Task) int { return a.At.Compare(b.At) })
		if len(w.timers) == 0 || w.timers[0].At.After(until) {
			break
		}
		task := w.timers[0]
		w.timers = w.timers[1:]
		w.now = latest(w.now, task.At)
		timer := task.Do.(IncidentTimer)
		if timer.Close && w.IntN(4) == 0 { // it is lost: the upkeep finds that within a minute or two
			w.timers = append(w.timers, Task{Do: CloseTimer(timer.Incident), At: w.now.Add(time.Minute)})
			continue
		}
		for range 1 + w.IntN(2) {
			w.timer(timer)
		}
	}
	w.now = until
}

func (w *swing) timer(timer IncidentTimer) {
	in := w.product.incidents[timer.Incident]
	if timer.Close {
		if c, due := in.CloseQuiet(int(timer.Incident) == w.incidents && w.fires(), w.now); due {
			w.take([]Change{c})
		}
		if w.flaps && w.open && !w.fires() && w.now.Sub(w.quiet) >= 10*time.Minute {
			w.note("it has been quiet")
			w.open, w.flaps, w.byPerson, w.closed = false, false, false, w.now
			w.quieted++
		}
		return
	}
	policy, roster := payments()
	c, due := in.RunTimer(timer.Seq, facts(policy, roster), w.now)
	if !due {
		return
	}
	w.note("the timer of %s pages %d", in.ID, len(c.Calls))
	if w.flaps && len(c.Calls) > 0 {
		w.escalated++
		if w.now.Before(w.waits) {
			w.wrong = "a timer pages before " + w.waits.Format(time.TimeOnly)
		}
	}
	w.take([]Change{c})
	if w.flaps && c.Incident.Exhausted {
		w.waits = w.now.Add(30 * time.Minute)
	}
}

func (w *swing) take(changes []Change) {
	for _, c := range changes {
		w.product.incidents[c.Incident.ID] = c.Incident
		for _, task := range c.Tasks {
			if _, ok := task.Do.(IncidentTimer); ok {
				w.timers = append(w.timers, Task{Do: task.Do, At: latest(task.At, w.now)})
			}
		}
	}
}

func (w *swing) act(a Act) {
	if w.incidents == 0 {
		return
	}
	policy, roster := payments()
	c, err := w.latest().Do(a, ByUser(ann), facts(policy, roster), w.now)
	if err != nil {
		return
	}
	w.note("Ann: %s", a.Do)
	w.take([]Change{c})
	w.waits = w.now // her choice wins
	if a.Do == ActResolve {
		w.open, w.flaps, w.byPerson, w.closed, w.reopened = false, false, true, w.now, nil
		clear(w.firing) // other tests cover alerts that go on firing
		w.take(w.product.fold(w.now, clears("a"), clears("b")))
	}
}

// signal makes an alert of the group begin or end.
func (w *swing) signal() {
	key := []string{"a", "a", "a", "a", "b"}[w.IntN(5)]
	s := Signal{Action: Trigger, DedupKey: key, GroupKey: "g", Title: key, Severity: w.severity}
	if w.IntN(2) == 0 {
		s = clears(key)
	}
	was, worse := w.latest(), false
	w.note("%s %s", s.Action, key)
	pages := 0
	changes := w.product.fold(w.now, s)
	for _, c := range changes {
		pages += len(c.Calls)
	}
	w.take(changes)
	began := s.Action == Trigger && !w.firing[key]
	ended := s.Action == Clear && w.firing[key]
	w.firing[key] = s.Action == Trigger
	switch {
	case began && !w.open && !w.byPerson && w.incidents > 0 && w.now.Sub(w.closed) < 5*time.Minute:
		w.reopen()
		w.mustPage(pages)
	case began && !w.open:
		w.incidents, w.open, w.byPerson, w.reopened = w.incidents+1, true, false, nil
		w.mustPage(pages)
	case ended && w.open && !w.fires() && w.flaps:
		w.quiet = w.now
	case ended && w.open && !w.fires():
		w.open, w.byPerson, w.closed = false, false, w.now
	}
	if s.Action == Trigger {
		worse = s.Severity.Worse(was.Severity)
	}
	switch flapped := was.Flapping() && w.flaps; {
	case flapped && worse:
		w.waits = w.now
	case flapped && pages > 0 && was.Status == Triggered:
		w.wrong = "it flaps, and a signal pages"
	}
}

func (w *swing) mustPage(pages int) {
	if pages == 0 {
		w.wrong = "nobody is paged"
	}
}

func (w *swing) reopen() {
	w.open = true
	w.reopened = append(slices.DeleteFunc(w.reopened, func(t time.Time) bool { return w.now.Sub(t) > 15*time.Minute }), w.now)
	if len(w.reopened) == 3 {
		w.flaps, w.reopened, w.waits = true, nil, w.now.Add(30*time.Minute)
		w.flapped++
	}
}

func (w *swing) compare() error {
	in := w.latest()
	fires := w.fires()
	switch {
	case len(w.product.incidents) != w.incidents:
		return fmt.Errorf("%d incidents, want %d", len(w.product.incidents), w.incidents)
	case w.incidents == 0:
		return nil
	case in.Open() != w.open || in.Flapping() != w.flaps:
		return fmt.Errorf("%s: open %v, flapping %v; want %v, %v", in.ID, in.Open(), in.Flapping(), w.open, w.flaps)
	case fires && !in.Open() && !w.byPerson:
		return fmt.Errorf("something fires, and nobody has closed it")
	case in.Open() && !fires && in.ClosesAt().IsZero():
		return fmt.Errorf("nothing fires, and it stays open")
	case in.Open() && !fires && w.now.Sub(in.ClosesAt()) > 3*time.Minute:
		return fmt.Errorf("it was to be closed at %s", in.ClosesAt())
	case in.Status == Triggered && in.NextAt == nil && (!in.Exhausted || in.Flapping()):
		return fmt.Errorf("nobody has it, and nothing follows")
	case in.Status == Triggered && in.Flapping() && in.NextAt.Sub(w.now) > 30*time.Minute:
		return fmt.Errorf("nobody has it, and the next step is at %s", in.NextAt)
	case w.wrong != "":
		return fmt.Errorf("%s", w.wrong)
	}
	return nil
}
