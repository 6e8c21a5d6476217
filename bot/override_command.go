package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/schedule"
)

const (
	overrideExample = "/oncall override @ann today 18:00 to 22:00"
	overrideUsage   = "Say who, from when and to when: `" + overrideExample + "`."
)

// override answers `/oncall override @user from to [schedule] [reason]`, which puts a person on call
// instead of others. If something is missing or wrong, it opens a form.
func (b *Bot) override(ctx context.Context, r request) (view.Drawing, error) {
	if len(r.words) == 1 && strings.EqualFold(r.words[0], "cancel") {
		return b.ownOverrides(ctx, r)
	}
	w, err := b.readOverride(ctx, r)
	if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
		reason := ""
		if len(r.words) > 0 {
			reason = inForm(refusal, overrideExample)
		}
		asks, err := b.overrideModal(r, w, reason)
		if err != nil {
			return view.Drawing{}, err
		}
		return view.Drawing{}, b.openModal(ctx, r.trigger, asks)
	}
	if err != nil {
		return view.Drawing{}, err
	}
	return b.makeOverride(ctx, r, w)
}

// overrideModal returns the form for an override. It offers the schedules in which the person may put
// people on call. It refuses if there are none or the named one isn't among them.
func (b *Bot) overrideModal(r request, w view.OverrideDraft, reason string) (slack.ModalViewRequest, error) {
	may := slices.DeleteFunc(slices.Clone(r.directory.Schedules), func(s *schedule.Schedule) bool { return !manages(r.directory, r.user.ID, s) })
	asked := w.Schedule
	if asked == nil && len(may) == 0 && len(r.directory.Schedules) > 0 {
		asked = r.directory.Schedules[0] // the refusal names people who may
	}
	if asked == nil && !mayInSome(r.directory, r.user.ID, access.Override) {
		return slack.ModalViewRequest{}, oncall.Refuse("There is no schedule in which you may put somebody on call.")
	}
	if asked != nil {
		if err := b.store.May(r.directory, r.by(), access.Override, access.Object{Team: asked.TeamID()}); err != nil {
			return slack.ModalViewRequest{}, err
		}
	}
	if w.Schedule == nil {
		if w.Schedule, _ = r.schedule(""); w.Schedule != nil && !slices.Contains(may, w.Schedule) {
			w.Schedule = nil
		}
	}
	if w.Schedule == nil && len(may) == 1 {
		w.Schedule = may[0]
	}
	if own := r.ownAmong(may); w.Schedule == nil && len(own) > 0 {
		w.Schedule = own[0]
	}
	if w.From.IsZero() {
		w.From, w.To = r.now, r.restOfShift(w.Schedule)
	}
	if w.User == "" && w.Schedule != nil && !slices.Contains(w.Schedule.At(w.From, ""), r.user.ID) {
		w.User = r.user.ID
	}
	return view.OverrideForm(may, w, reason), nil
}

// ownAmong returns the schedules of the person's teams.
func (r request) ownAmong(all []*schedule.Schedule) []*schedule.Schedule {
	return slices.DeleteFunc(slices.Clone(all), func(s *schedule.Schedule) bool { return !slices.Contains(r.directory.Members[s.TeamID()], r.user.ID) })
}

// restOfShift returns when the current shift ends, or the next midnight if that comes first, but at
// least an hour from now.
func (r request) restOfShift(c *schedule.Schedule) time.Time {
	today, _ := r.zone.Local(r.now)
	end := r.zone.Instant(today.AddDays(1), 0)
	if c != nil {
		if change, ok := c.NextChange(r.now, end, ""); ok {
			end = change
		}
	}
	if least := r.now.Add(time.Hour); end.Before(least) {
		return least
	}
	return end
}

