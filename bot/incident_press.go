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

// plainActs are the buttons that do something at once.
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
}

// actForms are the buttons that open a form: it asks for what an act needs, or shows more.
var actForms = map[view.Action]func(s view.Sheet) slack.ModalViewRequest{
	view.ActionSnooze:   view.Sheet.SnoozeForm,
	view.ActionReassign: view.Sheet.ReassignForm,
	view.ActionAsk:      view.Sheet.AskForm,
	view.ActionNote:     view.Sheet.NoteForm,
	view.ActionSeverity: view.Sheet.SeverityForm,
	view.ActionMerge:    view.Sheet.MergeForm,
	view.ActionSplit:    view.Sheet.SplitForm,

	view.ActionVerdictForm: view.Sheet.VerdictForm,
	view.ActionMore:        view.Sheet.Draw,
	view.ActionTimeline:    view.Sheet.Timeline,
}

// pressMenu does what was chosen in an incident's menu.
func (b *Bot) pressMenu(ctx context.Context, p press) (string, error) {
	do, value, _ := strings.Cut(p.value, "/")
	p.value = value
	return b.pressIncident(ctx, p, view.Action(do))
}

// pressIncident does what an incident's button or menu entry is for.
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
			b.refreshSheet(ctx, p, id)
		case p.view.ID != "":
			if err := b.publishHome(ctx, p.user); err != nil {
				b.log.Warn().Err(err).Msg("a home tab shows what was before")
			}
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

// pressSnooze snoozes for what a button of the form says, and says there that it is done.
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
		b.log.Warn().Err(err).Msg("a form doesn't say that its incident is snoozed")
	}
	return "", nil
}

// pressVerdict notes what an incident was.
func (b *Bot) pressVerdict(ctx context.Context, p press) (string, error) {
	verdict, value, _ := strings.Cut(p.value, "/")
	id, known := readIncidentValue(value)
	if !known {
		return "", oncall.Refuse("This version of Watchbill doesn't know that button, and nothing was changed.")
	}
	return "", b.act(ctx, id, p.user, oncall.Act{Do: oncall.ActVerdict, Verdict: oncall.Verdict(verdict)})
}

// showDetails shows an incident's alerts with what their monitor sent, from one of them on.
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

// refreshSheet redraws the open sheet after an act. A failure is only logged, because the act is saved.
func (b *Bot) refreshSheet(ctx context.Context, p press, id oncall.IncidentID) {
	s, err := b.sheet(ctx, id, p.user)
	if err == nil {
		err = b.updateModal(ctx, p.view, s.Draw())
	}
	if err != nil {
		b.log.Warn().Err(err).Msg("an incident's sheet shows what was before")
	}
}

// act does something with an incident for a person.
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
