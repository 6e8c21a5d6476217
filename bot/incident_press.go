package bot

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

func readIncidentValue(value string) (oncall.IncidentID, bool) {
	id, err := strconv.ParseInt(value, 10, 64)
	return oncall.IncidentID(id), err == nil && id > 0
}

// plainActs maps the buttons that act immediately.
var plainActs = map[view.Action]oncall.ActKind{
	view.ActionAck:      oncall.ActAck,
	view.ActionResolve:  oncall.ActResolve,
	view.ActionUnack:    oncall.ActUnack,
	view.ActionReopen:   oncall.ActReopen,
	view.ActionUnsnooze: oncall.ActUnsnooze,
	view.ActionEscalate: oncall.ActEscalate,
	view.ActionAccept:   oncall.ActAccept,
	view.ActionDecline:  oncall.ActDecline,
	view.ActionStillOn:  oncall.ActStillOn,
	view.ActionChannel:  oncall.ActChannel,
}

// actForms maps the buttons that open a form or show more.
var actForms = map[view.Action]func(s view.IncidentOverview) slack.ModalViewRequest{
	view.ActionSnooze:   view.IncidentOverview.SnoozeForm,
	view.ActionReassign: view.IncidentOverview.ReassignForm,
	view.ActionAsk:      view.IncidentOverview.AskForm,
	view.ActionNote:     view.IncidentOverview.NoteForm,
	view.ActionSeverity: view.IncidentOverview.SeverityForm,
	view.ActionMerge:    view.IncidentOverview.MergeForm,
	view.ActionSplit:    view.IncidentOverview.SplitForm,

	view.ActionUpdate:      view.IncidentOverview.UpdateForm,
	view.ActionReviewAdd:   view.IncidentOverview.ActionForm,
	view.ActionVerdictForm: view.IncidentOverview.VerdictForm,
	view.ActionMore:        view.IncidentOverview.Draw,
	view.ActionTimeline:    view.IncidentOverview.Timeline,
}

// pressMenu handles an incident's menu.
func (b *Bot) pressMenu(ctx context.Context, p press) (string, error) {
	do, value, _ := strings.Cut(p.value, "/")
	p.value = value
	if do == string(view.ActionReview) {
		return b.pressReview(ctx, p)
	}
	return b.pressIncident(ctx, p, view.Action(do))
}

// pressIncident handles a button or menu entry of an incident.
func (b *Bot) pressIncident(ctx context.Context, p press, do view.Action) (string, error) {
	if do == view.ActionDetails {
		return "", b.showDetails(ctx, p)
	}
	id, known := readIncidentValue(p.value)
	kind, isPlain := plainActs[do]
	if !known || !isPlain && actForms[do] == nil {
		return "", oncall.Refuse("This version of Watchbill doesn't know that button, and nothing was changed.")
	}
	if isPlain {
		if err := b.act(ctx, id, p.user, oncall.Act{Do: kind}); err != nil {
			return "", err
		}
		switch {
		case p.inModal():
			b.refreshOverview(ctx, p, id)
		case p.view.ID != "":
			if err := b.publishHome(ctx, p.user); err != nil {
				b.log.Warn().Err(err).Msg("could not redraw a home tab")
			}
		}
		if kind == oncall.ActAck && p.view.ID == "" {
			return b.outsiderNote(ctx, p.by(), id), nil
		}
		return "", nil
	}
	form, err := b.formOn(ctx, id, p.user, do)
	if err != nil {
		return "", err
	}
	if p.inModal() {
		return "", b.pushModal(ctx, p.trigger, form)
	}
	return "", b.openModal(ctx, p.trigger, form)
}

// pressSnooze handles the snooze form's buttons, and confirms in the form.
func (b *Bot) pressSnooze(ctx context.Context, p press) (string, error) {
	value, length, _ := strings.Cut(p.value, "/")
	id, known := readIncidentValue(value)
	act := snoozeFor(length, b.clock())
	if !known || act.Till == oncall.TillTime && !act.Until.After(b.clock()) {
		return "", oncall.Refuse("This version of Watchbill doesn't know that button, and nothing was changed.")
	}
	if err := b.act(ctx, id, p.user, act); err != nil {
		return "", err
	}
	picture, err := b.store.Picture(ctx, p.by(), id, b.clock())
	if err == nil {
		err = b.updateModal(ctx, p.view, view.SnoozedFor(picture))
	}
	if err != nil {
		b.log.Warn().Err(err).Msg("could not confirm a snooze in its form")
	}
	if under := p.view.PreviousViewID; under != "" { // the details, which appear again when the form is closed
		p.view = slack.View{ID: under}
		b.refreshOverview(ctx, p, id)
	}
	return "", nil
}

// pressVerdict records a verdict on an incident.
func (b *Bot) pressVerdict(ctx context.Context, p press) (string, error) {
	verdict, value, _ := strings.Cut(p.value, "/")
	id, known := readIncidentValue(value)
	if !known {
		return "", oncall.Refuse("This version of Watchbill doesn't know that button, and nothing was changed.")
	}
	return "", b.act(ctx, id, p.user, oncall.Act{Do: oncall.ActVerdict, Verdict: oncall.Verdict(verdict)})
}

// showDetails shows an incident's alerts with everything their monitor sent, starting with one of them.
func (b *Bot) showDetails(ctx context.Context, p press) error {
	var id oncall.IncidentID
	var from, part int
	if n, _ := fmt.Sscanf(p.value, "%d/%d/%d", &id, &from, &part); n != 3 || from < 0 || part < 0 {
		return oncall.Refuse("This version of Watchbill doesn't know that button, and nothing was changed.")
	}
	directory, err := b.store.DirectoryFor(ctx, p.by())
	if err != nil {
		return fmt.Errorf("load the directory: %w", err)
	}
	in, err := b.store.Incident(ctx, p.by(), id)
	if errors.Is(err, oncall.ErrNotFound) {
		return noIncident(id)
	}
	if err != nil {
		return err
	}
	alerts, all, err := b.store.Alerts(ctx, p.by(), id, from, view.MoreDetails)
	if err != nil {
		return err
	}
	_, zone := zoneOf(directory.Users[p.user])
	v := view.Details{Incident: in, Alerts: alerts, From: from, Part: part, All: all, Zone: zone}.Draw()
	switch {
	case view.IsDetails(p.view):
		return b.updateModal(ctx, p.view, v)
	case p.inModal():
		return b.pushModal(ctx, p.trigger, v)
	}
	return b.openModal(ctx, p.trigger, v)
}

// refreshOverview redraws the open incident modal after an act. Failures are only logged, because the act is
// saved.
func (b *Bot) refreshOverview(ctx context.Context, p press, id oncall.IncidentID) {
	s, err := b.incidentOverview(ctx, id, p.user)
	if err == nil {
		err = b.updateModal(ctx, p.view, s.Draw())
	}
	if err != nil {
		b.log.Warn().Err(err).Msg("could not redraw an incident's modal")
	}
}

// act performs a person's act on an incident.
func (b *Bot) act(ctx context.Context, id oncall.IncidentID, user oncall.UserID, a oncall.Act) error {
	_, err := b.store.Act(ctx, id, oncall.ByUser(user), a, b.clock())
	switch {
	case errors.Is(err, oncall.ErrNotFound):
		return noIncident(id)
	case err != nil:
		return fmt.Errorf("change incident %s: %w", id, err)
	}
	return nil
}
