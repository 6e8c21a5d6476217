package oncall

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestPagesFollowTheirContactRules runs the scenarios of testdata/pages.txt.
func TestPagesFollowTheirContactRules(t *testing.T) {
	t.Parallel()
	runScenarios(t, "testdata/pages.txt", func(words []string) func([]string) string {
		s := newPageScenario(words)
		return func(words []string) string { return s.run(t, words) }
	})
}

// A pageScenario is a small store that remembers what is decided about pages.
type pageScenario struct {
	facts     Facts
	reach     ContactSettings // Ann's
	contacts  map[ContactID]*PageContact
	incidents map[IncidentID]Incident
	pages     []PageStatus // by number
	last      map[recipient]LastPage
	calls     []PhoneCall // before the scenario
	now       time.Time
	out       strings.Builder
}

// newPageScenario begins where nobody has been paged. ann=slack,voice+60s says how Ann wants to be
// reached, and also=#ops that the first step pages a channel too.
func newPageScenario(words []string) *pageScenario {
	policy, roster := payments()
	s := &pageScenario{contacts: map[ContactID]*PageContact{}, incidents: map[IncidentID]Incident{}, last: map[recipient]LastPage{}}
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		switch name {
		case "ann":
			s.reach.High = []Rule{}
			for rule := range strings.SplitSeq(value, ",") {
				method, after, _ := strings.Cut(rule, "+")
				d, _ := time.ParseDuration(cmp.Or(after, "0s"))
				s.reach.High = append(s.reach.High, Rule{Contact: s.contact(Method(method)), After: Seconds(d.Seconds())})
			}
		case "also":
			policy.Steps[0].Targets = append(policy.Steps[0].Targets, Target{Channel: value})
		}
	}
	s.facts = facts(policy, roster)
	return s
}

// contact returns Ann's contact method; 0 is Slack.
func (s *pageScenario) contact(method Method) ContactID {
	if method == MethodSlack {
		return 0
	}
	for _, c := range s.reach.Contacts {
		if c.Method == method {
			return c.ID
		}
	}
	id := ContactID(len(s.reach.Contacts) + 1)
	s.reach.Contacts = append(s.reach.Contacts, Contact{ID: id, UserID: ann, Method: method, VerifiedAt: new(noon)})
	s.contacts[id] = &PageContact{Address: "Ann's " + string(method)}
	return id
}

// run lets one thing happen, some time after noon.
func (s *pageScenario) run(t *testing.T, words []string) string {
	t.Helper()
	s.out.Reset()
	d, err := time.ParseDuration(words[0])
	if err != nil {
		t.Fatal(err)
	}
	s.now = noon.Add(d)
	number, what := 0, words[1]
	if len(words) > 2 {
		number, _ = strconv.Atoi(words[2])
	}
	if number > len(s.pages) {
		t.Fatalf("there is no page %d, want at most %d", number, len(s.pages))
	}
	rest := strings.Join(words[min(3, len(words)):], " ")
	switch {
	case strings.HasPrefix(what, "#"):
		s.happens(t, words[1:])
	case what == "off":
		c := s.contacts[s.contact(Method(words[2]))]
		c.DisabledAt, c.DisabledWhy = &s.now, rest
	case what == "called": // Ann's phone, a moment before noon
		times, _ := strconv.Atoi(words[3])
		s.calls = append(s.calls, PhoneCall{Times: times, Severities: []Severity{Severity(words[4])}})
		return "  it has rung\n"
	case what == "look":
		s.look(number, rest)
	case what == "receipt":
		state, why, _ := strings.Cut(rest, " ")
		s.end(number, func(f PageFacts) PageChange {
			return f.RecordReceipt(PageReceipt{State: ReceiptState(state), Why: why, Final: state == "answered"}, s.now)
		})
	default:
		s.end(number, func(f PageFacts) PageChange { return f.Record(s.result(t, what, f.Lead, rest), s.now) })
	}
	if s.out.Len() == 0 {
		return "  nothing\n"
	}
	return s.out.String()
}

// result returns a sender's result for a page.
func (s *pageScenario) result(t *testing.T, what string, p PageStatus, why string) PageResult {
	t.Helper()
	switch what {
	case "taken":
		return PageAccepted{Ref: why, Track: p.Method == MethodVoice}
	case "shown":
		version, _ := strconv.Atoi(why)
		return PageAccepted{Copy: &DrawnCopy{Channel: "D1", TS: "1.0", Version: int64(version)}}
	case "refused":
		return PageRefused{Why: why}
	case "dead":
		return PageRefused{Why: why, Dead: true}
	case "blocked":
		return PageBlocked{Why: why}
	case "throttled":
		return PageThrottled{Why: why}
	case "passed":
		return PageThrottled{Why: why, Passed: true}
	case "unclear":
		return PageDoubtful{Why: why, Since: *p.DoubtAt}
	}
	t.Fatalf("nobody knows what %q means", what)
	return nil
}

