package view

import (
	"fmt"

	"github.com/watchbill/watchbill/oncall"
)

// maxRuleText is the maximum length of a rule's effect or failure, in characters.
const maxRuleText = 300

// routeLine says what a team's rules made of an alert.
func routeLine(e oncall.Event) string {
	detail := e.Detail
	rule := Foreign(detail.Text, maxTitle)
	switch e.Kind {
	case oncall.EventRouted:
		switch {
		case detail.Text == "": // no rule matches any more
			return fmt.Sprintf("It got worse, and no rule matches it now%s.", ruleDoes(detail))
		case detail.Shown:
			return fmt.Sprintf("It got worse, and the rule “%s” decides now%s.", rule, ruleDoes(detail))
		}
		return fmt.Sprintf("The rule “%s” has decided%s.", rule, ruleDoes(detail))
	case oncall.EventRouteShadow:
		return fmt.Sprintf("The rule “%s” is in shadow and changed nothing. It would have decided%s.", rule, ruleDoes(detail))
	case oncall.EventRouteFailed:
		return fmt.Sprintf("The rule “%s” could not be evaluated, so it did not match%s.", rule, ruleDoes(detail))
	default:
		return ""
	}
}

// ruleDoes lists a rule's effects after a colon, if any are known.
func ruleDoes(d oncall.Detail) string {
	var parts []string
	for _, policy := range d.To {
		parts = append(parts, "escalation policy "+Foreign(policy, maxTitle))
	}
	for _, does := range d.Names {
		parts = append(parts, Foreign(does, maxRuleText))
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + List(parts)
}
