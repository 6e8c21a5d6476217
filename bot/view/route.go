package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// A RouteList is the rules of an integration or a team.
type RouteList struct {
	Of       string // "integration prometheus"
	Version  int    // 0: never had a rule
	Versions int    // number of versions
	Shadow   bool
	SavedAt  time.Time
	SavedBy  oncall.Actor
	Rules    []RouteRule

	Integration string // whose they are; empty: a team's
}

// A RouteRule is one rule of a list.
type RouteRule struct {
	Name   string
	Asks   []string // its conditions, as written
	Does   string
	Shadow bool // the rule or its whole list
	Tally  oncall.RouteTally
}

// maxDrawnRules is the maximum number of rules with a block of their own; more become text.
const maxDrawnRules = 20

// Routes shows the lists of rules that apply to an alert, in order of evaluation. end is where it goes if none
// matches.
func Routes(lists []RouteList, end string, zone *time.Location) Drawing {
	var lines []string
	rules := 0
	for _, l := range lists {
		rules += len(l.Rules)
		lines = append(lines, l.heading(zone))
		for i, rule := range l.Rules {
			lines = append(lines, fmt.Sprintf("%d. %s", i+1, rule.line(zone)))
		}
	}
	lines = append(lines, "What no rule matches goes to "+Foreign(end, maxTitle)+".")
	d := Drawing{Text: fitLines(lines, MaxAnswer)}
	if rules > maxDrawnRules {
		return d
	}
	for _, line := range lines {
		d.Blocks = append(d.Blocks, section(line))
	}
	d.Blocks = append(d.Blocks, note("The first rule that matches decides. `watchbill routes` prints them as the set-up file has them, and each version that there was; "+
		"`watchbill apply` says what other rules would have made of what came."))
	return d
}

// AllRoutes lists the owners of rules.
func AllRoutes(lists []RouteList, none string, zone *time.Location) Drawing {
	var lines []string
	for _, l := range lists {
		if len(l.Rules) > 0 {
			lines = append(lines, "• "+l.heading(zone))
		}
	}
	if len(lines) == 0 {
		return Text("There are no rules" + none + ": every alert goes to the escalation policy of its integration. `routes:` in the set-up file makes some.")
	}
	return Drawing{Text: fitLines(append(lines, "`/oncall routes NAME` shows the rules of a team or an integration, and what each has done."), MaxAnswer)}
}

// heading names the owner of the rules, and who saved them.
func (l RouteList) heading(zone *time.Location) string {
	if len(l.Rules) == 0 && l.Version == 0 {
		return fmt.Sprintf("*%s* has no rules.", ownerFirst(Name(l.Of)))
	}
	text := fmt.Sprintf("*%s*: %s, version %d, saved %s by %s", ownerFirst(Name(l.Of)), Count(len(l.Rules), "rule"), l.Version, stamp(l.SavedAt, asAgo, zone), actorName(l.SavedBy))
	if l.Shadow {
		text += "; all of it is in shadow, and changes nothing"
	}
	return text
}

func ownerFirst(s string) string { // for the beginning of a line
	if rest, ok := strings.CutPrefix(s, "integration "); ok {
		return "Integration " + rest
	}
	if rest, ok := strings.CutPrefix(s, "team "); ok {
		return "Team " + rest
	}
	return s
}

// line describes a rule and how often it has applied.
func (r RouteRule) line(zone *time.Location) string { return r.says() + "\n" + r.useText(zone) }

// useText says how often the rule has applied.
func (r RouteRule) useText(zone *time.Location) string {
	var parts []string
	t := r.Tally
	for _, n := range []struct {
		n    int
		what string
	}{
		{t.Matched, "matched"}, {t.Dropped, "dropped"}, {t.Held, "held"}, {t.Passed, "over before it paged"}, {t.Shadow, "would have matched"},
	} {
		if n.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", n.what, n.n))
		}
	}
	if t.Failed > 0 {
		parts = append(parts, fmt.Sprintf(":warning: failed %d, the last time: %s", t.Failed, Foreign(t.Error, maxTitle)))
	}
	if len(parts) == 0 {
		return "It has matched nothing yet."
	}
	return strings.Join(parts, ", ") + "; last " + stamp(t.At, asAgo, zone)
}

// A Tried is what a payload would become now.
type Tried struct {
	ID      oncall.PayloadID
	Of      string // name of its integration
	At      time.Time
	Kind    string // its format; empty: not understood
	Signals []TriedSignal
	Maps    bool // its integration has a mapping
}

// A TriedSignal is one of the payload's signals.
type TriedSignal struct {
	Fires   bool
	Says    string // if it doesn't fire an alert: "resolve"
	Outcome oncall.Outcome
	Labels  map[string]string // as sent by the monitor
	Details map[string]string
	Rules   []TriedRule
	Policy  string // the policy that pages, if the reader may know it
	Pages   []oncall.UserID
	Unknown bool // whom it pages is hidden from the reader
}

