package bot

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
)

// planMaintenance opens the form of a window.
func (b *Bot) planMaintenance(ctx context.Context, e setupEdit, p press) error {
	return b.pushModal(ctx, p.trigger, e.maintenanceForm("").Draw())
}

// maintenanceForm returns the form of a window. when is how long it begins with; empty: as usual.
func (e setupEdit) maintenanceForm(when string) view.MaintenanceForm {
	f := view.MaintenanceForm{Team: e.meta.Team, When: cmp.Or(when, "2h")}
	for _, in := range e.directory.Integrations {
		if in.TeamID == e.team.ID {
			f.Integrations = append(f.Integrations, view.Choice{Value: strconv.FormatInt(int64(in.ID), 10), Label: in.Name})
		}
	}
	return f
}

// submitMaintenance begins or plans a window.
func (b *Bot) submitMaintenance(ctx context.Context, s submission) (modalResponse, error) {
	edit, err := b.setupEdit(ctx, s.user, s.meta(), access.Maintain)
	if err != nil {
		return modalResponse{}, err
	}
	window, wrong, err := edit.typedMaintenance(s.form)
	switch {
	case err != nil:
		return modalResponse{}, err
	case len(wrong) > 0:
		return correct(wrong), nil
	}
	if window, err = b.store.AddMaintenance(ctx, s.by(), window, edit.now); err != nil {
		return modalResponse{}, maintenanceGone(err)
	}
	shown := view.MaintenanceWindow{Maintenance: window, Team: edit.meta.Team, Integration: edit.directory.IntegrationName(window.IntegrationID)}
	return b.confirmSetup(ctx, s, edit.meta.Team, view.MaintenanceBegun(shown, edit.now, edit.location).Text), nil
}

// typedMaintenance reads the form, in the words that the command takes.
func (e setupEdit) typedMaintenance(f form) (window oncall.Maintenance, wrong fieldErrors, err error) {
	window = oncall.Maintenance{
		TeamID: e.team.ID, IntegrationID: oncall.IntegrationID(f.number(view.BlockWindowOf)),
		Reason: strings.TrimSpace(f.text(view.BlockReason)), PagesCritical: f.checked(view.BlockWindowPages, view.WindowPagesCritical),
	}
	n, words := 0, strings.Fields(f.text(view.BlockWindowWhen))
	if len(words) > 0 {
		if n, err = e.maintenanceSpan(words, &window); err != nil {
			return window, nil, err
		}
	}
	if n == 0 || n < len(words) {
		return window, fieldErrors{view.BlockWindowWhen: "Say for how long, or from when to when: 2h, until 14:00, tomorrow 22:00 to 23:30."}, nil
	}
	match, rest, err := readMatchers(strings.Fields(f.text(view.BlockWindowOnly)))
	if len(rest) > 0 {
		wrong = fieldErrors{view.BlockWindowOnly: strconv.Quote(rest[0]) + " is no condition; write it like service=checkout."}
	}
	window.Match = match
	return window, wrong, err
}
