package main

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/slacksim"
)

const (
	soakSlack  = 15 * time.Second // how late something may be said
	soakHealed = 5 * time.Minute  // how long after a Slack outage everything that waited for it must have arrived
)

// pagesTo lists the pages that somebody got, about one incident or several, oldest first. It reads the
// current state of their messages.
func (s *soak) pagesTo(user string) []slacksim.Message {
	return slices.DeleteFunc(s.sim.Messages("@"+strings.ToLower(user[2:])), func(m slacksim.Message) bool {
		text := m.Text + string(m.Blocks)
		return !strings.Contains(text, "paged because") && !strings.Contains(text, "incidents* for you")
	})
}

func soakTime(ts string) time.Time {
	seconds, _ := strconv.ParseFloat(ts, 64)
	return time.Unix(0, int64(seconds*1e9)).Truncate(time.Second)
}

// check compares what was said in Slack with what is promised.
func (s *soak) check() {
	pages := map[string]map[string][]time.Time{} // by token, by person
	for _, t := range s.company.teams {
		for _, user := range t.people() {
			for _, m := range s.pagesTo(user) {
				for _, token := range tokensIn(m) {
					if pages[token] == nil {
						pages[token] = map[string][]time.Time{}
					}
					pages[token][user] = append(pages[token][user], soakTime(m.TS))
				}
			}
		}
	}
	for _, i := range s.incidents {
		if s.stormy(i) {
			s.did["alerts in storms"]++ // part of the storm's incident
			continue
		}
		s.checkPages(i, pages[i.token])
		s.checkChannel(i)
	}
	for _, storm := range s.storms {
		s.checkStorm(storm, pages)
	}
	for _, t := range s.company.teams {
		for _, r := range []*soakRotation{t.primary, t.secondary} {
			s.checkHandOffs(r)
		}
	}
}

// tokensIn returns the incidents that a message is about.
func tokensIn(m slacksim.Message) []string {
	text := m.Text + string(m.Blocks)
	var out []string
	for _, kind := range []string{"soak-", "storm-"} {
		for at := 0; ; {
			n := strings.Index(text[at:], kind)
			if n < 0 {
				break
			}
			at += n
			end := at + len(kind)
			for end < len(text) && text[end] >= '0' && text[end] <= '9' {
				end++
			}
			if token := text[at:end]; !slices.Contains(out, token) {
				out = append(out, token)
			}
			at = end
		}
	}
	return out
}

// checkPages checks that whoever is on call is paged at once, the next person after five minutes
// unless somebody has acknowledged, and the whole team after ten, and that nobody else is paged, or
// more often.
func (s *soak) checkPages(i *soakIncident, got map[string][]time.Time) {
	want := s.pagesOf(i)
	if s.anyLeft(i.team) { // the stories cover who stands in for a leaver; here nobody must be forgotten
		if len(want) > 0 && len(got) == 0 && i.open(s.backAt(i.opened)) {
			s.t.Errorf("%s: nobody was paged, want %v", i, want)
		}
		return
	}
	for user, due := range want {
		s.did["pages"] += len(due)
		times := got[user]
		late := s.backAt(due[len(due)-1])
		outage := slices.ContainsFunc(due, s.out)
		switch {
		case len(times) == 0 && outage && !i.open(late):
			continue // over before Slack came back
		case len(times) > len(due), len(times) < len(due) && !outage, len(times) == 0:
			s.t.Errorf("%s: %s was paged at %v, want %v", i, user, times, due)
			continue
		}
		for n, at := range times {
			if outage && at.After(late.Add(soakHealed)) || !outage && (at.Before(due[n]) || at.After(due[n].Add(soakSlack))) {
				s.t.Errorf("%s: %s was paged %s after it was due, want 0 to %s, or soon after an outage", i, user, at.Sub(due[n]), soakSlack)
			}
		}
	}
	for user, times := range got {
		if len(want[user]) == 0 {
			s.t.Errorf("%s: %s was paged at %v and should not have been", i, user, times)
		}
	}
}

