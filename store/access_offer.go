package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
)

// concerning is an incident as package access sees it, with the people that it names itself: those who have
// it and those asked to help. Those who were paged are in the table of pages.
func concerning(in oncall.Incident) access.Object {
	on := access.Object{Team: in.TeamID, Involved: slices.Concat(in.Acks, in.Holders())}
	for _, r := range in.Responders {
		on.Involved = append(on.Involved, r.User)
	}
	return on
}

// MayRespond returns the incidents, of some, on which somebody may act, so that buttons are offered for no
// others. Nothing counts as refused.
func (s *Store) MayRespond(ctx context.Context, by oncall.Actor, of []oncall.Incident) (map[oncall.IncidentID]bool, error) {
	const paged = `SELECT DISTINCT incident_id FROM pages WHERE incident_id = ANY ($1) AND user_id = $2`
	g, err := s.gate(ctx, by)
	if err != nil {
		return nil, err
	}
	may := make(map[oncall.IncidentID]bool, len(of))
	var others []oncall.IncidentID
	for _, in := range of {
		if may[in.ID] = g.dir.access.May(by, access.Respond, concerning(in)) == nil; !may[in.ID] {
			others = append(others, in.ID)
		}
	}
	if len(others) == 0 {
		return may, nil
	}
	var involved []oncall.IncidentID
	err = s.transact(ctx, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, paged, others, by.User)
		involved, err = pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load for which incidents %s was paged: %w", by.User, err)
	}
	for _, in := range of {
		if slices.Contains(involved, in.ID) {
			on := concerning(in)
			on.Involved = append(on.Involved, by.User)
			may[in.ID] = g.dir.access.May(by, access.Respond, on) == nil
		}
	}
	return may, nil
}

// Respond returns a Refusal if somebody may not act on an incident, for a shell that asks before it opens a
// form.
func (s *Store) Respond(ctx context.Context, by oncall.Actor, in oncall.Incident) error {
	g, err := s.gate(ctx, by)
	if err != nil {
		return err
	}
	return s.transact(ctx, func(tx pgx.Tx) error { return g.onIncident(ctx, tx, access.Respond, in) })
}

// TeamToPage finds the team with a name for somebody who wants to page it: they need not see what is its.
func (d *Directory) TeamToPage(name string) (oncall.TeamID, bool) {
	for _, t := range d.every {
		if strings.EqualFold(t.Name, name) {
			return t.ID, true
		}
	}
	return 0, false
}

// MayPage returns nil if somebody may page any team at all, or a Refusal that says why not.
func (d *Directory) MayPage(by oncall.Actor) error {
	refusal := oncall.Refuse("There are no teams yet, so nobody can be paged.")
	for _, t := range d.every {
		if refusal = d.access.May(by, access.Page, access.Object{Team: t.ID}); refusal == nil {
			return nil
		}
	}
	return refusal
}
