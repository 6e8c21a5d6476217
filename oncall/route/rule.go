package route

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// A Rule is one row of a list. All of its conditions must hold, and When too. It is stored as JSON:
// fields are only ever added.
type Rule struct {
	Name   string   `json:"name"`
	If     []string `json:"if,omitempty"`   // conditions in words
	When   string   `json:"when,omitempty"` // CEL
	Shadow bool     `json:"shadow,omitempty"`

	Policy   oncall.PolicyID   `json:"policy,omitempty"`
	Drop     bool              `json:"drop,omitempty"`
	Severity oncall.Severity   `json:"severity,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"`
	Hold     oncall.Seconds    `json:"hold,omitempty"`
	Group    *oncall.Grouping  `json:"group,omitempty"`
}

// Limits of a list.
const (
	maxRules      = 200
	maxName       = 100 // runes
	maxConditions = 20
	maxLabels     = 20
	maxLabel      = 256    // runes of a label's name or value
	maxHold       = 86_400 // seconds
)

// A Definition is a list as it was saved.
type Definition struct {
	Owner   oncall.RouteOwner
	Called  string // what the owner is called: "integration prometheus"
	Version int
	Shadow  bool // of the whole list
	Rules   []Rule
	SavedAt time.Time
	SavedBy oncall.Actor
}

// A rule is a compiled rule.
type rule struct {
	Rule
	conditions []*condition
	when       *expression
	broken     string // why it can't be used
}

// Problems returns what is wrong with the rules of a list, each in one sentence, including
// conflicts between rules.
func Problems(rules []Rule) []string {
	_, problems := compileRules(rules)
	return problems
}

func compileRules(rules []Rule) (out []rule, problems []string) {
	say := func(i int, format string, args ...any) {
		where := fmt.Sprintf("rule %d: ", i+1)
		if name := rules[i].Name; name != "" {
			where = fmt.Sprintf("rule %q: ", name)
		}
		problems = append(problems, where+fmt.Sprintf(format, args...))
	}
	if len(rules) > maxRules {
		return nil, []string{fmt.Sprintf("there are %d rules; there may be %d", len(rules), maxRules)}
	}
	names := map[string]bool{}
	rest := "" // an earlier rule that matches everything
	for i, r := range rules {
		switch {
		case strings.TrimSpace(r.Name) == "":
			say(i, "it has no name; the timeline and the counts name it by that")
		case len([]rune(r.Name)) > maxName || strings.ContainsAny(r.Name, "\n\r\x00"):
			say(i, "its name is longer than %d characters, or than a line", maxName)
		case names[r.Name]:
			say(i, "there are two of that name")
		}
		names[r.Name] = true
		compiled, faults := compileRule(r)
		for _, f := range faults {
			say(i, "%s", f)
		}
		if rest != "" && !r.Shadow {
			say(i, "nothing comes to it: rule %q before it has no condition and takes everything", rest)
		}
		if len(r.If) == 0 && r.When == "" && !r.Shadow && rest == "" {
			rest = r.Name
		}
		out = append(out, compiled)
	}
	return out, problems
}

func compileRule(r Rule) (out rule, faults []string) {
	out.Rule = r
	if len(r.If) > maxConditions {
		return out, []string{fmt.Sprintf("it has %d conditions; it may have %d", len(r.If), maxConditions)}
	}
	for _, written := range r.If {
		c, err := parseCondition(written)
		if err != nil {
			faults = append(faults, fmt.Sprintf("if %q: %s", written, err))
			continue
		}
		out.conditions = append(out.conditions, c)
	}
	if r.When != "" {
		e, err := compileWhen(r.When)
		switch {
		case err != nil:
			faults = append(faults, fmt.Sprintf("when: %s", err))
		case !e.reads:
			faults = append(faults, "when: it looks at nothing of the alert, and always says the same")
		}
		out.when = e
	}
	if len(faults) == 0 {
		faults = out.actions()
	}
	return out, faults
}

func compileWhen(written string) (*expression, error) {
	env, err := ruleEnv()
	if err != nil {
		return nil, fmt.Errorf("prepare CEL: %w", err)
	}
	return compile(env, written, boolType)
}

// actions returns what is wrong with a rule's effects.
func (r *rule) actions() (faults []string) {
	others := r.Policy != 0 || r.Severity != "" || len(r.Labels) > 0 || r.Hold != 0 || r.Group != nil
	switch {
	case r.Drop && others:
		faults = append(faults, "it drops what it matches, so nothing else can be done with it")
	case r.Drop && !r.narrow():
		faults = append(faults, "it drops, and needs a condition about the alert itself, such as \"labels.env is staging\"; to silence a whole integration, mute it")
	case !r.Drop && !others:
		faults = append(faults, "it does nothing: give it to, drop, severity, labels, hold or group")
	}
	if r.Severity != "" && !slices.Contains(oncall.Severities(), r.Severity) {
		faults = append(faults, fmt.Sprintf("severity is %q; it may be critical, high, medium or low", r.Severity))
	}
	if r.Hold < 0 || r.Hold > maxHold {
		faults = append(faults, "hold may be 1s to 24h")
	}
	return append(faults, r.labels()...)
}

func (r *rule) labels() (faults []string) {
	if len(r.Labels) > maxLabels {
		faults = append(faults, fmt.Sprintf("it sets %d labels; it may set %d", len(r.Labels), maxLabels))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Labels)) {
		value := r.Labels[name]
		if strings.TrimSpace(name) == "" || len([]rune(name)) > maxLabel || len([]rune(value)) > maxLabel || strings.ContainsRune(name+value, 0) {
			faults = append(faults, fmt.Sprintf("label %q: its name is missing, or name or value are longer than %d characters", name, maxLabel))
		}
	}
	return faults
}

// narrow reports whether any of the rule's tests distinguishes alerts.
func (r *rule) narrow() bool {
	return r.when != nil || slices.ContainsFunc(r.conditions, func(c *condition) bool { return !c.always() })
}

// Does describes what the rule does with alerts that it matches; a nil policy leaves out the
// policy.
func (r Rule) Does(policy func(oncall.PolicyID) string) string {
	var parts []string
	if r.Drop {
		return "drop it"
	}
	if r.Policy != 0 && policy != nil {
		parts = append(parts, "to policy "+policy(r.Policy))
	}
	if r.Severity != "" {
		parts = append(parts, "severity "+string(r.Severity))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Labels)) {
		parts = append(parts, fmt.Sprintf("label %s=%s", name, r.Labels[name]))
	}
	if r.Hold != 0 {
		parts = append(parts, fmt.Sprintf("hold it for %s", r.Hold.Duration()))
	}
	if r.Group != nil {
		parts = append(parts, "group by "+strings.Join(r.Group.By, ", "))
	}
	return strings.Join(parts, "; ")
}
