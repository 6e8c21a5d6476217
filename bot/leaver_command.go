package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// leaver answers `/oncall leaver @user`, which shows where teams depend on somebody who has left or is
// about to, and what to do.
func (b *Bot) leaver(ctx context.Context, r request) (view.Drawing, error) {
	id, n, err := r.person(r.words)
	switch {
	case err != nil:
		return view.Drawing{}, err
	case n == 0:
		return view.Drawing{}, oncall.Refuse("Say who leaves: `/oncall leaver @ann`.")
	}
	mine, others, err := b.store.Departures(ctx, r.by(), id, r.now)
	switch {
	case err != nil:
		return view.Drawing{}, fmt.Errorf("find where somebody is counted on: %w", err)
	case len(mine) == 0 && others:
		return view.Drawing{}, oncall.Refuse("Only the managers of the teams that count on %s can change that.", id)
	case len(mine) == 0:
		return view.Drawing{}, oncall.Refuse("No team of yours counts on %s.", id)
	}
	return view.Departures(id, r.directory.Users[id].DeactivatedAt != nil, mine, r.user.TimeZone, b.linksTo(ctx, view.LeftIncidents(mine))), nil
}

// A repair is one team's departure, handled by somebody who looks for a replacement.
type repair struct {
	request
	meta view.LeaverMeta
	of   oncall.Departure
}

// repair loads the departure that a button or a form refers to.
func (b *Bot) repair(ctx context.Context, user oncall.UserID, m view.LeaverMeta) (repair, error) {
	r, err := b.request(ctx, user, nil)
	if err != nil {
		return repair{}, err
	}
	mine, _, err := b.store.Departures(ctx, r.by(), m.User, r.now)
	if err != nil {
		return repair{}, fmt.Errorf("find where somebody is counted on: %w", err)
	}
	i := slices.IndexFunc(mine, func(d oncall.Departure) bool { return d.Team == m.Team })
	if i < 0 {
		return repair{}, oncall.Refuse("The team doesn't count on %s any more, or it is not yours to change.", m.User)
	}
	return repair{request: r, meta: m, of: mine[i]}, nil
}

// leaverPress returns the handler of a button about a leaver.
func leaverPress(do func(*Bot, context.Context, repair, press) (string, error)) func(*Bot, context.Context, press) (string, error) {
	return func(b *Bot, ctx context.Context, p press) (string, error) {
		m, ok := view.ReadLeaverValue(p.value)
		if !ok {
			return "", oncall.Refuse("This button is from another version of Watchbill.")
		}
		r, err := b.repair(ctx, p.user, m)
		if err != nil {
			return "", err
		}
		return do(b, ctx, r, p)
	}
}

// leaverHand opens the form for choosing who takes over.
func (b *Bot) leaverHand(ctx context.Context, r repair, p press) (string, error) {
	return "", b.openModal(ctx, p.trigger, view.LeaverForm(r.meta, r.of))
}

// previewLeaverRemoval previews removing the person.
func (b *Bot) previewLeaverRemoval(ctx context.Context, r repair, p press) (string, error) {
	r.meta.How = view.LeaverOut
	lines, _, err := b.previewRepair(ctx, r)
	if err != nil {
		return "", err
	}
	return "", b.openModal(ctx, p.trigger, view.LeaverPreview(r.meta, r.of, lines, nil))
}

// leaverAsk asks the team to cover the shifts that would have nobody on call.
func (b *Bot) leaverAsk(ctx context.Context, r repair, _ press) (string, error) {
	vacant := r.of.Vacant()
	if len(vacant) == 0 {
		return "", oncall.Refuse("Somebody is on call in each of these shifts.")
	}
	var lines []string
	for _, s := range vacant {
		s.Vacant = true
		c, err := b.store.AskForCover(ctx, r.by(), s.Stint, "has left Slack", true, r.now)
		if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
			lines = append(lines, view.StintWords(s.Stint, r.user.TimeZone)+": "+view.Sentence(refusal.Sentence))
			continue
		}
		if err != nil {
			return "", fmt.Errorf("ask for cover: %w", err)
		}
		lines = append(lines, view.CoverAsked(c, r.user.TimeZone))
	}
	return strings.Join(lines, "\n"), nil
}

// submitLeaver previews the choice.
func (b *Bot) submitLeaver(ctx context.Context, s submission) (modalResponse, error) {
	r, err := b.submittedRepair(ctx, s)
	if err != nil {
		return modalResponse{}, err
	}
	r.meta.How, r.meta.To = view.LeaverHow(s.form.choice(view.BlockLeaverHow)), s.form.user(view.BlockLeaverWho)
	switch {
	case r.meta.To == "":
		return correct(fieldErrors{view.BlockLeaverWho: "Choose who takes over."}), nil
	case r.meta.To == r.meta.User:
		return correct(fieldErrors{view.BlockLeaverWho: "That is who leaves."}), nil
	case r.meta.How == view.LeaverForGood && r.of.ByFile:
		return modalResponse{}, oncall.Refuse("The set-up file has the last word about %s: change it there.", view.Name(r.of.Name))
	}
	if err := b.storeNewPeople(ctx, []oncall.UserID{r.meta.To}); err != nil {
		return modalResponse{}, err
	}
	if r.meta.How == view.LeaverCovers {
		wrong := fieldErrors{}
		r.meta.Last = s.form.date(view.BlockLeaverLast, wrong)
		if len(wrong) == 0 && !r.until().After(r.now) {
			wrong[view.BlockLeaverLast] = "That day is over."
		}
		if len(wrong) > 0 {
			return correct(wrong), nil
		}
	}
	lines, warnings, err := b.previewRepair(ctx, r)
	if err != nil {
		return modalResponse{}, err
	}
	return replace(view.LeaverPreview(r.meta, r.of, lines, warnings)), nil
}

