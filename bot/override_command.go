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
	draft, err := b.readOverride(ctx, r)
	if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
		reason := ""
		if len(r.words) > 0 {
			reason = inForm(refusal, overrideExample)
		}
		asks, err := b.overrideModal(r, draft, reason)
		if err != nil {
			return view.Drawing{}, err
		}
		return view.Drawing{}, b.openModal(ctx, r.trigger, asks)
	}
	if err != nil {
		return view.Drawing{}, err
	}
	return b.makeOverride(ctx, r, draft)
}

// overrideModal returns the form for an override. It offers the schedules in which the person may put
// people on call. It refuses if there are none or the named one isn't among them.
func (b *Bot) overrideModal(r request, draft view.OverrideDraft, reason string) (slack.ModalViewRequest, error) {
	may := slices.DeleteFunc(slices.Clone(r.directory.Schedules), func(s *schedule.Schedule) bool { return !manages(r.directory, r.user.ID, s) })
	asked := draft.Schedule
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
	if draft.Schedule == nil {
		if draft.Schedule, _ = r.schedule(""); draft.Schedule != nil && !slices.Contains(may, draft.Schedule) {
			draft.Schedule = nil
		}
	}
	if draft.Schedule == nil && len(may) == 1 {
		draft.Schedule = may[0]
	}
	if own := r.ownAmong(may); draft.Schedule == nil && len(own) > 0 {
		draft.Schedule = own[0]
	}
	if draft.From.IsZero() {
		draft.From, draft.To = r.now, r.restOfShift(draft.Schedule)
	}
	if draft.User == "" && draft.Schedule != nil && !slices.Contains(draft.Schedule.At(draft.From, ""), r.user.ID) {
		draft.User = r.user.ID
	}
	return view.OverrideForm(may, draft, reason), nil
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
	draft := view.OverrideDraft{Replaces: view.ReplaceAll}
	if len(r.words) == 0 {
		return draft, oncall.Refuse("%s", overrideUsage)
	}
	words, err := b.readSomebody(ctx, r, &draft.User)
	if err != nil {
		return draft, err
	}
	if draft.User == "" {
		read, n, problem, err := r.reader().Span(words)
		if n == 0 || err != nil {
			return draft, r.nobody(r.words[0], overrideExample)
		}
		if problem == schedule.SpanRead { // the rest was understood
			draft.From, draft.To, draft.Windows = read.From, read.To, read.Windows
			draft.Schedule, draft.Reason, _ = r.scheduleAndReason(strings.Join(words[n:], " "))
		}
		return draft, oncall.Refuse("Say who.")
	}
	if words, err = b.readReplaced(ctx, r, &draft, words); err != nil {
		return draft, err
	}
	if before := words; len(words) > 0 { // the schedule may be first
		if words = r.takeSchedule(&draft, words); len(words) == 0 {
			words = before
		}
	}
	for len(words) > 1 && oneOf(words, 0, "with", "by") {
		words = words[1:]
	}
	s, name, err := r.readSpan(words, overrideExample)
	draft.From, draft.To, draft.Windows = s.from, s.to, s.windows
	if draft.Schedule != nil {
		draft.Reason = unescape(name)
		return draft, cmp.Or(err, r.refuseTimeIn(s, draft.Reason, overrideExample))
	}
	if err != nil {
		for n := range words {
			if found, ok := lookUp(r.directory, strings.Join(words[n:], " ")); ok && len(found) == 1 {
				draft.Schedule = found[0]
				break
			}
		}
		return draft, err
	}
	draft.Schedule, draft.Reason, err = r.scheduleAndReason(name)
	return draft, cmp.Or(err, r.refuseTimeIn(s, draft.Reason, overrideExample))
}

