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

// concerning is an incident as package access sees it, with its holders and responders as involved people. Whoever else
// was paged must be looked up in the table of pages.
func concerning(in oncall.Incident) access.Object {
	on := access.Object{Team: in.TeamID, Involved: slices.Concat(in.Acks, in.Holders())}
	for _, r := range in.Responders {
		on.Involved = append(on.Involved, r.User)
	}
	return on
}

// MayRespond returns on which of the incidents somebody may act, so that only they get buttons. Nothing is counted as
// refused.
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

// Respond returns a Refusal if somebody may not act on an incident, for callers that check before they open a form.
func (s *Store) Respond(ctx context.Context, by oncall.Actor, in oncall.Incident) error {
	g, err := s.gate(ctx, by)
	if err != nil {
		return err
	}
	return s.transact(ctx, func(tx pgx.Tx) error { return g.onIncident(ctx, tx, access.Respond, in) })
}

// TeamToPage finds a team by name, for somebody who wants to page it. They need not see it otherwise.
func (d *Directory) TeamToPage(name string) (oncall.TeamID, bool) {
	for _, t := range d.every {
		if strings.EqualFold(t.Name, name) {
			return t.ID, true
		}
	}
	return 0, false
}

// MayPage returns nil if somebody may page at least one team, or a Refusal that says why not.
func (d *Directory) MayPage(by oncall.Actor) error {
	refusal := oncall.Refuse("There are no teams yet, so nobody can be paged.")
	for _, t := range d.every {
		if refusal = d.access.May(by, access.Page, access.Object{Team: t.ID}); refusal == nil {
			return nil
		}
	}
	return refusal
}