// pagesOf returns who must be paged about an incident, and when.
func (s *soak) pagesOf(i *soakIncident) map[string][]time.Time {
	want := map[string][]time.Time{}
	for n, whom := range [][]string{{i.team.primary.who(i.opened)}, {i.team.secondary.who(i.opened.Add(soakWait))}, i.team.people()} {
		due := i.opened.Add(time.Duration(n) * soakWait)
		if !due.Before(s.end) || !i.open(due) {
			break
		}
		for _, user := range whom {
			want[user] = append(want[user], due)
		}
	}
	return want
}

func (s *soak) anyLeft(t *soakTeam) bool {
	return slices.ContainsFunc(t.people(), func(u string) bool { _, gone := s.company.left[u]; return gone })
}

// checkChannel checks that the team's channel has one message for each incident, which shows its
// current state.
func (s *soak) checkChannel(i *soakIncident) {
	state := "Triggered"
	switch {
	case !i.resolved.IsZero():
		state = "Resolved"
	case !i.acked.IsZero():
		state = "Acknowledged"
	}
	roots := 0
	for _, m := range s.sim.Messages("#" + i.team.name) {
		if m.ThreadTS != "" && m.ThreadTS != m.TS || !slices.Contains(tokensIn(m), i.token) || strings.Contains(m.Text, "takes over from") || strings.Contains(m.Text, "on call in *") {
			continue
		}
		roots++
		if !strings.Contains(m.Text+string(m.Blocks), state) {
			s.t.Errorf("%s: the channel's message doesn't say %s: %s", i, state, m.Text)
		}
	}
	if roots != 1 {
		s.t.Errorf("%s: %d messages in the channel, want 1", i, roots)
	}
}

// stormy reports whether an alert came while its team had a storm.
func (s *soak) stormy(i *soakIncident) bool {
	return slices.ContainsFunc(s.storms, func(storm *soakStorm) bool {
		return storm.team == i.team && !i.opened.Before(storm.opened) && i.opened.Before(storm.over)
	})
}

// checkStorm checks that a storm causes only a handful of pages, the first at once.
func (s *soak) checkStorm(storm *soakStorm, pages map[string]map[string][]time.Time) {
	user := storm.team.primary.who(storm.opened)
	if _, gone := s.company.left[user]; gone {
		return
	}
	times := pages[storm.token][user]
	late := s.backAt(storm.opened)
	atOnce := slices.ContainsFunc(s.pagesTo(user), func(m slacksim.Message) bool {
		at := soakTime(m.TS) // its text may already say what became of the storm
		return !at.Before(storm.opened) && !at.After(storm.opened.Add(soakSlack))
	})
	switch {
	case len(times) == 0 && !atOnce:
		s.t.Errorf("%s of %s, opened %s: %s was never paged", storm.token, storm.team.name, storm.opened.Format(time.DateTime), user)
	case len(times) > 14:
		s.t.Errorf("%s of %s: %s was paged %d times for %d alerts", storm.token, storm.team.name, user, len(times), storm.alerts)
	case late.Equal(storm.opened) && !atOnce:
		s.t.Errorf("%s of %s, opened %s: %s was not paged at once, but at %v", storm.token, storm.team.name, storm.opened.Format(time.DateTime), user, times)
	}
}

// checkHandOffs checks that people who come on call are told at that time.
func (s *soak) checkHandOffs(r *soakRotation) {
	for _, at := range r.changes(soakStart.Add(time.Second), s.end.Add(-time.Minute)) {
		user := r.who(at)
		if _, gone := s.company.left[user]; gone {
			continue
		}
		late := s.backAt(at)
		var told int
		var around []string
		for _, m := range s.sim.Messages("@" + strings.ToLower(user[2:])) {
			said := soakTime(m.TS)
			if said.After(at.Add(-time.Hour)) && said.Before(at.Add(time.Hour)) {
				around = append(around, said.Format(time.TimeOnly)+" "+m.Text)
			}
			limit := at.Add(time.Minute)
			if !late.Equal(at) {
				limit = late.Add(soakHealed)
			}
			if strings.Contains(m.Text, "You are on call in") && strings.Contains(m.Text, "*"+r.name+"*") && !said.Before(at) && !said.After(limit) {
				told++
			}
		}
		if told != 1 {
			s.t.Errorf("%s: %s came on call at %s and was told %d times, want once; they heard %q", r.name, user, at.UTC().Format(time.DateTime), told, around)
		}
		s.did["hand-offs"]++
	}
}
