package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
)

// reviewActionsAtOnce is how many people one call of AskReviewActions asks at most.
const reviewActionsAtOnce = 200

// AddReviewAction adds something to be done after an incident. The person must be one who may see the incident.
func (s *Store) AddReviewAction(ctx context.Context, by oncall.Actor, id oncall.IncidentID, action oncall.ReviewAction, now time.Time) (oncall.ReviewAction, error) {
	const count = `SELECT count(*) FROM review_actions WHERE incident_id = $1`
	const insert = `
		INSERT INTO review_actions (incident_id, user_id, text, by, made_at, due_at, ask_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		RETURNING id`
	g, err := s.gate(ctx, by)
	if err != nil {
		return action, err
	}
	_, _, err = s.decide(ctx, id, func(tx pgx.Tx, in oncall.Incident) (oncall.Change, bool, error) {
		if err := g.onIncident(ctx, tx, access.Acknowledge, in); err != nil {
			return oncall.Change{}, false, err
		}
		if g.dir.access.May(oncall.ByUser(action.UserID), access.See, accessIncident(in)) != nil {
			return oncall.Change{}, false, oncall.Refuse("%s may not see incident %s, and can't get an action of it.", action.UserID, in.ID)
		}
		var has int
		if err := tx.QueryRow(ctx, count, id).Scan(&has); err != nil {
			return oncall.Change{}, false, err
		}
		var change oncall.Change
		var err error
		if action, change, err = in.AddReviewAction(action, has, by, g.dir.Facts(), now); err != nil {
			return oncall.Change{}, false, err
		}
		if err := tx.QueryRow(ctx, insert, id, action.UserID, action.Text, action.By, action.MadeAt, action.DueAt, action.AskAt).Scan(&action.ID); err != nil {
			return oncall.Change{}, false, err
		}
		if n, tells := action.AssignedNotice(in, g.dir.Roster()); tells {
			change.Notices = append(change.Notices, n)
		}
		return change, true, nil
	})
	return action, err
}

// EndReviewAction notes that an action is done, or puts it off if it is to be asked about later. The person whose action
// it is may do that, and the person who may act on the incident.
func (s *Store) EndReviewAction(ctx context.Context, by oncall.Actor, id oncall.ReviewActionID, later bool, now time.Time) (oncall.ReviewAction, error) {
	const load = `
		SELECT id, incident_id, user_id, text, by, made_at, due_at, ask_at, done_at, done_by
		FROM review_actions
		WHERE id = $1
		FOR UPDATE`
	const find = `SELECT incident_id FROM review_actions WHERE id = $1`
	var action oncall.ReviewAction
	var changes []oncall.Change
	g, err := s.gate(ctx, by)
	if err != nil {
		return action, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		var incident oncall.IncidentID
		if err := tx.QueryRow(ctx, find, id).Scan(&incident); err != nil {
			return noReviewAction(err)
		}
		found, err := lockIncidents(ctx, tx, []oncall.IncidentID{incident})
		if err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, load, id)
		if action, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[oncall.ReviewAction]); err != nil {
			return noReviewAction(err)
		}
		for _, in := range found {
			if changes, err = s.endReviewAction(ctx, tx, g, in, &action, later, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return action, wrap(err, "end action %d", id)
	}
	s.changed(changes)
	return action, nil
}

func noReviewAction(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return oncall.Refuse("There is no such action any more.")
	}
	return err
}

func (s *Store) endReviewAction(ctx context.Context, tx pgx.Tx, g gate, in oncall.Incident, action *oncall.ReviewAction, later bool, now time.Time) ([]oncall.Change, error) {
	allowed := g.may(access.OwnThings, access.Object{})
	if action.UserID != g.by.User {
		allowed = g.onIncident(ctx, tx, access.Acknowledge, in)
	}
	if allowed != nil || action.DoneAt != nil {
		return nil, allowed
	}
	var changes []oncall.Change
	state := oncall.ReviewActionLater
	if later {
		*action = action.PutOff(g.dir.Roster(), now)
	} else {
		became, change, _ := in.EndReviewAction(*action, g.by, now)
		*action, state, changes = became, oncall.ReviewActionDone, append(changes, change)
		if err := s.save(ctx, tx, now, changes); err != nil {
			return nil, err
		}
	}
	open := oncall.NoticeClose{Kinds: oncall.ActionNotices, About: int64(action.ID), State: state, By: g.by.User, At: now}
	if err := s.closeNotices(ctx, tx, now, []oncall.NoticeClose{open}); err != nil {
		return nil, err
	}
	return changes, saveReviewAction(ctx, tx, *action)
}

