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
	"github.com/watchbill/watchbill/store"
)

const maintenanceExample = "/oncall maintenance payments 2h upgrade of the database"

// maintenance answers `/oncall maintenance`, `… payments 2h reason` and `… end M3`.
func (b *Bot) maintenance(ctx context.Context, r request) (view.Drawing, error) {
	words := r.words
	if oneOf(words, 0, "start", "begin", "add", "new", "of", "for", "set", "schedule", "plan") {
		words = words[1:]
	}
	switch {
	case len(words) == 0, len(words) == 1 && oneOf(words, 0, "list", "all", "show", "ls"):
		return b.listMaintenance(ctx, r, 0)
	case oneOf(words, 0, "end", "stop", "cancel", "over", "done", "finish", "delete", "remove"):
		return b.endMaintenance(ctx, r, words[1:])
	case oneOf(words, len(words)-1, "off", "end", "stop", "over"):
		return b.endMaintenance(ctx, r, words[:len(words)-1])
	}
	if of, rest, err := r.maintained(words); err == nil && len(rest) == 0 && of.IntegrationID == 0 {
		return b.listMaintenance(ctx, r, of.TeamID)
	}
	m, name, integration, err := r.readMaintenance(words)
	if err != nil {
		return view.Drawing{}, err
	}
	if m, err = b.store.AddMaintenance(ctx, r.by(), m, r.now); err != nil {
		return view.Drawing{}, maintenanceGone(err)
	}
	return view.MaintenanceBegun(view.MaintenanceWindow{Maintenance: m, Team: name, Integration: integration}, r.now, r.location), nil
}

// listMaintenance lists the windows of a team, or of all teams if team is 0, and offers the form for a
// new one.
func (b *Bot) listMaintenance(ctx context.Context, r request, team oncall.TeamID) (view.Drawing, error) {
	all, err := b.store.MaintenanceWindows(ctx, r.by(), r.now)
	if err != nil {
		return view.Drawing{}, fmt.Errorf("list maintenance: %w", err)
	}
	of, offers := "", r.offers(view.OpenMaintenance, access.Maintain, "Add maintenance…", "Maintenance of")
	if t, known := r.directory.Team(team); known {
		all = slices.DeleteFunc(all, func(m store.MaintenanceState) bool { return m.TeamID != team })
		of, offers = " of *"+view.Name(t.Name)+"*", r.offers(view.OpenMaintenance, access.Maintain, "Add maintenance…", "", team)
	}
	if len(all) == 0 {
		none := "No maintenance" + of + " is in force or planned" + r.noneVisible() + ". `" + maintenanceExample + "` begins one."
		return view.Offer(view.Drawing{Text: none}, offers), nil
	}
	return view.Offer(view.Maintenance(shownMaintenance(all), r.now, r.location), offers), nil
}

func shownMaintenance(all []store.MaintenanceState) []view.MaintenanceWindow {
	out := make([]view.MaintenanceWindow, len(all))
	for i, m := range all {
		out[i] = view.MaintenanceWindow{
			Maintenance: m.Maintenance, Team: m.Team, Integration: m.Integration, Kept: m.Kept, Firing: m.Firing, Titles: m.Titles, Manages: m.Manages,
		}
	}
	return out
}

// maintenanceOf returns those active windows of the teams that the reader may see.
func (r request) maintenanceOf(teams ...oncall.TeamID) (out []view.MaintenanceWindow) {
	for _, m := range inForceAnywhere(r.directory, r.now) {
		if slices.Contains(teams, m.TeamID) {
			out = append(out, m)
		}
	}
	return out
}

// inForceAnywhere returns all active windows, by team.
func inForceAnywhere(d *store.Directory, now time.Time) (out []view.MaintenanceWindow) {
	for _, t := range d.Teams {
		for _, m := range oncall.InForce(d.Maintenance, t.ID, now) {
			out = append(out, view.MaintenanceWindow{Maintenance: m, Team: t.Name, Integration: d.IntegrationName(m.IntegrationID)})
		}
	}
	return out
}

