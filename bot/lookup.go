package bot

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// schedule finds the schedule that is meant: the named one, the only one, or the only one of the
// person's teams.
func (r request) schedule(name string) (*schedule.Schedule, error) {
	candidates, err := r.schedulesMeant(name)
	switch {
	case err != nil:
		return nil, err
	case len(candidates) == 1:
		return candidates[0], nil
	}
	var names []string
	for _, s := range candidates[:min(len(candidates), view.MaxNamed)] {
		names = append(names, "`"+view.Name(s.Name())+"`")
	}
	return nil, oncall.Refuse("Say which schedule at the end of the command: %s.", strings.Join(names, ", "))
}

// schedulesMeant returns the schedules that a name can mean, at least one.
func (r request) schedulesMeant(name string) ([]*schedule.Schedule, error) {
	candidates := r.directory.Schedules
	if name != "" {
		found, ok := lookUp(r.directory, name)
		if !ok {
			return nil, unknownName(r.directory, name, "schedule")
		}
		candidates = found
	}
	if own := r.ownAmong(candidates); len(candidates) > 1 && len(own) == 1 {
		candidates = own
	}
	if len(candidates) == 0 {
		return nil, oncall.Refuse("There is no schedule to change%s.", cmp.Or(r.noneVisible(), " yet"))
	}
	return candidates, nil
}

// scheduleAndReason parses the longest name of a schedule, and the reason after it. If there are
// several words and no name resembles them, they are all the reason, and the schedule is the default
// one.
func (r request) scheduleAndReason(text string) (*schedule.Schedule, string, error) {
	words := strings.Fields(text)
	for n := min(len(words), maxObjectNameWords); n > 0; n-- {
		if _, known := lookUp(r.directory, strings.Join(words[:n], " ")); known {
			c, err := r.schedule(strings.Join(words[:n], " "))
			return c, unescape(strings.Join(words[n:], " ")), err
		}
	}
	if len(words) > 1 && !r.mayBeMistyped(text) && !r.mayBeMistyped(words[0]) {
		c, err := r.schedule("")
		return c, unescape(text), err
	}
	c, err := r.schedule(text)
	return c, "", err
}

// maxObjectNameWords is the maximum number of words in a schedule's or team's name when other words follow.
const maxObjectNameWords = 16

// mayBeMistyped reports whether words may be a mistyped name.
func (r request) mayBeMistyped(typed string) bool {
	var names []string
	for _, s := range r.directory.Schedules {
		names = append(names, s.Name())
	}
	for _, t := range r.directory.Teams {
		names = append(names, t.Name)
	}
	return oncall.Nearest(unescape(typed), names) != ""
}

// whoAndWhen parses the longest name at the beginning or end of the words, and the time next to it.
// For a time in the distant past, it loads a directory that goes back that far.
func (b *Bot) whoAndWhen(ctx context.Context, r *request) ([]*schedule.Schedule, schedule.Moment, error) {
	schedules, when, err := r.whoAndWhen()
	if err != nil {
		return nil, when, err
	}
	directory, err := b.store.DirectoryAt(ctx, r.by(), r.directory, when.Start)
	if err != nil || directory == r.directory {
		return schedules, when, err
	}
	r.directory = directory
	return r.whoAndWhen()
}

func (r request) whoAndWhen() ([]*schedule.Schedule, schedule.Moment, error) {
	now := schedule.Instant(r.now)
	if len(r.words) == 0 {
		return r.directory.Schedules, now, nil
	}
	for n := min(len(r.words), maxObjectNameWords); n > 0; n-- {
		schedules, found := lookUp(r.directory, strings.Join(r.words[:n], " "))
		if !found {
			continue
		}
		if n == len(r.words) {
			return schedules, now, nil
		}
		when, err := r.moment(r.words[n:])
		return schedules, when, err
	}
	when, n, err := r.reader().Moment(r.words)
	if err != nil || n == len(r.words) {
		return r.directory.Schedules, when, err
	}
	rest := r.words[n:]
	if n > 0 && len(rest) > 1 && (strings.EqualFold(rest[0], "in") || strings.EqualFold(rest[0], "for")) {
		rest = rest[1:]
	}
	if schedules, found := lookUp(r.directory, strings.Join(rest, " ")); found && n > 0 { // as in "tomorrow payments"
		return schedules, when, nil
	}
	// If the end parses as a time, the rest is an unknown name.
	name := rest
	for n := max(0, len(r.words)-maxObjectNameWords); n < len(r.words); n++ {
		if _, err := r.moment(r.words[n:]); err == nil {
			name = r.words[:n]
			break
		}
	}
	return nil, now, unknownName(r.directory, strings.Join(name, " "), "team or schedule")
}

// lookUp finds schedules by their name or their team's.
func lookUp(dir *store.Directory, typed string) ([]*schedule.Schedule, bool) {
	typed = strings.Trim(unescape(typed), `"'“”`)
	var found []*schedule.Schedule
	for _, s := range dir.Schedules {
		if strings.EqualFold(s.Name(), typed) {
			found = append(found, s)
		}
	}
	if len(found) > 0 {
		return found, true
	}
	for _, t := range dir.Teams {
		if !strings.EqualFold(t.Name, typed) {
			continue
		}
		for _, s := range dir.Schedules {
			if s.TeamID() == t.ID {
				found = append(found, s)
			}
		}
		return found, true
	}
	return nil, false
}

// unknownName refuses an unknown name, with a guess.
func unknownName(d *store.Directory, typed, kind string) error {
	var names []string
	for _, s := range d.Schedules {
		names = append(names, s.Name())
	}
	if strings.HasPrefix(kind, "team") {
		for _, t := range d.Teams {
			names = append(names, t.Name)
		}
	}
	typed = unescape(typed)
	guess := view.Name(oncall.Nearest(typed, names))
	if guess == "" && len(names) > 0 && len(names) <= 5 {
		slices.Sort(names)
		names = slices.Compact(names)
		for i := range names {
			names[i] = `"` + view.Name(names[i]) + `"`
		}
		return oncall.Refuse("There is no %s %q. There is %s.", kind, view.Name(typed), view.List(names))
	}
	return oncall.Refuse("There is no %s %q.%s", kind, view.Name(typed), view.DidYouMean(guess, "%q"))
}
