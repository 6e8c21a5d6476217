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
	"github.com/watchbill/watchbill/oncall/schedule"
)

const awayExample = "/oncall away 24 dec to 27 dec holidays"

// away answers `/oncall away [from to [note] [cover]]`. Time off takes nobody off call, but shows which shifts
// fall into it, and helps to find cover for them. It opens a form if something is missing or wrong.
func (b *Bot) away(ctx context.Context, r request) (view.Drawing, error) {
	words := r.words
	if len(words) == 0 || strings.EqualFold(words[0], "list") {
		return b.ownTimeOff(ctx, r, words)
	}
	if len(words) == 1 && strings.EqualFold(words[0], "new") {
		return view.Drawing{}, b.openModal(ctx, r.trigger, view.TimeOffForm(r.tomorrowOff(), ""))
	}
	if oneOf(words, 0, "who", "team", "everybody", "all") {
		return b.whoIsAway(ctx, r, words[1:])
	}
	if strings.EqualFold(words[0], "calendar") {
		return b.awayCalendar(ctx, r, words[1:])
	}
	ask := strings.EqualFold(words[len(words)-1], "cover")
	if ask {
		words = words[:len(words)-1]
	}
	if _, n, problem, _ := r.reader().Span(words); n == 0 && problem == schedule.SpanNothing {
		id, n, err := r.person(words)
		switch {
		case err == nil && n > 0 && id != r.user.ID:
			return view.Drawing{}, oncall.Refuse("Time off is each person's own: %s enters it. `/oncall override` and `/oncall cover %s` look after their shifts.", id, id)
		case err == nil && n > 0:
			words = words[n:]
		}
	}
	s, note, err := r.readNoted(words, awayExample)
	if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
		w := view.TimeOffDraft{From: s.from, To: s.to, Cover: ask, Zone: r.location}
		return view.Drawing{}, b.openModal(ctx, r.trigger, view.TimeOffForm(w, inForm(refusal, awayExample)))
	}
	if err != nil {
		return view.Drawing{}, err
	}
	return b.takeTimeOff(ctx, r, s, note, ask)
}

// takeTimeOff saves time off, and asks for cover if requested.
func (b *Bot) takeTimeOff(ctx context.Context, r request, s span, note string, ask bool) (view.Drawing, error) {
	off, err := b.store.AddTimeOff(ctx, r.by(), oncall.TimeOff{UserID: r.user.ID, Start: s.from, End: s.to, Note: unescape(note)}, r.now)
	if err != nil {
		return view.Drawing{}, err
	}
	hit := clip(r.directory.Roster().Stints(r.user.ID, s.from, s.to), s)
	whole := span{from: off.Start, to: off.End} // it may extend an earlier one
	if whole.from.Before(r.now) {
		whole.from = r.now
	}
	all := clip(r.directory.Roster().Stints(r.user.ID, whole.from, whole.to), whole)
	wanted, err := b.coverWanted(ctx, r)
	if err != nil {
		return view.Drawing{}, err
	}
	d := view.TimeOff(off, all, r.user.TimeZone, !ask && !wanted.all(all), r.onTimeOff(all))
	if ask && len(hit) > 0 {
		answer, err := b.askForCover(ctx, r, hit, note, false)
		if err != nil {
			return view.Drawing{}, err
		}
		d = view.Join(d, answer)
	}
	return d, nil
}

// submitAway saves the form's time off.
func (b *Bot) submitAway(ctx context.Context, s submission) (modalResponse, error) {
	r, err := b.request(ctx, s.user, nil)
	if err != nil {
		return modalResponse{}, err
	}
	wrong := fieldErrors{}
	from, to := s.form.date(view.BlockFrom, wrong), s.form.date(view.BlockTo, wrong)
	start, end := s.form.clock(view.BlockDayFrom, wrong), s.form.clock(view.BlockDayTo, wrong)
	if len(wrong) > 0 {
		return correct(wrong), nil
	}
	off := span{from: r.zone.Instant(from, start), to: r.zone.Instant(to, end)}
	if end == 0 { // including the last day
		off.to = r.zone.Instant(to.AddDays(1), 0)
	}
	if today, _ := r.zone.Local(r.now); from == today && start == 0 {
		off.from = r.now
	}
	switch {
	case !off.from.Before(off.to):
		return correct(fieldErrors{view.BlockTo: "The end is not after the start."}), nil
	case off.from.Before(r.now):
		return correct(fieldErrors{view.BlockFrom: "The start is in the past."}), nil
	}
	d, err := b.takeTimeOff(ctx, r, off, s.form.text(view.BlockNote), s.form.checked(view.BlockWhom, view.AskForCover))
	if err != nil {
		return modalResponse{}, err
	}
	return replace(view.TimeOffSaved(d)), nil
}

