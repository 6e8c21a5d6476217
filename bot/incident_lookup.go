package bot

import (
	"context"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// incidentByTitle finds the one open incident whose title has words that start with the typed ones: "disk
// full".
func (b *Bot) incidentByTitle(ctx context.Context, r request, name string) (oncall.IncidentID, bool, error) {
	for i := range r.words {
		if oneOf(r.words, i, "all", "everything", "except", "but", "not", "and", "or") {
			return 0, false, nil // ambiguous
		}
	}
	open, err := b.store.OpenIncidents(ctx, r.by(), maxOpenLoaded)
	if err != nil {
		return 0, false, err
	}
	var fits []oncall.Incident
	for _, in := range open {
		if titled(in.Title, unescape(strings.Join(r.words, " "))) {
			fits = append(fits, in)
		}
	}
	switch len(fits) {
	case 0:
		return 0, false, nil
	case 1:
		return fits[0].ID, true, nil
	}
	r.words = nil
	return 0, false, r.askIncident(name, "Several open incidents are called like that. Say which by its number: `/oncall "+name+" 12`.", fits)
}

// titled reports whether each typed word is a prefix of a word in the title.
func titled(title, typed string) bool {
	wanted := titleWords(typed)
	has := titleWords(title)
	for _, w := range wanted {
		begins := false
		for _, h := range has {
			begins = begins || strings.HasPrefix(h, w)
		}
		if !begins {
			return false
		}
	}
	return len([]rune(strings.Join(wanted, ""))) >= minTitle
}

// minTitle is the minimum number of letters that must be typed.
const minTitle = 2

func titleWords(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return strings.ContainsRune(" \t\n.,:;!?/()[]{}\"'`“”‘’-_=<>|", r)
	})
}
