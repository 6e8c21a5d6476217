package oncall

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Alerts of a group come and go, people act, and timers fire on time, late, twice or never, while the
// upkeep runs every minute. After each step the result is compared with the simplest possible model.
func TestFlappingAgainstAModel(t *testing.T) {
	t.Parallel()
	flapped, quieted, escalated := 0, 0, 0
	for seed := range seeds(500) {
		sw := &swing{Rand: rand.New(rand.NewPCG(17, seed)), now: noon, firing: map[string]bool{}, severity: High}
		for range 150 {
			sw.step()
			if err := sw.compare(); err != nil {
				t.Fatalf("seed %d: %v\nafter\n%s", seed, err, sw.log)
			}
		}
		flapped, quieted, escalated = flapped+sw.flapped, quieted+sw.quieted, escalated+sw.escalated
	}
	enough(t, "flapped", flapped, 500)
	enough(t, "closed after a while", quieted, 100)
	enough(t, "escalated", escalated, 100)
}

// A swing is the model: one group of alerts, with its incidents in order.
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

	waits   time.Time // no timer may page anybody before this, unless a person acts
	wrong   string
	flapped int
	quieted int

	escalated int
}

func (sw *swing) note(format string, args ...any) {
	sw.log.note(sw.now, format, args...)
}

func (sw *swing) latest() Incident { return sw.product.incidents[IncidentID(sw.incidents)] }

func (sw *swing) fires() bool {
	for _, f := range sw.firing {
		if f {
			return true
		}
	}
	return false
}

func (sw *swing) step() {
	next := sw.now.Add(time.Duration(sw.IntN(90)) * time.Second)
	if sw.IntN(25) == 0 {
		next = next.Add(time.Duration(sw.IntN(3000)) * time.Second)
	}
	sw.run(next)
	switch n := sw.IntN(40); {
	case n == 0:
		sw.act(Act{Do: ActResolve})
	case n < 3:
		sw.act(Act{Do: ActAck})
	case n == 3:
		sw.act(Act{Do: ActUnack})
	case n == 4 && sw.severity == High:
		sw.severity = Critical
	default:
		sw.signal()
	}
}

// run fires the timers that are due until the given time, and runs the upkeep every minute to find
// lost ones.
func (sw *swing) run(until time.Time) {
	for {
		slices.SortStableFunc(sw.timers, func(a, b Task) int { return a.At.Compare(b.At) })
		if len(sw.timers) == 0 || sw.timers[0].At.After(until) {
			break
		}
		task := sw.timers[0]
		sw.timers = sw.timers[1:]
		sw.now = latest(sw.now, task.At)
		timer := task.Args.(IncidentTimer)
		if timer.Close && sw.IntN(4) == 0 { // it is lost, and the upkeep finds that out within a minute or two
			sw.timers = append(sw.timers, Task{Args: CloseTimer(timer.Incident), At: sw.now.Add(time.Minute)})
			continue
		}
		for range 1 + sw.IntN(2) {
			sw.timer(timer)
		}
	}
	sw.now = until
}

func (sw *swing) timer(timer IncidentTimer) {
	in := sw.product.incidents[timer.Incident]
	if timer.Close {
		if c, due := in.CloseIfQuiet(int(timer.Incident) == sw.incidents && sw.fires(), sw.now); due {
			sw.take([]Change{c})
		}
		if sw.flaps && sw.open && !sw.fires() && sw.now.Sub(sw.quiet) >= 10*time.Minute {
			sw.note("it has been quiet")
			sw.open, sw.flaps, sw.byPerson, sw.closed = false, false, false, sw.now
			sw.quieted++
		}
		return
	}
	policy, roster := payments()
	c, due := in.RunTimer(timer.Seq, facts(policy, roster), sw.now)
	if !due {
		return
	}
	sw.note("the timer of %s pages %d", in.ID, len(c.Calls))
	if sw.flaps && len(c.Calls) > 0 {
		sw.escalated++
		if sw.now.Before(sw.waits) {
			sw.wrong = "a timer pages before " + sw.waits.Format(time.TimeOnly)
		}
	}
	sw.take([]Change{c})
	if sw.flaps && c.Incident.Exhausted {
		sw.waits = sw.now.Add(30 * time.Minute)
	}
}

func (sw *swing) take(changes []Change) {
	for _, c := range changes {
		sw.product.incidents[c.Incident.ID] = c.Incident
		for _, task := range c.Tasks {
			if _, ok := task.Args.(IncidentTimer); ok {
				sw.timers = append(sw.timers, Task{Args: task.Args, At: latest(task.At, sw.now)})
			}
		}
	}
}