// readOverride parses as many words as it can. The rest stays in the form to be corrected.
func (b *Bot) readOverride(ctx context.Context, r request) (view.OverrideDraft, error) {
	w := view.OverrideDraft{Replaces: view.ReplaceAll}
	if len(r.words) == 0 {
		return w, oncall.Refuse("%s", overrideUsage)
	}
	words, err := b.readSomebody(ctx, r, &w.User)
	if err != nil {
		return w, err
	}
	if w.User == "" {
		read, n, problem, err := r.reader().Span(words)
		if n == 0 || err != nil {
			return w, r.nobody(r.words[0], overrideExample)
		}
		if problem == schedule.SpanRead { // the rest was understood
			w.From, w.To, w.Windows = read.From, read.To, read.Windows
			w.Schedule, w.Reason, _ = r.scheduleAndReason(strings.Join(words[n:], " "))
		}
		return w, oncall.Refuse("Say who.")
	}
	if words, err = b.readReplaced(ctx, r, &w, words); err != nil {
		return w, err
	}
	if before := words; len(words) > 0 { // the schedule may be first
		if words = r.takeSchedule(&w, words); len(words) == 0 {
			words = before
		}
	}
	for len(words) > 1 && oneOf(words, 0, "with", "by") {
		words = words[1:]
	}
	s, name, err := r.readSpan(words, overrideExample)
	w.From, w.To, w.Windows = s.from, s.to, s.windows
	if w.Schedule != nil {
		w.Reason = unescape(name)
		return w, cmp.Or(err, r.refuseTimeIn(s, w.Reason, overrideExample))
	}
	if err != nil {
		for n := range words {
			if found, ok := lookUp(r.directory, strings.Join(words[n:], " ")); ok && len(found) == 1 {
				w.Schedule = found[0]
				break
			}
		}
		return w, err
	}
	w.Schedule, w.Reason, err = r.scheduleAndReason(name)
	return w, cmp.Or(err, r.refuseTimeIn(s, w.Reason, overrideExample))
}

// readReplaced parses "for @ann" and "instead of @ann" (who is replaced) and "by @cy" (who takes
// over). It returns the other words.
func (b *Bot) readReplaced(ctx context.Context, r request, w *view.OverrideDraft, words []string) ([]string, error) {
	if len(words) < 2 || !oneOf(words, 0, "for", "instead", "replacing", "replaces", "by", "with") {
		return words, nil
	}
	rest := words[1:]
	if len(rest) > 1 && oneOf(rest, 0, "of") {
		rest = rest[1:]
	}
	other, n, err := b.findPerson(ctx, r, rest)
	if err != nil || n == 0 {
		return words, err
	}
	w.Replaces, w.Leaves = view.ReplaceOne, other
	if oneOf(words, 0, "by", "with") {
		w.User, w.Leaves = other, w.User
	}
	return rest[n:], nil
}

// readSomebody parses a person at the beginning of the words or, for a mention, anywhere. It returns
// the other words.
func (b *Bot) readSomebody(ctx context.Context, r request, to *oncall.UserID) ([]string, error) {
	id, n, err := b.findPerson(ctx, r, r.words)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		for i, word := range r.words {
			if mentioned, ok := view.ReadMention(word); ok {
				*to = mentioned
				return slices.Concat(r.words[:i], r.words[i+1:]), nil
			}
		}
	}
	*to = id
	return r.words[n:], nil
}

// takeSchedule removes a schedule's name from the beginning of the words, unless a time begins there.
func (r request) takeSchedule(w *view.OverrideDraft, words []string) []string {
	if _, n, problem, _ := r.reader().Span(words); n > 0 || problem != schedule.SpanNothing {
		return words
	}
	for n := min(len(words), maxObjectNameWords); n > 0; n-- {
		if found, ok := lookUp(r.directory, strings.Join(words[:n], " ")); ok && len(found) == 1 {
			w.Schedule = found[0]
			return words[n:]
		}
	}
	return words
}

