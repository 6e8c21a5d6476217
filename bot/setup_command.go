package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/route"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// setup answers `/oncall setup [new|team]`. If nothing is set up yet, it opens the form for that; otherwise it
// shows what there is.
func (b *Bot) setup(ctx context.Context, r request) (view.Drawing, error) {
	words := r.words
	for len(words) > 0 && oneOf(words, 0, "team", "teams", "of", "edit", "show", "policy", "policies", "integration", "the") {
		words = words[1:]
	}
	switch {
	case oneOf(words, 0, "new", "add", "create", "first") && len(words) <= 1+maxObjectNameWords:
		return view.Drawing{}, b.openGuide(ctx, r, unescape(strings.Join(skip(words[1:], "team"), " ")))
	case len(words) == 0 && len(r.directory.Teams) == 0 && !r.directory.Hides:
		return view.Drawing{}, b.openGuide(ctx, r, "")
	case len(words) == 0:
		v, err := b.setupTeams(ctx, r)
		if err != nil {
			return view.Drawing{}, err
		}
		return view.Drawing{}, b.openModal(ctx, r.trigger, v.Draw())
	}
	doc, err := b.store.SetupFor(ctx, r.by(), r.now)
	if err != nil {
		return view.Drawing{}, err
	}
	team, known := teamNamed(doc, unescape(strings.Join(words, " ")))
	if !known {
		return view.Drawing{}, unknownName(r.directory, strings.Join(words, " "), "team, policy or integration")
	}
	t, err := b.setupTeam(ctx, r, team, "")
	if err != nil {
		return view.Drawing{}, err
	}
	return view.Drawing{}, b.openModal(ctx, r.trigger, t.Draw())
}

// teamNamed finds a team by its name, or by the name of one of its policies, integrations or schedules.
func teamNamed(doc setup.Setup, name string) (string, bool) {
	for _, t := range doc.Teams {
		if strings.EqualFold(t.Name, name) {
			return t.Name, true
		}
	}
	for _, p := range doc.Policies {
		if strings.EqualFold(p.Name, name) {
			return p.Team, true
		}
	}
	for _, in := range doc.Integrations {
		if strings.EqualFold(in.Name, name) {
			return in.Team, true
		}
	}
	for _, s := range doc.Schedules {
		if strings.EqualFold(s.Name, name) {
			return s.Team, true
		}
	}
	return "", false
}

// makesTeams reports whether the person may create teams.
func (r request) makesTeams() bool {
	return r.directory.Access().May(r.by(), access.OthersThings, access.Object{}) == nil
}

// setupTeams lists the teams; those that the person may change come first.
func (b *Bot) setupTeams(ctx context.Context, r request) (view.SetupTeams, error) {
	doc, err := b.store.SetupFor(ctx, r.by(), r.now)
	if err != nil {
		return view.SetupTeams{}, err
	}
	v := view.SetupTeams{Makes: r.makesTeams()}
	people := peopleOf(doc)
	for _, t := range doc.Teams {
		stored, known := r.team(t.Name)
		if !known {
			continue // just created
		}
		v.Teams = append(v.Teams, view.SetupTeam{Team: t, Members: idsOf(people, t.Members), Edits: r.mayEdit(stored.ID) == nil})
	}
	slices.SortStableFunc(v.Teams, func(a, b view.SetupTeam) int {
		if a.Edits != b.Edits {
			return map[bool]int{true: -1, false: 1}[a.Edits]
		}
		return strings.Compare(strings.ToLower(a.Team.Name), strings.ToLower(b.Team.Name))
	})
	return v, nil
}

// team returns the team with a name.
func (r request) team(name string) (oncall.Team, bool) {
	for _, t := range r.directory.Teams {
		if t.Name == name {
			return t, true
		}
	}
	return oncall.Team{}, false
}

// peopleOf returns the ids of the people named in a document.
func peopleOf(doc setup.Setup) map[string]oncall.UserID {
	people := map[string]oncall.UserID{}
	for _, u := range doc.Users {
		people[u.Name] = u.Slack
	}
	return people
}

