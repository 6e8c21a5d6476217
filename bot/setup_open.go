package bot

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
)

// maxOffered is the maximum number of teams whose forms a list offers; `/oncall setup` has those of all.
const maxOffered = 5

// offers returns the buttons of a form for the given teams in which the person may use it; of no team in particular, for all.
func (r request) offers(form string, do access.Permission, alone, of string, teams ...oncall.TeamID) (out []view.SetupOffer) {
	for _, t := range r.directory.Teams {
		if len(teams) > 0 && !slices.Contains(teams, t.ID) || r.directory.Access().May(r.by(), do, access.Object{Team: t.ID}) != nil {
			continue
		}
		out = append(out, view.SetupOffer{Form: form, Team: t.ID, Label: of + " " + t.Name + "…"})
	}
	if len(out) == 1 && alone != "" {
		out[0].Label = alone
	}
	return out[:min(len(out), maxOffered)]
}

// openSetup opens the form of a team's set-up that a button in a message offers.
func (b *Bot) openSetup(ctx context.Context, p press) (string, error) {
	form, rest, _ := strings.Cut(p.value, " ")
	number, with, _ := strings.Cut(rest, " ")
	id, _ := strconv.ParseInt(number, 10, 64)
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	t, known := r.directory.Team(oncall.TeamID(id))
	act := map[string]access.Permission{view.OpenMaintenance: access.Maintain, view.OpenRoutes: access.EditSchedule}[form]
	if !known || act == "" {
		return "", oncall.Refuse("That team is no longer there, or this version of Watchbill doesn't know that button.")
	}
	e, err := b.setupEdit(ctx, p.user, view.SetupMeta{Team: t.Name}.String(), act)
	if err != nil {
		return "", err
	}
	if form == view.OpenRoutes {
		p.value = ""
		return "", b.editRoutes(ctx, e, p)
	}
	return "", b.openModal(ctx, p.trigger, e.maintenanceForm(with).Draw())
}

// confirmSetup ends a form of the set-up: the team below it is redrawn with the message or, if a message opened the form,
// the message takes its place.
func (b *Bot) confirmSetup(ctx context.Context, s submission, team, message string) modalResponse {
	if s.view.PreviousViewID == "" {
		return replace(view.TextModal(message))
	}
	b.drawTeamBelow(ctx, s, team, message)
	return modalResponse{}
}
