package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/schedule"
)

const coverExample = "/oncall cover today 18:00 to 22:00"

// cover answers `/oncall cover [@user] [everyone] TIME [to TIME] [note]`, which asks others to take
// all or part of a shift.
func (b *Bot) cover(ctx context.Context, r request) (view.Drawing, error) {
	words, user, everyone := r.words, r.user.ID, false
	if len(words) == 1 && oneOf(words, 0, "list", "mine", "pending") {
		return b.pending(ctx, r)
	}
	for len(words) > 0 {
		if strings.EqualFold(words[0], "everyone") || strings.EqualFold(words[0], "everybody") {
			everyone, words = true, words[1:]
			continue
		}
		if _, n, problem, _ := r.reader().Span(words); n > 0 || problem != schedule.SpanNothing {
			break
		}
		id, n, err := b.findPerson(ctx, r, words)
		if err != nil {
			return view.Drawing{}, err
		}
		if n == 0 {
			break
		}
		user, words = id, words[n:]
	}
	if user != r.user.ID {
		if _, err := b.user(ctx, user); err != nil {
			return view.Drawing{}, err
		}
	}
	switch {
	case len(words) == 0 && user != r.user.ID:
		return b.coverWhose(r, user)
	case len(words) == 0:
		return view.Drawing{}, b.coverForm(ctx, r, user, "")
	}
	stints, note, err := r.readStints(user, words)
	if errors.Is(err, errNoShift) {
		return view.Drawing{}, b.coverForm(ctx, r, user, fmt.Sprintf("%q is no shift and no time that Watchbill understands. Choose here:", view.Name(unescape(strings.Join(words, " ")))))
	}
	if err != nil {
		return view.Drawing{}, err
	}
	return b.askForCover(ctx, r, stints, unescape(note), everyone)
}

// coverForm opens the form for the shift that needs cover. The argument why says why the words weren't
// enough.
func (b *Bot) coverForm(ctx context.Context, r request, user oncall.UserID, why string) error {
	stints, err := b.coverable(r, user)
	if err != nil {
		return err
	}
	return b.openModal(ctx, r.trigger, view.CoverForm(user, stints, schedule.Stint{}, r.location, why))
}

// errNoShift means that words name no shift and no time.
var errNoShift = errors.New("no shift is named")

// readStints finds the shifts that "TIME [to TIME] note" refers to. A period selects the parts of
// shifts within it. A day selects the shifts that start on it, or that day of a longer shift. A time
// selects the whole shifts around it.
func (r request) readStints(user oncall.UserID, words []string) ([]schedule.Stint, string, error) {
	when, n, err := r.reader().Moment(words)
	if err != nil {
		return nil, "", err
	}
	span, _, problem, err := r.reader().Span(words)
	if problem == schedule.SpanRead && err == nil && (!when.Whole() || !span.To.Equal(when.End) || when.End.Sub(when.Start) > 25*time.Hour) || n > 0 && problem == schedule.SpanBadEnd {
		s, note, err := r.readNoted(words, coverExample)
		if err != nil {
			return nil, "", err
		}
		stints := clip(r.directory.Roster().Stints(user, s.from, s.to), s)
		if len(stints) == 0 {
			if user == r.user.ID {
				return nil, "", oncall.Refuse("You are not on call %s. `/oncall me` shows your shifts.", view.Between(s.from, s.to, r.location))
			}
			return nil, "", oncall.Refuse("%s is not on call %s.", user, view.Between(s.from, s.to, r.location))
		}
		return stints, note, nil
	}
	switch {
	case err != nil:
		return nil, "", err
	case n == 0:
		return nil, "", errNoShift
	}
	if rest := words[n:]; r.reader().GoesOn(rest) {
		return nil, "", noTime(words)
	}
	stints, err := r.stintsIn(user, when)
	if err == nil && !when.IsInstant() {
		stints = r.stintsOn(user, when)
	}
	return stints, strings.Join(words[n:], " "), err
}

// stintsOn returns a person's shifts on a day: whole shifts that start on it, and that day of longer
// ones.
func (r request) stintsOn(user oncall.UserID, when schedule.Moment) []schedule.Stint {
	var out []schedule.Stint
	for _, stint := range r.stints(user) {
		switch {
		case !stint.End.After(when.Start) || !stint.Start.Before(when.End):
			continue
		case stint.Start.Before(when.Start):
			stint.Start = when.Start
			if stint.End.After(when.End) {
				stint.End = when.End
			}
		}
		out = append(out, stint)
	}
	return out
}

