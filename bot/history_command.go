package bot

import (
	"context"
	"strconv"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/audit"
	"github.com/watchbill/watchbill/store"
)

// historyPage is the maximum number of entries in an answer. Long entries leave room for fewer.
const historyPage = 12

// history answers `/oncall history [kind] [name or person] [since …] [before …]` with the audit log. The store
// decides which entries the person may read.
func (b *Bot) history(ctx context.Context, r request) (string, error) {
	f, err := b.historyFilter(ctx, r)
	if err != nil {
		return "", err
	}
	entries, more, err := b.store.History(ctx, r.by(), f)
	if err != nil {
		return "", err
	}
	return view.History(entries, more, strings.Join(historyWords(r.words), " "), r.location), nil
}

// historyWords drops the page's position from the command, for the command that shows the next page.
func historyWords(words []string) []string {
	for i := 0; i+1 < len(words); i++ {
		if oneOf(words, i, "before", "older") && isNumber(words[i+1]) {
			return append(append([]string{}, words[:i]...), words[i+2:]...)
		}
	}
	return words
}

// historyFilter parses the command into a filter of the audit log.
func (b *Bot) historyFilter(ctx context.Context, r request) (filter store.AuditFilter, err error) {
	filter.Limit = historyPage
	var words []string
	for i := 0; i < len(r.words); i++ {
		next := ""
		if i+1 < len(r.words) {
			next = r.words[i+1]
		}
		switch {
		case oneOf(r.words, i, "before", "older") && isNumber(next):
			if filter.Before, err = strconv.ParseInt(next, 10, 64); err != nil {
				return filter, oncall.Refuse("There is no entry %q.", next)
			}
			i++
		case oneOf(r.words, i, "since") && next != "":
			at, ok := audit.ParseSince(next, r.now, r.location)
			if !ok {
				return filter, oncall.Refuse("I can't read since when: write `since 7d`, `since 12h`, `since yesterday` or `since 2026-11-30`.")
			}
			filter.Since = at
			i++
		default:
			words = append(words, r.words[i])
		}
	}
	return filter, b.historyOf(ctx, r, words, &filter)
}

// historyOf reads the subject: a kind of thing with a name, a team, or a person.
func (b *Bot) historyOf(ctx context.Context, r request, words []string, filter *store.AuditFilter) error {
	for len(words) > 0 && oneOf(words, 0, "of", "for", "the", "all", "by") {
		words = words[1:]
	}
	if len(words) == 0 {
		return nil
	}
	known := false
	if filter.Kind, known = audit.ParseKind(words[0]); known {
		words = words[1:]
	}
	name := unescape(strings.Join(words, " "))
	switch {
	case name == "":
		return nil
	case filter.Kind == "" || filter.Kind == audit.Team:
		for _, t := range r.directory.Teams {
			if strings.EqualFold(t.Name, name) {
				filter.Team, filter.Kind = t.ID, "" // everything of the team
				return nil
			}
		}
	}
	if filter.Kind == "" || filter.Kind == audit.Person {
		switch id, n, err := b.findPerson(ctx, r, words); {
		case err != nil:
			return err
		case n == len(words):
			filter.Person, filter.Kind = id, ""
			return nil
		}
	}
	filter.Name = r.nameOf(name)
	return nil
}

// nameOf returns the exact name of a thing, or the typed text, since the thing may have been removed.
func (r request) nameOf(typed string) string {
	for _, s := range r.directory.Schedules {
		if strings.EqualFold(s.Name(), typed) {
			return s.Name()
		}
	}
	for _, p := range r.directory.Policies {
		if strings.EqualFold(p.Name, typed) {
			return p.Name
		}
	}
	for _, in := range r.directory.Integrations {
		if strings.EqualFold(in.Name, typed) {
			return in.Name
		}
	}
	return typed
}
