package view

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
)

const (
	maxEditableRules = 40 // that can be edited
	maxDetours       = 5  // signals that would go elsewhere are shown
)

// RoutesShadow is the value of the box that makes rules only tell what they would do.
const RoutesShadow = "shadow"

// A SetupRoutes is what the form of a list of rules shows: how far its edit is.
type SetupRoutes struct {
	Meta    SetupMeta   // with the rules as they are to be
	Rules   []RouteRule // in words
	End     string      // destination of alerts that no rule matches
	Tried   oncall.Preview
	Policy  func(oncall.PolicyID) string // the name of one
	ByFile  bool
	Message string
	Zone    *time.Location
}

// Draw draws the form.
func (sr SetupRoutes) Draw() slack.ModalViewRequest {
	var blocks []slack.Block
	if sr.Message != "" {
		blocks = append(blocks, slack.NewSectionBlock(words(sr.Message), nil, nil, slack.SectionBlockOptionBlockID(blockMessage)))
	}
	head := "Rules of the team *" + Name(sr.Meta.Team) + "*, for all its monitors, after the monitors' own. The first that matches decides."
	if sr.Meta.Name != "" {
		head = "Rules of *" + Name(sr.Meta.Name) + "*, before those of its team. The first that matches decides."
	}
	blocks = append(blocks, section(head))
	for i, rule := range sr.Rules {
		text := fmt.Sprintf("*%d.* %s", i+1, rule.says())
		blocks = append(blocks, slack.NewSectionBlock(words(cutSection(text)), nil,
			slack.NewAccessory(moveMenu(ActionRoute, i, len(sr.Rules), 0)), slack.SectionBlockOptionBlockID("rule_"+strconv.Itoa(i))))
	}
	blocks = append(blocks, note("What no rule matches goes to "+Foreign(sr.End, maxTitle)+"."))
	if len(sr.Rules) < maxEditableRules {
		blocks = append(blocks, slack.NewActionBlock("routes_actions", button(ActionRouteAdd, "", "Add a rule…").WithStyle(slack.StylePrimary)))
	}
	shadow := checkField(BlockRoutesShadow, "Try them first", "They are counted and shown in incidents' threads, and change nothing.", option{RoutesShadow, "All of them only say what they would do"})
	if boxes, ok := shadow.Element.(*slack.CheckboxGroupsBlockElement); ok && sr.Meta.Shadow {
		boxes.InitialOptions = boxes.Options
	}
	blocks = append(blocks, optional(shadow), paragraph("*What they would have made of what came*", detourLines(sr.Tried, sr.Policy, sr.Zone)))
	if sr.ByFile {
		blocks = append(blocks, note(UndoneByFile(sr.Meta.Team, true)))
	}
	return dialog(ModalSetupRoutes, "Routes", "Save", sr.Meta.String(), blocks...)
}

// detourLines say what changed rules would have made of past signals.
func detourLines(p oncall.Preview, policy func(oncall.PolicyID) string, zone *time.Location) []string {
	if p.Tried == 0 {
		return []string{"Nothing has come yet that they could be tried on."}
	}
	of := fmt.Sprintf("Of the last %s", Count(p.Tried, "signal"))
	if p.Differ == 0 {
		return []string{of + ", none would go elsewhere."}
	}
	lines := []string{fmt.Sprintf("%s, %d would go elsewhere.", of, p.Differ)}
	if p.Silenced > 0 {
		lines = append(lines, fmt.Sprintf(":warning: %s would page *nobody* any more.", Count(p.Silenced, "critical signal")))
	}
	for _, why := range slices.Sorted(maps.Keys(p.Failed)) {
		lines = append(lines, fmt.Sprintf(":warning: For %s, %s", Count(p.Failed[why], "signal"), Foreign(why, maxRuleText)))
	}
	worst := p.Worst()
	for _, d := range worst[:min(len(worst), maxDetours)] {
		was, is := d.Words(policy)
		line := fmt.Sprintf("• %s, %s: %s → %s", stamp(d.At, asAgo, zone), Foreign(d.Title(), maxTitle), Foreign(was, maxRuleText), Foreign(is, maxRuleText))
		if d.Times > 1 {
			line += fmt.Sprintf(" (%s)", times(d.Times))
		}
		lines = append(lines, line)
	}
	if more := len(worst) - maxDetours; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return lines
}

