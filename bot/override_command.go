package bot

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/bot/view"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall/schedule"

	"github.com/watchbill/watchbill/oncall"
)

const overrideUsage = "Say who, from when and to when: `/oncall override @ann today 18:00 to 22:00`."

// override answers `/oncall override @user from to [schedule] [reason]`: a person is on
// call instead of whoever would be. What is missing or wrong is asked for in a modal.
func (b *Bot) override(ctx context.Context, r request) (view.Drawing, error) {
	if len(r.words) == 1 && strings.EqualFold(r.words[0], "cancel") {
		return b.ownOverrides(ctx, r)
	}
	w, err := r.readOverride()
	if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
		if len(r.words) == 0 {
			refusal.Sentence = ""
		}
		return view.Drawing{}, b.openModal(ctx, r.trigger, r.overrideModal(w, refusal.Sentence))
	}
	if err != nil {
		return view.Drawing{}, err
	}
	return b.makeOverride(ctx, r, w)
}

// overrideModal asks for what is not known of an override.
func (r request) overrideModal(w view.OverrideWish, said string) slack.ModalViewRequest {
	if w.Schedule == nil {
		w.Schedule, _ = r.schedule("")
	}
	if w.From.IsZero() {
		w.From, w.To = r.now, r.now.Add(time.Hour)
	}
	return view.OverrideForm(r.directory.Schedules, w, said)
}

// readOverride reads the words, as far as that is possible.
func (r request) readOverride() (view.OverrideWish, error) {
	w := view.OverrideWish{Replaces: view.ReplaceAll}
	if len(r.words) == 0 {
		return w, oncall.Refuse("%s", overrideUsage)
	}
	id, ok := readMention(r.words[0])
	if !ok {
		return w, oncall.Refuse("%q is nobody in this workspace. Begin with a person: `/oncall override @ann today 18:00 to 22:00`.",
			view.Foreign(unescape(r.words[0]), view.MaxName))
	}
	w.User = id
	s, name, err := r.readSpan(r.words[1:])
	w.From, w.To = s.from, s.to // also those that are refused, to be put right in the form
	if err != nil {
		return w, err
	}
	w.Schedule, w.Reason, err = r.scheduleAndReason(name)
	return w, err
}

// scheduleAndReason reads a schedule's name, as long as possible, and what follows it.
// Several words that come close to no name are a reason alone, where it is clear which
// schedule is meant.
func (r request) scheduleAndReason(text string) (*schedule.Schedule, string, error) {
	words := strings.Fields(text)
	for n := len(words); n > 0; n-- {
		if _, known := lookUp(r.directory, strings.Join(words[:n], " ")); known {
			c, err := r.schedule(strings.Join(words[:n], " "))
			return c, unescape(strings.Join(words[n:], " ")), err
		}
	}
	if len(words) > 1 && !r.resembles(text) && !r.resembles(words[0]) {
		c, err := r.schedule("")
		return c, unescape(text), err
	}
	c, err := r.schedule(text)
	return c, "", err
}

// resembles reports whether words may be a mistyped name.
func (r request) resembles(typed string) bool {
	var names []string
	for _, s := range r.directory.Schedules {
		names = append(names, s.Name())
	}
	for _, t := range r.directory.Teams {
		names = append(names, t.Name)
	}
	return nearest(unescape(typed), names) != ""
}

