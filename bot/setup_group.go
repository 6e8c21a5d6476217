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

// groupsOf returns the user groups that follow a schedule of a team.
func groupsOf(doc setup.Setup, team string) (out []setup.UserGroup) {
	for _, g := range doc.UserGroups {
		follows := func(s setup.Schedule) bool { return s.Team == team && slices.Contains(g.Schedules, s.Name) }
		if slices.ContainsFunc(doc.Schedules, follows) {
			out = append(out, g)
		}
	}
	return out
}

// editGroup opens the form of a user group.
func (b *Bot) editGroup(ctx context.Context, edit setupEdit, p press) error {
	f := view.SetupGroupForm{Meta: view.SetupMeta{Team: edit.meta.Team}, ByFile: edit.byFile()}
	if p.value != "" {
		part, known := edit.doc.Find(setup.UserGroupPart, p.value)
		if !known {
			return setupRefusal(oncall.ErrNotFound)
		}
		f.Meta.Name, f.Meta.ETag, f.Group, f.Fallback = p.value, part.ETag(), *part.UserGroup, edit.people[part.UserGroup.Fallback]
	}
	for _, s := range edit.doc.Schedules {
		if len([]rune(s.Name)) <= maxChoiceLength && (s.Team == edit.meta.Team || slices.Contains(f.Group.Schedules, s.Name)) {
			f.Schedules = append(f.Schedules, s.Name)
		}
	}
	if len(f.Schedules) == 0 {
		return oncall.Refuse("The team has no schedule that a user group could follow.")
	}
	return b.pushModal(ctx, p.trigger, f.Draw())
}

// submitGroup saves which schedules a user group follows.
func (b *Bot) submitGroup(ctx context.Context, s submission) (modalResponse, error) {
	edit, err := b.setupEdit(ctx, s.user, s.meta(), access.EditSchedule)
	if err != nil {
		return modalResponse{}, err
	}
	g := setup.UserGroup{Handle: "@" + edit.meta.Name}
	if edit.meta.Name == "" {
		g.Handle = "@" + strings.TrimPrefix(strings.ToLower(strings.TrimSpace(s.form.text(view.BlockName))), "@")
	}
	for _, o := range s.form.input(view.BlockGroupFollows).SelectedOptions {
		g.Schedules = append(g.Schedules, o.Value)
	}
	g.Roles = strings.FieldsFunc(s.form.text(view.BlockGroupRoles), func(c rune) bool { return c == ',' || c == ' ' || c == '\n' })
	g.WhenEmpty = oncall.WhenEmpty(s.form.choice(view.BlockGroupEmpty))
	if g.WhenEmpty == oncall.WhenEmptyKeep {
		g.WhenEmpty = "" // as where it is left out
	}
	if g.WhenEmpty == oncall.WhenEmptyFallback {
		fallback := s.form.user(view.BlockGroupFallback)
		if fallback == "" {
			return correct(fieldErrors{view.BlockGroupFallback: "Choose who is in it while nobody is on call."}), nil
		}
		if err := b.storeNewPeople(ctx, []oncall.UserID{fallback}); err != nil {
			return modalResponse{}, err
		}
		g.Fallback = string(fallback)
	}
	done, err := b.store.EditSetup(ctx, s.by(), store.SetupEdit{
		Part: setup.Part{Kind: setup.UserGroupPart, UserGroup: &g}, Name: g.Name(), New: edit.meta.Name == "", IfMatch: edit.meta.ETag, Formats: intake.Names(),
	}, edit.now)
	if err != nil {
		return modalResponse{}, setupRefusal(err)
	}
	b.drawTeamBelow(ctx, s, edit.meta.Team, savedSetup("Saved.", done))
	return modalResponse{}, nil
}
