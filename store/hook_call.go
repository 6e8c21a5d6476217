package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// hookLease is how long a job may take for one call.
const hookLease = time.Minute

// QueueHooks queues the webhook calls that are due, because something has happened or a failed call
// needs another try.
func (s *System) QueueHooks(ctx context.Context, now time.Time) error {
	const due = `
		SELECT id
		FROM hooks
		WHERE removed_at IS NULL AND stopped_at IS NULL AND (next_at IS NULL OR next_at <= $1) AND (leased_until IS NULL OR leased_until < $1)
		  AND position < (SELECT max(id) FROM incident_events)`
	err := s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, due, now)
		ids, err := pgx.CollectRows(rows, pgx.RowTo[oncall.HookID])
		if err != nil {
			return err
		}
		var tasks []oncall.Task
		for _, id := range ids {
			tasks = append(tasks, oncall.Task{Args: oncall.CallHook{Hook: id}})
		}
		return s.enqueue(ctx, tx, now, tasks)
	})
	if err != nil {
		return fmt.Errorf("queue webhooks: %w", err)
	}
	return nil
}

// A HookCall is what a webhook is to be told next.
type HookCall struct {
	Hook    oncall.HookID
	Name    string
	Event   int64 // 0: there is nothing
	Key     string
	URL     string
	Headers []string
	Secrets []string
	Body    []byte
}

// BeginHook gives the next call of a webhook to a job, until EndHook or a minute has passed.
func (s *System) BeginHook(ctx context.Context, id oncall.HookID, now time.Time) (out HookCall, err error) {
	const lease = `
		UPDATE hooks
		SET leased_until = $3
		WHERE id = $1 AND removed_at IS NULL AND stopped_at IS NULL AND (next_at IS NULL OR next_at <= $2) AND (leased_until IS NULL OR leased_until < $2)
		RETURNING name, coalesce(team_id, 0), url, headers, secret, secret_before, before_ends_at, kinds, template, options, position`
	const pass = `UPDATE hooks SET position = $2, leased_until = $3 WHERE id = $1`
	dir, err := s.directory(ctx)
	if err != nil {
		return out, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		hook := oncall.Hook{ID: id}
		var headers, secret, before string
		var until *time.Time
		var position int64
		err := tx.QueryRow(ctx, lease, id, now, now.Add(hookLease)).Scan(
			&hook.Name, &hook.TeamID, &hook.URL, &headers, &secret, &before, &until, &hook.Kinds, &hook.Template, &hook.Options, &position)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil // another job has it
		}
		if err != nil {
			return err
		}
		e, at, err := s.nextFor(ctx, tx, dir, hook, position, now)
		if err != nil {
			return err
		}
		leased := new(now.Add(hookLease))
		if e.ID == 0 {
			leased = nil
		}
		if _, err := tx.Exec(ctx, pass, id, at, leased); err != nil || e.ID == 0 {
			return err
		}
		out = HookCall{Hook: id, Name: hook.Name, Event: e.ID, Key: fmt.Sprintf("evt_%d_%d", e.ID, e.At.Unix())}
		if out.Body, err = hook.Body(e); err != nil {
			return err
		}
		return s.unsealHook(&out, hook.URL, headers, secret, before, until, now)
	})
	if err != nil {
		return HookCall{}, wrapAny(err, "begin to call webhook %d", id)
	}
	return out, nil
}

// nextFor finds the next event of which a webhook is told, and up to where there is none.
func (s *System) nextFor(ctx context.Context, tx pgx.Tx, dir *Directory, hook oncall.Hook, after int64, now time.Time) (oncall.HookEvent, int64, error) {
	rows, _ := tx.Query(ctx, loadFeed, after, feedStep)
	events, err := pgx.CollectRows(rows, pgx.RowToStructByName[oncall.Event])
	if err != nil {
		return oncall.HookEvent{}, 0, err
	}
	events = withoutDoubt(events, after, now)
	about := make([]oncall.IncidentID, 0, len(events))
	for _, e := range events {
		about = append(about, e.IncidentID)
	}
	found, err := incidents(ctx, tx, about)
	if err != nil {
		return oncall.HookEvent{}, 0, err
	}
	known := map[oncall.IncidentID]oncall.Incident{}
	for _, in := range found {
		known[in.ID] = in
	}
	for _, event := range events {
		in, there := known[event.IncidentID]
		if !there || !hook.Matches(event, in, dir.teams[in.TeamID].Private) {
			after = event.ID
			continue
		}
		people := map[oncall.UserID]string{}
		for _, u := range append(event.Detail.Users, event.Actor.User) {
			people[u] = dir.Name(u)
		}
		return oncall.HookEvent{Event: event, Incident: in, Team: dir.teams[in.TeamID].Name, Integration: dir.IntegrationName(in.IntegrationID), People: people}, after, nil
	}
	return oncall.HookEvent{}, after, nil
}