// makeOverride does what is wished, and says what that changes.
func (b *Bot) makeOverride(ctx context.Context, r request, w view.OverrideWish) (view.Drawing, error) {
	user, err := b.user(ctx, w.User)
	if err != nil {
		return view.Drawing{}, err
	}
	if user.DeactivatedAt != nil {
		return view.Drawing{}, oncall.Refuse("%s is deactivated in Slack and can't be on call.", view.Mention(w.User))
	}
	o := r.overridden(w)
	replaced, alone := displaced(w.Schedule, span{w.From, w.To}, w.User)
	switch {
	case !r.mayOverride(w, replaced):
		return view.Drawing{}, oncall.Refuse("Only the team of %q can put others on call in it.", view.Foreign(w.Schedule.Name(), view.MaxName))
	case alone && w.Replaces == view.ReplaceAll && len(w.Windows) == 0:
		return view.Drawing{}, oncall.Refuse("%s is on call alone in %q for all of that time already.", view.Mention(w.User), view.Foreign(w.Schedule.Name(), view.MaxName))
	case w.Replaces == view.ReplaceOne && !slices.Contains(replaced, w.Leaves):
		return view.Drawing{}, oncall.Refuse("%s is not on call in %q at that time.", view.Mention(w.Leaves), view.Foreign(w.Schedule.Name(), view.MaxName))
	}
	o, err = b.store.AddOverride(ctx, w.Schedule.ID(), o, r.now)
	if err != nil {
		return view.Drawing{}, fmt.Errorf("add an override: %w", err)
	}
	directory, err := b.store.Directory(ctx)
	if err != nil {
		return view.Drawing{}, fmt.Errorf("load the directory: %w", err)
	}
	var moves []schedule.Move
	if after, known := directory.Schedule(w.Schedule.ID()); known {
		moves = schedule.MovedShifts(w.Schedule, after, w.From, w.To)
	}
	away, err := b.store.TimeOff(ctx, w.From, w.To)
	if err != nil {
		return view.Drawing{}, fmt.Errorf("load time off: %w", err)
	}
	w.Away = slices.ContainsFunc(away, func(t oncall.TimeOff) bool { return t.UserID == w.User })
	return view.Override(w, o.ID, replaced, moves, r.location), nil
}

// overridden is what the store is to keep of a wish.
func (r request) overridden(w view.OverrideWish) schedule.Override {
	o := schedule.Override{
		Kind: schedule.OverrideCover, Start: w.From, End: w.To, Users: []oncall.UserID{w.User},
		Reason: w.Reason, CreatedBy: r.user.ID, Windows: w.Windows,
	}
	switch w.Replaces {
	case view.ReplaceNobody:
		o.Kind = schedule.OverrideAdd
	case view.ReplaceOne:
		o.Kind, o.From, o.To, o.Users = schedule.OverrideSwap, w.Leaves, w.User, nil
	}
	if len(w.Windows) > 0 {
		o.TimeZone = r.zone.Name()
	}
	return o
}

// mayOverride reports whether a person may make the override: the team may, and
// everybody for their own shifts or in the place of nobody.
func (r request) mayOverride(w view.OverrideWish, replaced []oncall.UserID) bool {
	if manages(r.directory, r.user.ID, w.Schedule) {
		return true
	}
	for _, u := range append(slices.Clone(replaced), w.User) {
		if u != r.user.ID {
			return false
		}
	}
	return true
}

// A person arrives as "<@U123|name>", as the manifest asks Slack to escape names.
var mentioned = regexp.MustCompile(`^<@([UW][A-Z0-9]+)(\|[^>]*)?>$`)

func readMention(word string) (oncall.UserID, bool) {
	m := mentioned.FindStringSubmatch(word)
	if m == nil {
		return "", false
	}
	return oncall.UserID(m[1]), true
}

// A span is half-open.
type span struct{ from, to time.Time }

// separators stand between the two times.
var separators = []string{"to", "until", "till", "-", "–"}

// readSpan reads "[from] TIME to TIME [schedule]". What can be read as a time belongs
// to the time; what is left is the name. "until TIME" and "for 2 hours" begin now.
func (r request) readSpan(words []string) (s span, name string, err error) {
	words = splitRanges(words)
	if len(words) > 0 && strings.EqualFold(words[0], "from") {
		words = words[1:]
	}
	if len(words) > 0 && (strings.EqualFold(words[0], "until") || strings.EqualFold(words[0], "till") || strings.EqualFold(words[0], "for")) {
		words = append([]string{"now"}, words...)
	}
	at := slices.IndexFunc(words, func(w string) bool { return slices.Contains(separators, strings.ToLower(w)) })
	if at < 0 {
		words, at = r.separate(words)
	}
	if at <= 0 || at == len(words)-1 {
		return span{}, "", oncall.Refuse("Say from when and to when, as in `/oncall override @ann today 18:00 to 22:00`.")
	}
	if s.from, err = parseWhen(words[:at], r.zone, r.now, r.now); err != nil {
		return span{}, "", err
	}
	rest := words[at+1:]
	end := len(rest)
	for ; end > 0; end-- {
		var ok bool
		if s.to, ok = readWhen(rest[:end], r.zone, r.now, s.from); ok {
			break
		}
	}
	if end == 0 {
		_, err := parseWhen(rest, r.zone, r.now, s.from)
		return span{}, "", err
	}
	name = strings.Join(rest[end:], " ")
	if lower := strings.ToLower(name); strings.HasPrefix(lower, "in ") {
		name = name[len("in "):]
	}
	return s, name, r.checkSpan(s)
}