func idsOf(people map[string]oncall.UserID, names []string) (ids []oncall.UserID) {
	for _, name := range names {
		if id := people[name]; id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// setupTeam loads a team with everything it owns.
func (b *Bot) setupTeam(ctx context.Context, r request, name, message string) (view.SetupTeam, error) {
	v := view.SetupTeam{Message: message, Overrides: r.directory.Override, Now: r.now, Zone: r.location}
	doc, err := b.store.SetupFor(ctx, r.by(), r.now)
	if err != nil {
		return v, err
	}
	part, known := doc.Find(setup.TeamPart, name)
	team, loaded := r.team(name)
	if !known || !loaded {
		return v, oncall.Refuse("There is no team %q any more.", view.Name(name))
	}
	people := peopleOf(doc)
	v.Team, v.ETag, v.ByFile = *part.Team, part.ETag(), part.Team.Owner != oncall.OwnerSlack
	v.Members, v.Fallback, v.Managers = idsOf(people, part.Team.Members), idsOf(people, part.Team.Fallback), r.directory.Managers(team.ID)
	v.Edits = r.mayEdit(team.ID) == nil
	v.Manages = r.directory.Access().May(r.by(), access.Integrations, access.Object{Team: team.ID}) == nil
	for _, s := range r.directory.Schedules {
		if s.TeamID() == team.ID {
			v.Schedules = append(v.Schedules, s)
		}
	}
	for _, p := range doc.Policies {
		if p.Team == name {
			v.Policies = append(v.Policies, p)
		}
	}
	v.Groups = groupsOf(doc, name)
	all, err := b.store.Integrations(ctx, r.by())
	if err != nil {
		return v, fmt.Errorf("list integrations: %w", err)
	}
	owners := []oncall.RouteOwner{{Team: team.ID}}
	for _, in := range all {
		if in.TeamID == team.ID {
			v.Integrations = append(v.Integrations, shownIntegration(in, r.now))
			owners = append(owners, oncall.RouteOwner{Integration: in.ID})
		}
	}
	if v.Routes, err = b.routesOf(ctx, r, owners); err != nil {
		return v, err
	}
	windows, err := b.store.MaintenanceWindows(ctx, r.by(), r.now)
	if err != nil {
		return v, fmt.Errorf("list maintenance: %w", err)
	}
	for _, m := range shownMaintenance(windows) {
		if m.TeamID == team.ID {
			v.Maintenance = append(v.Maintenance, m)
		}
	}
	v.Maintains = r.directory.Access().May(r.by(), access.Maintain, access.Object{Team: team.ID}) == nil
	return v, nil
}

// routesOf returns the active rules of some owners.
func (b *Bot) routesOf(ctx context.Context, r request, owners []oncall.RouteOwner) (all []view.RouteList, err error) {
	latest, err := b.store.RouteLists(ctx, r.by(), owners)
	for _, l := range latest {
		shown := r.shownRoutes(l.Owner, store.RouteHistory{Versions: []route.Definition{l}})
		if l.Owner.Integration != 0 {
			shown.Integration = r.directory.IntegrationName(l.Owner.Integration)
		}
		all = append(all, shown)
	}
	return all, err
}

// maxProblemsText is the maximum length of the list of problems with an edit.
const maxProblemsText = 1500

// setupRefusal turns the problems with an edit of the set-up into a Refusal.
func setupRefusal(err error) error {
	if wrong, ok := errors.AsType[store.SetupProblems](err); ok {
		return oncall.Refuse("That can't be: %s.", view.Foreign(strings.TrimSuffix(wrong.Error(), "."), maxProblemsText))
	}
	if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
		return oncall.Refuse("%s", view.ForeignSentence(refusal.Sentence))
	}
	switch {
	case errors.Is(err, store.ErrStale):
		return oncall.Refuse("Somebody has changed it meanwhile, or there is one of that name, and nothing was changed. Please open it again.")
	case errors.Is(err, oncall.ErrNotFound):
		return oncall.Refuse("That is no longer there, and nothing was changed.")
	}
	return err
}

// pressTeam replaces the list by the chosen team.
func (b *Bot) pressTeam(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	t, err := b.setupTeam(ctx, r, p.value, "")
	if err != nil {
		return "", err
	}
	if !p.inModal() {
		return "", b.openModal(ctx, p.trigger, t.Draw())
	}
	return "", b.updateModal(ctx, p.view, t.Draw())
}

// pressSetup opens the set-up from a button.
func (b *Bot) pressSetup(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	r.trigger = p.trigger
	_, err = b.setup(ctx, r)
	return "", err
}

// drawTeamBelow redraws the team below a submitted form. Failures are only logged, because everything is saved.
func (b *Bot) drawTeamBelow(ctx context.Context, s submission, team, message string) {
	r, err := b.request(ctx, s.user, nil)
	var t view.SetupTeam
	if err == nil {
		t, err = b.setupTeam(ctx, r, team, message)
	}
	if err == nil && s.view.PreviousViewID != "" {
		err = b.updateBelow(ctx, s.view, t.Draw())
	}
	if err != nil {
		b.log.Warn().Err(err).Msg("could not redraw a team's set-up")
	}
}

// savedSetup confirms an edit, and says if the set-up file will overwrite it.
func savedSetup(message string, done store.EditedSetup) string {
	if len(done.Report.Changes) == 0 && !done.Made {
		message = "Nothing was changed."
	}
	if done.ByFile {
		message += "\n" + view.UndoneByFile(done.Part.TeamName(), true)
	}
	return message
}