// tomorrowOff is what the form of time off begins with.
func (r request) tomorrowOff() view.TimeOffDraft {
	today, _ := r.zone.Local(r.now)
	return view.TimeOffDraft{From: r.zone.Instant(today.AddDays(1), 0), To: r.zone.Instant(today.AddDays(2), 0), Zone: r.location}
}

// whoIsAway lists who of the person's teams has time off at the time of the words, or else within two weeks. What it is for is
// theirs alone.
func (b *Bot) whoIsAway(ctx context.Context, r request, words []string) (view.Drawing, error) {
	from, until := r.now, r.now.AddDate(0, 0, 14)
	if len(words) > 0 {
		when, err := r.moment(words)
		if err != nil {
			return view.Drawing{}, err
		}
		if from, until = when.Start, when.End; when.IsInstant() {
			until = from.Add(time.Second)
		}
	}
	all, err := b.store.TimeOff(ctx, r.by(), from, until)
	if err != nil {
		return view.Drawing{}, fmt.Errorf("load time off: %w", err)
	}
	mine := map[oncall.UserID]bool{r.user.ID: true}
	for _, t := range r.directory.Teams {
		if members := r.directory.Members[t.ID]; slices.Contains(members, r.user.ID) {
			for _, u := range members {
				mine[u] = true
			}
		}
	}
	all = slices.DeleteFunc(all, func(t oncall.TimeOff) bool { return !mine[t.UserID] })
	return view.WhoIsAway(all, from, until, r.location), nil
}

// homeAway opens the form of time off.
func (b *Bot) homeAway(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	return "", b.openModal(ctx, p.trigger, view.TimeOffForm(r.tomorrowOff(), ""))
}

// maxTimeOff is the maximum number of entries in the list: each takes two of a message's fifty blocks.
const maxTimeOff = 20

// ownTimeOff lists a person's time off, and the shifts that fall into it: all of it, or after "list" what touches a time. If
// there is none, it opens the form, unless the list was requested.
func (b *Bot) ownTimeOff(ctx context.Context, r request, words []string) (view.Drawing, error) {
	own, err := b.timeOff(ctx, r)
	if err != nil {
		return view.Drawing{}, err
	}
	if len(words) > 1 && len(own) > 0 {
		if own, err = r.touching(own, words[1:]); err != nil {
			return view.Drawing{}, err
		}
	}
	switch {
	case len(own) == 0 && len(words) > 0:
		return view.Drawing{}, oncall.Refuse("You have no time off ahead. `%s` takes some.", awayExample)
	case len(own) == 0:
		return view.Drawing{}, b.openModal(ctx, r.trigger, view.TimeOffForm(r.tomorrowOff(), ""))
	}
	wanted, err := b.coverWanted(ctx, r)
	if err != nil {
		return view.Drawing{}, err
	}
	var all view.Drawing
	seen := map[schedule.Stint]bool{} // time off may overlap, but each shift is listed once
	for _, off := range own[:min(len(own), maxTimeOff)] {
		s := span{from: off.Start, to: off.End}
		if s.from.Before(r.now) {
			s.from = r.now
		}
		var hit []schedule.Stint
		for _, stint := range r.directory.Roster().Stints(r.user.ID, s.from, s.to) {
			whole := stint
			whole.Start = time.Time{} // the start moves while a shift runs
			if !seen[whole] {
				hit = append(hit, clip([]schedule.Stint{stint}, s)...)
			}
			seen[whole] = true
		}
		all = view.Join(all, view.TimeOff(off, hit, r.user.TimeZone, !wanted.all(hit), r.onTimeOff(hit)))
	}
	return view.Join(all, view.MoreTimeOff()), nil
}

