package bot

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// maxTried is on how many of the last payloads rules are tried while they are edited.
const maxTried = 20

// editRoutes opens the form of a list of rules: the team's, or that of the integration that the button names.
func (b *Bot) editRoutes(ctx context.Context, e setupEdit, p press) error {
	e.meta = view.SetupMeta{Team: e.meta.Team, Name: p.value}
	if err := e.loadRoutes(); err != nil {
		return err
	}
	if len(e.meta.String()) > view.MaxMeta-roomToEdit {
		return oncall.Refuse("The rules are too long to be edited here; the set-up file or the REST API can change them.")
	}
	v, err := b.routesForm(ctx, e, "")
	if err != nil {
		return err
	}
	if view.IsSetupTeam(p.view) {
		return b.pushModal(ctx, p.trigger, v.Draw())
	}
	if !p.inModal() {
		return b.openModal(ctx, p.trigger, v.Draw())
	}
	return b.updateModal(ctx, p.view, v.Draw()) // in the place of the integration's form: there is no fourth view
}

// loadRoutes takes the rules as they are into what the form carries.
func (e *setupEdit) loadRoutes() error {
	part, _, err := e.routed()
	if err != nil {
		return err
	}
	e.meta.ETag = part.ETag()
	if part.Integration != nil {
		e.meta.Rules, e.meta.Shadow = part.Integration.Routes, part.Integration.ShadowRoutes
		return nil
	}
	e.meta.Rules, e.meta.Shadow = part.Team.Routes, part.Team.ShadowRoutes
	return nil
}

// routed returns the part whose rules are edited, and their owner.
func (e setupEdit) routed() (setup.Part, oncall.RouteOwner, error) {
	if e.meta.Name == "" {
		part, known := e.doc.Find(setup.TeamPart, e.meta.Team)
		if !known {
			return part, oncall.RouteOwner{}, setupRefusal(oncall.ErrNotFound)
		}
		return part, oncall.RouteOwner{Team: e.team.ID}, nil
	}
	part, known := e.doc.Find(setup.IntegrationPart, e.meta.Name)
	if known && part.Integration.Team == e.meta.Team {
		for _, in := range e.directory.Integrations {
			if in.Name == e.meta.Name {
				return part, oncall.RouteOwner{Integration: in.ID}, nil
			}
		}
	}
	return part, oncall.RouteOwner{}, setupRefusal(oncall.ErrNotFound)
}

// routesForm returns the form of the rules in their present state, tried on kept payloads.
func (b *Bot) routesForm(ctx context.Context, edit setupEdit, message string) (view.SetupRoutes, error) {
	v := view.SetupRoutes{Meta: edit.meta, ByFile: edit.byFile(), Message: message, Policy: edit.policyName, Zone: edit.location}
	_, owner, err := edit.routed()
	if err != nil {
		return v, err
	}
	v.End = edit.routesEnd(owner.Integration)
	ids := setup.IDs{Policies: map[string]oncall.PolicyID{}}
	for id, name := range edit.policyNames() {
		ids.Policies[name] = id
	}
	for _, r := range edit.meta.Rules {
		rule, err := r.Rule(ids)
		if err != nil { // it was checked when it was typed
			return v, oncall.Refuse("%s", view.Foreign(err.Error(), maxProblemsText))
		}
		asks := rule.If
		if rule.When != "" {
			asks = slices.Concat(asks, []string{rule.When})
		}
		v.Rules = append(v.Rules, view.RouteRule{Name: rule.Name, Asks: asks, Does: rule.Does(edit.policyName), Shadow: rule.Shadow || edit.meta.Shadow})
	}
	trials, err := b.store.TryRoutes(ctx, edit.by(), owner, edit.meta.Rules, edit.meta.Shadow, maxTried)
	if err != nil {
		return v, setupRefusal(err)
	}
	for _, t := range trials {
		v.Tried = v.Tried.With(intake.Preview(ctx, t.Before, t.After, t.Payloads))
	}
	return v, nil
}

