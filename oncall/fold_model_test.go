package oncall

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Two Alertmanagers in a cluster report one group: on time, late, twice, in part, or during a silence.
// After each payload the result is compared with the simplest possible model. Once both have reported
// the true state twice, our state matches it.
func TestTwoAlertmanagersAgainstModel(t *testing.T) {
	t.Parallel()
	for seed := range seeds(600) {
		w := newCluster(seed)
		for range 60 {
			if err := w.step(); err != nil {
				t.Fatalf("seed %d: %v\nafter\n%s", seed, err, w.log)
			}
		}
		if err := w.settle(); err != nil {
			t.Fatalf("seed %d: %v\nafter\n%s", seed, err, w.log)
		}
	}
}

var clusterKeys = []string{"a", "b", "c"}

// An episode is one firing of an alert, as Prometheus reports it.
type episode struct {
	firing     bool
	start, end time.Time
}

// A listing is one payload.
type listing struct {
	alerts    map[string]episode
	truncated bool
}

type cluster struct {
	*rand.Rand
	now      time.Time
	truth    map[string]episode
	views    [2]map[string]episode // what each Alertmanager knows
	told     [2]map[string]bool    // what each has reported as firing, and not yet as ended
	silenced map[string]bool
	late     []listing // in flight
	product  stored
	model    model
	pages    int
	log      diary
}

func newCluster(seed uint64) *cluster {
	cl := &cluster{Rand: rand.New(rand.NewPCG(5, seed)), now: noon, truth: map[string]episode{}, silenced: map[string]bool{}}
	cl.model.alerts = map[string]*modelAlert{}
	for i := range cl.views {
		cl.views[i], cl.told[i] = map[string]episode{}, map[string]bool{}
	}
	for _, k := range clusterKeys {
		cl.model.alerts[k] = &modelAlert{}
	}
	return cl
}

func (cl *cluster) note(format string, args ...any) {
	cl.log.note(cl.now, format, args...)
}

// step makes something happen: mostly within two minutes, sometimes long after.
func (cl *cluster) step() error {
	cl.now = cl.now.Add(time.Duration(cl.IntN(50)) * time.Second)
	if cl.IntN(8) == 0 {
		cl.now = cl.now.Add(time.Duration(cl.IntN(40)) * time.Minute)
	}
	if err := cl.timer(); err != nil {
		return err
	}
	k, peer := clusterKeys[cl.IntN(len(clusterKeys))], cl.IntN(2)
	switch cl.IntN(10) {
	case 0, 1: // it begins or ends
		e := cl.truth[k]
		if e.firing {
			e.firing, e.end = false, cl.now
		} else {
			e = episode{firing: true, start: cl.now}
		}
		cl.truth[k] = e
		cl.note("%s: firing %v since %s", k, e.firing, e.start.Format(time.TimeOnly))
	case 2: // a reload: it continues with its old start
		if e := cl.truth[k]; !e.firing && !e.start.IsZero() {
			cl.truth[k] = episode{firing: true, start: e.start}
			cl.note("%s: fires again since %s", k, e.start.Format(time.TimeOnly))
		}
	case 3:
		cl.silenced[k] = !cl.silenced[k]
		cl.note("%s: silenced %v", k, cl.silenced[k])
	case 4:
		return cl.person()
	case 5: // a payload in flight arrives
		if len(cl.late) > 0 {
			i := cl.IntN(len(cl.late))
			l := cl.late[i]
			cl.late = slices.Delete(cl.late, i, i+1)
			return cl.deliver("late", l)
		}
	default:
		cl.hear(peer)
		l := cl.list(peer)
		if len(l.alerts) == 0 {
			return nil
		}
		if cl.IntN(5) == 0 {
			cl.late = append(cl.late, l)
			return nil
		}
		if cl.IntN(6) == 0 && len(l.alerts) > 1 {
			l.truncated = true
			delete(l.alerts, k)
		}
		if err := cl.deliver(fmt.Sprint("peer ", peer), l); err != nil || cl.IntN(6) > 0 {
			return err
		}
		return cl.deliver("once more", l)
	}
	return nil
}

// hear usually brings an Alertmanager up to date.
func (cl *cluster) hear(peer int) {
	for _, k := range clusterKeys {
		if cl.IntN(4) > 0 {
			cl.views[peer][k] = cl.truth[k]
		}
	}
}

