package bot

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/route"
	"github.com/watchbill/watchbill/store"
)

// tryout loads a payload, to try rules and mappings on it.
func (b *Bot) tryout(ctx context.Context, r request, id oncall.PayloadID) (store.Tryout, error) {
	t, err := b.store.Tryout(ctx, r.by(), id)
	switch {
	case errors.Is(err, oncall.ErrNotFound):
		return t, oncall.Refuse("There is no payload %d any more%s.", id, r.noneVisible())
	case err != nil:
		return t, err
	case t.Cut:
		return t, oncall.Refuse("Only the beginning of payload %d is kept, so it can't be read again.", id)
	}
	return t, nil
}

// pressPayload shows what a payload would become.
func (b *Bot) pressPayload(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	id, _ := strconv.ParseInt(p.value, 10, 64)
	return "", b.showTried(ctx, r, oncall.PayloadID(id), p.trigger)
}

func (b *Bot) showTried(ctx context.Context, r request, id oncall.PayloadID, trigger string) error {
	t, err := b.tryout(ctx, r, id)
	if err != nil {
		return err
	}
	tried, err := r.tryoutText(ctx, t)
	if err != nil {
		return err
	}
	return b.openModal(ctx, trigger, view.PayloadTried(tried, r.location))
}

// tryoutText describes what a payload would become, as far as the reader may know.
func (r request) tryoutText(ctx context.Context, t store.Tryout) (view.Tried, error) {
	out := view.Tried{ID: t.ID, Of: t.Name, At: t.At, Maps: t.Setting.Integration.Mapping != nil}
	signals, ok := intake.SignalsOf(ctx, t.Setting.Integration, t.Payload)
	if !ok {
		return out, oncall.Refuse("Payload %d was refused when it came, and can't be read again.", t.ID)
	}
	t.Setting.Maintenance = r.directory.Maintenance
	for _, s := range signals {
		if s.Action == oncall.Reconcile {
			continue
		}
		if s.Format != "" {
			out.Kind = intake.FormatNamed(s.Format).Title
		}
		out.Signals = append(out.Signals, r.triedSignal(ctx, t, s))
	}
	return out, nil
}

func (r request) triedSignal(ctx context.Context, t store.Tryout, s oncall.Signal) view.TriedSignal {
	o := t.Setting.Outcome(s, r.now)
	v := view.TriedSignal{Outcome: o, Fires: o.Fires(), Says: string(s.Action), Labels: s.Labels, Details: s.Details, Policy: r.policyName(o.Policy)}
	if !v.Fires {
		return v
	}
	if t.Router != nil {
		_, verdicts := t.Router.Explain(ctx, s)
		for _, verdict := range verdicts {
			v.Rules = append(v.Rules, r.triedRule(verdict))
		}
	}
	if _, seen := r.directory.Policies[o.Policy]; seen {
		v.Pages = r.directory.Facts().FirstPaged(o.Policy, r.now)
	} else {
		v.Unknown = true
	}
	return v
}

func (r request) triedRule(verdict route.Verdict) view.TriedRule {
	v := view.TriedRule{Of: r.routesOf(verdict.List.Owner), Name: verdict.Rule.Name, Says: "no", Why: verdict.Why}
	does := verdict.Rule.Does(r.policyName)
	switch {
	case !verdict.Reached:
		v.Says, v.Why = "not asked", ""
	case verdict.Failed:
		v.Says = "failed"
	case verdict.Matched && verdict.Shadow:
		v.Says, v.Why = "in shadow", "it would "+does
	case verdict.Matched:
		v.Says, v.Why = "yes", does
	}
	return v
}

// pressMapping opens the form in which a mapping is tried on a payload.
func (b *Bot) pressMapping(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	id, _ := strconv.ParseInt(p.value, 10, 64)
	t, err := b.tryout(ctx, r, oncall.PayloadID(id))
	if err != nil {
		return "", err
	}
	return "", b.pushModal(ctx, p.trigger, r.mappingForm(t).Draw(r.location))
}

// mappingForm returns the form of a mapping, to try on a payload.
func (r request) mappingForm(t store.Tryout) view.MappingTry {
	in := t.Setting.Integration
	form := view.MappingTry{ID: t.ID, Of: t.Name, Body: string(t.Body), Saved: in.Mapping != nil}
	form.Manages = r.directory.Access().May(r.by(), access.Integrations, access.Object{Team: in.TeamID}) == nil
	if in.Mapping != nil {
		form.Mapping = *in.Mapping
	}
	return form
}

// submitMapping tries a mapping, and shows the result above the form.
func (b *Bot) submitMapping(ctx context.Context, s submission) (modalResponse, error) {
	r, err := b.request(ctx, s.user, nil)
	if err != nil {
		return modalResponse{}, err
	}
	id, _ := strconv.ParseInt(s.meta(), 10, 64)
	t, err := b.tryout(ctx, r, oncall.PayloadID(id))
	if err != nil {
		return modalResponse{}, err
	}
	m, wrong := readMapping(s.form, t.Setting.Integration.Mapping)
	if len(wrong) > 0 {
		return correct(wrong), nil
	}
	form := r.mappingForm(t)
	form.Mapping, t.Setting.Integration.Mapping = m, &m
	if form.Problem = unmapped(ctx, t); form.Problem != "" {
		return replace(form.Draw(r.location)), nil
	}
	if t.Router != nil { // its rules see the integration with the new mapping
		router := *t.Router
		router.Integration = t.Setting.Integration
		t.Router, t.Setting.Route = &router, func(s oncall.Signal) oncall.Routing { return router.Route(ctx, s) }
	}
	made, err := r.tryoutText(ctx, t)
	if err != nil {
		return modalResponse{}, err
	}
	form.Made = &made
	return replace(form.Draw(r.location)), nil
}

// unmapped returns why the mapping can't read a payload; empty if it can.
func unmapped(ctx context.Context, t store.Tryout) string {
	if _, _, err := intake.Reparse(ctx, t.Setting.Integration, t.Payload); err != nil {
		return err.Error()
	}
	return ""
}

// readMapping reads the form. What it has no input for stays unchanged.
func readMapping(f form, was *oncall.Mapping) (m oncall.Mapping, wrong fieldErrors) {
	if was != nil {
		m = *was
	}
	m.Each, m.Title, m.Body = f.text(view.BlockMapEach), f.text(view.BlockMapTitle), f.text(view.BlockMapBody)
	m.Severity, m.Status, m.DedupKey = f.text(view.BlockMapSeverity), f.text(view.BlockMapStatus), f.text(view.BlockMapKey)
	var problem string
	if m.Labels, problem = readLabels(f.text(view.BlockMapLabels)); problem != "" {
		return m, fieldErrors{view.BlockMapLabels: fmt.Sprintf("%q is no label: write a line such as site: ${payload.site}", problem)}
	}
	return m, nil
}
