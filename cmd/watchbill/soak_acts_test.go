package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/slacksim"
)

// A soakIncident is one alert, with what people did about it and when.
type soakIncident struct {
	token           string // contained in its title
	team            *soakTeam
	opened          time.Time
	acked, resolved time.Time // zero: not
}

// open reports whether it is neither acknowledged nor over at the given time.
func (i *soakIncident) open(at time.Time) bool {
	return (i.acked.IsZero() || at.Before(i.acked)) && (i.resolved.IsZero() || at.Before(i.resolved))
}

func (i *soakIncident) String() string {
	of := func(t time.Time) string {
		if t.IsZero() {
			return "never"
		}
		return t.Format(time.DateTime)
	}
	return fmt.Sprintf("%s of %s (opened %s, acknowledged %s, over %s)", i.token, i.team.name, of(i.opened), of(i.acked), of(i.resolved))
}

// A soakStorm is many alerts of one team within a minute.
type soakStorm struct {
	token  string
	team   *soakTeam
	opened time.Time
	over   time.Time
	alerts int
}

// plan fills the agenda with what will happen, mostly at random by day and team.
func (s *soak) plan() {
	for day := soakStart; day.Before(s.end); day = day.Add(24 * time.Hour) {
		for hour := range 24 {
			s.on(day.Add(time.Duration(hour)*time.Hour+90*time.Second), s.minute)
		}
		for _, t := range s.company.teams {
			at := day
			for at = at.Add(s.between(time.Hour, 12*time.Hour)); at.Before(day.Add(24 * time.Hour)); at = at.Add(s.between(10*time.Minute, 20*time.Hour)) {
				s.on(at, func() { s.alert(t) })
			}
			s.on(day.Add(s.between(0, 24*time.Hour)), func() { s.askWho(t) })
			switch s.random.IntN(6) {
			case 0, 1:
				s.on(day.Add(s.between(time.Hour, 20*time.Hour)), func() { s.override(t) })
			case 2:
				s.on(day.Add(s.between(time.Hour, 20*time.Hour)), func() { s.swap(t) })
			default:
			}
		}
		team := s.company.teams[s.random.IntN(len(s.company.teams))]
		switch s.random.IntN(3) {
		case 0:
			s.on(day.Add(s.between(0, 23*time.Hour)), s.outage)
		case 1:
			s.on(day.Add(s.between(0, 23*time.Hour)), func() { s.storm(team) })
		default:
			s.on(day.Add(s.between(0, 23*time.Hour)), func() { s.leave(team) })
		}
	}
}

// minute runs the upkeep that every instance runs once a minute.
func (s *soak) minute() {
	db := s.app.store
	for _, chore := range []func(context.Context, time.Time) error{
		db.RemindUnacked, db.SaveKeyUses, db.EndMutes, db.SaveRefusals, db.QueueSilences, db.OfferRest, s.app.jobs.SendDigests,
	} {
		s.must(chore(context.Background(), s.clock.Now()))
	}
}

// alert opens a monitor's alert, and plans what people will do about it.
func (s *soak) alert(t *soakTeam) {
	now := s.clock.Now()
	i := &soakIncident{token: fmt.Sprintf("soak-%05d", len(s.incidents)), team: t, opened: now}
	s.incidents = append(s.incidents, i)
	s.signal(t, map[string]string{"dedup_key": i.token, "title": "disk full, " + i.token, "severity": "critical"})
	over := s.between(12*time.Minute, 3*time.Hour)
	switch n := s.random.IntN(20); {
	case n < 13:
		s.on(now.Add(s.between(time.Minute, 4*time.Minute)), func() { s.acknowledge(i, t.primary) })
	case n < 17:
		s.on(now.Add(soakWait+s.between(time.Minute, 4*time.Minute)), func() { s.acknowledge(i, t.secondary) })
	case n < 19:
		s.on(now.Add(2*soakWait+s.between(time.Minute, 30*time.Minute)), func() { s.acknowledge(i, t.primary) })
	default:
		over = s.between(30*time.Second, 20*time.Minute) // nobody answers, and it is over by itself
	}
	s.on(now.Add(over), func() {
		i.resolved = s.clock.Now()
		s.signal(t, map[string]string{"dedup_key": i.token, "status": "resolved"})
	})
}

