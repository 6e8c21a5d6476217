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

// Refusals are grouped in the audit log, so that nobody can fill it by trying again and again. The first refusal of a
// person, permission and team is written within a minute, and those that follow within an hour become one entry with
// their number. Meanwhile they are counted in memory. An instance that stops writes them; one that is killed loses the
// number, but the process log and the metric have all of them. They can't be written at once, because the transaction
// that is refused is rolled back.
const (
	foldRefusals   = time.Hour
	maxRefusals    = 2_000 // in memory
	refusalsByUser = 20    // different refusals of a person within an hour; further ones are counted together
)

type refusalKey struct {
	by   oncall.Actor
	act  access.Permission // empty: several
	team oncall.TeamID
}

// A refusal counts the refusals of one person, permission and team. Its times are those of the minutely check, because
// there is no clock where refusals are counted.
type refusal struct {
	fresh       int // since the last check
	waiting     int // not in the audit log yet
	first, last time.Time
	recordedAt  time.Time // when the latest entry was written; zero: never
}

type refusals struct {
	mu   sync.Mutex
	kept map[refusalKey]*refusal
}

// note counts a refusal.
func (r *refusals) note(by oncall.Actor, act access.Permission, team oncall.TeamID) {
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
		if len(r.kept) >= maxRefusals {
			return
		}
		r.kept[key] = &refusal{}
	}
	r.kept[key].fresh++
}

// due takes the refusals that are to be written now, or all of them, and forgets those older than an hour.
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
		switch over := !now.Before(one.recordedAt.Add(foldRefusals)); {
		case one.waiting > 0 && (over || all || one.recordedAt.IsZero()):
			out[key] = *one
			one.waiting, one.recordedAt = 0, now
		case over:
			delete(r.kept, key)
		}
	}
	return out
}

// putBack puts back refusals that could not be written.
func (r *refusals) putBack(lost map[refusalKey]refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, was := range lost {
		if one := r.kept[key]; one != nil {
			one.waiting, one.first, one.recordedAt = one.waiting+was.waiting, was.first, was.recordedAt
		}
	}
}

// SaveRefusals writes the refusals that are due to the audit log.
func (s *System) SaveRefusals(ctx context.Context, now time.Time) error {
	return s.saveRefusals(ctx, s.refusals.due(now, false), now)
}

// SaveLastRefusals writes all refusals to the audit log before the instance stops.
func (s *System) SaveLastRefusals(ctx context.Context, now time.Time) error {
	return s.saveRefusals(ctx, s.refusals.due(now, true), now)
}

func (s *System) saveRefusals(ctx context.Context, due map[refusalKey]refusal, now time.Time) error {
	if len(due) == 0 {
		return nil
	}
	dir, err := s.directory(ctx)
	if err != nil {
		s.refusals.putBack(due)
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
		s.refusals.putBack(due)
		return wrap(err, "write down what was refused")
	}
	return nil
}
