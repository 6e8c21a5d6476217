package bot

import (
	"context"
	"fmt"
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

// editPolicy opens the form of a policy.
func (b *Bot) editPolicy(ctx context.Context, e setupEdit, p press) error {
	part, known := e.doc.Find(setup.PolicyPart, p.value)
	if !known || part.Policy.Team != e.meta.Team {
		return setupRefusal(oncall.ErrNotFound)
	}
	e.meta = view.SetupMeta{Team: e.meta.Team, Name: part.Policy.Name, ETag: part.ETag(), Policy: part.Policy}
	if len(e.meta.String()) > view.MaxMeta-roomToEdit {
		return oncall.Refuse("%q is too long to be edited here; the set-up file or the REST API can change it.", view.Name(p.value))
	}
	v, err := b.policyForm(ctx, e, "")
	if err != nil {
		return err
	}
	return b.pushModal(ctx, p.trigger, v.Draw())
}

// roomToEdit is how much a policy may grow while it is edited.
const roomToEdit = 500

// newPolicy opens the form of a new policy.
func (b *Bot) newPolicy(ctx context.Context, e setupEdit, p press) error {
	e.meta = view.SetupMeta{Team: e.meta.Team, Policy: &setup.Policy{Team: e.meta.Team}}
	v, err := b.policyForm(ctx, e, "")
	if err != nil {
		return err
	}
	return b.pushModal(ctx, p.trigger, v.Draw())
}

// policyForm returns the form of a policy with the current state of its edit.
func (b *Bot) policyForm(ctx context.Context, edit setupEdit, message string) (view.SetupPolicy, error) {
	v := view.SetupPolicy{Meta: edit.meta, ByFile: edit.byFile(), Message: message, Zone: edit.location}
	if part, known := edit.doc.Find(setup.PolicyPart, edit.meta.Name); known {
		v.Before = *part.Policy
	}
	open, err := b.store.OpenIncidents(ctx, edit.by(), maxOpenLoaded)
	if err != nil {
		return v, fmt.Errorf("load open incidents: %w", err)
	}
	for _, in := range open {
		if edit.meta.Name != "" && edit.directory.Policies[in.PolicyID].Name == edit.meta.Name {
			v.Open = append(v.Open, in)
		}
	}
	return v, nil
}

// typedPolicy reads the form's inputs into the policy that it carries.
func (e setupEdit) typedPolicy(f form) fieldErrors {
	policy, wrong := *e.meta.Policy, fieldErrors{}
	if e.meta.Name == "" {
		policy.Name = strings.Join(strings.Fields(f.text(view.BlockName)), " ")
	}
	number := func(block view.Block) int {
		text := strings.TrimSpace(f.text(block))
		n, err := strconv.Atoi(text)
		if err != nil && text != "" {
			wrong[block] = "That is not a number."
		}
		return n
	}
	policy.Repeat, policy.Acks, policy.AckTimeout = number(view.BlockSetupRepeat), number(view.BlockSetupAcks), strings.TrimSpace(f.text(view.BlockSetupTimeout))
	if policy.AckTimeout == "" {
		policy.AckWait = ""
	}
	*e.meta.Policy = policy
	return wrong
}

// pressStep moves, removes or opens a step. Nothing is saved yet.
func (b *Bot) pressStep(ctx context.Context, edit setupEdit, p press) error {
	if edit.meta.Policy == nil {
		return setupRefusal(oncall.ErrNotFound)
	}
	edit.typedPolicy(formOf(p.view)) // errors are shown when it is saved
	verb, text, _ := strings.Cut(p.value, " ")
	steps := slices.Clone(edit.meta.Policy.Steps)
	i, err := strconv.Atoi(text)
	if err != nil || i < 0 || i >= len(steps) {
		return setupRefusal(oncall.ErrNotFound)
	}
	switch {
	case verb == view.StepEdit:
		return b.openStep(ctx, edit, p, i)
	case verb == view.StepUp && i > 0:
		steps[i-1], steps[i] = steps[i], steps[i-1]
	case verb == view.StepDown && i+1 < len(steps):
		steps[i], steps[i+1] = steps[i+1], steps[i]
	case verb == view.StepRemove && len(steps) > 1:
		steps = slices.Delete(steps, i, i+1)
	}
	edit.meta.Policy.Steps = steps
	v, err := b.policyForm(ctx, edit, notSaved)
	if err != nil {
		return err
	}
	return b.updateModal(ctx, p.view, v.Draw())
}

const notSaved = "Not saved yet: Save does that."

// addStep opens the form of a new step.
func (b *Bot) addStep(ctx context.Context, e setupEdit, p press) error {
	if e.meta.Policy == nil {
		return setupRefusal(oncall.ErrNotFound)
	}
	e.typedPolicy(formOf(p.view))
	return b.openStep(ctx, e, p, len(e.meta.Policy.Steps))
}

func (b *Bot) openStep(ctx context.Context, e setupEdit, p press, i int) error {
	e.meta.Step = i
	return b.pushModal(ctx, p.trigger, view.SetupStep{Meta: e.meta, Whom: e.targets(), People: e.people}.Draw())
}

// targets returns the targets to choose from, the team's own first.
func (e setupEdit) targets() (all []view.Choice) {
	add := func(target, label string) {
		if len([]rune(target)) <= maxChoiceLength {
			all = append(all, view.Choice{Value: target, Label: label})
		}
	}
	own := func(team string) bool { return team == e.meta.Team }
	for _, ours := range []bool{true, false} {
		for _, s := range e.doc.Schedules {
			if own(s.Team) == ours {
				add("schedule "+s.Name, "On call in "+s.Name)
				add("next in "+s.Name, "Next on call in "+s.Name)
			}
		}
		for _, t := range e.doc.Teams {
			if own(t.Name) == ours {
				add("team "+t.Name, "Everybody in "+t.Name)
				add("managers of "+t.Name, "Managers of "+t.Name)
			}
		}
		for _, p := range e.doc.Policies {
			if own(p.Team) == ours && p.Name != e.meta.Name {
				add("policy "+p.Name, "Policy "+p.Name+" takes over")
			}
		}
	}
	return all
}

// submitStep puts a step into the edited policy in the view below.
func (b *Bot) submitStep(ctx context.Context, s submission) (modalResponse, error) {
	edit, err := b.setupEdit(ctx, s.user, s.meta(), access.EditSchedule)
	if err != nil {
		return modalResponse{}, err
	}
	if edit.meta.Policy == nil {
		return modalResponse{}, setupRefusal(oncall.ErrNotFound)
	}
	st, wrong := edit.typedStep(s.form)
	if len(wrong) > 0 {
		return correct(wrong), nil
	}
	if err := b.storeNewPeople(ctx, s.form.users(view.BlockStepPeople)); err != nil {
		return modalResponse{}, err
	}
	steps := slices.Clone(edit.meta.Policy.Steps)
	if edit.meta.Step < len(steps) {
		steps[edit.meta.Step] = st
	} else {
		steps = append(steps, st)
	}
	edit.meta.Policy.Steps, edit.meta.Step = steps, 0
	if len(edit.meta.String()) > view.MaxMeta {
		return modalResponse{}, oncall.Refuse("The policy becomes too long to be edited here; the set-up file or the REST API can change it.")
	}
	v, err := b.policyForm(ctx, edit, notSaved)
	if err != nil {
		return modalResponse{}, err
	}
	if err := b.updateBelow(ctx, s.view, v.Draw()); err != nil {
		return modalResponse{}, err
	}
	return modalResponse{}, nil
}

// typedStep reads the form of a step, and returns the errors of its inputs.
func (e setupEdit) typedStep(f form) (setup.Step, fieldErrors) {
	wrong := fieldErrors{}
	st := setup.Step{
		Wait: strings.TrimSpace(f.text(view.BlockSetupWait)), Every: strings.TrimSpace(f.text(view.BlockStepEvery)), RoundRobin: view.ReadRobin(f.choice(view.BlockStepRobin)),
	}
	for _, o := range f.input(view.BlockStepWhom).SelectedOptions {
		st.Page = append(st.Page, o.Value)
	}
	names := map[oncall.UserID]string{}
	for name, id := range e.people {
		names[id] = name
	}
	for _, u := range f.users(view.BlockStepPeople) {
		name := names[u]
		if name == "" {
			name = string(u)
		}
		st.Page = append(st.Page, "user "+name)
	}
	for line := range strings.SplitSeq(f.text(view.BlockStepMore), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			st.Page = append(st.Page, line)
		}
	}
	if text := strings.TrimSpace(f.text(view.BlockStepRepeat)); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			wrong[view.BlockStepRepeat] = "That is not a number."
		}
		st.Repeat = n
	}
	var only setup.Condition
	for _, o := range f.input(view.BlockStepSeverity).SelectedOptions {
		only.Severity = append(only.Severity, oncall.Severity(o.Value))
	}
	only.Hours = view.ReadHours(f.choice(view.BlockStepHours))
	if len(only.Severity) > 0 || only.Hours != "" {
		st.Only = &only
	}
	if len(st.Page) == 0 {
		wrong[view.BlockStepMore] = "Say whom it pages."
	}
	if _, err := st.Step(setup.IDs{}); err != nil && len(wrong) == 0 {
		wrong[e.faultyInput(err.Error())] = err.Error()
	}
	return st, wrong
}