// What a rule does with the alerts that it matches, as its form asks.
const (
	RoutePasses = "pass" // alerts pass, perhaps changed or to another policy
	RouteDrops  = "drop"
)

// A SetupRoute is what the form of one rule shows.
type SetupRoute struct {
	Meta     SetupMeta // with the rules, and which one it is
	Policies []string
}

// Draw draws the form.
func (sr SetupRoute) Draw() slack.ModalViewRequest {
	var route setup.Route
	title, submit := "New rule", "Add"
	if sr.Meta.Step < len(sr.Meta.Rules) {
		route, title, submit = sr.Meta.Rules[sr.Meta.Step], "Rule "+strconv.Itoa(sr.Meta.Step+1), "Done"
	}
	policies := []option{{NoChoice, "where they go anyway"}}
	for _, name := range sr.Policies {
		policies = append(policies, option{name, name})
	}
	severities := []option{{NoChoice, "as the monitor says"}}
	for _, s := range oncall.Severities() {
		severities = append(severities, option{string(s), string(s)})
	}
	does := RoutePasses
	if route.Drop {
		does = RouteDrops
	}
	by := ""
	if route.Group != nil {
		by = strings.Join(route.Group.By, ", ")
	}
	shadow := checkField(BlockRoutesShadow, "Try it first", "", option{RoutesShadow, "It only says what it would do"})
	if boxes, ok := shadow.Element.(*slack.CheckboxGroupsBlockElement); ok && route.Shadow {
		boxes.InitialOptions = boxes.Options
	}
	return dialog(ModalSetupRoute, title, submit, sr.Meta.String(),
		textField(BlockName, "Name", "Such as staging is quiet.", route.Name),
		optional(areaField(BlockRouteIf, "If", "One condition a line, and all must hold: labels.env is staging · severity is not critical · title starts with Probe · service is one of a, b", strings.Join(route.If, "\n"))),
		optional(areaField(BlockRouteWhen, "If, in CEL", "For what words can't say: labels.env == \"prod\" && service.startsWith(\"shop-\")", route.When)),
		choiceField(BlockRouteDoes, "Then", "", does, []option{{RoutePasses, "page, as below"}, {RouteDrops, "drop it: it is counted, and pages nobody"}}),
		choiceField(BlockPolicy, "Escalation policy", "", orNone(route.To), policies),
		choiceField(BlockSeverity, "Severity", "", orNone(string(route.Severity)), severities),
		optional(textField(BlockRouteHold, "Only if it lasts", "Such as 5m. What is critical never waits.", route.Hold)),
		optional(areaField(BlockMapLabels, "Labels that it sets", "One a line: service: storage", labelLines(route.Labels))),
		optional(textField(BlockGroupBy, "Group by", "Labels in which alerts agree that are one incident.", by)),
		optional(shadow),
	)
}

// says returns a rule in words, without its counts.
func (r RouteRule) says() string {
	text := "*" + Name(r.Name) + "*"
	if r.Shadow {
		text += " (in shadow)"
	}
	var asks []string
	for _, ask := range r.Asks {
		asks = append(asks, "`"+Foreign(strings.ReplaceAll(ask, "`", "'"), maxRuleText)+"`")
	}
	if len(asks) > 0 {
		text += ": if " + strings.Join(asks, " and ")
	}
	return text + " → " + Foreign(r.Does, maxRuleText)
}

// moveMenu returns the menu for moving or removing one of several ordered things; at least the given number must stay.
func moveMenu(does Action, i, of, least int) slack.BlockElement {
	value := " " + strconv.Itoa(i)
	options := []*slack.OptionBlockObject{optionObject(option{StepEdit + value, "Edit…"})}
	if i > 0 {
		options = append(options, optionObject(option{StepUp + value, "Move up"}))
	}
	if i+1 < of {
		options = append(options, optionObject(option{StepDown + value, "Move down"}))
	}
	if of > least {
		options = append(options, optionObject(option{StepRemove + value, "Remove"}))
	}
	return slack.NewOverflowBlockElement(string(does), options...)
}
