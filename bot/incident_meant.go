package bot

import (
	"context"
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
		acts = withRemark(do, note[0].Text)
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

// lastIncidentFor is how long after its end an incident still counts as somebody's last one.
const lastIncidentFor = 12 * time.Hour

// lastActMeantFor is how long after an act it still says which incident is meant.
const lastActMeantFor = time.Hour

// A recentWork says what somebody is busy with.
type recentWork struct {
	paging  []oncall.Incident // what pages them now
	pagedAt time.Time         // when it did last
	acted   oncall.IncidentID // what they acted on last, or had when it was resolved; 0: nothing for hours
	actedAt time.Time
}

// numbersOf returns the numbers of incidents.
func numbersOf(of []oncall.Incident) (ids []oncall.IncidentID) {
	for _, in := range of {
		ids = append(ids, in.ID)
	}
	return ids
}

// busyWith finds what somebody is busy with.
func (b *Bot) busyWith(ctx context.Context, r request, open []oncall.Incident) (busy recentWork, err error) {
	waiting := slices.DeleteFunc(slices.Clone(open), func(in oncall.Incident) bool {
		return in.Status != oncall.Triggered || slices.Contains(in.Acks, r.user.ID)
	})
	paged, err := b.store.PagedFor(ctx, r.by(), waiting)
	if err != nil {
		return busy, err
	}
	busy.paging = slices.DeleteFunc(waiting, func(in oncall.Incident) bool { return !paged[in.ID] })
	if _, busy.pagedAt, err = b.store.LastPagedOf(ctx, r.by(), numbersOf(busy.paging)); err != nil {
		return busy, err
	}
	candidates := numbersOf(open)
	over, found, err := b.store.LastResolved(ctx, r.by(), r.now.Add(-lastIncidentFor))
	if err != nil {
		return busy, err
	}
	if found {
		candidates = append(candidates, over)
	}
	busy.acted, busy.actedAt, err = b.store.LastActed(ctx, r.by(), candidates, r.now.Add(-lastIncidentFor))
	if err == nil && busy.acted == 0 && found {
		busy.acted = over
	}
	return busy, err
}

// followsLastAct reports whether the incident that somebody has just acted on is what a command means: one of theirs, and nothing has paged them since.
func (busy recentWork) followsLastAct(name string, now time.Time, own []oncall.Incident) bool {
	return !slices.Contains([]string{"ack", "unsnooze", "merge", "link", "reopen"}, name) && now.Sub(busy.actedAt) < lastActMeantFor &&
		!busy.pagedAt.After(busy.actedAt) && slices.Contains(numbersOf(own), busy.acted)
}

// impliedIncident returns the incident that a command without a number means. Some commands are still typed when the incident is over: they
// mean what pages the person now, or else what they acted on last. 0: it can't be told.
func (b *Bot) impliedIncident(ctx context.Context, r request, name string, open []oncall.Incident, busy recentWork) (oncall.IncidentID, error) {
	switch {
	case name == "review": // that is for what is over
		id, _, err := b.store.LastResolved(ctx, r.by(), r.now.Add(-lastIncidentFor))
		return id, err
	case name == "verdict" && busy.acted != 0 && !busy.pagedAt.After(busy.actedAt):
		return busy.acted, nil
	case !afterwards[name]:
		return 0, nil
	case len(busy.paging) == 1:
		return busy.paging[0].ID, nil
	case len(busy.paging) > 1:
		return 0, nil
	case busy.acted != 0:
		return busy.acted, nil
	}
	has := slices.DeleteFunc(slices.Clone(open), func(in oncall.Incident) bool { return !in.With(r.user.ID) })
	if len(has) == 1 {
		return has[0].ID, nil
	}
	return 0, nil
}