// readReplaced parses "for @ann" and "instead of @ann" (who is replaced) and "by @cy" (who takes
// over). It returns the other words.
func (b *Bot) readReplaced(ctx context.Context, r request, draft *view.OverrideDraft, words []string) ([]string, error) {
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
	draft.Replaces, draft.Leaves = view.ReplaceOne, other
	if oneOf(words, 0, "by", "with") {
		draft.User, draft.Leaves = other, draft.User
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
func (b *Bot) makeOverride(ctx context.Context, r request, draft view.OverrideDraft) (view.Drawing, error) {
	user, err := b.user(ctx, draft.User)
	if err != nil {
		return view.Drawing{}, err
	}
	if user.DeactivatedAt != nil {
		return view.Drawing{}, oncall.Refuse("%s is deactivated in Slack and can't be on call.", draft.User)
	}
	override := r.overrideFrom(draft)
	replaced, alone := othersOnCall(draft.Schedule, span{from: draft.From, to: draft.To}, draft.User)
	if err := b.store.May(r.directory, r.by(), access.Override, access.Object{Team: draft.Schedule.TeamID()}); err != nil {
		return view.Drawing{}, err
	}
	switch {
	case alone && draft.Replaces == view.ReplaceAll && len(draft.Windows) == 0:
		return view.Drawing{}, oncall.Refuse("%s is on call alone in %q for all of that time already.", draft.User, view.Name(draft.Schedule.Name()))
	case draft.Replaces == view.ReplaceOne && !slices.Contains(replaced, draft.Leaves):
		return view.Drawing{}, oncall.Refuse("%s is not on call in %q at that time.", draft.Leaves, view.Name(draft.Schedule.Name()))
	}
	if draft.Replaces == view.ReplaceAll && len(draft.Windows) == 0 {
		draft.Gaps, draft.Covered = hourGaps(draft.Schedule, span{from: draft.From, to: draft.To})
		override.OnlyCovered = draft.Covered
	}
	override, err = b.store.AddOverride(ctx, r.by(), draft.Schedule.ID(), override, r.now)
	if err != nil {
		return view.Drawing{}, fmt.Errorf("add an override: %w", err)
	}
	directory, err := b.store.DirectoryFor(ctx, r.by())
	if err != nil {
		return view.Drawing{}, fmt.Errorf("load the directory: %w", err)
	}
	var moves []schedule.Move
	if after, known := directory.Schedule(draft.Schedule.ID()); known {
		moves = schedule.MovedShifts(draft.Schedule, after, draft.From, draft.To)
	}
	away, err := b.store.TimeOff(ctx, r.by(), draft.From, draft.To)
	if err != nil {
		return view.Drawing{}, fmt.Errorf("load time off: %w", err)
	}
	draft.Away = slices.ContainsFunc(away, func(t oncall.TimeOff) bool { return t.UserID == draft.User })
	for _, s := range directory.Roster().Stints(draft.User, draft.From, draft.To) {
		if s.Schedule != draft.Schedule.ID() || s.Role != schedule.RolePrimary {
			draft.Clashes = append(draft.Clashes, clip([]schedule.Stint{s}, span{from: draft.From, to: draft.To})...)
		}
	}
	return view.Override(draft, override.ID, replaced, moves, r.location), nil
}

// overrideFrom returns the requested override.
func (r request) overrideFrom(draft view.OverrideDraft) schedule.Override {
	override := schedule.Override{
		Start: draft.From, End: draft.To, Users: []oncall.UserID{draft.User},
		Reason: draft.Reason, CreatedBy: r.user.ID, Windows: draft.Windows,
	}
	switch draft.Replaces {
	case view.ReplaceNobody:
		override.Kind = schedule.OverrideAdd
	case view.ReplaceOne:
		override.Kind, override.From, override.To, override.Users = schedule.OverrideSwap, draft.Leaves, draft.User, nil
	default:
		override.Kind = schedule.OverrideCover
	}
	if len(draft.Windows) > 0 {
		override.TimeZone = r.zone.Name()
	}
	return override
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
