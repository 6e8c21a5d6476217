package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/report"
	"github.com/watchbill/watchbill/store"
)

// listed is the maximum number of incidents in an answer.
const listed = 20

// An incidentSearch selects incidents.
type incidentSearch struct {
	closed   bool // only closed ones
	mine     bool
	team     oncall.Team
	from, to time.Time         // opened in this period; zero: any time
	when     string            // the period in words
	text     string            // part of the title
	after    oncall.IncidentID // the last of the list that this one continues; 0: none
	asked    string            // what was typed, without after
}

// listing describes the answer.
func (s incidentSearch) listing(more bool) view.Listing {
	return view.Listing{Shown: listed, Asked: s.asked, After: s.after != 0, More: more}
}

// rest returns what follows the incident that ended an earlier list; all, if that is not in the list any more.
func (s incidentSearch) rest(of []oncall.Incident) []oncall.Incident {
	return of[1+slices.IndexFunc(of, func(in oncall.Incident) bool { return in.ID == s.after }):]
}

// past reports whether closed incidents are included.
func (s incidentSearch) past() bool { return s.closed || s.text != "" || !s.from.IsZero() }

// listIncidents answers `/oncall incidents [closed] [mine|team] [yesterday|last week] [text]`.
func (b *Bot) listIncidents(ctx context.Context, r request) (string, error) {
	q := r.incidentSearch()
	if q.past() {
		return b.searchIncidents(ctx, r, q)
	}
	open, err := b.store.OpenIncidents(ctx, r.by(), maxOpenLoaded)
	if err != nil {
		return "", fmt.Errorf("load open incidents: %w", err)
	}
	orMore := len(open) == maxOpenLoaded
	if q.mine && q.team.ID == 0 {
		mine, own, err := b.sortOwnFirst(ctx, r.directory, r.user.ID, open)
		if err != nil {
			return "", err
		}
		if raised := raisedBy(r.user.ID, open[:own]); mine == 0 && len(raised) > 0 && len(raised) == own && q.after == 0 {
			return view.RaisedIncidents(raised, b.rootLinks(ctx, raised)), nil
		}
		if own == 0 {
			return "No incident is open" + r.noneVisible() + ".", nil
		}
		rest := q.rest(open[:own])
		mine = max(0, mine-(own-len(rest)))
		if len(rest) == 0 {
			return noMore, nil
		}
		return view.OwnIncidents(rest, mine, q.listing(false), b.rootLinks(ctx, rest[:min(len(rest), listed)])), nil
	}
	if open = slices.DeleteFunc(open, func(in oncall.Incident) bool { return !r.wants(q, in) }); len(open) == 0 {
		return "No incident is open" + r.noneVisible() + ".", nil
	}
	if open = q.rest(open); len(open) == 0 {
		return noMore, nil
	}
	return view.OpenIncidents(open, q.listing(orMore), b.rootLinks(ctx, open[:min(len(open), listed)])), nil
}

const noMore = "There are no more."

// wants reports whether an incident belongs to the people whom the search names.
func (r request) wants(q incidentSearch, in oncall.Incident) bool {
	if q.mine && !slices.Contains(r.directory.Members[in.TeamID], r.user.ID) && !slices.Contains(in.Holders(), r.user.ID) {
		return false
	}
	return q.team.ID == 0 || in.TeamID == q.team.ID
}

// searchIncidents lists open and closed incidents, latest first.
func (b *Bot) searchIncidents(ctx context.Context, r request, q incidentSearch) (string, error) {
	f := store.IncidentFilter{Team: q.team.ID, Since: q.from, Until: q.to, Text: q.text, Before: q.after, Limit: store.MostListed}
	if q.closed {
		f.Statuses = []oncall.Status{oncall.Resolved}
	}
	found, more, err := b.store.Incidents(ctx, r.by(), f)
	if err != nil {
		return "", err
	}
	found = slices.DeleteFunc(found, func(in oncall.Incident) bool { return !r.wants(q, in) })
	found, bundled := bundleStorms(found, q.after)
	what := q.words(len(found))
	switch {
	case len(found) == 0 && q.after != 0:
		return noMore, nil
	case len(found) == 0:
		return "There is no incident " + what + r.noneVisible() + ". `/oncall incidents` lists what is open.", nil
	}
	return view.PastIncidents(found, q.listing(more), bundled, what, b.rootLinks(ctx, found[:min(len(found), listed)]), r.location), nil
}

