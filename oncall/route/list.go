package route

import (
	"context"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"

	"github.com/watchbill/watchbill/oncall"
)

var boolType = cel.BoolType

// A List is the rules of one owner, ready to be asked. It never changes.
type List struct {
	Definition
	rules []rule
}

// Compile makes a list of its definition. A rule that can't be read any more never matches, and says so.
func Compile(d Definition) *List {
	l := &List{Definition: d}
	for _, r := range d.Rules {
		compiled, faults := compileRule(r)
		if len(faults) > 0 {
			compiled = rule{Rule: r, broken: strings.Join(faults, "; ")}
		}
		l.rules = append(l.rules, compiled)
	}
	return l
}

// A Verdict is what one rule says of an alert.
type Verdict struct {
	List    *List
	Rule    Rule
	Matched bool
	Shadow  bool   // the rule or its list is
	Reached bool   // false: another rule matched before
	Failed  bool   // it could not be evaluated, and Why says why
	Timeout bool   // there was no time to evaluate it
	Why     string // it did not match
}

// A Router asks the lists of one integration, its own first and then its team's.
type Router struct {
	Lists       []*List
	Integration oncall.Integration
	Team        string                        // its name
	Policy      func(oncall.PolicyID) string  // the name of one
	Usable      func(oncall.PolicyID) bool    // false: it was removed; nil: all are
	Log         func(oncall.RouteName, error) // a rule was not evaluated for lack of time; nil: nobody hears of it
}

// Route says what the rules make of a signal.
func (r *Router) Route(ctx context.Context, s oncall.Signal) oncall.Routing {
	out, _ := r.ask(ctx, s, false)
	return out
}

// Explain says the same, and what each rule said.
func (r *Router) Explain(ctx context.Context, s oncall.Signal) (oncall.Routing, []Verdict) {
	return r.ask(ctx, s, true)
}

func (r *Router) ask(ctx context.Context, s oncall.Signal, tell bool) (out oncall.Routing, all []Verdict) {
	facts := FactsOf(r.Integration, r.Team, s)
	for _, l := range r.Lists {
		q := question{ctx: ctx, facts: &facts, left: costLimit, tell: tell}
		done := false // this list has decided, be it in shadow
		for i := range l.rules {
			rule := &l.rules[i]
			if done || out.Matched() {
				if tell {
					all = append(all, Verdict{List: l, Rule: rule.Rule, Shadow: l.Shadow || rule.Shadow})
				}
				continue
			}
			v := q.ask(rule)
			v.List, v.Shadow, v.Reached = l, l.Shadow || rule.Shadow, true
			r.take(&out, v)
			done = v.Matched && !rule.Shadow
			if tell {
				all = append(all, v)
			}
		}
	}
	return out, all
}

// take adds what one rule says to what is to be done.
func (r *Router) take(out *oncall.Routing, v Verdict) {
	name := oncall.RouteName{RouteOwner: v.List.Owner, Rule: v.Rule.Name}
	switch {
	case v.Failed:
		out.Failed = append(out.Failed, oncall.FailedRoute{Rule: name, Why: v.Why})
		if v.Timeout && r.Log != nil {
			r.Log(name, errNoTime)
		}
	case !v.Matched:
	case v.Shadow:
		out.Shadow = append(out.Shadow, oncall.ShadowRoute{Rule: name, Would: v.Rule.Does(nil), Policy: v.Rule.Policy})
	default:
		does := v.Rule
		out.Rule, out.Version = name, v.List.Version
		out.Does = does.Does(nil)
		out.Policy, out.Drop, out.Severity, out.Labels, out.Hold, out.Grouping = does.Policy, does.Drop, does.Severity, does.Labels, does.Hold, does.Group
		if out.Policy != 0 && r.Usable != nil && !r.Usable(out.Policy) {
			out.Policy = 0
			out.Failed = append(out.Failed, oncall.FailedRoute{Rule: name, Why: "the policy that it names has been removed"})
		}
	}
}

// A question is one alert put to one list.
type question struct {
	ctx   context.Context
	facts *Facts
	vars  map[string]any // made when the first expression needs it
	left  uint64         // of what the expressions may cost
	tell  bool           // why what doesn't match doesn't
}

func (q *question) ask(r *rule) Verdict {
	v := Verdict{Rule: r.Rule}
	if r.broken != "" {
		v.Failed, v.Why = true, r.broken
		return v
	}
	for _, c := range r.conditions {
		if !c.isTrue(q.facts) {
			if q.tell {
				v.Why = c.unmet(q.facts)
			}
			return v
		}
	}
	if r.when == nil {
		v.Matched = true
		return v
	}
	if q.left == 0 {
		v.Failed, v.Why = true, fmt.Sprintf("the rules before it cost more than %d steps", costLimit)
		return v
	}
	if q.vars == nil {
		q.vars = q.facts.vars()
	}
	value, cost, err := r.when.eval(q.ctx, q.vars)
	q.left -= min(q.left, cost)
	if err != nil {
		v.Failed, v.Timeout, v.Why = true, OutOfTime(err), err.Error()
		return v
	}
	said, ok := value.Value().(bool)
	switch {
	case !ok:
		v.Failed, v.Why = true, errNotBool.Error()
	case said:
		v.Matched = true
	default:
		v.Why = "when: it says false"
	}
	return v
}
