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

// listed bounds how many incidents a command lists.
const listed = 20

// An incidentSearch is which incidents are meant.
type incidentSearch struct {
	closed   bool // those that are over
	mine     bool
	team     oncall.Team
	from, to time.Time // opened then; zero: whenever
	when     string    // in words
	text     string    // in the title
}

// past reports whether they are not only those that are open now.
func (q incidentSearch) past() bool { return q.closed || q.text != "" || !q.from.IsZero() }

// listIncidents answers `/oncall incidents [closed] [mine|team] [yesterday|last week] [text]`.
func (b *Bot) listIncidents(ctx context.Context, r request) (string, error) {
	q := r.incidentSearch()
	if q.past() {
		return b.searchIncidents(ctx, r, q)
	}
	open, err := b.store.OpenIncidents(ctx, r.by(), maxOthers)
	if err != nil {
		return "", fmt.Errorf("load open incidents: %w", err)
	}
	orMore := len(open) == maxOthers
	if open = slices.DeleteFunc(open, func(in oncall.Incident) bool { return !r.wants(q, in) }); len(open) == 0 {
		return "No incident is open" + r.none() + ".", nil
	}
	shown := open[:min(len(open), listed)]
	return view.OpenIncidents(open, len(shown), orMore, b.rootLinks(ctx, shown)), nil
}

// wants reports whether an incident is of whom the search names.
func (r request) wants(q incidentSearch, in oncall.Incident) bool {
	if q.mine && !slices.Contains(r.directory.Members[in.TeamID], r.user.ID) && !slices.Contains(in.Holders(), r.user.ID) {
		return false
	}
	return q.team.ID == 0 || in.TeamID == q.team.ID
}

// searchIncidents lists incidents whether they are open or not, the latest first.
func (b *Bot) searchIncidents(ctx context.Context, r request, q incidentSearch) (string, error) {
	f := store.IncidentFilter{Team: q.team.ID, Since: q.from, Until: q.to, Text: q.text, Limit: store.MostListed}
	if q.closed {
		f.Statuses = []oncall.Status{oncall.Resolved}
	}
	found, more, err := b.store.Incidents(ctx, r.by(), f)
	if err != nil {
		return "", err
	}
	found = slices.DeleteFunc(found, func(in oncall.Incident) bool { return !r.wants(q, in) })
	what := q.words()
	if len(found) == 0 {
		return "There is no incident " + what + r.none() + ". `/oncall incidents` lists what is open.", nil
	}
	shown := found[:min(len(found), listed)]
	return view.PastIncidents(found, len(shown), more, what, b.rootLinks(ctx, shown), r.location), nil
}

// words say which incidents are listed.
func (q incidentSearch) words() string {
	var said []string
	if q.closed {
		said = append(said, "that is over")
	}
	switch {
	case q.team.ID != 0:
		said = append(said, "of "+view.Name(q.team.Name))
	case q.mine:
		said = append(said, "of your teams")
	}
	if q.text != "" {
		said = append(said, fmt.Sprintf("with %q in its title", view.Name(q.text)))
	}
	if q.when != "" {
		said = append(said, "in "+q.when)
	}
	return strings.Join(said, ", ")
}

// incidentSearch reads which incidents are meant: their state, whose they are, when they opened, what their title says.
func (r request) incidentSearch() (q incidentSearch) {
	words := r.words
	for len(words) > 0 {
		switch {
		case len(r.words)-len(words) >= longestSearch: // it was pasted
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

// takeTeam takes the name of a team off the words.
func (r request) takeTeam(words []string, q *incidentSearch) int {
	for n := min(len(words), longestName); n > 0; n-- {
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

// takePeriod takes a period off the words, such as "yesterday", "last week" or "24 nov".
func (r request) takePeriod(words []string, q *incidentSearch) int {
	for n := min(len(words), longestPeriod); n > 0; n-- {
		p, err := report.ParsePeriod(words[:n], r.location.String(), r.now)
		if err == nil && (n > 1 || len(words[0]) > 3) { // a month alone may be a word of a title
			q.from, q.to, q.when = p.From, p.To, p.Name
			return n
		}
		when, taken, err := r.reader().Moment(words[:n])
		if err == nil && taken == n && when.Whole() && !when.Start.After(r.now) {
			q.from, q.to, q.when = when.Start, when.End, strings.Join(words[:n], " ")
			return n
		}
	}
	return 0
}

const (
	longestPeriod = 5  // words of a search that may be a period
	longestSearch = 20 // words of it that are looked at one by one; what follows is text
)
