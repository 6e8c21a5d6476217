package oncall

// A RouteOwner is whose list of routes it is: an integration's, or else a team's. One of the two is 0.
type RouteOwner struct {
	Team        TeamID
	Integration IntegrationID
}

// A RouteName names one rule of a list.
type RouteName struct {
	RouteOwner
	Rule string
}

// A Routing is what the routes of an integration and its team make of one signal.
type Routing struct {
	Rule     RouteName // that matched; zero: none did
	Version  int       // of its list
	Policy   PolicyID  // 0: the integration's own
	Drop     bool
	Severity Severity          // "": what the monitor says
	Labels   map[string]string // that are set
	Hold     Seconds           // how long the alert must last before it opens an incident
	Grouping *Grouping         // nil: the integration's own
	Does     string            // all that but the policy, for people: "severity low; hold it for 5m0s"

	Failed []FailedRoute // rules that could not be evaluated; they did not match
	Shadow []ShadowRoute // what rules in shadow would have done
}

// Matched reports whether a rule did.
func (r Routing) Matched() bool { return r.Rule != (RouteName{}) }

// A FailedRoute is a rule that could not be evaluated, and why.
type FailedRoute struct {
	Rule RouteName
	Why  string
}

// A ShadowRoute is a rule in shadow that matched, and what it would have done: "drop it". Would leaves the policy
// out, which not everybody may read.
type ShadowRoute struct {
	Rule   RouteName
	Would  string
	Policy PolicyID
}