// pressRoute moves, removes or opens a rule; nothing is saved yet.
func (b *Bot) pressRoute(ctx context.Context, edit setupEdit, p press) error {
	edit.meta.Shadow = formOf(p.view).checked(view.BlockRoutesShadow, view.RoutesShadow)
	verb, text, _ := strings.Cut(p.value, " ")
	i, err := strconv.Atoi(text)
	if err != nil || i < 0 || i >= len(edit.meta.Rules) {
		return setupRefusal(oncall.ErrNotFound)
	}
	rules := slices.Clone(edit.meta.Rules)
	switch {
	case verb == view.StepEdit:
		return b.openRoute(ctx, edit, p, i)
	case verb == view.StepUp && i > 0:
		rules[i-1], rules[i] = rules[i], rules[i-1]
	case verb == view.StepDown && i+1 < len(rules):
		rules[i], rules[i+1] = rules[i+1], rules[i]
	case verb == view.StepRemove:
		rules = slices.Delete(rules, i, i+1)
	}
	edit.meta.Rules = rules
	v, err := b.routesForm(ctx, edit, notSaved)
	if err != nil {
		return err
	}
	return b.updateModal(ctx, p.view, v.Draw())
}

// addRoute opens the form of a new rule.
func (b *Bot) addRoute(ctx context.Context, e setupEdit, p press) error {
	e.meta.Shadow = formOf(p.view).checked(view.BlockRoutesShadow, view.RoutesShadow)
	return b.openRoute(ctx, e, p, len(e.meta.Rules))
}

func (b *Bot) openRoute(ctx context.Context, e setupEdit, p press, i int) error {
	e.meta.Step = i
	policies := e.policies()
	for _, name := range slices.Sorted(maps.Values(e.policyNames())) {
		if !slices.Contains(policies, name) && len([]rune(name)) <= maxChoiceLength {
			policies = append(policies, name)
		}
	}
	return b.pushModal(ctx, p.trigger, view.SetupRoute{Meta: e.meta, Policies: policies}.Draw())
}

// policyNames returns the names of all policies that the person sees.
func (e setupEdit) policyNames() map[oncall.PolicyID]string {
	names := map[oncall.PolicyID]string{}
	for id, p := range e.directory.Policies {
		if !p.Removed {
			names[id] = p.Name
		}
	}
	return names
}

// submitRoute takes a rule into the list that is edited, below.
func (b *Bot) submitRoute(ctx context.Context, s submission) (modalResponse, error) {
	edit, err := b.setupEdit(ctx, s.user, s.meta(), access.EditSchedule)
	if err != nil {
		return modalResponse{}, err
	}
	var was setup.Route
	if edit.meta.Step < len(edit.meta.Rules) {
		was = edit.meta.Rules[edit.meta.Step]
	}
	r, wrong := typedRoute(was, s.form)
	if len(wrong) > 0 {
		return correct(wrong), nil
	}
	rules := slices.Clone(edit.meta.Rules)
	if edit.meta.Step < len(rules) {
		rules[edit.meta.Step] = r
	} else {
		rules = append(rules, r)
	}
	if wrong := edit.ruleProblems(rules); len(wrong) > 0 {
		return correct(wrong), nil
	}
	edit.meta.Rules, edit.meta.Step = rules, 0
	if len(edit.meta.String()) > view.MaxMeta {
		return modalResponse{}, oncall.Refuse("The rules become too long to be edited here; the set-up file or the REST API can change them.")
	}
	v, err := b.routesForm(ctx, edit, notSaved)
	if err != nil {
		return modalResponse{}, err
	}
	return modalResponse{}, b.updateBelow(ctx, s.view, v.Draw())
}

// ruleProblems says what is wrong with the rules, beside the input where most is written.
func (e setupEdit) ruleProblems(rules []setup.Route) fieldErrors {
	part, _, err := e.routed()
	if err != nil {
		return fieldErrors{view.BlockName: "What the rules are of is no longer there."}
	}
	was := e.doc.Check(intake.Names())
	for _, problem := range e.doc.Put(withRules(part, rules, e.meta.Shadow)).Check(intake.Names()) {
		if !slices.Contains(was, problem) {
			return fieldErrors{view.BlockRouteIf: problem}
		}
	}
	return nil
}

