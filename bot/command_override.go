package bot

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// override answers `/oncall override @user from to [schedule]`: a person is on call
// instead of whoever would be.
func (b *Bot) override(ctx context.Context, r request) (string, error) {
	if len(r.words) == 0 {
		return "", oncall.Refuse("Say who, from when and to when: `/oncall override @ann today 18:00 to 22:00`.")
	}
	id, ok := readMention(r.words[0])
	if !ok {
		return "", oncall.Refuse("%q is nobody in this workspace. Begin with a person: `/oncall override @ann today 18:00 to 22:00`.",
			foreign(unescape(r.words[0]), maxName))
	}
	span, name, err := r.readSpan(r.words[1:])
	if err != nil {
		return "", err
	}
	schedule, err := r.schedule(name)
	if err != nil {
		return "", err
	}
	user, err := b.user(ctx, id)
	if err != nil {
		return "", err
	}
	if user.DeactivatedAt != nil {
		return "", oncall.Refuse("%s is deactivated in Slack and can't be on call.", mention(id))
	}
	replaced, alone := displaced(schedule, span, id)
	if alone {
		return "", oncall.Refuse("%s is on call alone in %q for all of that time already.", mention(id), foreign(schedule.Name(), maxName))
	}
	_, err = b.store.AddOverride(ctx, schedule.ID(), oncall.Override{
		Kind: oncall.OverrideCover, Start: span.from, End: span.to,
		Users: []oncall.UserID{id}, CreatedBy: r.user.ID,
	}, r.now)
	if err != nil {
		return "", fmt.Errorf("add an override: %w", err)
	}
	instead := "instead of " + named(replaced)
	if len(replaced) == 0 {
		instead = "when nobody else would be"
	}
	return fmt.Sprintf("%s is on call in *%s* from %s to %s, %s.", mention(id), foreign(schedule.Name(), maxName),
		stamp(span.from, asDay, r.location), stamp(span.to, asDay, r.location), instead), nil
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
// to the time; what is left is the name.
func (r request) readSpan(words []string) (s span, name string, err error) {
	words = splitRanges(words)
	if len(words) > 0 && strings.EqualFold(words[0], "from") {
		words = words[1:]
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

// separate puts a "to" before a duration: in "now for 2 hours" and in "now 2h".
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
	}
	return words, -1
}

func (r request) checkSpan(s span) error {
	switch {
	case !s.from.Before(s.to):
		return oncall.Refuse("The end, %s, is not after the start, %s.", stamp(s.to, asDay, r.location), stamp(s.from, asDay, r.location))
	case s.from.Before(r.now):
		return oncall.Refuse("The start, %s, is in the past. Begin with `now`, or with a later time.", stamp(s.from, asDay, r.location))
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
func (r request) schedule(name string) (*oncall.Compiled, error) {
	candidates := r.directory.Schedules
	if name != "" {
		found, ok := lookUp(r.directory, name)
		if !ok {
			return nil, unknownName(r.directory, name, "schedule")
		}
		candidates = found
	}
	if len(candidates) > 1 {
		own := slices.DeleteFunc(slices.Clone(candidates), func(s *oncall.Compiled) bool {
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
	for _, s := range candidates[:min(len(candidates), maxNamed)] {
		names = append(names, "`"+foreign(s.Name(), maxName)+"`")
	}
	return nil, oncall.Refuse("Say which schedule at the end of the command: %s.", strings.Join(names, ", "))
}

// displaced returns who would be on call in the span without the person, and whether
// the person would be alone throughout anyway.
func displaced(c *oncall.Compiled, s span, id oncall.UserID) (others []oncall.UserID, alone bool) {
	alone = true
	for _, shift := range c.Shifts(s.from, s.to, oncall.RolePrimary) {
		alone = alone && len(shift.Users) == 1 && shift.Users[0] == id
		for _, u := range shift.Users {
			if u != id && !slices.Contains(others, u) {
				others = append(others, u)
			}
		}
	}
	return others, alone
}