// touching returns the time off that touches a time.
func (r request) touching(own []oncall.TimeOff, words []string) ([]oncall.TimeOff, error) {
	when := span{}
	if read, n, problem, err := r.reader().Span(words); err != nil {
		return nil, err
	} else if n == len(words) && problem == schedule.SpanRead {
		when = span{from: read.From, to: read.To}
	} else {
		m, err := r.moment(words)
		if err != nil {
			return nil, err
		}
		if when = (span{from: m.Start, to: m.End}); m.IsInstant() {
			when.to = when.from.Add(time.Second)
		}
	}
	hit := slices.DeleteFunc(slices.Clone(own), func(t oncall.TimeOff) bool { return !t.Start.Before(when.to) || !t.End.After(when.from) })
	if len(hit) == 0 {
		return nil, oncall.Refuse("You have no time off then: %s. `/oncall away list` lists all of it.", view.Between(when.from, when.to, r.location))
	}
	return hit, nil
}

// onTimeOff returns what the teams of these shifts have happen if somebody is away, if it is the same for all.
func (r request) onTimeOff(shifts []schedule.Stint) oncall.OnTimeOff {
	rules := map[oncall.OnTimeOff]bool{}
	one := oncall.TimeOffWarn
	for _, stint := range shifts {
		if s, known := r.directory.Schedule(stint.Schedule); known {
			t, _ := r.directory.Team(s.TeamID())
			one, rules[t.TimeOff] = t.TimeOff, true
		}
	}
	if len(rules) > 1 {
		return oncall.TimeOffWarn
	}
	return one
}

// wantedCovers are a person's open cover requests.
type wantedCovers []oncall.Cover

func (b *Bot) coverWanted(ctx context.Context, r request) (wantedCovers, error) {
	_, covers, err := b.store.PendingSwaps(ctx, r.by(), r.user.ID, r.now)
	if err != nil {
		return nil, fmt.Errorf("load cover requests: %w", err)
	}
	return covers, nil
}

// all reports whether cover is asked for all of these shifts.
func (w wantedCovers) all(shifts []schedule.Stint) bool {
	for _, s := range shifts {
		if !slices.ContainsFunc(w, func(c oncall.Cover) bool {
			return c.Stint.Schedule == s.Schedule && c.Stint.Role == s.Role && c.Stint.User == s.User && c.Stint.Start.Before(s.End) && c.Stint.End.After(s.Start)
		}) {
			return false
		}
	}
	return true
}

// timeOff returns a person's current and future time off.
func (b *Bot) timeOff(ctx context.Context, r request) ([]oncall.TimeOff, error) {
	all, err := b.store.TimeOff(ctx, r.by(), r.now, r.now.AddDate(2, 0, 0))
	if err != nil {
		return nil, fmt.Errorf("load time off: %w", err)
	}
	return slices.DeleteFunc(all, func(t oncall.TimeOff) bool { return t.UserID != r.user.ID }), nil
}

// pressedTimeOff finds a button's time off, if it belongs to the person.
func (b *Bot) pressedTimeOff(ctx context.Context, p press) (request, oncall.TimeOff, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return r, oncall.TimeOff{}, err
	}
	own, err := b.timeOff(ctx, r)
	if err != nil {
		return r, oncall.TimeOff{}, err
	}
	for _, off := range own {
		if strconv.FormatInt(int64(off.ID), 10) == p.value {
			return r, off, nil
		}
	}
	return r, oncall.TimeOff{}, oncall.Refuse("You have no such time off ahead any more.")
}

// awayCover asks for cover for all shifts that fall into a time off.
func (b *Bot) awayCover(ctx context.Context, p press) (string, error) {
	r, off, err := b.pressedTimeOff(ctx, p)
	if err != nil {
		return "", err
	}
	s := span{from: off.Start, to: off.End}
	if s.from.Before(r.now) {
		s.from = r.now
	}
	hit := clip(r.directory.Roster().Stints(r.user.ID, s.from, s.to), s)
	if len(hit) == 0 {
		return "", oncall.Refuse("None of your shifts is in that time any more.")
	}
	d, err := b.askForCover(ctx, r, hit, off.Note, false)
	return d.Text, err
}

// awayCancel cancels a time off.
func (b *Bot) awayCancel(ctx context.Context, p press) (string, error) {
	r, off, err := b.pressedTimeOff(ctx, p)
	if err != nil {
		return "", err
	}
	if _, err := b.store.CancelTimeOff(ctx, p.by(), off.ID, r.now); err != nil && !errors.Is(err, oncall.ErrNotFound) {
		return "", fmt.Errorf("cancel time off: %w", err)
	}
	return fmt.Sprintf("Your time off %s is cancelled. Cover that you have asked for stays asked for.",
		view.Between(off.Start, off.End, r.location)), nil
}
