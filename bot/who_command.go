package bot

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/bot/view"

	"github.com/watchbill/watchbill/oncall/schedule"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// who answers `/oncall who [team or schedule] [when]`.
func (b *Bot) who(_ context.Context, r request) (string, error) {
	schedules, when, err := r.whoAndWhen()
	if err != nil {
		return "", err
	}
	if len(schedules) == 0 {
		return "", oncall.Refuse("There are no schedules yet.")
	}
	return view.OnCall(schedules, r.directory.Override, when, r.now, r.location), nil
}

// whoAndWhen reads the words: the longest beginning that names something, then a time.
func (r request) whoAndWhen() ([]*schedule.Schedule, time.Time, error) {
	if len(r.words) == 0 {
		return r.directory.Schedules, r.now, nil
	}
	for n := len(r.words); n > 0; n-- {
		schedules, found := lookUp(r.directory, strings.Join(r.words[:n], " "))
		if !found {
			continue
		}
		if n == len(r.words) {
			return schedules, r.now, nil
		}
		when, err := parseWhen(r.words[n:], r.zone, r.now, r.now)
		return schedules, when, err
	}
	when, err := parseWhen(r.words, r.zone, r.now, r.now)
	if err == nil {
		return r.directory.Schedules, when, nil
	}
	// Neither a name nor a time; the time may still be right, and the name wrong.
	name := r.words
	for n := range r.words {
		if _, err := parseWhen(r.words[n:], r.zone, r.now, r.now); err == nil {
			name = r.words[:n]
			break
		}
	}
	return nil, time.Time{}, unknownName(r.directory, strings.Join(name, " "), "team or schedule")
}

// lookUp finds schedules by their name or that of their team.
func lookUp(d *store.Directory, typed string) ([]*schedule.Schedule, bool) {
	typed = strings.Trim(unescape(typed), `"'“”`)
	var found []*schedule.Schedule
	for _, s := range d.Schedules {
		if strings.EqualFold(s.Name(), typed) {
			found = append(found, s)
		}
	}
	if len(found) > 0 {
		return found, true
	}
	for _, t := range d.Teams {
		if !strings.EqualFold(t.Name, typed) {
			continue
		}
		for _, s := range d.Schedules {
			if s.TeamID() == t.ID {
				found = append(found, s)
			}
		}
		return found, true
	}
	return nil, false
}

// unknownName refuses a name and guesses what was meant.
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
	guess := view.Foreign(nearest(typed, names), view.MaxName)
	if guess == "" && len(names) > 0 && len(names) <= 5 {
		slices.Sort(names)
		names = slices.Compact(names)
		for i := range names {
			names[i] = `"` + view.Foreign(names[i], view.MaxName) + `"`
		}
		return oncall.Refuse("There is no %s %q. There is %s.", kind, view.Foreign(typed, view.MaxName), view.List(names))
	}
	return oncall.Refuse("There is no %s %q.%s", kind, view.Foreign(typed, view.MaxName), view.DidYouMean(guess, "%q"))
}