// happens lets an incident be opened ("#1 high", "#2 low integration 4"), its timer fire ("#1
// timer"), or somebody act ("#1 bo ack").
func (s *pageScenario) happens(t *testing.T, words []string) {
	t.Helper()
	n, _ := strconv.Atoi(words[0][1:])
	in, known := s.incidents[IncidentID(n)]
	var c Change
	switch {
	case !known:
		in = triggered()
		in.ID, in.Severity, in.IntegrationID = IncidentID(n), Severity(words[1]), 3
		if len(words) > 3 {
			other, _ := strconv.Atoi(words[3])
			in.IntegrationID = IntegrationID(other)
		}
		in.NextAt = &s.now
		c, _ = in.RunTimer(in.Seq, s.facts, s.now)
	case words[1] == "timer":
		c, _ = in.RunTimer(in.Seq, s.facts, s.now)
	default:
		by, a := actOf(t, s.now, words[1:])
		var err error
		if c, err = in.Do(a, by, s.facts, s.now); err != nil {
			t.Fatal(err)
		}
	}
	s.incidents[c.Incident.ID] = c.Incident
	if known {
		fmt.Fprintf(&s.out, "  %s is %s\n", in.ID, c.Incident.Status)
	}
	for _, p := range c.Calls {
		reach := ContactSettings{}
		if p.UserID == ann {
			reach = s.reach
		}
		all := PagesOfCall(p, reach, c.Incident.Severity == Low, s.now)
		for i, look := range FirstChecks(all) {
			d := all[i]
			d.ID = PageID(len(s.pages) + 1)
			s.pages = append(s.pages, PageStatus{Page: d, State: PageWaiting})
			fmt.Fprintf(&s.out, "  page %d is %s's about %s by %s at %s", d.ID, cmp.Or(string(d.UserID), d.To), in.ID, d.Method, clock(d.At))
			if look.Before(d.At) {
				fmt.Fprintf(&s.out, ", looked at first at %s", clock(look))
			}
			s.out.WriteString("\n")
		}
	}
}

// load makes the facts about a page, as the store does by SQL.
func (s *pageScenario) load(number int) PageFacts {
	f := PageFacts{
		Lead: s.pages[number-1], Incidents: s.incidents, Job: int64(number),
		Watchers: map[TeamID][]string{1: {"#payments"}},
	}
	if s.now.Before(noon.Add(CallsWithin)) {
		f.PhoneCalls = slices.Clone(s.calls)
	}
	for _, p := range s.pages {
		if p.Method == f.Lead.Method && p.Ref != "" && p.AttemptedAt.After(s.now.Add(-CallsWithin)) {
			f.PhoneCalls = append(f.PhoneCalls, PhoneCall{Page: p.ID, Times: 1 + p.Redials, Severities: []Severity{s.incidents[p.IncidentID].Severity}})
		}
	}
	f.Last, f.Contact = s.last[f.Lead.recipient()], s.contacts[f.Lead.Contact]
	message := []PageStatus{f.Lead}
	for _, p := range s.pages {
		if p.Bundle == f.Lead.ID {
			f.Members, message = append(f.Members, p), append(message, p)
		}
	}
	for _, p := range s.pages {
		if slices.ContainsFunc(message, func(m PageStatus) bool { return m.id() == p.id() }) {
			o := CallPage{Page: p.Page, State: p.State, Redials: p.Redials, DeferredUntil: p.DeferredUntil}
			if last := s.last[p.recipient()]; last.Page != 0 {
				o.LastState = s.pages[last.Page-1].State
			}
			f.SameCall = append(f.SameCall, o)
		}
		if p.latestStep(s.incidents[p.IncidentID]) {
			f.Step = append(f.Step, StepPage{ID: p.ID, IncidentID: p.IncidentID, State: p.State, Blocked: p.Blocked})
		}
		if p.Code != 0 && p.Contact == f.Lead.Contact {
			c := CodeInUse{Code: p.Code, Own: true}
			for _, m := range s.pages {
				if m.ID != p.ID && m.Bundle != p.ID {
					continue
				}
				c.Incidents = append(c.Incidents, m.IncidentID)
				if s.incidents[m.IncidentID].Open() {
					c.Open = append(c.Open, m.IncidentID)
				}
			}
			f.Codes = append(f.Codes, c)
		}
	}
	return f
}

// others returns the other pages of a recipient.
func (s *pageScenario) others(lead PageStatus) []PageStatus {
	var out []PageStatus
	for _, p := range s.pages {
		if p.ID != lead.ID && p.recipient() == lead.recipient() {
			out = append(out, p)
		}
	}
	return out
}