// list returns what an Alertmanager has to report: firing alerts, and ended ones that it reported as
// firing.
func (cl *cluster) list(peer int) listing {
	l := listing{alerts: map[string]episode{}}
	for k, e := range cl.views[peer] {
		if !cl.silenced[k] && (e.firing || cl.told[peer][k]) {
			l.alerts[k] = e
			cl.told[peer][k] = e.firing
		}
	}
	return l
}

// deliver delivers a payload to both the product and the model.
func (cl *cluster) deliver(how string, l listing) error {
	var firing, ended []Signal
	list := Signal{Action: Reconcile, GroupKey: "g"}
	for _, k := range clusterKeys {
		e, listed := l.alerts[k]
		s := Signal{Action: Trigger, DedupKey: k, GroupKey: "g", Title: k, Severity: High, StartsAt: e.start}
		switch {
		case !listed:
		case e.firing:
			firing, list.Present = append(firing, s), append(list.Present, k)
		default:
			s.Action, s.EndsAt = Clear, e.end
			ended, list.Ended = append(ended, s), append(list.Ended, k)
		}
	}
	signals := slices.Concat(firing, ended)
	if !l.truncated {
		signals = append(signals, list)
	}
	cl.note("%s: firing %v, over %v, truncated %v", how, list.Present, list.Ended, l.truncated)
	lines := cl.lateLines()
	for _, c := range cl.product.fold(cl.now, signals...) {
		cl.pages += len(c.Calls)
	}
	aside := cl.model.hear(l, cl.now)
	if got := cl.lateLines() - lines; got != aside {
		return fmt.Errorf("%d lines about what is late, want %d", got, aside)
	}
	return cl.compare()
}

// lateLines counts the timeline's lines about signals that were ignored as late.
func (cl *cluster) lateLines() (n int) {
	for _, e := range cl.product.events {
		if e.Kind == EventLate {
			n++
		}
	}
	return n
}

// person has somebody act on the latest incident.
func (cl *cluster) person() error {
	id := IncidentID(len(cl.product.incidents))
	if id == 0 {
		return nil
	}
	a := []Act{{Do: ActAck}, {Do: ActResolve}, {Do: ActSnooze, Until: cl.now.Add(time.Hour)}}[cl.IntN(3)]
	policy, roster := payments()
	c, err := cl.product.incidents[id].Do(a, ByUser(bo), facts(policy, roster), cl.now)
	if err != nil {
		return nil //nolint:nilerr // it is refused, and nothing changes
	}
	cl.note("Bo: %s", a.Do)
	cl.product.incidents[id] = c.Incident
	cl.model.incidents[id-1].act(a, cl.now)
	return cl.compare()
}

// timer fires what the model waits for: the end of a snooze, or of the quiet time after a person's resolve. Other
// timers escalate, which other tests cover.
func (cl *cluster) timer() error {
	for i, m := range cl.model.incidents {
		if m.pageAt.IsZero() || m.pageAt.After(cl.now) {
			continue
		}
		in := cl.product.incidents[IncidentID(i+1)]
		if in.NextAt == nil || !in.NextAt.Equal(m.pageAt) {
			return fmt.Errorf("the timer of %s stands at %v, want %s", in.ID, in.NextAt, m.pageAt)
		}
		policy, roster := payments()
		c, due := in.RunTimer(in.Seq, facts(policy, roster), m.pageAt)
		if !due {
			return fmt.Errorf("the timer of %s does nothing", in.ID)
		}
		cl.note("the timer of %s", in.ID)
		cl.product.incidents[in.ID] = c.Incident
		cl.pages += len(c.Calls)
		cl.model.page(m)
	}
	return cl.compare()
}

func (cl *cluster) compare() error {
	m := &cl.model
	firing := map[string]bool{}
	for _, a := range cl.product.alerts {
		if a.Firing {
			firing[a.DedupKey] = true
		}
	}
	for _, k := range clusterKeys {
		if firing[k] != m.alerts[k].firing {
			return fmt.Errorf("%s: firing %v, want %v", k, firing[k], m.alerts[k].firing)
		}
	}
	if len(cl.product.incidents) != len(m.incidents) {
		return fmt.Errorf("%d incidents, want %d", len(cl.product.incidents), len(m.incidents))
	}
	for i, want := range m.incidents {
		if in := cl.product.incidents[IncidentID(i+1)]; in.Status != want.status {
			return fmt.Errorf("%s is %q, want %q", in.ID, in.Status, want.status)
		}
	}
	if cl.pages != m.pages {
		return fmt.Errorf("%d pages, want %d", cl.pages, m.pages)
	}
	return nil
}

