package route

import (
	"context"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"

	"github.com/watchbill/watchbill/oncall"
)

var boolType = cel.BoolType

// A List is the compiled rules of one owner. It is immutable.
type List struct {
	Definition
	rules []rule
}

// Compile compiles a list. A rule that is no longer valid never matches, and its verdicts say so.
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

// A Verdict is one rule's result for an alert.
type Verdict struct {
	List    *List
	Rule    Rule
	Matched bool
	Shadow  bool   // of the rule or its list
	Reached bool   // false: an earlier rule matched
	Failed  bool   // it could not be evaluated; Why is the reason
	Timeout bool   // it ran out of time
	Why     string // why it did not match
}

// A Router applies the lists of one integration, its own first and then its team's.
type Router struct {
	Lists       []*List
	Integration oncall.Integration
	Team        string                        // its name
	Policy      func(oncall.PolicyID) string  // returns a policy's name
	Usable      func(oncall.PolicyID) bool    // whether a policy still exists; nil: all do
	Log         func(oncall.RouteName, error) // called if a rule runs out of time; may be nil
}

// Route returns what the rules do with a signal.
func (r *Router) Route(ctx context.Context, s oncall.Signal) oncall.Routing {
	out, _ := r.ask(ctx, s, false)
	return out
}

// Explain is Route with the verdict of each rule.
func (r *Router) Explain(ctx context.Context, s oncall.Signal) (oncall.Routing, []Verdict) {
	return r.ask(ctx, s, true)
}

func (r *Router) ask(ctx context.Context, s oncall.Signal, explain bool) (out oncall.Routing, all []Verdict) {
	facts := FactsOf(r.Integration, r.Team, s)
	for _, l := range r.Lists {
		q := question{ctx: ctx, facts: &facts, left: costLimit, explain: explain}
		done := false // this list has decided, even if only in shadow
		for i := range l.rules {
			rule := &l.rules[i]
			if done || out.Matched() {
				if explain {
					all = append(all, Verdict{List: l, Rule: rule.Rule, Shadow: l.Shadow || rule.Shadow})
				}
				continue
			}
			v := q.ask(rule)
			v.List, v.Shadow, v.Reached = l, l.Shadow || rule.Shadow, true
			r.take(&out, v)
			done = v.Matched && !rule.Shadow
			if explain {
				all = append(all, v)
			}
		}
	}
	return out, all
}

// take applies one verdict to the result.
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

// A question is one alert under evaluation by one list.
type question struct {
	ctx     context.Context
	facts   *Facts
	vars    map[string]any // created for the first expression
	left    uint64         // remaining cost of expressions
	explain bool           // explain why rules don't match
}

func (q *question) ask(r *rule) Verdict {
	v := Verdict{Rule: r.Rule}
	if r.broken != "" {
		v.Failed, v.Why = true, r.broken
		return v
	}
	for _, c := range r.conditions {
		if !c.isTrue(q.facts) {
			if q.explain {
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
	matched, ok := value.Value().(bool)
	switch {
	case !ok:
		v.Failed, v.Why = true, errNotBool.Error()
	case matched:
		v.Matched = true
	default:
		v.Why = "when: it says false"
	}
	return v
}
