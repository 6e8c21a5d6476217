package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// newSchedule opens the form of a new schedule.
func (b *Bot) newSchedule(ctx context.Context, r request) (string, error) {
	teams := slices.DeleteFunc(slices.Clone(r.directory.Teams), func(t oncall.Team) bool { return r.mayEdit(t.ID) != nil })
	if len(teams) == 0 {
		return "", oncall.Refuse("Only members of a team can make a schedule for it, and you are in none.")
	}
	return "", b.openModal(ctx, r.trigger, view.NewScheduleForm(teams, r.user.TimeZone))
}

func (b *Bot) submitNewSchedule(ctx context.Context, s submission) (modalResponse, error) {
	r, err := b.request(ctx, s.user, nil)
	if err != nil {
		return modalResponse{}, err
	}
	team := s.form.number(view.BlockTeam)
	if team == 0 {
		return correct(fieldErrors{view.BlockTeam: "Choose a team."}), nil
	}
	definition := schedule.Definition{
		TeamID: oncall.TeamID(team), Name: strings.Join(strings.Fields(s.form.text(view.BlockName)), " "), TimeZone: strings.TrimSpace(s.form.text(view.BlockZone)),
	}
	if err := r.mayEdit(definition.TeamID); err != nil {
		return modalResponse{}, err
	}
	wrong := fieldErrors{}
	switch first, _, _ := strings.Cut(strings.ToLower(definition.Name), " "); {
	case definition.Name == "" || len([]rune(definition.Name)) > view.MaxName:
		wrong[view.BlockName] = fmt.Sprintf("A schedule needs a name of at most %d characters.", view.MaxName)
	case slices.Contains(scheduleVerbs, first):
		wrong[view.BlockName] = fmt.Sprintf("A name can't begin with %q, which is a command.", first)
	}
	if _, err := schedule.LoadZone(definition.TimeZone); err != nil || definition.TimeZone == "" {
		wrong[view.BlockZone] = fmt.Sprintf("%q is not a time zone such as Europe/Berlin.", definition.TimeZone)
	}
	if len(wrong) > 0 {
		return correct(wrong), nil
	}
	if definition, err = b.store.CreateSchedule(ctx, r.by(), definition, r.now); err != nil {
		return modalResponse{}, fmt.Errorf("create a schedule: %w", err)
	}
	e := scheduleEdit{request: r, meta: view.EditMeta{Schedule: definition.ID}, schedule: definition}
	return replace(e.overview(definition, e.saved("Created.")).Draw()), nil
}

// scheduleVerbs follow `/oncall schedule`, so a name can't begin with them.
var scheduleVerbs = []string{"new", "edit", "history"}

// editSchedule opens a schedule's rotations.
func (b *Bot) editSchedule(ctx context.Context, r request, c *schedule.Schedule) (string, error) {
	e, err := b.beginEditing(ctx, r, c)
	if err != nil {
		return "", err
	}
	return "", b.openModal(ctx, r.trigger, e.overview(e.schedule, "").Draw())
}

// scheduleHistory opens a schedule's versions.
func (b *Bot) scheduleHistory(ctx context.Context, r request, c *schedule.Schedule) (string, error) {
	e, err := b.beginEditing(ctx, r, c)
	if err != nil {
		return "", err
	}
	return "", b.openModal(ctx, r.trigger, view.ScheduleHistory(e.meta, e.schedule, r.location))
}

// overview returns the view of a schedule.
func (e scheduleEdit) overview(s schedule.Definition, message string) view.ScheduleOverview {
	team, _ := e.directory.Team(s.TeamID)
	return view.ScheduleOverview{
		Meta: view.EditMeta{Schedule: s.ID, Seen: s.Latest()}, Schedule: s, Team: team.Name,
		Current: s.Current(e.now), Planned: s.Planned(e.now), Message: message, Location: e.location,
	}
}

// pressIn returns the handler of a button in the view of an edit.
func pressIn(do func(b *Bot, ctx context.Context, e scheduleEdit, p press) error) func(b *Bot, ctx context.Context, p press) (string, error) {
	return func(b *Bot, ctx context.Context, p press) (string, error) {
		e, err := b.scheduleEdit(ctx, p.user, p.view.PrivateMetadata)
		if err != nil {
			return "", err
		}
		return "", do(b, ctx, e, p)
	}
}

func (b *Bot) rotationAdd(ctx context.Context, e scheduleEdit, p press) error {
	e.meta.Rotation = -1
	today, _ := e.zone.Local(e.now)
	f := e.form()
	f.Rotation.StartDate, f.Rotation.HandOff = today, 9*60
	return b.pushModal(ctx, p.trigger, f.Draw())
}