// withRules returns the team or integration with its rules replaced.
func withRules(p setup.Part, rules []setup.Route, shadow bool) setup.Part {
	shadow = shadow && len(rules) > 0
	if p.Integration != nil {
		is := *p.Integration
		is.Routes, is.ShadowRoutes, p.Integration = rules, shadow, &is
		return p
	}
	t := *p.Team
	t.Routes, t.ShadowRoutes, p.Team = rules, shadow, &t
	return p
}

// typedRoute reads the form of a rule. What it has no field for is as it was.
func typedRoute(route setup.Route, f form) (setup.Route, fieldErrors) {
	wrong := fieldErrors{}
	route.Name, route.When, route.Hold = strings.Join(strings.Fields(f.text(view.BlockName)), " "), strings.TrimSpace(f.text(view.BlockRouteWhen)), strings.TrimSpace(f.text(view.BlockRouteHold))
	route.If = nil
	for line := range strings.SplitSeq(f.text(view.BlockRouteIf), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			route.If = append(route.If, line)
		}
	}
	route.Drop, route.Shadow = f.choice(view.BlockRouteDoes) == view.RouteDrops, f.checked(view.BlockRoutesShadow, view.RoutesShadow)
	route.To, route.Severity = chosen(f, view.BlockPolicy), oncall.Severity(chosen(f, view.BlockSeverity))
	var problem string
	if route.Labels, problem = readLabels(f.text(view.BlockMapLabels)); problem != "" {
		wrong[view.BlockMapLabels] = fmt.Sprintf("%q is no label: write a line such as service: storage", problem)
	}
	route.Group = typedGroup(route.Group, f)
	if route.Name == "" {
		wrong[view.BlockName] = "A rule needs a name."
	}
	if _, err := route.Rule(setup.IDs{}); err != nil && len(wrong) == 0 {
		wrong[view.BlockRouteHold] = err.Error()
	}
	return route, wrong
}

// readLabels reads labels, one a line; problem is a line that is none.
func readLabels(text string) (labels map[string]string, problem string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		name, value, ok := strings.Cut(line, ":")
		name = strings.TrimSpace(name)
		switch {
		case line == "":
		case !ok || name == "":
			return labels, line
		default:
			if labels == nil {
				labels = map[string]string{}
			}
			labels[name] = strings.TrimSpace(value)
		}
	}
	return labels, ""
}

// typedGroup reads by which labels alerts are grouped.
func typedGroup(before *setup.Group, f form) *setup.Group {
	by := strings.FieldsFunc(f.text(view.BlockGroupBy), func(c rune) bool { return c == ',' || c == ' ' || c == '\n' })
	switch {
	case len(by) == 0:
		return nil
	case before == nil:
		return &setup.Group{By: by}
	}
	return &setup.Group{By: by, Window: before.Window}
}

// submitRoutes saves the rules.
func (b *Bot) submitRoutes(ctx context.Context, s submission) (modalResponse, error) {
	edit, err := b.setupEdit(ctx, s.user, s.meta(), access.EditSchedule)
	if err != nil {
		return modalResponse{}, err
	}
	part, _, err := edit.routed()
	if err != nil {
		return modalResponse{}, err
	}
	part = withRules(part, edit.meta.Rules, s.form.checked(view.BlockRoutesShadow, view.RoutesShadow))
	done, err := b.store.EditSetup(ctx, s.by(), store.SetupEdit{Part: part, Name: part.Name(), IfMatch: edit.meta.ETag, Formats: intake.Names()}, edit.now)
	if err != nil {
		return modalResponse{}, setupRefusal(err)
	}
	return b.confirmSetup(ctx, s, edit.meta.Team, savedSetup("Saved.", done)), nil
}
