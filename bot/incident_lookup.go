package bot

import (
	"context"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

// incidentByTitle finds the one open incident in whose title all the words begin a word: "disk full".
func (b *Bot) incidentByTitle(ctx context.Context, r request, name string) (oncall.IncidentID, bool, error) {
	for i := range r.words {
		if oneOf(r.words, i, "all", "everything", "except", "but", "not", "and", "or") {
			return 0, false, nil // which ones are meant must be clear
		}
	}
	open, err := b.store.OpenIncidents(ctx, r.by(), maxOthers)
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
	return 0, false, oncall.Refuse("Several open incidents are called like that. Say which by its number: `/oncall %s 12`.%s", name, view.WhichIncident(fits))
}

// titled reports whether each of the words that were typed begins a word of the title.
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

// minTitle is how many letters of a title must be typed at least.
const minTitle = 2

func titleWords(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return strings.ContainsRune(" \t\n.,:;!?/()[]{}\"'`“”‘’-_=<>|", r)
	})
}