// faultyInput returns the input that an error is about.
func (e setupEdit) faultyInput(why string) view.Block {
	for word, block := range map[string]view.Block{"wait is": view.BlockSetupWait, "every is": view.BlockStepEvery, "repeat is": view.BlockStepRepeat} {
		if strings.HasPrefix(why, word) {
			return block
		}
	}
	return view.BlockStepMore
}

// submitPolicy saves a policy.
func (b *Bot) submitPolicy(ctx context.Context, s submission) (modalResponse, error) {
	edit, err := b.setupEdit(ctx, s.user, s.meta(), access.EditSchedule)
	if err != nil {
		return modalResponse{}, err
	}
	if edit.meta.Policy == nil {
		return modalResponse{}, setupRefusal(oncall.ErrNotFound)
	}
	wrong := edit.typedPolicy(s.form)
	p := *edit.meta.Policy
	if n := len([]rune(p.Name)); n == 0 || n > view.MaxName {
		wrong[view.BlockName] = fmt.Sprintf("A policy needs a name of at most %d characters.", view.MaxName)
	}
	if len(wrong) > 0 {
		return correct(wrong), nil
	}
	done, err := b.store.EditSetup(ctx, s.by(), store.SetupEdit{
		Part: setup.Part{Kind: setup.PolicyPart, Policy: &p}, Name: p.Name, New: edit.meta.Name == "", IfMatch: edit.meta.ETag, Formats: intake.Names(),
	}, edit.now)
	if err != nil {
		return modalResponse{}, setupRefusal(err)
	}
	b.drawTeamBelow(ctx, s, edit.meta.Team, savedSetup("Saved.", done))
	return modalResponse{}, nil
}