func (sw *swing) act(a Act) {
	if sw.incidents == 0 {
		return
	}
	policy, roster := payments()
	c, err := sw.latest().Do(a, ByUser(ann), facts(policy, roster), sw.now)
	if err != nil {
		return
	}
	sw.note("Ann: %s", a.Do)
	sw.take([]Change{c})
	sw.waits = sw.now // her choice wins
	if a.Do == ActResolve {
		sw.open, sw.flaps, sw.byPerson, sw.closed, sw.reopened = false, false, true, sw.now, nil
		clear(sw.firing) // other tests cover alerts that keep firing
		sw.take(sw.product.fold(sw.now, clears("a"), clears("b")))
	}
}

// signal starts or ends an alert of the group.
func (sw *swing) signal() {
	key := []string{"a", "a", "a", "a", "b"}[sw.IntN(5)]
	s := Signal{Action: Trigger, DedupKey: key, GroupKey: "g", Title: key, Severity: sw.severity}
	if sw.IntN(2) == 0 {
		s = clears(key)
	}
	was, worse := sw.latest(), false
	sw.note("%s %s", s.Action, key)
	pages := 0
	changes := sw.product.fold(sw.now, s)
	for _, c := range changes {
		pages += len(c.Calls)
	}
	sw.take(changes)
	began := s.Action == Trigger && !sw.firing[key]
	ended := s.Action == Clear && sw.firing[key]
	sw.firing[key] = s.Action == Trigger
	switch {
	case began && !sw.open && !sw.byPerson && sw.incidents > 0 && sw.now.Sub(sw.closed) < 5*time.Minute:
		sw.reopen()
		sw.mustPage(pages)
	case began && !sw.open:
		sw.incidents, sw.open, sw.byPerson, sw.reopened = sw.incidents+1, true, false, nil
		sw.mustPage(pages)
	case ended && sw.open && !sw.fires() && sw.flaps:
		sw.quiet = sw.now
	case ended && sw.open && !sw.fires():
		sw.open, sw.byPerson, sw.closed = false, false, sw.now
	}
	if s.Action == Trigger {
		worse = s.Severity.Worse(was.Severity)
	}
	switch flapped := was.Flapping() && sw.flaps; {
	case flapped && worse:
		sw.waits = sw.now
	case flapped && pages > 0 && was.Status == Triggered:
		sw.wrong = "it flaps, and a signal pages"
	}
}

func (sw *swing) mustPage(pages int) {
	if pages == 0 {
		sw.wrong = "nobody is paged"
	}
}

func (sw *swing) reopen() {
	sw.open = true
	sw.reopened = append(slices.DeleteFunc(sw.reopened, func(t time.Time) bool { return sw.now.Sub(t) > 15*time.Minute }), sw.now)
	if len(sw.reopened) == 3 {
		sw.flaps, sw.reopened, sw.waits = true, nil, sw.now.Add(30*time.Minute)
		sw.flapped++
	}
}

func (sw *swing) compare() error {
	in := sw.latest()
	fires := sw.fires()
	switch {
	case len(sw.product.incidents) != sw.incidents:
		return fmt.Errorf("%d incidents, want %d", len(sw.product.incidents), sw.incidents)
	case sw.incidents == 0:
		return nil
	case in.Open() != sw.open || in.Flapping() != sw.flaps:
		return fmt.Errorf("%s: open %v, flapping %v; want %v, %v", in.ID, in.Open(), in.Flapping(), sw.open, sw.flaps)
	case fires && !in.Open() && !sw.byPerson:
		return fmt.Errorf("something fires, and nobody has closed it")
	case in.Open() && !fires && in.ClosesAt().IsZero():
		return fmt.Errorf("nothing fires, and it stays open")
	case in.Open() && !fires && sw.now.Sub(in.ClosesAt()) > 3*time.Minute:
		return fmt.Errorf("it was to be closed at %s", in.ClosesAt())
	case in.Status == Triggered && in.NextAt == nil && (!in.Exhausted || in.Flapping()):
		return fmt.Errorf("nobody has it, and nothing follows")
	case in.Status == Triggered && in.Flapping() && in.NextAt.Sub(sw.now) > 30*time.Minute:
		return fmt.Errorf("nobody has it, and the next step is at %s", in.NextAt)
	case sw.wrong != "":
		return fmt.Errorf("%s", sw.wrong)
	}
	return nil
}