// acknowledge presses the button in the page of the person on call when it opened. People without a page have no
// button.
func (s *soak) acknowledge(i *soakIncident, r *soakRotation) {
	if !i.resolved.IsZero() {
		return
	}
	user := r.who(i.opened)
	for _, m := range s.pagesTo(user) {
		if !strings.Contains(m.Text, i.token) {
			continue
		}
		result, err := s.sim.Click(s.t.Context(), user, m.Channel, m.TS, "ack")
		s.must(err)
		if !result.Acked {
			s.t.Errorf("the acknowledgement of %s by %s was not taken: %s", i.token, user, result.Error)
		}
		i.acked = s.clock.Now()
		s.did["acknowledgements"]++
		return
	}
	s.on(s.clock.Now().Add(5*time.Minute), func() { s.acknowledge(i, r) })
}

// command types a command and returns the answer.
func (s *soak) command(user, channel, line string) string {
	before := len(s.sim.Ephemerals(user))
	if len(s.sim.Views(user)) > 0 {
		_, err := s.sim.CloseView(s.t.Context(), user, true)
		s.must(err)
	}
	result, err := s.sim.Slash(s.t.Context(), user, channel, line)
	s.must(err)
	if !result.Acked {
		s.t.Errorf("%s by %s was not acknowledged: %s", line, user, result.Error)
	}
	var text string
	s.until("an answer to "+line, func() bool {
		all := s.sim.Ephemerals(user)
		if len(all) > before {
			text = all[len(all)-1].Text
		}
		return text != "" || len(s.sim.Views(user)) > 0 || s.out(s.clock.Now())
	})
	s.settle()
	return text
}

// out reports whether Slack is down at the given time.
func (s *soak) out(at time.Time) bool { return !s.backAt(at).Equal(at) }

// backAt returns when Slack works again, counting from the given time.
func (s *soak) backAt(at time.Time) time.Time {
	for _, o := range s.outages {
		if !at.Before(o.from) && at.Before(o.to) {
			return o.to
		}
	}
	return at
}

// askWho asks who is on call.
func (s *soak) askWho(t *soakTeam) {
	if s.out(s.clock.Now()) {
		return
	}
	asker := t.people()[s.random.IntN(soakPrimaries)]
	if _, gone := s.company.left[asker]; gone {
		return
	}
	text := s.command(asker, "#"+t.name, "/oncall who "+t.primary.name)
	want := t.primary.who(s.clock.Now())
	if _, gone := s.company.left[want]; !gone && !strings.Contains(text, "<@"+want+"> ") {
		s.t.Errorf("at %s, /oncall who %s answered %q, want %s", s.clock.Now().Format(time.DateTime), t.primary.name, text, want)
	}
	s.did["questions"]++
}

// override puts one of the primaries on call instead of another, a few days later.
func (s *soak) override(t *soakTeam) {
	if s.out(s.clock.Now()) {
		return
	}
	user := t.primary.turns[s.random.IntN(soakPrimaries)]
	if _, gone := s.company.left[user]; gone {
		return
	}
	day := s.clock.Now().In(t.zone).AddDate(0, 0, 1+s.random.IntN(5))
	hour := 6 + s.random.IntN(12)
	from := time.Date(day.Year(), day.Month(), day.Day(), hour, 0, 0, 0, t.zone)
	to := from.Add(time.Duration(2+s.random.IntN(4)) * time.Hour)
	line := fmt.Sprintf("/oncall override <@%s> %s to %s %s", user, from.Format("2006-01-02 15:04"), to.Format("2006-01-02 15:04"), t.primary.name)
	text := s.command(user, "#"+t.name, line)
	if strings.Contains(text, "is on call in *"+t.primary.name) {
		t.primary.overrides = append(t.primary.overrides, soakOverride{user: user, from: from, to: to})
		s.did["overrides"]++
		return
	}
	s.did["overrides refused"]++
}

