package bot

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

// actHere performs an act on the incident of the channel or thread in which it was typed, and on no
// other. The remaining words are a note.
func (b *Bot) actHere(ctx context.Context, r request, id oncall.IncidentID, do oncall.ActKind) (view.Drawing, error) {
	acts := []oncall.Act{{Do: do}}
	if len(r.words) > 0 {
		note, err := r.readNote()
		if err != nil {
			return view.Drawing{}, err
		}
		acts = append(acts, remark(do, note[0].Text))
	}
	text, err := b.actAndShow(ctx, r, id, acts...)
	if _, refused := refusalOf(err); refused && (do == oncall.ActAck || do == oncall.ActResolve) {
		if in, err := b.store.Incident(ctx, r.by(), id); err == nil {
			if said := view.SettledBefore(in, r.user.ID, r.now, r.location); said != "" {
				return view.Text(said), nil
			}
		}
	}
	return view.Drawing{Text: text}, err
}

// afterwards lists the commands that people still type after their incident is over.
var afterwards = map[string]bool{"note": true, "review": true, "action": true, "update": true, "verdict": true}

// lastFor is how long after its end an incident still counts as somebody's last one.
const lastFor = 12 * time.Hour

// lastIncident returns the one incident that somebody has, or else the one that they resolved last. It
// returns 0 if that is ambiguous because they have several, or one pages them now.
func (b *Bot) lastIncident(ctx context.Context, r request, name string) (oncall.IncidentID, error) {
	if name != "review" { // a review is about an incident that is over
		open, err := b.store.OpenIncidents(ctx, r.by(), maxOpenLoaded)
		if err != nil {
			return 0, fmt.Errorf("load open incidents: %w", err)
		}
		has := slices.DeleteFunc(slices.Clone(open), func(in oncall.Incident) bool { return !in.With(r.user.ID) })
		if len(has) > 0 {
			if len(has) == 1 {
				return has[0].ID, nil
			}
			return 0, nil
		}
		waiting := slices.DeleteFunc(open, func(in oncall.Incident) bool { return in.Status != oncall.Triggered })
		if pages, err := b.store.PagedFor(ctx, r.by(), waiting); err != nil || len(pages) > 0 {
			return 0, err
		}
	}
	id, found, err := b.store.LastResolved(ctx, r.by(), r.now.Add(-lastFor))
	if err != nil || !found {
		return 0, err
	}
	return id, nil
}