func saveReviewAction(ctx context.Context, tx pgx.Tx, a oncall.ReviewAction) error {
	_, err := tx.Exec(ctx, `UPDATE review_actions SET ask_at = $2, done_at = $3, done_by = $4 WHERE id = $1`, a.ID, a.AskAt, a.DoneAt, a.DoneBy)
	return err
}

// ReviewActions returns what is to be done after an incident, in the order in which it was added.
func (s *Store) ReviewActions(ctx context.Context, by oncall.Actor, id oncall.IncidentID) (all []oncall.ReviewAction, err error) {
	const load = `
		SELECT id, incident_id, user_id, text, by, made_at, due_at, ask_at, done_at, done_by
		FROM review_actions
		WHERE incident_id = $1
		ORDER BY id`
	g, err := s.gate(ctx, by)
	if err != nil {
		return nil, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if _, err := g.seen(ctx, tx, id); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, load, id)
		all, err = pgx.CollectRows(rows, pgx.RowToStructByName[oncall.ReviewAction])
		return err
	})
	return all, wrapAny(err, "load the actions of incident %d", id)
}

// ReviewAction returns one action, if the actor may see its incident.
func (s *Store) ReviewAction(ctx context.Context, by oncall.Actor, id oncall.ReviewActionID) (action oncall.ReviewAction, err error) {
	const load = `
		SELECT id, incident_id, user_id, text, by, made_at, due_at, ask_at, done_at, done_by
		FROM review_actions
		WHERE id = $1`
	g, err := s.gate(ctx, by)
	if err != nil {
		return action, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, load, id)
		if action, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[oncall.ReviewAction]); errors.Is(err, pgx.ErrNoRows) {
			return oncall.ErrNotFound
		}
		if err == nil {
			_, err = g.seen(ctx, tx, action.IncidentID)
		}
		return err
	})
	return action, wrapAny(err, "load action %d", id)
}

// A ReviewActionFilter narrows a list of open actions. The zero value lists all.
type ReviewActionFilter struct {
	User  oncall.UserID
	Team  oncall.TeamID // of the incident
	After oncall.ReviewActionID
	Limit int // at most MostListed
}

// OpenReviewActions lists the actions that are not done, of the incidents that the actor may see, in the order in which
// they were added. More says whether there are further ones.
func (s *Store) OpenReviewActions(ctx context.Context, by oncall.Actor, f ReviewActionFilter) (all []oncall.ReviewAction, more bool, err error) {
	const list = `
		SELECT a.id, a.incident_id, a.user_id, a.text, a.by, a.made_at, a.due_at, a.ask_at, a.done_at, a.done_by
		FROM review_actions a JOIN incidents i ON i.id = a.incident_id
		WHERE a.ask_at IS NOT NULL AND a.id > $1 AND ($2 = '' OR a.user_id = $2) AND ($3::bigint = 0 OR i.team_id = $3)
		  AND (NOT i.team_id = ANY ($4) OR $5 <> '' AND EXISTS (SELECT FROM pages p WHERE p.incident_id = i.id AND p.user_id = $5))
		ORDER BY a.id
		LIMIT $6`
	g, err := s.gate(ctx, by)
	if err != nil {
		return nil, false, err
	}
	if err := g.may(access.See, access.Object{}); err != nil {
		return nil, false, err
	}
	limit := min(max(f.Limit, 1), MostListed)
	err = s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, list, f.After, f.User, f.Team, nonNil(g.dir.hidden(by)), by.User, limit+1)
		all, err = pgx.CollectRows(rows, pgx.RowToStructByName[oncall.ReviewAction])
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("list actions: %w", err)
	}
	return all[:min(len(all), limit)], len(all) > limit, nil
}