// readMaintenance parses "payments service=checkout 2h reason", and returns the names of the team and the
// integration.
func (r request) readMaintenance(words []string) (window oncall.Maintenance, team, integration string, err error) {
	window, words, err = r.maintained(words)
	if err != nil {
		return window, "", "", err
	}
	if window.Match, words, err = readMatchers(words); err != nil {
		return window, "", "", err
	}
	if words, window.PagesCritical = exceptCritical(words); len(words) == 0 {
		return window, "", "", oncall.Refuse("Say for how long, too, as in `%s`.", maintenanceExample)
	}
	n, err := r.maintenanceSpan(words, &window)
	if err != nil {
		return window, "", "", err
	}
	words = words[n:]
	if !window.PagesCritical {
		words, window.PagesCritical = exceptCritical(words)
	}
	window.Reason = unescape(strings.Join(words, " "))
	t, _ := r.directory.Team(window.TeamID)
	return window, t.Name, r.directory.IntegrationName(window.IntegrationID), nil
}

// maintained parses the team or integration at the beginning of the words. Without a name, it is the
// reader's only team.
func (r request) maintained(words []string) (window oncall.Maintenance, rest []string, err error) {
	if len(words) > 1 && oneOf(words, 0, "team", "integration") {
		words = words[1:]
	}
	for n := min(len(words), maxObjectNameWords); n > 0; n-- {
		typed := strings.Trim(unescape(strings.Join(words[:n], " ")), `"'“”`)
		for _, t := range r.directory.Teams {
			if strings.EqualFold(t.Name, typed) {
				return oncall.Maintenance{TeamID: t.ID}, words[n:], nil
			}
		}
		for _, in := range r.directory.Integrations {
			if t, _ := r.directory.Team(in.TeamID); strings.EqualFold(in.Name, typed) || strings.EqualFold(t.Name+"/"+in.Name, typed) {
				return oncall.Maintenance{TeamID: in.TeamID, IntegrationID: in.ID}, words[n:], nil
			}
		}
	}
	var own []oncall.Team
	for _, t := range r.directory.Teams {
		if slices.Contains(r.directory.Members[t.ID], r.user.ID) {
			own = append(own, t)
		}
	}
	if _, ok, _ := oncall.ParseMatcher(unescape(words[0])); len(own) == 1 && (ok || r.beginsTime(words)) {
		return oncall.Maintenance{TeamID: own[0].ID}, words, nil
	}
	return window, nil, r.noMaintained(words)
}

// beginsTime reports whether words begin with a duration or a time.
func (r request) beginsTime(words []string) bool {
	n, err := r.maintenanceSpan(words, &oncall.Maintenance{})
	return err == nil && n > 0
}

// noMaintained refuses an unknown name, with a guess.
func (r request) noMaintained(words []string) error {
	var names []string
	for _, t := range r.directory.Teams {
		names = append(names, t.Name)
	}
	for _, in := range r.directory.Integrations {
		names = append(names, in.Name)
	}
	typed := unescape(strings.Join(words[:nameLength(words)], " "))
	guess := view.Name(oncall.Nearest(typed, names))
	return oncall.Refuse("There is no team and no integration %q%s.%s Write it like `%s`.", view.Name(typed), r.noneVisible(), view.DidYouMean(guess, "%q"), maintenanceExample)
}

// readMatchers parses the matchers that the words begin with.
func readMatchers(words []string) (all []oncall.Matcher, rest []string, err error) {
	for len(words) > 0 {
		m, ok, err := oncall.ParseMatcher(unescape(words[0]))
		switch {
		case err != nil:
			return nil, nil, err
		case !ok:
			return all, words, nil
		}
		all, words = append(all, m), words[1:]
	}
	return all, words, nil
}

// exceptCritical parses a leading "except critical".
func exceptCritical(words []string) (rest []string, except bool) {
	if oneOf(words, 0, "except", "without", "but", "not") && oneOf(words, 1, "critical", "criticals") {
		return words[2:], true
	}
	return words, false
}