// settle has both report the whole true state twice. After that our state matches it, and every firing
// alert has an open incident.
func (cl *cluster) settle() error {
	clear(cl.silenced)
	for range 2 {
		for peer := range cl.views {
			cl.now = cl.now.Add(70 * time.Second)
			if err := cl.timer(); err != nil {
				return err
			}
			l := listing{alerts: map[string]episode{}}
			for k, e := range cl.truth {
				if !e.start.IsZero() {
					l.alerts[k] = e
				}
			}
			if err := cl.deliver(fmt.Sprint("the truth by peer ", peer), l); err != nil {
				return err
			}
		}
	}
	for _, k := range clusterKeys {
		a, fires := cl.model.alerts[k], cl.truth[k].firing
		if a.firing != fires || fires && a.incident.status == Resolved {
			return fmt.Errorf("%s: firing %v is not true, or it is in no open incident", k, a.firing)
		}
	}
	return nil
}

// The model covers one group.
type model struct {
	alerts    map[string]*modelAlert
	incidents []*modelIncident // all of the group's
	pages     int
}

type modelAlert struct {
	firing   bool
	start    time.Time
	over     time.Time // when the monitor reported the end; zero if it only stopped reporting, or has since reported it again
	incident *modelIncident
}

type modelIncident struct {
	status   Status
	closedAt time.Time
	byPerson bool      // closed
	snoozed  time.Time // until when
	pageAt   time.Time // end of a snooze or of the quiet time after a person's resolve
}

func (m *model) page(in *modelIncident) {
	in.status, in.pageAt, in.snoozed = Triggered, time.Time{}, time.Time{}
	m.pages++
}

// hear takes in a payload, and returns how many of its signals were ignored as late and noted in a timeline.
func (m *model) hear(l listing, now time.Time) (aside int) {
	doubt := false
	disbelieve := func(a *modelAlert) {
		doubt = true
		if a.incident != nil {
			aside++
		}
	}
	for _, k := range clusterKeys {
		e, listed := l.alerts[k]
		a := m.alerts[k]
		switch {
		case !listed || !e.firing:
		case a.firing:
			a.start = latest(a.start, e.start)
			if a.incident.status == Resolved { // by a person
				a.incident.status, a.incident.pageAt = Triggered, latest(now, a.incident.closedAt.Add(30*time.Minute))
			}
		case !a.over.IsZero() && now.Sub(a.over) < 2*time.Minute && !e.start.After(a.start):
			a.over = time.Time{}
			disbelieve(a)
		default:
			*a = modelAlert{firing: true, start: e.start, incident: m.fire(now)}
		}
	}
	for _, k := range clusterKeys {
		e, listed := l.alerts[k]
		a := m.alerts[k]
		switch {
		case !listed || e.firing:
		case a.firing && e.end.Before(a.start) && e.start.Before(a.start):
			disbelieve(a)
		default:
			was := a.firing
			a.firing, a.start, a.over = false, latest(a.start, e.start), now
			m.over(was, a.incident, now)
		}
	}
	if l.truncated || doubt {
		return aside
	}
	for _, k := range clusterKeys {
		if a := m.alerts[k]; a.firing {
			if _, listed := l.alerts[k]; !listed {
				a.firing, a.over = false, time.Time{}
				m.over(true, a.incident, now)
			}
		}
	}
	return aside
}

func (m *model) fire(now time.Time) *modelIncident {
	var in *modelIncident
	if len(m.incidents) > 0 {
		in = m.incidents[len(m.incidents)-1]
	}
	switch {
	case in != nil && in.status != Resolved: // it joins
	case in != nil && in.snoozed.After(now):
		in.status, in.pageAt = Snoozed, in.snoozed
	case in != nil && !in.byPerson && now.Sub(in.closedAt) < 5*time.Minute:
		m.page(in)
	default:
		in = &modelIncident{}
		m.incidents = append(m.incidents, in)
		m.page(in)
	}
	return in
}

func (m *model) over(was bool, in *modelIncident, now time.Time) {
	for _, a := range m.alerts {
		was = was && (!a.firing || a.incident != in)
	}
	if was && in.status != Resolved {
		in.status, in.closedAt, in.byPerson, in.pageAt = Resolved, now, false, time.Time{}
	}
}

func (i *modelIncident) act(a Act, now time.Time) {
	i.pageAt, i.snoozed = time.Time{}, time.Time{}
	switch a.Do {
	case ActAck:
		i.status = Acknowledged
	case ActResolve:
		i.status, i.closedAt, i.byPerson = Resolved, now, true
	default:
		i.status, i.snoozed, i.pageAt = Snoozed, a.Until, a.Until
	}
}
