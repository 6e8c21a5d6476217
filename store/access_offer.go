package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// accessIncident returns an incident as package access sees it, with its holders and responders as involved people. Whoever else
// was paged must be looked up in the table of pages.
func accessIncident(in oncall.Incident) access.Object {
	on := access.Object{Team: in.TeamID, Involved: slices.Concat(in.Acks, in.Holders())}
	for _, r := range in.Responders {
		on.Involved = append(on.Involved, r.User)
	}
	return on
}

// PagedFor returns those of some incidents for which the actor was paged.
func (s *Store) PagedFor(ctx context.Context, by oncall.Actor, of []oncall.Incident) (map[oncall.IncidentID]bool, error) {
	const paged = `SELECT DISTINCT incident_id FROM pages WHERE incident_id = ANY ($1) AND user_id = $2`
	ids := column(of, func(in oncall.Incident) oncall.IncidentID { return in.ID })
	found := map[oncall.IncidentID]bool{}
	if len(ids) == 0 || by.User == "" {
		return found, nil
	}
	rows, _ := s.pool.Query(ctx, paged, ids, by.User)
	all, err := pgx.CollectRows(rows, pgx.RowTo[oncall.IncidentID])
	if err != nil {
		return nil, fmt.Errorf("load for which incidents %s was paged: %w", by.User, translate(err))
	}
	for _, id := range all {
		found[id] = true
	}
	return found, nil
}

// MayRespond returns on which of the incidents somebody may act, so that only they get buttons. Nothing is counted as
// refused.
func (s *Store) MayRespond(ctx context.Context, by oncall.Actor, incidents []oncall.Incident) (map[oncall.IncidentID]bool, error) {
	const paged = `SELECT DISTINCT incident_id FROM pages WHERE incident_id = ANY ($1) AND user_id = $2`
	g, err := s.gate(ctx, by)
	if err != nil {
		return nil, err
	}
	may := make(map[oncall.IncidentID]bool, len(incidents))
	var others []oncall.IncidentID
	for _, in := range incidents {
		if may[in.ID] = g.dir.access.May(by, access.Respond, accessIncident(in)) == nil; !may[in.ID] {
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
	for _, in := range incidents {
		if slices.Contains(involved, in.ID) {
			on := accessIncident(in)
			on.Involved = append(on.Involved, by.User)
			may[in.ID] = g.dir.access.May(by, access.Respond, on) == nil
		}
	}
	return may, nil
}

// CheckRespond returns a Refusal if somebody may not act on an incident, for callers that check before they open a form.
func (s *Store) CheckRespond(ctx context.Context, by oncall.Actor, in oncall.Incident) error {
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

// A Whom names who a program wants to page, by name or id. People are named by Slack id, mail address
// or full name.
type Whom struct{ Team, Schedule, User string }

// FindToPage finds what it names: a team need not be seen to be paged, but a private team's schedules are not there for
// others. A person alone is paged in a team of theirs, which is the key's own if they are in it.
func (s *Store) FindToPage(ctx context.Context, by oncall.Actor, w Whom) (raise oncall.RaiseRequest, err error) {
	dir, err := s.directory(ctx)
	if err != nil {
		return raise, err
	}
	if w.Schedule != "" {
		i := slices.IndexFunc(dir.Schedules, func(c *schedule.Schedule) bool {
			t := dir.teams[c.TeamID()]
			return named(w.Schedule, c.Name(), int64(c.ID())) && (!t.Private || dir.access.May(by, access.See, access.Object{Team: t.ID}) == nil)
		})
		if i < 0 {
			return raise, oncall.Refuse("There is no schedule %q, or it is not yours to see.", w.Schedule)
		}
		raise.Team, raise.Schedule = dir.Schedules[i].TeamID(), dir.Schedules[i].ID()
	}
	if w.User != "" {
		if raise.User, err = dir.userNamed(w.User); err != nil {
			return raise, err
		}
	}
	if w.Team != "" {
		i := slices.IndexFunc(dir.Teams, func(t oncall.Team) bool { return named(w.Team, t.Name, int64(t.ID)) })
		if i < 0 {
			return raise, oncall.Refuse("There is no team %q.", w.Team)
		}
		raise.Team = dir.Teams[i].ID
	}
	if raise.Team == 0 && raise.User != "" {
		raise.Team = dir.teamAfter(by, raise.User)
	}
	if raise.Team == 0 {
		return raise, oncall.Refuse("Say which team to page; a person alone is paged in a team of theirs.")
	}
	return raise, nil
}

// TeamToPageFor returns the team of an integration, or of an escalation policy, for a program that pages by one of these.
// What is of a private team's is oncall.ErrNotFound for others.
func (s *Store) TeamToPageFor(ctx context.Context, by oncall.Actor, integration, policy string) (team oncall.TeamID, err error) {
	dir, err := s.directory(ctx)
	if err != nil {
		return 0, err
	}
	for _, in := range dir.Integrations {
		if strconv.FormatInt(int64(in.ID), 10) == integration {
			team = in.TeamID
		}
	}
	for _, p := range dir.Policies {
		if !p.Removed && strconv.FormatInt(int64(p.ID), 10) == policy {
			team = p.TeamID
		}
	}
	if team == 0 || dir.teams[team].Private && dir.access.May(by, access.See, access.Object{Team: team}) != nil {
		return 0, oncall.ErrNotFound
	}
	return team, nil
}

// named reports whether a text is a thing's name, whatever its case, or its id.
func named(text, name string, id int64) bool {
	return strings.EqualFold(text, name) || text == strconv.FormatInt(id, 10)
}

// userNamed finds a person by Slack id, mail address or whole name.
func (d *Directory) userNamed(text string) (found oncall.UserID, err error) {
	if _, known := d.Users[oncall.UserID(text)]; known {
		return oncall.UserID(text), nil
	}
	for id, u := range d.Users {
		if !strings.EqualFold(u.Name, text) && (u.Email == "" || !strings.EqualFold(u.Email, text)) {
			continue
		}
		if found != "" {
			return "", oncall.Refuse("Several people are called %q; give the Slack id.", text)
		}
		found = id
	}
	if found == "" {
		return "", oncall.Refuse("There is nobody called %q.", text)
	}
	return found, nil
}

// teamAfter returns the team whose policy follows where a person alone is paged: the first of theirs that the actor may
// page, before all the one of the actor's key.
func (d *Directory) teamAfter(by oncall.Actor, user oncall.UserID) (id oncall.TeamID) {
	own := d.apiKeys[by.Key].TeamID
	for _, t := range d.Teams {
		if !slices.Contains(d.Members[t.ID], user) || d.access.May(by, access.Page, access.Object{Team: t.ID}) != nil {
			continue
		}
		if t.ID == own || id == 0 && !t.Private {
			id = t.ID
		}
	}
	return id
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