// bundleStorms takes the incidents that became part of a storm out of a list, and counts them for each storm, which the list or
// the one before it has.
func bundleStorms(found []oncall.Incident, after oncall.IncidentID) (rest []oncall.Incident, bundled map[oncall.IncidentID]int) {
	bundled = map[oncall.IncidentID]int{}
	listed := func(id oncall.IncidentID) bool {
		return after != 0 && id >= after || slices.ContainsFunc(found, func(in oncall.Incident) bool { return in.ID == id })
	}
	for _, in := range found {
		if in.AbsorbedByStorm() && listed(in.MergedInto) {
			bundled[in.MergedInto]++
		} else {
			rest = append(rest, in)
		}
	}
	return rest, bundled
}

// words describes the search, after the number of incidents that it found.
func (s incidentSearch) words(found int) string {
	var parts []string
	switch {
	case s.closed && found > 1:
		parts = append(parts, "that are over")
	case s.closed:
		parts = append(parts, "that is over")
	}
	switch {
	case s.team.ID != 0:
		parts = append(parts, "of "+view.Name(s.team.Name))
	case s.mine:
		parts = append(parts, "of your teams")
	}
	if s.text != "" {
		parts = append(parts, fmt.Sprintf("with %q in its title", view.Name(s.text)))
	}
	if s.when != "" {
		parts = append(parts, "in "+s.when)
	}
	return strings.Join(parts, ", ")
}

// incidentSearch parses which incidents are meant: their state, owner, period and title.
func (r request) incidentSearch() (q incidentSearch) {
	words := r.words
	if n := len(words); n > 1 && oneOf(words, n-2, "after") && isNumber(words[n-1]) {
		q.after, _ = readIncidentValue(strings.TrimPrefix(words[n-1], "#"))
		words = words[:n-2]
	}
	typed := words
	q.asked = strings.Join(words, " ")
	for len(words) > 0 {
		switch {
		case len(typed)-len(words) >= maxSearchWords: // pasted text
			q.text = strings.TrimSpace(q.text + " " + unescape(strings.Join(words, " ")))
			words = words[:1]
		case oneOf(words, 0, "closed", "resolved", "past", "old", "over", "done", "history"):
			q.closed = true
		case oneOf(words, 0, "open", "all", "active", "triggered", "now", "of", "for", "in", "from", "team", "list", "about", "with"):
		case oneOf(words, 0, "mine", "my", "me"):
			q.mine = true
		default:
			n := r.takeTeam(words, &q)
			if n == 0 {
				n = r.takePeriod(words, &q)
			}
			if n == 0 {
				q.text = strings.TrimSpace(q.text + " " + unescape(words[0]))
				n = 1
			}
			words = words[n:]
			continue
		}
		words = words[1:]
	}
	q.text = strings.Trim(q.text, `"'“”`)
	return q
}

// takeTeam reads a leading team name into the search, and returns how many words it has.
func (r request) takeTeam(words []string, q *incidentSearch) int {
	for n := min(len(words), maxObjectNameWords); n > 0; n-- {
		typed := strings.Trim(unescape(strings.Join(words[:n], " ")), `"'“”`)
		for _, t := range r.directory.Teams {
			if strings.EqualFold(t.Name, typed) {
				q.team = t
				return n
			}
		}
	}
	return 0
}

// takePeriod reads a leading period into the search, such as "yesterday", "last week" or "24 nov", and returns
// how many words it has.
func (r request) takePeriod(words []string, q *incidentSearch) int {
	if oneOf(words, 0, "last") && oneOf(words, 1, "night") {
		q.from, q.to, q.when = r.lastNight()
		return 2
	}
	for n := min(len(words), maxPeriodWords); n > 0; n-- {
		p, err := report.ParsePeriod(words[:n], r.location.String(), r.now)
		if err == nil && (n > 1 || len(words[0]) > 3) { // a month alone may be part of a title
			q.from, q.to, q.when = p.From, p.To, p.Name
			return n
		}
		when, used, err := r.reader().Moment(words[:n])
		if err == nil && used == n && when.Whole() && !when.Start.After(r.now) {
			q.from, q.to, q.when = when.Start, when.End, strings.Join(words[:n], " ")
			return n
		}
	}
	if oneOf(words, 0, "weekend") && r.takePeriod([]string{"last", "weekend"}, q) > 0 { // the coming weekend has no incidents
		return 1
	}
	return 0
}

// The night lasts from the evening to the beginning of the working day.
const (
	nightBegins = 18 * 60
	nightEnds   = 9 * 60
)

// lastNight returns the current night, or else the one before today.
func (r request) lastNight() (from, to time.Time, name string) {
	today, _ := r.zone.Local(r.now)
	to = r.zone.Instant(today, nightEnds)
	return r.zone.Instant(today.AddDays(-1), nightBegins), to, "the night to " + to.In(r.location).Format("Mon 2 Jan")
}

const (
	maxPeriodWords = 5  // words in a period
	maxSearchWords = 20 // words parsed one by one; the rest is text
)