var errSealed = errors.New("what is kept of the webhook was sealed by another WATCHBILL_SECRET")

// unsealHook decrypts the stored parts of a webhook.
func (s *System) unsealHook(out *HookCall, url, headers, secret, before string, until *time.Time, now time.Time) error {
	opened := func(text string) (plain string, err error) {
		plain, ok := oncall.Unseal(s.secrets, text)
		if !ok {
			return "", errSealed
		}
		return plain, nil
	}
	var err error
	if out.URL, err = opened(url); err != nil {
		return err
	}
	if headers, err = opened(headers); err != nil {
		return err
	}
	if headers != "" {
		out.Headers = strings.Split(headers, "\n")
	}
	if secret, err = opened(secret); err != nil {
		return err
	}
	out.Secrets = []string{secret}
	if until != nil && now.Before(*until) {
		if before, err = opened(before); err != nil {
			return err
		}
		out.Secrets = append(out.Secrets, before)
	}
	return nil
}

// A HookEnd is the outcome of a call.
type HookEnd struct {
	Delivered bool
	Gone      bool   // the receiver wants no more
	Trouble   string // why it has failed
}

// EndHook records how a call has ended. A delivered event is done with; a failed one is tried again later, and in the end
// given up.
func (s *System) EndHook(ctx context.Context, c HookCall, end HookEnd, now time.Time) error {
	const delivered = `UPDATE hooks SET position = $2, tries = 0, next_at = NULL, trouble = '', told_at = $3, leased_until = NULL WHERE id = $1 AND position < $2`
	const failed = `
		UPDATE hooks
		SET tries = tries + 1, trouble = $2, leased_until = NULL, stopped_at = CASE WHEN $3 THEN $4::timestamptz END
		WHERE id = $1
		RETURNING tries`
	const wait = `UPDATE hooks SET next_at = $2 WHERE id = $1`
	const giveUp = `UPDATE hooks SET position = $2, tries = 0, next_at = NULL WHERE id = $1 AND position < $2`
	err := s.transact(ctx, func(tx pgx.Tx) error {
		if end.Delivered {
			_, err := tx.Exec(ctx, delivered, c.Hook, c.Event, now)
			return err
		}
		var tries int
		if err := tx.QueryRow(ctx, failed, c.Hook, end.Trouble, end.Gone, now).Scan(&tries); err != nil {
			return err
		}
		if pause, again := oncall.HookPause(tries); again {
			_, err := tx.Exec(ctx, wait, c.Hook, now.Add(pause))
			return err
		}
		_, err := tx.Exec(ctx, giveUp, c.Hook, c.Event)
		return err
	})
	return wrapAny(err, "end the call of webhook %d", c.Hook)
}

// ResealHooks encrypts again what was encrypted with a secret that is being replaced, so that the old
// secret is no longer needed.
func (s *System) ResealHooks(ctx context.Context, now time.Time) error {
	const load = `SELECT id, url, headers, secret, secret_before FROM hooks WHERE removed_at IS NULL FOR UPDATE`
	const save = `UPDATE hooks SET url = $2, headers = $3, secret = $4, secret_before = $5 WHERE id = $1`
	with := s.secret(now)
	if with == nil {
		return nil
	}
	type sealed struct {
		ID                                 oncall.HookID
		URL, Headers, Secret, SecretBefore string
	}
	err := s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, load)
		all, err := pgx.CollectRows(rows, pgx.RowToStructByName[sealed])
		if err != nil {
			return err
		}
		for _, was := range all {
			is := was
			for _, text := range []*string{&is.URL, &is.Headers, &is.Secret, &is.SecretBefore} {
				*text = s.reseal(with, *text)
			}
			if is == was {
				continue
			}
			if _, err := tx.Exec(ctx, save, is.ID, is.URL, is.Headers, is.Secret, is.SecretBefore); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("seal webhooks anew: %w", err)
	}
	return nil
}

// reseal returns a sealed text by the current secret, where one of ours can open it.
func (s *Store) reseal(with oncall.Secret, text string) string {
	plain, ok := oncall.Unseal(s.secrets, text)
	if _, current := oncall.Unseal([]oncall.Secret{with}, text); text == "" || current || !ok {
		return text
	}
	return with.Seal(plain)
}
