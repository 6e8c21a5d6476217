package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// submitOverride makes the override, and replaces the form with what it changes.
func (b *Bot) submitOverride(ctx context.Context, s submission) (modalResponse, error) {
	r, err := b.request(ctx, s.user, nil)
	if err != nil {
		return modalResponse{}, err
	}
	draft := r.readOverrideForm(s.form)
	if draft.Schedule == nil {
		return modalResponse{}, oncall.Refuse("That schedule no longer exists.")
	}
	if draft.From.Before(r.now) && draft.From.After(r.now.Add(-startMayBePast)) {
		draft.From = r.now
	}
	wrong := fieldErrors{}
	switch {
	case !draft.From.Before(draft.To):
		wrong[view.BlockTo] = "The end is not after the start."
	case draft.From.Before(r.now):
		wrong[view.BlockFrom] = "The start is in the past."
	case draft.Replaces == view.ReplaceOne && draft.Leaves == "":
		wrong[view.BlockLeaves] = "Choose who is replaced."
	}
	var problem string
	if draft.Windows, problem = s.form.windows(); problem != "" {
		wrong[view.BlockDayFrom] = problem
	}
	if len(wrong) > 0 {
		return correct(wrong), nil
	}
	d, err := b.makeOverride(ctx, r, draft)
	if err != nil {
		return modalResponse{}, err
	}
	return replace(view.OverrideMade(d)), nil
}

// readOverrideForm reads the form.
func (r request) readOverrideForm(f form) view.OverrideDraft {
	w := view.OverrideDraft{
		User: f.user(view.BlockWho), From: f.instant(view.BlockFrom), To: f.instant(view.BlockTo),
		Replaces: view.Replaces(cmp.Or(f.choice(view.BlockInstead), string(view.ReplaceAll))), Leaves: f.user(view.BlockLeaves), Reason: f.text(view.BlockReason),
	}
	if chosen, known := r.directory.Schedule(oncall.ScheduleID(f.number(view.BlockSchedule))); known {
		w.Schedule = chosen
	}
	return w
}

// overrideMore shows the rarely used inputs, and keeps the current input.
func (b *Bot) overrideMore(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	w := r.readOverrideForm(formOf(p.view))
	w.More = true
	v, err := b.overrideModal(r, w, "")
	if err != nil {
		return "", err
	}
	return "", b.updateModal(ctx, p.view, v)
}

// startMayBePast is how far in the past a form's start may be, because the form was drawn earlier.
const startMayBePast = 15 * time.Minute

// windows reads the days and times at which an override repeats.
func (f form) windows() ([]schedule.Window, string) {
	window := schedule.Window{}
	for _, d := range view.Weekdays {
		if f.checked(view.BlockDays, string(d)) {
			window.Days = append(window.Days, d)
		}
	}
	from, to := f.input(view.BlockDayFrom).SelectedTime, f.input(view.BlockDayTo).SelectedTime
	if len(window.Days) == 0 && from == "" && to == "" {
		return nil, ""
	}
	if len(window.Days) == 0 {
		return nil, "Choose the days, too."
	}
	for text, at := range map[*schedule.TimeOfDay]string{&window.From: from, &window.To: to} {
		if at == "" {
			continue // midnight
		}
		t, err := schedule.ParseTimeOfDay(at)
		if err != nil {
			return nil, "That is not a time of day."
		}
		*text = t
	}
	return []schedule.Window{window}, ""
}

// ownOverrides lists the overrides that a person has made, with buttons to cancel them.
func (b *Bot) ownOverrides(ctx context.Context, r request) (view.Drawing, error) {
	own, err := b.store.OverridesBy(ctx, r.by(), r.user.ID, r.now)
	if err != nil {
		return view.Drawing{}, err
	}
	if len(own) == 0 {
		return view.Drawing{}, oncall.Refuse("You have made no override that could be cancelled.")
	}
	d := view.Drawing{Text: "Your overrides"}
	for _, o := range own {
		in, _ := r.directory.Schedule(o.ScheduleID)
		d = view.Join(d, view.OwnOverride(o, in, r.location))
	}
	return d, nil
}

// cancelOverride handles the button that undoes an override.
func (b *Bot) cancelOverride(ctx context.Context, p press) (string, error) {
	r, override, err := b.endOverride(ctx, p)
	if err != nil {
		return "", err
	}
	directory, err := b.store.DirectoryFor(ctx, p.by())
	if err != nil {
		return "", fmt.Errorf("load the directory: %w", err)
	}
	s, known := directory.Schedule(override.ScheduleID)
	if !known {
		return "Cancelled.", nil
	}
	at := override.Start
	if at.Before(r.now) {
		at = r.now
	}
	users := slices.Clone(s.At(at, override.Role))
	return view.OverrideCancelled(s, users, at, r.location), nil
}

// endOverride cancels a button's override, if the person may.
func (b *Bot) endOverride(ctx context.Context, p press) (request, schedule.Override, error) {
	return b.changeOverride(ctx, p, b.store.CancelOverride)
}

// changeOverride changes a button's override, if the person may.
func (b *Bot) changeOverride(
	ctx context.Context, p press, change func(context.Context, oncall.Actor, oncall.OverrideID, time.Time) (schedule.Override, error),
) (request, schedule.Override, error) {
	id, err := strconv.ParseInt(p.value, 10, 64)
	if err != nil {
		return request{}, schedule.Override{}, fmt.Errorf("read the id of an override: %w", err)
	}
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return request{}, schedule.Override{}, err
	}
	o, err := change(ctx, r.by(), oncall.OverrideID(id), r.now)
	switch {
	case errors.Is(err, oncall.ErrNotFound):
		return request{}, schedule.Override{}, oncall.Refuse("It no longer exists.")
	case err != nil:
		return request{}, schedule.Override{}, err
	}
	return r, o, nil
}
