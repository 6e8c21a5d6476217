package bot

import (
	"context"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// renameTeam asks for a team's other name, in the place of its form.
func (b *Bot) renameTeam(ctx context.Context, e setupEdit, p press) error {
	return b.updateModal(ctx, p.view, view.RenameTeamForm{Team: e.meta.Team}.Draw())
}

// submitRename gives a team another name.
func (b *Bot) submitRename(ctx context.Context, s submission) (modalResponse, error) {
	edit, err := b.setupEdit(ctx, s.user, s.meta(), access.OthersThings)
	if err != nil {
		return modalResponse{}, err
	}
	name := strings.Join(strings.Fields(s.form.text(view.BlockName)), " ")
	if why := wrongTeamName(name); why != "" {
		return correct(fieldErrors{view.BlockName: why}), nil
	}
	if err := b.store.RenameTeam(ctx, s.by(), edit.meta.Team, name, edit.now); err != nil {
		return modalResponse{}, setupRefusal(err)
	}
	b.drawTeamBelow(ctx, s, name, "*"+view.Name(edit.meta.Team)+"* is called *"+view.Name(name)+"* now.")
	return modalResponse{}, nil
}

// askRemoveTeam says what goes with a team and what is in the way, in the place of its form.
func (b *Bot) askRemoveTeam(ctx context.Context, edit setupEdit, p press) error {
	open, err := b.store.OpenIncidents(ctx, edit.by(), maxOpenLoaded)
	if err != nil {
		return err
	}
	without, goes := edit.doc.WithoutTeam(edit.meta.Team)
	f := view.RemoveTeamForm{Team: edit.meta.Team, Goes: goes, ByFile: edit.byFile()}
	for _, in := range open {
		if in.TeamID == edit.team.ID {
			f.Open++
		}
	}
	was := edit.doc.Check(intake.Names())
	for _, problem := range without.Check(intake.Names()) {
		if !slices.Contains(was, problem) {
			f.InTheWay = append(f.InTheWay, problem)
		}
	}
	return b.updateModal(ctx, p.view, f.Draw())
}

// submitRemoveTeam removes a team with all that is its.
func (b *Bot) submitRemoveTeam(ctx context.Context, s submission) (modalResponse, error) {
	edit, err := b.setupEdit(ctx, s.user, s.meta(), access.OthersThings)
	if err != nil {
		return modalResponse{}, err
	}
	_, err = b.store.EditSetup(ctx, s.by(), store.SetupEdit{
		Part: setup.Part{Kind: setup.TeamPart}, Name: edit.meta.Team, Remove: true, All: true, Formats: intake.Names(),
	}, edit.now)
	if err != nil {
		return modalResponse{}, setupRefusal(err)
	}
	r, err := b.request(ctx, s.user, nil)
	if err != nil {
		return modalResponse{}, err
	}
	teams, err := b.setupTeams(ctx, r)
	if err != nil {
		return modalResponse{}, err
	}
	if s.view.PreviousViewID != "" {
		if err := b.updateBelow(ctx, s.view, teams.Draw()); err != nil {
			b.log.Warn().Err(err).Msg("a removed team is still shown")
		}
	}
	return replace(view.TextModal("*" + view.Name(edit.meta.Team) + "* is removed, with all that was its.")), nil
}

// pressedEnd ends a window of maintenance; in the view of its team it is redrawn there.
func (b *Bot) pressedEnd(ctx context.Context, r request, p press, id oncall.MaintenanceID) (string, error) {
	message, err := b.setMaintenanceEnd(ctx, r, id)
	if err != nil || !p.inModal() || !view.IsSetupTeam(p.view) {
		return message, err
	}
	e, err := b.setupEdit(ctx, p.user, p.view.PrivateMetadata, access.See)
	if err != nil {
		return "", err
	}
	t, err := b.setupTeam(ctx, e.request, e.meta.Team, message)
	if err != nil {
		return "", err
	}
	return "", b.updateModal(ctx, p.view, t.Draw())
}
