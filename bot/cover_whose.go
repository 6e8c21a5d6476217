package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// coverWhose asks what "cover @di" means: the person takes over Di's next shift, looks for somebody
// else to take it, or wants Di to take one of theirs.
func (b *Bot) coverWhose(r request, other oncall.UserID) (view.Drawing, error) {
	w := view.CoverWhose{Other: other, Swaps: len(r.swappable(r.user.ID)) > 0 && len(r.swappable(other)) > 0}
	theirs, err := b.coverable(r, other)
	switch {
	case err != nil && !w.Swaps:
		return view.Drawing{}, err
	case err != nil:
		w.Shift = r.stints(other)[0] // coverable refuses only if there are shifts
	case len(theirs) > 0:
		w.Shift, w.May = theirs[0], true
	}
	return w.Draw(r.user.TimeZone), nil
}

// readWhose reads the value of a button of that question, which says whose shift it is and which one.
func (r request) readWhose(value string) (schedule.Stint, error) {
	user, shift, _ := strings.Cut(value, "/")
	return r.ownStint(oncall.UserID(user), shift)
}

// coverMyself puts the person on call for the shift of somebody else.
func (b *Bot) coverMyself(ctx context.Context, p press) (view.Drawing, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return view.Drawing{}, err
	}
	stint, err := r.readWhose(p.value)
	if err != nil {
		return view.Drawing{}, err
	}
	in, known := r.directory.Schedule(stint.Schedule)
	if !known {
		return view.Drawing{}, oncall.Refuse("That schedule no longer exists.")
	}
	if stint.Start.Before(r.now) {
		stint.Start = r.now
	}
	return b.makeOverride(ctx, r, view.OverrideDraft{
		Schedule: in, User: r.user.ID, From: stint.Start, To: stint.End, Replaces: view.ReplaceOne, Leaves: stint.User, Reason: "cover",
	})
}

// coverOthers opens the form that asks others to take somebody's shift.
func (b *Bot) coverOthers(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	stint, err := r.readWhose(p.value)
	if err != nil {
		return "", err
	}
	all, err := b.coverable(r, stint.User)
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(all, func(o schedule.Stint) bool { return view.StintValue(o) == view.StintValue(stint) }) {
		return "", fmt.Errorf("find the shift: %w", oncall.ErrNotFound)
	}
	return "", b.openModal(ctx, p.trigger, view.CoverForm(stint.User, all, stint, r.location, ""))
}