// separate puts a "to" where people leave it out: before a duration, in "now for 2 hours"
// and in "now 2h", and between two times, in "18:00 22:00".
func (r request) separate(words []string) (separated []string, at int) {
	for at := 1; at < len(words); at++ {
		rest := words[at:]
		if !strings.EqualFold(rest[0], "for") {
			rest = append([]string{"for"}, rest...)
		}
		_, begins := readWhen(words[:at], r.zone, r.now, r.now)
		_, one := later(rest[1:min(2, len(rest))], r.zone, r.now)
		_, two := later(rest[1:min(3, len(rest))], r.zone, r.now)
		if begins && (one || two) {
			return slices.Concat(words[:at], []string{"to"}, rest), at
		}
		_, another := readWhen(words[at:at+1], r.zone, r.now, r.now)
		if begins && another && strings.Contains(words[at-1], ":") { // not between a day and its time
			return slices.Concat(words[:at], []string{"to"}, words[at:]), at
		}
	}
	return words, -1
}

func (r request) checkSpan(s span) error {
	switch {
	case !s.from.Before(s.to):
		return oncall.Refuse("The end, %s, is not after the start, %s.", view.Stamp(s.to, view.AsDay, r.location), view.Stamp(s.from, view.AsDay, r.location))
	case s.from.Before(r.now):
		return oncall.Refuse("The start, %s, is in the past. Begin with `now`, or with a later time.", view.Stamp(s.from, view.AsDay, r.location))
	}
	return nil
}

// splitRanges makes three words of "18:00-22:00", but leaves dates alone.
func splitRanges(words []string) []string {
	var out []string
	for _, w := range words {
		if from, to, ok := strings.Cut(strings.ReplaceAll(w, "–", "-"), "-"); ok {
			_, first := readClock(strings.ToLower(from))
			_, second := readClock(strings.ToLower(to))
			if first && second {
				out = append(out, from, "to", to)
				continue
			}
		}
		out = append(out, w)
	}
	return out
}

// schedule finds the one that is meant: the one named, the only one there is, or the
// only one of the person's teams.
func (r request) schedule(name string) (*schedule.Schedule, error) {
	candidates := r.directory.Schedules
	if name != "" {
		found, ok := lookUp(r.directory, name)
		if !ok {
			return nil, unknownName(r.directory, name, "schedule")
		}
		candidates = found
	}
	if len(candidates) > 1 {
		own := slices.DeleteFunc(slices.Clone(candidates), func(s *schedule.Schedule) bool {
			return !slices.Contains(r.directory.Members[s.TeamID()], r.user.ID)
		})
		if len(own) == 1 {
			candidates = own
		}
	}
	switch len(candidates) {
	case 0:
		return nil, oncall.Refuse("There is no schedule to change yet.")
	case 1:
		return candidates[0], nil
	}
	var names []string
	for _, s := range candidates[:min(len(candidates), view.MaxNamed)] {
		names = append(names, "`"+view.Foreign(s.Name(), view.MaxName)+"`")
	}
	return nil, oncall.Refuse("Say which schedule at the end of the command: %s.", strings.Join(names, ", "))
}

// displaced returns who would be on call in the span without the person, and whether
// the person would be alone throughout anyway.
func displaced(c *schedule.Schedule, s span, id oncall.UserID) (others []oncall.UserID, alone bool) {
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
