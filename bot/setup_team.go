package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// A setupEdit is an edit of the set-up in progress. Every step loads and checks it again.
type setupEdit struct {
	request
	meta   view.SetupMeta
	doc    setup.Setup
	team   oncall.Team
	people map[string]oncall.UserID
}

// setupEdit loads what a form is about, if the person has the permission.
func (b *Bot) setupEdit(ctx context.Context, user oncall.UserID, meta string, act access.Permission) (setupEdit, error) {
	var edit setupEdit
	if err := json.Unmarshal([]byte(meta), &edit.meta); err != nil {
		return edit, oncall.Refuse("This form is from another version of Watchbill. Please open it again.")
	}
	r, err := b.request(ctx, user, nil)
	if err != nil {
		return edit, err
	}
	edit.request = r
	team, known := r.team(edit.meta.Team)
	if !known {
		return edit, oncall.Refuse("There is no team %q any more.", view.Name(edit.meta.Team))
	}
	edit.team = team
	if err := b.store.May(r.directory, r.by(), act, access.Object{Team: team.ID}); err != nil {
		return edit, err
	}
	edit.doc, err = b.store.SetupFor(ctx, r.by(), r.now)
	edit.people = peopleOf(edit.doc)
	return edit, err
}

// byFile reports whether the set-up file overwrites edits.
func (e setupEdit) byFile() bool {
	part, known := e.doc.Find(setup.TeamPart, e.meta.Team)
	return known && part.Team.Owner != oncall.OwnerSlack
}

// policies returns the names of the team's policies that fit in an option.
func (e setupEdit) policies() (names []string) {
	for _, p := range e.doc.Policies {
		if p.Team == e.meta.Team && len([]rune(p.Name)) <= maxChoiceLength {
			names = append(names, p.Name)
		}
	}
	return names
}

// maxChoiceLength is the maximum length of an option's value.
const maxChoiceLength = 150

// pressSetupIn returns the handler of a button in the view of a team's set-up.
func pressSetupIn(act access.Permission, do func(b *Bot, ctx context.Context, e setupEdit, p press) error) func(b *Bot, ctx context.Context, p press) (string, error) {
	return func(b *Bot, ctx context.Context, p press) (string, error) {
		e, err := b.setupEdit(ctx, p.user, p.view.PrivateMetadata, act)
		if err != nil {
			return "", err
		}
		return "", do(b, ctx, e, p)
	}
}

// editTeam opens the form of a team.
func (b *Bot) editTeam(ctx context.Context, edit setupEdit, p press) error {
	part, known := edit.doc.Find(setup.TeamPart, edit.meta.Team)
	if !known {
		return setupRefusal(oncall.ErrNotFound)
	}
	t := *part.Team
	channel := edit.directory.Channel(t.Channel)
	if !oncall.IsChannelID(channel) {
		channel = ""
	}
	f := view.SetupTeamForm{
		Meta: view.SetupMeta{Team: t.Name, ETag: part.ETag()}, Team: t, Channel: channel, ByFile: edit.byFile(),
		Members: idsOf(edit.people, t.Members), Managers: idsOf(edit.people, t.NamedManagers()), Fallback: idsOf(edit.people, t.Fallback), Policies: edit.policies(),
		Admin: edit.makesTeams(),
	}
	return b.pushModal(ctx, p.trigger, f.Draw())
}

// submitTeamEdit saves a team.
func (b *Bot) submitTeamEdit(ctx context.Context, s submission) (modalResponse, error) {
	edit, err := b.setupEdit(ctx, s.user, s.meta(), access.EditSchedule)
	if err != nil {
		return modalResponse{}, err
	}
	part, known := edit.doc.Find(setup.TeamPart, edit.meta.Team)
	if !known {
		return modalResponse{}, setupRefusal(oncall.ErrNotFound)
	}
	team := typedTeam(*part.Team, s.form)
	if err := b.storeNewPeople(ctx, slices.Concat(s.form.users(view.BlockPeople), s.form.users(view.BlockSetupFallback))); err != nil {
		return modalResponse{}, err
	}
	var named []oncall.NamedChannel
	if id := s.form.input(view.BlockSetupChannel).SelectedConversation; id != "" && (id != edit.directory.Channel(team.Channel) || team.Private && !part.Team.Private) {
		found, wrong, err := b.chosenChannel(ctx, id, team.Private)
		if err != nil {
			return modalResponse{}, err
		}
		if len(wrong) > 0 {
			return correct(wrong), nil
		}
		team.Channel, named = found.Named, append(named, found)
	}
	done, err := b.store.EditSetup(ctx, s.by(), store.SetupEdit{
		Part: setup.Part{Kind: setup.TeamPart, Team: &team}, Name: team.Name, IfMatch: edit.meta.ETag, Formats: intake.Names(),
	}, edit.now)
	if err != nil {
		return modalResponse{}, setupRefusal(err)
	}
	if err := b.store.SaveChannels(ctx, named, edit.now); err != nil {
		b.log.Warn().Err(err).Msg("could not store a channel's id")
	}
	b.drawTeamBelow(ctx, s, team.Name, savedSetup("Saved.", done))
	return modalResponse{}, nil
}

