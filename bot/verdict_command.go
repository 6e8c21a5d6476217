package bot

import (
	"context"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

// verdictCommand answers `/oncall verdict 12 noise`, and opens the form without words. A false alarm that is open is resolved as one.
func (b *Bot) verdictCommand(ctx context.Context, r request) (view.Drawing, error) {
	typed := len(r.words)
	id, err := b.takeNumber(ctx, &r, "verdict", "12 noise")
	if err != nil {
		return view.Drawing{}, err
	}
	if len(r.words) == 0 {
		asks, err := b.formOn(ctx, id, r.user.ID, view.ActionVerdictForm)
		if err != nil {
			return view.Drawing{}, err
		}
		return view.Drawing{}, b.openModal(ctx, r.trigger, asks)
	}
	act := r.readVerdict()
	in, err := b.store.Incident(ctx, r.by(), id)
	ends := err == nil && in.Open() && act.Verdict == oncall.VerdictNoise // without an incident, the act says so
	if ends && len(r.words) == typed && !b.named(ctx, r, in) {            // a word without a number is too little to end what may be real
		words := append([]string{"verdict", id.String()}, r.words...)
		return view.Drawing{}, ask([]choice{{label: "Resolve " + id.String() + " as noise", words: words}}, "Was this noise? It is still open.%s", view.WhichIncident([]oncall.Incident{in}))
	}
	if ends {
		act.Do = oncall.ActResolve
	}
	text, err := b.actAndShow(ctx, r, id, act)
	if err != nil || !ends {
		return view.Drawing{Text: text}, err
	}
	return view.ResolvedAsNoise(id, text), nil
}

// named reports whether words without a number are certainly about an incident: they stand in its thread, it pages whoever wrote them,
// or they have it.
func (b *Bot) named(ctx context.Context, r request, in oncall.Incident) bool {
	here, err := b.store.IncidentAt(ctx, r.place)
	if err != nil || here == in.ID || in.With(r.user.ID) {
		return err == nil
	}
	paged, err := b.store.PagedFor(ctx, r.by(), []oncall.Incident{in})
	return err == nil && paged[in.ID]
}

// openTimeline answers `/oncall timeline 12` and `/oncall history 12`.
func (b *Bot) openTimeline(ctx context.Context, r request, id oncall.IncidentID) (string, error) {
	asks, err := b.formOn(ctx, id, r.user.ID, view.ActionTimeline)
	if err != nil {
		return "", err
	}
	return "", b.openModal(ctx, r.trigger, asks)
}

// namesSomebody reports whether words after a person begin with another one.
func namesSomebody(words []string) bool {
	if len(words) == 0 {
		return false
	}
	if oneOf(words, 0, "and", "&amp;") && len(words) > 1 {
		words = words[1:]
	}
	_, mention := view.ReadMention(words[0])
	return mention || strings.HasPrefix(words[0], "@")
}

// withoutPlease drops what only leads up to a note.
func withoutPlease(words []string) []string {
	for len(words) > 0 && (oneOf(words, 0, "please", "pls", "because", "as") || strings.Trim(words[0], ":;,-—–") == "") {
		words = words[1:]
	}
	return words
}