// mayAskFor reports whether the person may request cover for a shift: their own, or one in a team that
// they manage.
func (r request) mayAskFor(s schedule.Stint) bool {
	in, known := r.directory.Schedule(s.Schedule)
	return s.User == r.user.ID || known && manages(r.directory, r.user.ID, in)
}

// coverable returns the person's shifts for which the requester may ask for cover. It refuses if there
// are shifts but the requester may not ask for any.
func (b *Bot) coverable(r request, user oncall.UserID) ([]schedule.Stint, error) {
	all := r.stints(user)
	may := slices.DeleteFunc(slices.Clone(all), func(s schedule.Stint) bool { return !r.mayAskFor(s) })
	if len(may) == 0 && len(all) > 0 {
		in, _ := r.directory.Schedule(all[0].Schedule) // stints come from the directory's schedules
		return nil, b.store.May(r.directory, r.by(), access.Override, access.Object{Team: in.TeamID()})
	}
	return may, nil
}

// askForCover makes a cover request for each stint.
func (b *Bot) askForCover(ctx context.Context, r request, stints []schedule.Stint, note string, everyone bool) (view.Drawing, error) {
	for _, s := range stints {
		if !r.mayAskFor(s) {
			return view.Drawing{}, oncall.Refuse("Only %s and the team of %s can ask for that.", s.User, view.Name(s.Name))
		}
	}
	var all view.Drawing
	for _, s := range stints {
		c, err := b.store.AskForCover(ctx, r.by(), s, note, everyone, r.now)
		if refusal, ok := errors.AsType[oncall.Refusal](err); ok && len(stints) > 1 {
			all = view.Join(all, view.Text(view.StintWords(s, r.user.TimeZone)+": "+view.Sentence(refusal.Sentence)))
			continue
		}
		if err != nil {
			return view.Drawing{}, fmt.Errorf("ask for cover: %w", err)
		}
		answer := view.CoverRequested(c, r.user.TimeZone)
		if len(stints) > maxTimeOff { // more buttons than a message can have
			answer = view.Drawing{Text: answer.Text}
		}
		all = view.Join(all, answer)
	}
	if len(stints) > maxTimeOff {
		all.Blocks = nil
	}
	return all, nil
}

// coverPress returns the handler of a cover request's button.
func coverPress(do oncall.CoverActKind) func(*Bot, context.Context, press) (string, error) {
	return func(b *Bot, ctx context.Context, p press) (string, error) {
		c, err := b.actOnCover(ctx, p.value, p.user, oncall.CoverAct{Do: do})
		if err != nil || p.suffix != view.InList {
			return "", err
		}
		zone := "" // of the person who pressed; the schedule's own zone is always shown
		if u, err := b.user(ctx, p.user); err == nil {
			zone = u.TimeZone
		}
		return view.CoverWithdrawn(c, zone), nil
	}
}

func (b *Bot) actOnCover(ctx context.Context, value string, user oncall.UserID, a oncall.CoverAct) (oncall.Cover, error) {
	id, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return oncall.Cover{}, fmt.Errorf("read the id of a cover request: %w", err)
	}
	c, err := b.store.UpdateCover(ctx, oncall.ByUser(user), oncall.CoverID(id), a, b.clock())
	if errors.Is(err, oncall.ErrNotFound) {
		return c, oncall.Refuse("The request or its schedule no longer exists.")
	}
	return c, err
}

// coverPart opens the modal for taking a part of a shift.
func (b *Bot) coverPart(ctx context.Context, p press) (string, error) {
	id, err := strconv.ParseInt(p.value, 10, 64)
	if err != nil {
		return "", fmt.Errorf("read the id of a cover request: %w", err)
	}
	c, err := b.store.Cover(ctx, p.by(), oncall.CoverID(id))
	if err != nil {
		return "", err
	}
	left := slices.DeleteFunc(c.Untaken(), func(s schedule.Stint) bool { return !s.End.After(b.clock()) })
	if c.State != oncall.CoverOpen || len(left) == 0 {
		return "", oncall.Refuse("Nothing of the shift is left to take.")
	}
	return "", b.openModal(ctx, p.trigger, view.CoverPartForm(c, left[0]))
}