func (b *Bot) rotationEdit(ctx context.Context, e scheduleEdit, p press) error {
	i, err := strconv.Atoi(p.value)
	if err != nil || i < 0 || i >= len(e.current) || e.schedule.Latest() != e.meta.Seen {
		return b.updateModal(ctx, p.view, e.overview(e.schedule, "This has changed in the meantime. Here it is as it is now.").Draw())
	}
	e.meta.Rotation = i
	return b.pushModal(ctx, p.trigger, e.form().Draw())
}

// rotationRemove previews the removal of a rotation, on top of its form.
func (b *Bot) rotationRemove(ctx context.Context, e scheduleEdit, p press) error {
	if e.meta.Rotation < 0 {
		return oncall.Refuse("This rotation isn't there any more.")
	}
	return b.confirm(ctx, e, p, e.without(), view.RotationRemoveForm)
}

// without returns the schedule without the edited rotation.
func (e scheduleEdit) without() schedule.Version {
	i := e.meta.Rotation
	return schedule.Version{
		Rotations: slices.Delete(slices.Clone(e.current), i, i+1), Note: "removed " + e.current[i].Name, CreatedBy: e.user.ID,
	}
}

// confirm previews a version and asks whether to save it.
func (b *Bot) confirm(ctx context.Context, e scheduleEdit, p press, v schedule.Version, draw func(view.EditMeta, []slack.Block) slack.ModalViewRequest) error {
	after, err := e.schedule.Edit(v, e.meta.Seen, e.now)
	if err != nil {
		return err
	}
	preview, err := e.preview(after, e.now)
	if err != nil {
		return err
	}
	return b.pushModal(ctx, p.trigger, draw(e.meta, preview))
}

func (b *Bot) submitRotationRemove(ctx context.Context, s submission) (modalResponse, error) {
	e, err := b.scheduleEdit(ctx, s.user, s.meta())
	if err != nil {
		return modalResponse{}, err
	}
	if e.meta.Rotation < 0 {
		return modalResponse{}, oncall.Refuse("This rotation isn't there any more.")
	}
	if _, err := b.saveEdit(ctx, e, e.without()); err != nil {
		return modalResponse{}, err
	}
	return closeAll(), nil // the form below is of the removed rotation
}

func (b *Bot) pressHistory(ctx context.Context, e scheduleEdit, p press) error {
	return b.pushModal(ctx, p.trigger, view.ScheduleHistory(e.meta, e.schedule, e.location))
}

// pressRestore previews an earlier version.
func (b *Bot) pressRestore(ctx context.Context, e scheduleEdit, p press) error {
	id, err := strconv.ParseInt(p.value, 10, 64)
	if err != nil {
		return oncall.Refuse("There is no such version of %q any more.", view.Name(e.schedule.Name))
	}
	v, err := e.schedule.Restored(id, e.user.ID)
	if err != nil {
		return err
	}
	e.meta.Version = id
	return b.confirm(ctx, e, p, v, view.RestoreForm)
}

func (b *Bot) submitRestore(ctx context.Context, s submission) (modalResponse, error) {
	e, err := b.scheduleEdit(ctx, s.user, s.meta())
	if err != nil {
		return modalResponse{}, err
	}
	_, err = b.store.RestoreVersion(ctx, e.by(), e.schedule.ID, e.meta.Version, e.meta.Seen, e.now)
	if err != nil {
		return modalResponse{}, fmt.Errorf("restore a version: %w", err)
	}
	return closeAll(), nil
}

func (b *Bot) pressRemove(ctx context.Context, e scheduleEdit, p press) error {
	return b.pushModal(ctx, p.trigger, view.ScheduleRemoveForm(e.meta, e.schedule.Name, e.overwriteWarning()))
}

func (b *Bot) submitScheduleRemove(ctx context.Context, s submission) (modalResponse, error) {
	e, err := b.scheduleEdit(ctx, s.user, s.meta())
	if err != nil {
		return modalResponse{}, err
	}
	err = b.store.RemoveSchedule(ctx, s.by(), e.schedule.ID, e.now)
	if err != nil && !errors.Is(err, oncall.ErrNotFound) {
		return modalResponse{}, fmt.Errorf("remove a schedule: %w", err)
	}
	return closeAll(), nil
}

// pressOverlap toggles whether manual shifts may overlap.
func (b *Bot) pressOverlap(ctx context.Context, e scheduleEdit, p press) error {
	e.schedule.Apart = p.value == "yes"
	if err := b.store.KeepShiftsApart(ctx, e.by(), e.schedule.ID, e.schedule.Apart, b.clock()); err != nil {
		return fmt.Errorf("save how shifts overlap: %w", err)
	}
	return b.updateModal(ctx, p.view, e.overview(e.schedule, "Saved.").Draw())
}

// updateBelow redraws the view below the submitted one.
func (b *Bot) updateBelow(ctx context.Context, top slack.View, v slack.ModalViewRequest) error {
	return b.updateModal(ctx, slack.View{ID: top.PreviousViewID}, v)
}