// typedTeam returns a team changed by its form.
func typedTeam(team setup.Team, f form) setup.Team {
	ids := func(block view.Block) (names []string) {
		for _, u := range f.users(block) {
			names = append(names, string(u))
		}
		return names
	}
	team.Members, team.Managers, team.Admins, team.Fallback = ids(view.BlockPeople), ids(view.BlockSetupManagers), nil, ids(view.BlockSetupFallback)
	if group := strings.TrimSpace(f.text(view.BlockSetupGroup)); group != "" {
		team.Managers = append(team.Managers, "group @"+strings.TrimPrefix(group, "@"))
	}
	team.Acts, team.Private, team.Topic = oncall.WorkspaceActs, f.checked(view.BlockSetupOptions, view.TeamPrivate), f.checked(view.BlockSetupOptions, view.TeamTopic)
	if f.choice(view.BlockSetupActs) == string(oncall.TeamActs) {
		team.Acts = oncall.TeamActs
	}
	team.Policy, team.Digest = chosen(f, view.BlockPolicy), oncall.Digest(chosen(f, view.BlockSetupDigest))
	team.IncidentChannel = oncall.Severity(chosen(f, view.BlockSetupChannels))
	team.Updates = strings.FieldsFunc(f.text(view.BlockSetupUpdates), func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
	team.TimeOff = oncall.OnTimeOff(chosen(f, view.BlockSetupTimeOff))
	team.Remind, team.Owner = strings.TrimSpace(f.text(view.BlockSetupRemind)), oncall.Owner(f.choice(view.BlockSetupOwner))
	return team
}

// chosen returns the value of an option; empty for the option that stands for none.
func chosen(f form, block view.Block) string {
	if value := f.choice(block); value != view.NoChoice {
		return value
	}
	return ""
}

// editScheduleIn opens a schedule on top of its team.
func (b *Bot) editScheduleIn(ctx context.Context, e setupEdit, p press) error {
	id, _ := strconv.ParseInt(p.value, 10, 64)
	c, known := e.directory.Schedule(oncall.ScheduleID(id))
	if !known || c.TeamID() != e.team.ID {
		return setupRefusal(oncall.ErrNotFound)
	}
	edit, err := b.beginEditing(ctx, e.request, c)
	if err != nil {
		return err
	}
	return b.pushModal(ctx, p.trigger, edit.overview(edit.schedule, "").Draw())
}

// newScheduleIn opens the form of a new schedule on top of its team.
func (b *Bot) newScheduleIn(ctx context.Context, e setupEdit, p press) error {
	return b.pushModal(ctx, p.trigger, view.NewScheduleForm([]oncall.Team{e.team}, e.user.TimeZone))
}

// newIntegration opens the form of a new integration.
func (b *Bot) newIntegration(ctx context.Context, e setupEdit, p press) error {
	f, err := e.newIntegrationForm()
	if err != nil {
		return err
	}
	return b.pushModal(ctx, p.trigger, f.Draw())
}

func (e setupEdit) newIntegrationForm() (view.SetupIntegrationForm, error) {
	policies := e.policies()
	if len(policies) == 0 {
		return view.SetupIntegrationForm{}, oncall.Refuse("An integration needs an escalation policy; make one first.")
	}
	return view.SetupIntegrationForm{
		Meta: view.SetupMeta{Team: e.meta.Team}, Is: setup.Integration{Policy: policies[0]}, Kinds: monitorChoices(), Policies: policies, ByFile: e.byFile(),
	}, nil
}

// editIntegration opens the form of an integration.
func (b *Bot) editIntegration(ctx context.Context, p press, in store.IntegrationState) error {
	edit, err := b.setupEdit(ctx, p.user, view.SetupMeta{Team: in.Team}.String(), access.Integrations)
	if err != nil {
		return err
	}
	part, known := edit.doc.Find(setup.IntegrationPart, in.Name)
	if !known {
		return setupRefusal(oncall.ErrNotFound)
	}
	policies := edit.policies()
	if policy := part.Integration.Policy; !slices.Contains(policies, policy) && len([]rune(policy)) <= maxChoiceLength {
		policies = append(policies, policy) // another team's
	}
	f := view.SetupIntegrationForm{
		Meta: view.SetupMeta{Team: in.Team, Name: in.Name, ETag: part.ETag()}, Is: *part.Integration, Kinds: monitorChoices(), Policies: policies, ByFile: edit.byFile(),
		Mapped: part.Integration.Mapping != nil,
	}
	if p.inModal() {
		return b.pushModal(ctx, p.trigger, f.Draw())
	}
	return b.openModal(ctx, p.trigger, f.Draw())
}

// submitIntegration saves an integration. The key of a new one replaces the form.
func (b *Bot) submitIntegration(ctx context.Context, s submission) (modalResponse, error) {
	e, err := b.setupEdit(ctx, s.user, s.meta(), access.Integrations)
	if err != nil {
		return modalResponse{}, err
	}
	is := setup.Integration{Name: strings.Join(strings.Fields(s.form.text(view.BlockName)), " "), Team: e.meta.Team}
	if e.meta.Name != "" {
		part, known := e.doc.Find(setup.IntegrationPart, e.meta.Name)
		if !known {
			return modalResponse{}, setupRefusal(oncall.ErrNotFound)
		}
		is = *part.Integration
	}
	if is.Name == "" || len([]rune(is.Name)) > view.MaxName {
		return correct(fieldErrors{view.BlockName: fmt.Sprintf("It needs a name of at most %d characters.", view.MaxName)}), nil
	}
	is.Format, is.Policy, is.Storm = oncall.Format(s.form.choice(view.BlockSetupKind)), s.form.choice(view.BlockPolicy), strings.TrimSpace(s.form.text(view.BlockStorm))
	is.Group = typedGroup(is.Group, s.form)
	var problem string
	if is.Heartbeats, problem = readHeartbeats(s.form.text(view.BlockHeartbeats)); problem != "" {
		return correct(fieldErrors{view.BlockHeartbeats: problem}), nil
	}
	edit := store.SetupEdit{
		Part: setup.Part{Kind: setup.IntegrationPart, Integration: &is}, Name: is.Name, New: e.meta.Name == "", IfMatch: e.meta.ETag, Formats: intake.Names(),
	}
	done, err := b.store.EditSetup(ctx, s.by(), edit, e.now)
	if err != nil {
		return modalResponse{}, setupRefusal(err)
	}
	b.drawTeamBelow(ctx, s, e.meta.Team, savedSetup("Saved.", done))
	if !done.Made {
		return modalResponse{}, nil
	}
	r, err := b.request(ctx, s.user, nil)
	if err != nil {
		return modalResponse{}, err
	}
	id, key := b.madeKey(r, is.Name, done)
	return replace(view.NewIntegrationKey(id, key, r.testAlert(id))), nil
}

// removeSetup removes the policy or integration whose form is open.
func (b *Bot) removeSetup(ctx context.Context, p press) (string, error) {
	kind, act := setup.PolicyPart, access.EditSchedule
	switch p.value {
	case "integration":
		kind, act = setup.IntegrationPart, access.Integrations
	case "group":
		kind = setup.UserGroupPart
	}
	edit, err := b.setupEdit(ctx, p.user, p.view.PrivateMetadata, act)
	if err != nil {
		return "", err
	}
	_, err = b.store.EditSetup(ctx, p.by(), store.SetupEdit{
		Part: setup.Part{Kind: kind}, Name: edit.meta.Name, Remove: true, IfMatch: edit.meta.ETag, Formats: intake.Names(),
	}, edit.now)
	if err != nil {
		return "", setupRefusal(err)
	}
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	t, err := b.setupTeam(ctx, r, edit.meta.Team, "*"+view.Name(edit.meta.Name)+"* is removed.")
	if err != nil {
		return "", err
	}
	if below := p.view.PreviousViewID; below != "" {
		if err := b.updateBelow(ctx, p.view, t.Draw()); err != nil {
			b.log.Warn().Err(err).Msg("could not redraw a team's set-up")
		}
	}
	return "", b.updateModal(ctx, p.view, view.TextModal("*"+view.Name(edit.meta.Name)+"* is removed."))
}
