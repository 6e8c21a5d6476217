package oncall

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

var update = flag.Bool("update", false, "write the tables that the rules give")

// A scenario is an incident with what happens to it, one line after the other.
type scenario struct {
	in    Incident
	facts Facts
	now   time.Time
	calls []Call // all that there ever were
	out   strings.Builder
}

// TestActsChangeTheIncidentOrAreRefused runs the scenarios of testdata/acts.txt.
func TestActsChangeTheIncidentOrAreRefused(t *testing.T) {
	t.Parallel()
	runScenarios(t, "testdata/acts.txt", func(words []string) func([]string) string {
		s := newScenario(t, words)
		return func(words []string) string { return s.run(t, words) }
	})
}

// runScenarios runs the scenarios of a file. A line that begins with ">" says what happens, and the
// lines after it what comes of that: with -update they are written anew.
func runScenarios(t *testing.T, file string, begin func(words []string) (notify func(words []string) string)) {
	t.Helper()
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var notify func([]string) string
	var out strings.Builder
	for line := range strings.Lines(string(want)) {
		switch {
		case strings.HasPrefix(line, "== "):
			notify = begin(strings.Fields(line))
			out.WriteString("\n" + line)
		case strings.HasPrefix(line, "#"):
			out.WriteString(line)
		case strings.HasPrefix(line, "> "):
			out.WriteString(line)
			out.WriteString(notify(strings.Fields(line)[1:]))
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	equal(t, file, out.String(), string(want))
}

// newScenario begins with an incident that nobody has been paged for. Words such as acks=2
// say what is special.
func newScenario(t *testing.T, words []string) *scenario {
	t.Helper()
	policy, roster := payments()
	roster.Schedules = map[ScheduleID]*schedule.Schedule{4: duty(t)}
	gone := noon.Add(-time.Hour)
	roster.Teams = map[TeamID]RosterTeam{1: {Name: "payments", Updates: []string{"#status", "#support"}}}
	roster.Users = map[UserID]User{"U0GONE": {ID: "U0GONE", DeactivatedAt: &gone}, ann: {ID: ann, TimeZone: "Europe/Berlin"}}
	second := Policy{ID: 2, TeamID: 1, Name: "database", Steps: []Step{{Targets: []Target{{Schedule: 4, Role: "primary"}}, Delay: 120}}}
	s := &scenario{in: triggered(), now: noon}
	s.in.NextAt = new(noon)
	for _, w := range words {
		name, value, special := strings.Cut(w, "=")
		if !special {
			continue
		}
		n, _ := strconv.Atoi(value)
		switch name {
		case "acks":
			policy.Acks = n
		case "timeout":
			policy.AckTimeout = Seconds(n)
		case "severity":
			s.in.Severity = Severity(value)
		case "policy":
			s.in.PolicyID = PolicyID(n)
		}
	}
	old := Policy{ID: 3, TeamID: 1, Name: "old", Removed: true}
	s.facts = Facts{Policies: map[PolicyID]Policy{1: policy, 2: second, 3: old}, Roster: roster}
	return s
}

// run lets one thing happen.
func (s *scenario) run(t *testing.T, words []string) string {
	t.Helper()
	s.out.Reset()
	if words[0] == "timer" {
		if s.in.NextAt == nil {
			return "  there is no timer\n"
		}
		s.now = *s.in.NextAt
		c, due := s.in.RunTimer(s.in.Seq, s.facts, s.now)
		if !due {
			t.Errorf("the timer of incident %+v is stale, want it due", s.in)
		}
		s.take(t, c)
		return s.out.String()
	}
	d, err := time.ParseDuration(words[0])
	if err != nil {
		t.Fatal(err)
	}
	s.now = noon.Add(d)
	if words[2] == "leaves" {
		gone := user(words[1])
		s.facts.Roster.Users[gone] = User{ID: gone, DeactivatedAt: &s.now}
		c, any := s.in.TakeBackFromLeavers(s.facts, s.now)
		if !any {
			return "  nothing\n"
		}
		s.take(t, c)
		return s.out.String()
	}
	by, a := actOf(t, s.now, words[1:])
	c, err := s.in.Do(a, by, s.facts, s.now)
	var refusal Refusal
	switch {
	case errors.As(err, &refusal):
		return "  refused: " + refusal.Error() + "\n"
	case err != nil:
		t.Fatal(err)
	}
	s.take(t, c)
	return s.out.String()
}

// actOf reads who does what: "ann snooze 2h".
func actOf(t *testing.T, now time.Time, words []string) (Actor, Act) {
	t.Helper()
	by := ByUser(user(words[0]))
	if words[0] == "monitor" {
		by = ByIntegration("grafana")
	}
	a, arg := Act{Do: ActKind(words[1])}, strings.Join(words[2:], " ")
	switch a.Do {
	case ActSnooze:
		if d, err := time.ParseDuration(arg); err == nil {
			a.Until = now.Add(d)
		} else {
			a.Till = SnoozeEnd(arg)
		}
	case ActReassign:
		if id, ok := strings.CutPrefix(arg, "policy "); ok {
			n, _ := strconv.Atoi(id)
			a.Policy = PolicyID(n)
		} else {
			a.User = user(arg)
		}
	case ActAsk:
		a.User = user(arg)
	case ActNote, ActUpdate:
		a.Text = arg
	case ActSeverity:
		a.Severity = Severity(arg)
	case ActVerdict:
		verdict, helped, _ := strings.Cut(arg, " ")
		a.Verdict, a.Text = Verdict(strings.TrimPrefix(verdict, "-")), helped
	default:
	}
	return by, a
}

func user(name string) UserID {
	if name == "" {
		return ""
	}
	return UserID("U0" + strings.ToUpper(name))
}

// take notes a change and tells it.
func (s *scenario) take(t *testing.T, c Change) {
	t.Helper()
	if c.Incident.Version <= s.in.Version {
		t.Errorf("the version is %d, want more than %d", c.Incident.Version, s.in.Version)
	}
	s.in = c.Incident
	s.calls = append(s.calls, c.Calls...)
	state := string(s.in.Status)
	if s.in.Exhausted {
		state += ", exhausted"
	}
	if s.in.Status == Acknowledged {
		state += " by " + s.in.AckedBy.String()
	}
	if s.in.NextAt != nil {
		state += ", timer " + s.clock(*s.in.NextAt)
	}
	fmt.Fprintf(&s.out, "  %s\n", state)
	for _, e := range c.Events {
		fmt.Fprintf(&s.out, "  | %s\n", s.line(e))
	}
	for _, p := range c.Calls {
		fmt.Fprintf(&s.out, "  page %s%s because %s\n", p.UserID, s.at(p.At), p.Why)
	}
	for _, n := range c.Notices {
		until := ""
		if !n.Detail.End.IsZero() {
			until = " until" + s.at(n.Detail.End)
		}
		fmt.Fprintf(&s.out, "  notice %s to %s%s: %s\n", n.Kind, n.To, until, strings.Join(append(n.Detail.Lines, n.Detail.Note), ""))
	}
	for _, closed := range c.Closes {
		fmt.Fprintf(&s.out, "  settled %v: %s by %q\n", closed.Kinds, closed.State, closed.By)
	}
	var due []string
	for i, p := range s.calls {
		if p.Due(s.in) {
			due = append(due, fmt.Sprintf("%s(%d)", p.UserID, i+1))
		}
	}
	if len(due) > 0 {
		fmt.Fprintf(&s.out, "  due: %s\n", strings.Join(due, " "))
	}
}

// clock tells an instant of the Monday as the time of the day, and others with the day.
func (s *scenario) clock(at time.Time) string {
	if at.Day() == noon.Day() {
		return at.UTC().Format("15:04:05")
	}
	return at.UTC().Format("Jan 2 15:04:05")
}

func (s *scenario) at(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return " " + s.clock(at)
}

func (s *scenario) line(e Event) string {
	d := e.Detail
	out := fmt.Sprintf("%s by %s", e.Kind, e.Actor)
	if d.Step > 0 {
		out += fmt.Sprintf(", round %d step %d run %d", d.Round, d.Step, d.Run)
	}
	if len(d.Users) > 0 {
		out += fmt.Sprint(" ", d.Users)
	}
	if d.Of > 0 {
		out += fmt.Sprintf(" %d of %d", d.Count, d.Of)
	}
	if !d.Until.IsZero() {
		out += " until" + s.at(d.Until)
	}
	if d.Text != "" {
		out += ": " + d.Text
	}
	if !e.InThread() {
		out += " (not shown)"
	}
	return out
}