// makeOverride saves an override, and shows what it changes.
func (b *Bot) makeOverride(ctx context.Context, r request, w view.OverrideDraft) (view.Drawing, error) {
	user, err := b.user(ctx, w.User)
	if err != nil {
		return view.Drawing{}, err
	}
	if user.DeactivatedAt != nil {
		return view.Drawing{}, oncall.Refuse("%s is deactivated in Slack and can't be on call.", w.User)
	}
	o := r.overrideFrom(w)
	replaced, alone := othersOnCall(w.Schedule, span{from: w.From, to: w.To}, w.User)
	if err := b.store.May(r.directory, r.by(), access.Override, access.Object{Team: w.Schedule.TeamID()}); err != nil {
		return view.Drawing{}, err
	}
	switch {
	case alone && w.Replaces == view.ReplaceAll && len(w.Windows) == 0:
		return view.Drawing{}, oncall.Refuse("%s is on call alone in %q for all of that time already.", w.User, view.Name(w.Schedule.Name()))
	case w.Replaces == view.ReplaceOne && !slices.Contains(replaced, w.Leaves):
		return view.Drawing{}, oncall.Refuse("%s is not on call in %q at that time.", w.Leaves, view.Name(w.Schedule.Name()))
	}
	if w.Replaces == view.ReplaceAll && len(w.Windows) == 0 {
		w.Gaps, w.Covered = hourGaps(w.Schedule, span{from: w.From, to: w.To})
		o.OnlyCovered = w.Covered
	}
	o, err = b.store.AddOverride(ctx, r.by(), w.Schedule.ID(), o, r.now)
	if err != nil {
		return view.Drawing{}, fmt.Errorf("add an override: %w", err)
	}
	directory, err := b.store.DirectoryFor(ctx, r.by())
	if err != nil {
		return view.Drawing{}, fmt.Errorf("load the directory: %w", err)
	}
	var moves []schedule.Move
	if after, known := directory.Schedule(w.Schedule.ID()); known {
		moves = schedule.MovedShifts(w.Schedule, after, w.From, w.To)
	}
	away, err := b.store.TimeOff(ctx, r.by(), w.From, w.To)
	if err != nil {
		return view.Drawing{}, fmt.Errorf("load time off: %w", err)
	}
	w.Away = slices.ContainsFunc(away, func(t oncall.TimeOff) bool { return t.UserID == w.User })
	for _, s := range directory.Roster().Stints(w.User, w.From, w.To) {
		if s.Schedule != w.Schedule.ID() || s.Role != schedule.RolePrimary {
			w.Clashes = append(w.Clashes, clip([]schedule.Stint{s}, span{from: w.From, to: w.To})...)
		}
	}
	return view.Override(w, o.ID, replaced, moves, r.location), nil
}

// overrideFrom returns the requested override.
func (r request) overrideFrom(w view.OverrideDraft) schedule.Override {
	o := schedule.Override{
		Start: w.From, End: w.To, Users: []oncall.UserID{w.User},
		Reason: w.Reason, CreatedBy: r.user.ID, Windows: w.Windows,
	}
	switch w.Replaces {
	case view.ReplaceNobody:
		o.Kind = schedule.OverrideAdd
	case view.ReplaceOne:
		o.Kind, o.From, o.To, o.Users = schedule.OverrideSwap, w.Leaves, w.User, nil
	default:
		o.Kind = schedule.OverrideCover
	}
	if len(w.Windows) > 0 {
		o.TimeZone = r.zone.Name()
	}
	return o
}

// othersOnCall returns who else is on call during the span, and whether the person alone is on call
// throughout.
func othersOnCall(c *schedule.Schedule, s span, id oncall.UserID) (others []oncall.UserID, alone bool) {
	alone = true
	for _, shift := range c.Shifts(s.from, s.to, schedule.RolePrimary) {
		alone = alone && len(shift.Users) == 1 && shift.Users[0] == id
		for _, u := range shift.Users {
			if u != id && !slices.Contains(others, u) {
				others = append(others, u)
			}
		}
	}
	return others, alone
}

// hourGaps reports whether the schedule's hours leave part of the span with nobody on call, and
// whether an override keeps to these hours by default, which it does if it is longer than a shift.
func hourGaps(c *schedule.Schedule, s span) (gaps, keeps bool) {
	longest, covered := time.Duration(0), false
	for _, shift := range c.Shifts(s.from, s.to, schedule.RolePrimary) {
		if len(shift.Users) == 0 {
			gaps = true
			continue
		}
		covered = true
		longest = max(longest, shift.End.Sub(shift.Start))
	}
	return gaps && covered, gaps && covered && s.to.Sub(s.from) > longest
}

// switchOverride toggles whether an override applies all the time or only while somebody would be on
// call.
func (b *Bot) switchOverride(ctx context.Context, p press) (string, error) {
	r, o, err := b.changeOverride(ctx, p, b.store.SwitchOverride)
	if err != nil {
		return "", err
	}
	return view.OverrideSwitched(o, r.location), nil
}