// maintenanceSpan parses "2h", "for 2 hours", "until 14:00" and "tomorrow 22:00 to 23:30", and returns
// the number of words used.
func (r request) maintenanceSpan(words []string, window *oncall.Maintenance) (int, error) {
	reader := r.reader()
	length := words
	if oneOf(words, 0, "for") {
		length = words[1:]
	}
	if at, n, err := reader.Moment(append([]string{"in"}, length...)); err == nil && n > 1 && at.IsInstant() {
		window.StartsAt, window.EndsAt = r.now, at.At()
		return n - 1 + len(words) - len(length), nil
	}
	if oneOf(words, 0, "until", "till") {
		at, n, err := reader.Moment(append([]string{"at"}, words[1:]...))
		if err != nil {
			return 0, err
		}
		if n > 1 {
			window.StartsAt, window.EndsAt = r.now, at.At()
			if at.Whole() && !at.At().After(r.now) {
				window.EndsAt = at.End
			}
			return n, nil
		}
	}
	read, n, problem, err := reader.Span(words)
	switch {
	case err != nil:
		return 0, err
	case problem == schedule.SpanRead:
		window.StartsAt, window.EndsAt = read.From, read.To
		return n, nil
	}
	return 0, oncall.Refuse("Say for how long, or from when to when: `2h`, `until 14:00`, `tomorrow 22:00 to 23:30`, as in `%s`.", maintenanceExample)
}

// endMaintenance ends the named window. Without a name, it ends the only window that the reader may
// end, if that has begun. Otherwise it asks which one.
func (b *Bot) endMaintenance(ctx context.Context, r request, words []string) (view.Drawing, error) {
	all, err := b.store.MaintenanceWindows(ctx, r.by(), r.now)
	if err != nil {
		return view.Drawing{}, fmt.Errorf("list maintenance: %w", err)
	}
	typed := strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(unescape(strings.Join(words, " "))), "#"), "m")
	fits := slices.DeleteFunc(slices.Clone(all), func(m store.MaintenanceState) bool {
		if len(words) == 0 {
			return !m.Manages
		}
		return typed != strconv.FormatInt(int64(m.ID), 10) && !strings.EqualFold(m.Team, unescape(strings.Join(words, " ")))
	})
	byNumber := len(fits) == 1 && typed == strconv.FormatInt(int64(fits[0].ID), 10)
	switch {
	case len(fits) == 1 && (byNumber || !fits[0].StartsAt.After(r.now)):
		text, err := b.setMaintenanceEnd(ctx, r, fits[0].ID)
		return view.Drawing{Text: text}, err
	case len(fits) == 0:
		return view.Drawing{}, oncall.Refuse("There is no such maintenance window%s. `/oncall maintenance` lists what is in force or planned.", r.noneVisible())
	}
	return view.Join(view.Text("Which one? Nothing has ended yet."), view.Maintenance(shownMaintenance(fits), r.now, r.location)), nil
}

func (b *Bot) setMaintenanceEnd(ctx context.Context, r request, id oncall.MaintenanceID) (string, error) {
	m, err := b.store.EndMaintenance(ctx, r.by(), id, r.now)
	if err != nil {
		return "", maintenanceGone(err)
	}
	team, _ := r.directory.Team(m.TeamID)
	return view.MaintenanceEnded(view.MaintenanceWindow{Maintenance: m, Team: team.Name, Integration: r.directory.IntegrationName(m.IntegrationID)}, r.now), nil
}

func maintenanceGone(err error) error {
	if errors.Is(err, oncall.ErrNotFound) {
		return oncall.Refuse("That is no longer there, or over already, and nothing was changed.")
	}
	return fmt.Errorf("change maintenance: %w", err)
}

// pressMaintenance handles the button that ends a window.
func (b *Bot) pressMaintenance(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	id, _ := strconv.ParseInt(p.value, 10, 64)
	return b.pressedEnd(ctx, r, p, oncall.MaintenanceID(id))
}
