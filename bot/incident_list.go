package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

// listed bounds how many open incidents a command lists.
const listed = 20

// listIncidents answers `/oncall incidents`.
func (b *Bot) listIncidents(ctx context.Context, r request) (string, error) {
	open, err := b.store.OpenIncidents(ctx, r.by(), maxOthers)
	if err != nil {
		return "", fmt.Errorf("load open incidents: %w", err)
	}
	orMore := len(open) == maxOthers
	of, err := r.incidentsOf()
	if err != nil {
		return "", err
	}
	if open = slices.DeleteFunc(open, func(in oncall.Incident) bool { return !of(in) }); len(open) == 0 {
		return "No incident is open" + r.none() + ".", nil
	}
	shown := open[:min(len(open), listed)]
	ids := make([]oncall.IncidentID, len(shown))
	for i, in := range shown {
		ids[i] = in.ID
	}
	roots, err := b.store.Roots(ctx, ids)
	if err != nil {
		return "", fmt.Errorf("find the messages of open incidents: %w", err)
	}
	links := map[oncall.IncidentID]string{}
	for id, at := range roots {
		links[id] = b.permalink(ctx, at)
	}
	return view.OpenIncidents(open, len(shown), orMore, links), nil
}

// incidentsOf reads whose incidents are meant: all, those of the person's teams, those of a team.
func (r request) incidentsOf() (func(oncall.Incident) bool, error) {
	words := r.words
	for len(words) > 0 && oneOf(words, 0, "open", "all", "active", "triggered", "now", "of", "for", "in", "team", "list") {
		words = words[1:]
	}
	if len(words) == 0 {
		return func(oncall.Incident) bool { return true }, nil
	}
	if len(words) == 1 && oneOf(words, 0, "mine", "my", "me") {
		return func(in oncall.Incident) bool {
			return slices.Contains(r.directory.Members[in.TeamID], r.user.ID) || slices.Contains(in.Holders(), r.user.ID)
		}, nil
	}
	typed := unescape(strings.Join(words, " "))
	for _, t := range r.directory.Teams {
		if strings.EqualFold(t.Name, typed) {
			return func(in oncall.Incident) bool { return in.TeamID == t.ID }, nil
		}
	}
	return nil, oncall.Refuse("`/oncall incidents` lists all that are open, `/oncall incidents mine` your teams', `/oncall incidents payments` a team's. For one of them: `/oncall incident 12`.")
}