// OwnReviewActions returns what the actor is to do after incidents that they may see, the earliest due first.
func (s *Store) OwnReviewActions(ctx context.Context, by oncall.Actor) (all []oncall.ReviewAction, err error) {
	const load = `
		SELECT id, incident_id, user_id, text, by, made_at, due_at, ask_at, done_at, done_by
		FROM review_actions
		WHERE user_id = $1 AND ask_at IS NOT NULL
		ORDER BY due_at, id
		LIMIT 100`
	g, err := s.gate(ctx, by)
	if err == nil {
		err = g.forPerson(by.User, access.OwnThings)
	}
	if err != nil {
		return nil, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, load, by.User)
		if all, err = pgx.CollectRows(rows, pgx.RowToStructByName[oncall.ReviewAction]); err != nil || len(all) == 0 {
			return err
		}
		about, err := incidents(ctx, tx, column(all, func(a oncall.ReviewAction) oncall.IncidentID { return a.IncidentID }))
		seen := map[oncall.IncidentID]bool{}
		for _, in := range about {
			seen[in.ID] = g.dir.access.May(by, access.See, accessIncident(in)) == nil
		}
		all = slices.DeleteFunc(all, func(a oncall.ReviewAction) bool { return !seen[a.IncidentID] })
		return err
	})
	return all, wrapAny(err, "load the actions of %s", by.User)
}

// AskReviewActions asks people about the actions that are due, each working morning once, however many instances call it.
func (s *System) AskReviewActions(ctx context.Context, now time.Time) error {
	const due = `
		SELECT id, incident_id, user_id, text, by, made_at, due_at, ask_at, done_at, done_by
		FROM review_actions
		WHERE ask_at <= $1
		ORDER BY ask_at
		LIMIT $2
		FOR UPDATE SKIP LOCKED`
	dir, err := s.directory(ctx)
	if err != nil {
		return err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, due, now, reviewActionsAtOnce)
		all, err := pgx.CollectRows(rows, pgx.RowToStructByName[oncall.ReviewAction])
		if err != nil || len(all) == 0 {
			return err
		}
		about, err := incidents(ctx, tx, column(all, func(a oncall.ReviewAction) oncall.IncidentID { return a.IncidentID }))
		if err != nil {
			return err
		}
		byID := map[oncall.IncidentID]oncall.Incident{}
		for _, in := range about {
			byID[in.ID] = in
		}
		for _, a := range all {
			if err := s.askReviewAction(ctx, tx, dir, a, byID[a.IncidentID], now); err != nil {
				return fmt.Errorf("action %d: %w", a.ID, err)
			}
		}
		return nil
	})
	return wrapAny(err, "ask about actions")
}

func (s *System) askReviewAction(ctx context.Context, tx pgx.Tx, dir *Directory, a oncall.ReviewAction, in oncall.Incident, now time.Time) error {
	sees := func(u oncall.UserID) bool {
		return dir.access.May(oncall.ByUser(u), access.See, accessIncident(in)) == nil
	}
	notice, next, anybody := a.Ask(in, dir.Roster(), sees, now)
	before := oncall.NoticeClose{Kinds: oncall.ActionNotices, About: int64(a.ID), State: oncall.ReviewActionAgain, At: now}
	if err := s.closeNotices(ctx, tx, now, []oncall.NoticeClose{before}); err != nil {
		return err
	}
	if !anybody {
		return saveReviewAction(ctx, tx, next)
	}
	notices := []oncall.Notice{notice}
	if err := inZones(ctx, tx, notices); err != nil {
		return err
	}
	if err := s.saveNotices(ctx, tx, now, notices); err != nil {
		return err
	}
	return saveReviewAction(ctx, tx, next)
}