// A TriedRule is the result of one rule.
type TriedRule struct{ Of, Name, Says, Why string }

const (
	maxTriedSignals = 5  // signals
	maxTriedRules   = 20 // of each
)

// PayloadTried shows what a payload becomes, rule by rule.
func PayloadTried(t Tried, zone *time.Location) slack.ModalViewRequest {
	blocks := append(t.blocks(zone), slack.NewActionBlock("try_mapping", button(ActionPayloadMap, valueOf(t.ID), "Try a mapping…")))
	return readOnly("What becomes of it", blocks...)
}

func (t Tried) blocks(zone *time.Location) []slack.Block {
	read := "It is not understood."
	if t.Kind != "" {
		read = fmt.Sprintf("It is read as %s: %s.", Name(t.Kind), Count(len(t.Signals), "signal"))
	}
	if t.Maps {
		read += " The integration has a mapping."
	}
	blocks := []slack.Block{section(fmt.Sprintf("Payload %d of *%s*, which came %s. %s", t.ID, Name(t.Of), stamp(t.At, asAgo, zone), read))}
	for i, s := range t.Signals {
		if i == maxTriedSignals {
			blocks = append(blocks, note(fmt.Sprintf("And %d more.", len(t.Signals)-i)))
			break
		}
		blocks = append(blocks, section(s.fields()))
		if rules := s.rules(); rules != "" {
			blocks = append(blocks, section(rules))
		}
		blocks = append(blocks, section(s.effect()))
	}
	return blocks
}

// fields describes a signal's fields.
func (s TriedSignal) fields() string {
	o := s.Outcome
	lines := []string{fmt.Sprintf("*%s*", Foreign(o.Title, maxTitle)), "dedup key: " + Foreign(o.DedupKey, maxTitle)}
	if s.Fires {
		lines = append(lines, "severity: "+string(o.Severity))
	}
	if o.Why != "" {
		lines = append(lines, ":warning: "+Foreign(o.Why, maxRuleText))
	}
	for _, of := range []struct {
		name string
		all  map[string]string
	}{{"labels", s.Labels}, {"details", s.Details}} {
		for _, name := range slices.Sorted(maps.Keys(of.all)) {
			lines = append(lines, fmt.Sprintf("%s.%s: %s", of.name, Foreign(name, maxTitle), Foreign(of.all[name], maxTitle)))
		}
	}
	return fitLines(lines, maxTriedText)
}

// maxTriedText is the maximum length of a signal's fields, and of its rules, in characters.
const maxTriedText = 2_000

func (s TriedSignal) rules() string {
	var lines []string
	of := ""
	for i, r := range s.Rules {
		if i == maxTriedRules {
			lines = append(lines, fmt.Sprintf("and %d more rules", len(s.Rules)-i))
			break
		}
		if r.Of != of {
			of = r.Of
			lines = append(lines, "Rules of "+Foreign(of, maxTitle)+":")
		}
		line := fmt.Sprintf("• %s: *%s*", Foreign(r.Name, maxTitle), r.Says)
		if r.Why != "" {
			line += ": " + Foreign(r.Why, maxRuleText)
		}
		lines = append(lines, line)
	}
	return fitLines(lines, maxTriedText)
}

// effect says what becomes of a signal now, and whom it pages.
func (s TriedSignal) effect() string {
	o, by := s.Outcome, ""
	if o.Rule.Rule != "" {
		by = ", by the rule “" + Foreign(o.Rule.Rule, maxTitle) + "”"
	}
	switch {
	case !s.Fires:
		return "It says " + Foreign(s.Says, maxTitle) + ": it opens no incident and pages nobody."
	case o.Dropped:
		return "It is *dropped*" + by + ": it is counted, opens no incident and pages nobody."
	}
	text := "It goes to the escalation policy *" + Name(s.Policy) + "*" + by
	if o.Hold > 0 {
		text += fmt.Sprintf(", only if it still fires after %s", o.Hold.Duration())
	}
	if o.Group != nil {
		text += ", as one incident with others of the same " + Foreign(strings.Join(o.Group.By, ", "), maxTitle)
	}
	if o.Muted {
		return text + ". The integration is muted now: nobody is paged."
	}
	if o.Window != nil {
		text += fmt.Sprintf(". Maintenance %s keeps it for now", o.Window.ID)
	}
	switch {
	case s.Unknown:
		return text + "."
	case len(s.Pages) == 0:
		return text + ". Nobody can be paged first."
	}
	return text + ". Paged first: " + named(s.Pages) + "."
}