// submitLeaverSave saves the previewed repair.
func (b *Bot) submitLeaverSave(ctx context.Context, s submission) (modalResponse, error) {
	r, err := b.submittedRepair(ctx, s)
	if err != nil {
		return modalResponse{}, err
	}
	if r.meta.How == view.LeaverCovers {
		covers := r.of.Covers(r.user.ID, r.meta.To, r.until(), r.now)
		if err := b.store.AddOverrides(ctx, s.by(), covers, r.now); err != nil {
			return modalResponse{}, fmt.Errorf("give somebody the shifts of a leaver: %w", err)
		}
		return replace(view.TextModal("Saved: " + view.Count(len(covers), "shift") + " changed hands.")), nil
	}
	edits, err := b.repairEdits(ctx, r)
	if err != nil {
		return modalResponse{}, err
	}
	if _, err := b.store.EditSetups(ctx, s.by(), edits, r.now); err != nil {
		return modalResponse{}, setupRefusal(err)
	}
	return replace(view.TextModal("Saved. Whoever's shifts move is told.")), nil
}

func (b *Bot) submittedRepair(ctx context.Context, s submission) (repair, error) {
	var m view.LeaverMeta
	if err := json.Unmarshal([]byte(s.meta()), &m); err != nil {
		return repair{}, oncall.Refuse("This form is from another version of Watchbill. Please open it again.")
	}
	return b.repair(ctx, s.user, m)
}

// until returns the end of the last day of cover.
func (r repair) until() time.Time { return r.zone.Instant(r.meta.Last.AddDays(1), 0) }

// previewRepair describes what a repair would change, and warns about problems.
func (b *Bot) previewRepair(ctx context.Context, r repair) (lines, warnings []string, err error) {
	if r.meta.How == view.LeaverCovers {
		gets := r.of.ShiftsFor(r.meta.To, r.until(), r.now)
		if len(gets) == 0 {
			return nil, nil, oncall.Refuse("%s has no shift up to then that somebody else doesn't have already.", r.meta.User)
		}
		warnings, err = b.clashWarnings(ctx, r, gets)
		return view.LeaverStintLines(gets, r.user.TimeZone), warnings, err
	}
	edits, err := b.repairEdits(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	for i := range edits {
		edits[i].Dry = true
	}
	done, err := b.store.EditSetups(ctx, r.by(), edits, r.now)
	if err != nil {
		return nil, nil, setupRefusal(err)
	}
	for _, d := range done {
		lines = append(lines, view.LeaverMoves(d.Report.Changes, d.Report.Details)...)
	}
	if r.meta.How == view.LeaverForGood {
		warnings, err = b.clashWarnings(ctx, r, r.of.ShiftsFor(r.meta.To, r.now.AddDate(1, 0, 0), r.now))
		if err != nil {
			return nil, nil, err
		}
		doubled, err := b.doubledWarnings(ctx, r, edits)
		return lines, append(doubled, warnings...), err
	}
	return lines, warnings, err
}

// doubledWarnings returns warnings if the replacement already has a turn where the leaver has one,
// with alternatives.
func (b *Bot) doubledWarnings(ctx context.Context, r repair, edits []store.SetupEdit) ([]string, error) {
	doc, err := b.store.SetupFor(ctx, r.by(), r.now)
	if err != nil {
		return nil, fmt.Errorf("load the set-up: %w", err)
	}
	parts := make([]setup.Part, len(edits))
	for i, e := range edits {
		parts[i] = e.Part
	}
	others := slices.DeleteFunc(doc.WithoutTurn(parts, r.directory.Members[r.of.Team]), func(u oncall.UserID) bool {
		return u == r.meta.User || r.directory.Users[u].DeactivatedAt != nil
	})
	return view.LeaverDoubled(doc.Doubled(parts, r.meta.To), others), nil
}

// clashWarnings returns warnings about giving shifts to somebody.
func (b *Bot) clashWarnings(ctx context.Context, r repair, gets []schedule.Stint) ([]string, error) {
	off, err := b.store.TimeOff(ctx, r.by(), r.now, r.now.AddDate(1, 0, 0))
	if err != nil {
		return nil, fmt.Errorf("load time off: %w", err)
	}
	clashes, away := r.directory.Roster().Obstacles(r.meta.To, gets, off)
	return view.LeaverWarnings(r.meta.To, clashes, away, r.user.TimeZone), nil
}

// repairEdits returns the set-up edits that make the repair.
func (b *Bot) repairEdits(ctx context.Context, r repair) ([]store.SetupEdit, error) {
	doc, err := b.store.SetupFor(ctx, r.by(), r.now)
	if err != nil {
		return nil, fmt.Errorf("load the set-up: %w", err)
	}
	parts, err := doc.Hand(r.of.Name, r.meta.User, r.meta.To)
	if err != nil {
		return nil, setupRefusal(err)
	}
	edits := make([]store.SetupEdit, len(parts))
	for i, p := range parts {
		before, known := doc.Find(p.Kind, p.Name())
		if !known {
			return nil, setupRefusal(oncall.ErrNotFound)
		}
		edits[i] = store.SetupEdit{Part: p, Name: p.Name(), IfMatch: before.ETag(), Formats: intake.Names()}
	}
	if len(edits) == 0 {
		return nil, oncall.Refuse("Nothing of the set-up of %s names %s. Shifts made by hand and overrides end by themselves: somebody can have them until a day.", view.Name(r.of.Name), r.meta.User)
	}
	return edits, nil
}