// swap exchanges two shifts of the primaries, if the other accepts.
func (s *soak) swap(t *soakTeam) {
	r := t.primary
	if s.out(s.clock.Now()) {
		return
	}
	turn := r.turn(s.clock.Now()) + 1
	mine, theirs := turn+s.random.IntN(soakPrimaries-1), turn+soakPrimaries-1
	if mine == theirs {
		return
	}
	a, b := r.ofTurn(mine), r.ofTurn(theirs)
	for _, n := range []int{mine, theirs} {
		for at := r.start(n); at.Before(r.start(n + 1)); at = at.Add(time.Hour) {
			if _, gone := s.company.left[r.ofTurn(n)]; gone || r.who(at) != r.ofTurn(n) {
				return // only whole shifts that are as planned
			}
		}
	}
	text := s.command(a, "#"+t.name, fmt.Sprintf("/oncall swap %s <@%s> %s", r.start(mine).Format("2006-01-02 15:04"), b, r.start(theirs).Format("2006-01-02 15:04")))
	if !strings.Contains(text, "is asked") {
		s.did["swaps refused"]++
		return
	}
	offered := s.clock.Now()
	s.on(offered.Add(s.between(time.Minute, 20*time.Minute)), func() { s.accept(r, offered, mine, theirs, a, b) })
}

// accept presses the button of the swap that was offered, if its message has arrived.
func (s *soak) accept(r *soakRotation, offered time.Time, mine, theirs int, a, b string) {
	_, aGone := s.company.left[a]
	_, bGone := s.company.left[b]
	if aGone || bGone || s.out(s.clock.Now()) {
		return
	}
	all := s.sim.Messages("@" + strings.ToLower(b[2:]))
	for i, m := range slices.Backward(all) {
		if strings.Contains(string(m.Blocks), "swap_accept") && !soakTime(m.TS).Before(offered) {
			before := len(s.sim.Ephemerals(b))
			_, err := s.sim.Click(s.t.Context(), b, m.Channel, m.TS, "swap_accept")
			s.must(err)
			var accepted bool
			s.until("an answer to the acceptance of a swap", func() bool {
				accepted = strings.Contains(s.sim.Messages(m.Channel)[i].Text, "ccepted")
				return accepted || len(s.sim.Ephemerals(b)) > before
			})
			if accepted {
				r.overrides = append(r.overrides,
					soakOverride{user: b, from: r.start(mine), to: r.start(mine + 1)},
					soakOverride{user: a, from: r.start(theirs), to: r.start(theirs + 1)})
				s.did["swaps"]++
			}
			return
		}
	}
}

// storm sends a hundred alerts within a minute.
func (s *soak) storm(t *soakTeam) {
	storm := &soakStorm{token: fmt.Sprintf("storm-%03d", len(s.storms)), team: t, opened: s.clock.Now(), alerts: 120}
	s.storms = append(s.storms, storm)
	for n := range storm.alerts {
		if n%20 == 19 {
			s.settle()
			s.advance(s.clock.Now().Add(10 * time.Second))
		}
		s.signal(t, map[string]string{"dedup_key": fmt.Sprintf("%s-%d", storm.token, n), "title": fmt.Sprintf("pod %d down, %s", n, storm.token), "severity": "critical"})
	}
	over := s.clock.Now().Add(s.between(20*time.Minute, time.Hour))
	storm.over = over.Add(15 * time.Minute)
	s.on(over, func() {
		for n := range storm.alerts {
			s.signal(t, map[string]string{"dedup_key": fmt.Sprintf("%s-%d", storm.token, n), "status": "resolved"})
		}
	})
}

// outage makes Slack refuse everything for a while.
func (s *soak) outage() {
	o := soakOverride{from: s.clock.Now(), to: s.clock.Now().Add(s.between(5*time.Minute, 40*time.Minute))}
	s.outages = append(s.outages, o)
	s.sim.Fail(slacksim.Fault{Method: "*", Kind: slacksim.FaultBefore, Times: -1})
	s.on(o.to, s.sim.ClearFaults)
}

// leave deactivates somebody in Slack, at most one person per team.
func (s *soak) leave(t *soakTeam) {
	for _, user := range t.people() {
		if _, gone := s.company.left[user]; gone {
			return
		}
	}
	if s.out(s.clock.Now()) {
		return
	}
	user := t.people()[s.random.IntN(len(t.people()))]
	u := soakUser(user, t.zone)
	u.Deleted = true
	s.sim.AddUser(u)
	s.until("Watchbill to hear that "+user+" left", func() bool {
		var gone bool
		s.must(s.app.store.Pool().QueryRow(s.t.Context(), `SELECT EXISTS (SELECT FROM users WHERE id = $1 AND deactivated_at IS NOT NULL)`, user).Scan(&gone))
		return gone
	})
	s.company.left[user] = s.clock.Now()
	s.did["leavers"]++
}
