package store

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/audit"
)

// Refusals are grouped in the audit log, so that somebody who tries a thousand times can't fill it: the first
// for a person, act and team is written within a minute, and those that follow within the hour as one entry
// with their number. Until then they wait in memory. An instance that stops writes them; one that is killed
// loses the number, but the process log and the metric have them all. They can't be written where they
// occur, because that transaction is rolled back.
const (
	foldRefusals   = time.Hour
	mostRefusals   = 2_000 // waiting; a workspace has so many people at most who are up to something
	refusalsByUser = 20    // different ones of a person in an hour; more are told as one
)

type refusalKey struct {
	by   oncall.Actor
	act  access.Act // empty: several
	team oncall.TeamID
}

// A refusal counts refusals of one person, act and team. Its time is that of writing it down, within a
// minute, because no clock is at hand where it is counted.
type refusal struct {
	fresh       int // since the last look
	waiting     int // that no entry tells of yet
	first, last time.Time
	told        time.Time // when an entry told of it last; zero: never
}

type refusals struct {
	mu   sync.Mutex
	kept map[refusalKey]*refusal
}

// note counts a refusal.
func (r *refusals) note(by oncall.Actor, act access.Act, team oncall.TeamID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept == nil {
		r.kept = map[refusalKey]*refusal{}
	}
	key := refusalKey{by: by, act: act, team: team}
	if r.kept[key] == nil {
		own := 0
		for k := range r.kept {
			if k.by == by {
				own++
			}
		}
		if own >= refusalsByUser {
			key.act, key.team = "", 0
		}
	}
	if r.kept[key] == nil {
		if len(r.kept) >= mostRefusals {
			return
		}
		r.kept[key] = &refusal{}
	}
	r.kept[key].fresh++
}

// due takes what is to be written down, or all of it, and forgets what has been quiet for an hour.
func (r *refusals) due(now time.Time, all bool) map[refusalKey]refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[refusalKey]refusal{}
	for key, one := range r.kept {
		if one.fresh > 0 {
			if one.waiting == 0 {
				one.first = now
			}
			one.waiting, one.fresh, one.last = one.waiting+one.fresh, 0, now
		}
		switch over := !now.Before(one.told.Add(foldRefusals)); {
		case one.waiting > 0 && (over || all || one.told.IsZero()):
			out[key] = *one
			one.waiting, one.told = 0, now
		case over:
			delete(r.kept, key)
		}
	}
	return out
}

// back puts back what could not be written down.
func (r *refusals) back(lost map[refusalKey]refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, was := range lost {
		if one := r.kept[key]; one != nil {
			one.waiting, one.first, one.told = one.waiting+was.waiting, was.first, was.told
		}
	}
}

// SaveRefusals writes to the audit log what people were refused, as far as it is due.
func (s *System) SaveRefusals(ctx context.Context, now time.Time) error {
	return s.saveRefusals(ctx, s.refusals.due(now, false), now)
}

// SaveLastRefusals writes down all that waits, before the instance stops.
func (s *System) SaveLastRefusals(ctx context.Context, now time.Time) error {
	return s.saveRefusals(ctx, s.refusals.due(now, true), now)
}

func (s *System) saveRefusals(ctx context.Context, due map[refusalKey]refusal, now time.Time) error {
	if len(due) == 0 {
		return nil
	}
	dir, err := s.directory(ctx)
	if err != nil {
		s.refusals.back(due)
		return err
	}
	keys := make([]refusalKey, 0, len(due))
	for key := range due {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b refusalKey) int {
		return cmp.Or(cmp.Compare(a.by.User, b.by.User), cmp.Compare(a.by.Key, b.by.Key), cmp.Compare(a.act, b.act),
			cmp.Compare(a.team, b.team), cmp.Compare(a.by.Via, b.by.Via))
	})
	err = s.transact(ctx, func(tx pgx.Tx) error {
		for _, key := range keys {
			one := due[key]
			e := audit.Refusal(key.by, key.act.Words(), key.team, dir.teams[key.team].Name, one.waiting, one.first, one.last)
			if err := record(ctx, tx, key.by, now, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.refusals.back(due)
		return wrap(err, "write down what was refused")
	}
	return nil
}
