package oncall

// A RouteOwner is the team or the integration that a list of routes belongs to. One of the two is 0.
type RouteOwner struct {
	Team        TeamID
	Integration IntegrationID
}

// A RouteName names one rule of a list.
type RouteName struct {
	RouteOwner
	Rule string
}

// A Routing is the result of evaluating the routes of an integration and its team for one signal.
type Routing struct {
	Rule     RouteName // the rule that matched; zero: none
	Version  int       // of the rule's list
	Policy   PolicyID  // 0: the integration's
	Drop     bool
	Severity Severity          // "": unchanged
	Labels   map[string]string // labels to set
	Hold     Seconds           // how long the alert must last before it opens an incident
	Grouping *Grouping         // nil: the integration's
	Does     string            // describes all that except the policy: "severity low; hold it for 5m0s"

	Failed []FailedRoute // rules that could not be evaluated, and so didn't match
	Shadow []ShadowRoute // rules in shadow that matched
}

// Matched reports whether a rule matched.
func (r Routing) Matched() bool { return r.Rule != (RouteName{}) }

// A FailedRoute is a rule that could not be evaluated, and why.
type FailedRoute struct {
	Rule RouteName
	Why  string
}

// A ShadowRoute is a rule in shadow that matched, and what it would have done: "drop it". Would doesn't contain the
// policy's name, which not everybody may read.
type ShadowRoute struct {
	Rule   RouteName
	Would  string
	Policy PolicyID
}
