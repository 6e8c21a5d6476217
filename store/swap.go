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
	"github.com/watchbill/watchbill/oncall/audit"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// OfferSwap stores an offer and notifies both people.
func (s *Store) OfferSwap(ctx context.Context, by oncall.Actor, give, take schedule.Stint, note string, now time.Time) (oncall.Swap, error) {
	const insert = `
		INSERT INTO swaps (state, give, take, note, created_at, expires_at, overrides)
		VALUES ($1, $2, $3, $4, $5, $6, '{}')
		RETURNING id`
	const between = `
		SELECT id, state, give, take, note, created_at, expires_at, ended_at, overrides
		FROM swaps
		WHERE ended_at IS NULL AND give->>'user' IN ($1, $2) AND take->>'user' IN ($1, $2)`
	if err := s.allowed(ctx, by, func(g gate) error { return g.forPerson(give.User, access.OwnThings) }); err != nil {
		return oncall.Swap{}, err
	}
	var swap oncall.Swap
	err := s.transact(ctx, func(tx pgx.Tx) error {
		facts, err := lockShiftFacts(ctx, tx, give.Schedule, take.Schedule)
		if err != nil {
			return err
		}
		if swap, err = oncall.OfferSwap(give, take, note, facts, now); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, between, give.User, take.User)
		open, err := pgx.CollectRows(rows, pgx.RowToStructByName[oncall.Swap])
		if err != nil {
			return err
		}
		if err := swap.Repeats(open); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, insert, swap.State, swap.Give, swap.Take, swap.Note, now, swap.ExpiresAt).Scan(&swap.ID); err != nil {
			return err
		}
		away, err := wouldMiss(ctx, tx, swap)
		if err != nil {
			return err
		}
		if err := s.saveNotices(ctx, tx, now, swap.OfferNotices(facts, away)); err != nil {
			return err
		}
		if err := recordSwap(ctx, tx, by, now, swap); err != nil {
			return err
		}
		return s.enqueue(ctx, tx, now, []oncall.Task{{Args: oncall.SwapTimer{Swap: swap.ID}, At: swap.ExpiresAt}})
	})
	if err != nil {
		return oncall.Swap{}, wrap(err, "offer a swap")
	}
	return swap, nil
}

// PendingSwaps returns a person's swaps that are offered, or agreed and not yet begun, and the open cover requests for their
// shifts. The next to begin comes first.
func (s *Store) PendingSwaps(ctx context.Context, by oncall.Actor, user oncall.UserID, now time.Time) ([]oncall.Swap, []oncall.Cover, error) {
	const swaps = `
		SELECT id, state, give, take, note, created_at, expires_at, ended_at, overrides
		FROM swaps
		WHERE (give->>'user' = $1 OR take->>'user' = $1)
		  AND (state = 'open' OR state = 'accepted' AND greatest((give->>'end')::timestamptz, (take->>'end')::timestamptz) > $2)
		ORDER BY least((give->>'start')::timestamptz, (take->>'start')::timestamptz), id
		LIMIT 20`
	const covers = `
		SELECT id, state, stint, note, everyone, created_by, created_at, ended_at, next_at, asked, takes
		FROM covers
		WHERE (stint->>'user' = $1 OR created_by = $1) AND state = 'open' AND (stint->>'end')::timestamptz > $2
		ORDER BY (stint->>'start')::timestamptz, id
		LIMIT 20`
	if err := s.allowed(ctx, by, func(g gate) error { return g.forPerson(user, access.OwnThings) }); err != nil {
		return nil, nil, err
	}
	var pending []oncall.Swap
	var wanted []oncall.Cover
	err := s.transact(ctx, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, swaps, user, now)
		if pending, err = pgx.CollectRows(rows, pgx.RowToStructByName[oncall.Swap]); err != nil {
			return err
		}
		rows, _ = tx.Query(ctx, covers, user, now)
		wanted, err = pgx.CollectRows(rows, pgx.RowToStructByName[oncall.Cover])
		return err
	})
	if err != nil {
		return nil, nil, wrap(err, "load the swaps and cover requests of %s", user)
	}
	return pending, wanted, nil
}

// wouldMiss lists which of the two people have time off during the shift that they would get.
func wouldMiss(ctx context.Context, tx pgx.Tx, swap oncall.Swap) ([]oncall.UserID, error) {
	var out []oncall.UserID
	for user, stint := range map[oncall.UserID]schedule.Stint{swap.Take.User: swap.Give, swap.Give.User: swap.Take} {
		away, err := absent(ctx, tx, stint)
		if err != nil {
			return nil, err
		}
		if slices.Contains(away, user) {
			out = append(out, user)
		}
	}
	slices.Sort(out)
	return out, nil
}

// UpdateSwap performs a person's action on a swap, and saves the swap, the two schedules and the notices. If it returns a
// Refusal, the swap may have changed nevertheless.
func (s *Store) UpdateSwap(ctx context.Context, by oncall.Actor, id oncall.SwapID, a oncall.SwapAct, now time.Time) (oncall.Swap, error) {
	const save = `UPDATE swaps SET state = $2, ended_at = $3, overrides = $4 WHERE id = $1`
	g, err := s.gate(ctx, by)
	if err != nil {
		return oncall.Swap{}, err
	}
	var change oncall.SwapChange
	err = s.transact(ctx, func(tx pgx.Tx) error {
		swap, err := lockSwap(ctx, tx, id)
		if err != nil {
			return err
		}
		parties := []oncall.UserID{swap.Give.User, swap.Take.User}
		if err := g.onAgreement(parties, swap.Give.Schedule, swap.Take.Schedule); err != nil {
			return err
		}
		facts, err := lockShiftFacts(ctx, tx, swap.Give.Schedule, swap.Take.Schedule)
		if err != nil {
			return err
		}
		if change, err = swap.Do(a, by.User, facts, now); err != nil {
			return err
		}
		if change.Swap.State == swap.State {
			return nil
		}
		if err := s.carryOut(ctx, tx, &change, now); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, save, id, change.Swap.State, change.Swap.EndedAt, nonNil(change.Swap.Overrides)); err != nil {
			return err
		}
		if err := recordSwap(ctx, tx, by, now, change.Swap); err != nil {
			return err
		}
		return s.notifySwap(ctx, tx, change.Swap, by.User, facts, now)
	})
	if err != nil {
		return oncall.Swap{}, wrap(err, "update swap %d", id)
	}
	if len(change.Add)+len(change.Cancel) > 0 {
		s.cache.drop()
	}
	return change.Swap, change.Refusal
}

// recordSwap writes a person's action on a swap to the audit log.
func recordSwap(ctx context.Context, tx pgx.Tx, by oncall.Actor, now time.Time, swap oncall.Swap) error {
	give, err := where(ctx, tx, swap.Give.Schedule)
	if err != nil {
		return err
	}
	take, err := where(ctx, tx, swap.Take.Schedule)
	if err != nil {
		return err
	}
	return record(ctx, tx, by, now, audit.Swap(swap, give.Team, take.Team)...)
}

// carryOut changes the schedules for an agreed swap. It sends no notices about shifts to the two people, who are notified
// of the swap itself.
func (s *Store) carryOut(ctx context.Context, tx pgx.Tx, change *oncall.SwapChange, now time.Time) error {
	if len(change.Add)+len(change.Cancel) == 0 {
		return nil
	}
	give, take := change.Swap.Give, change.Swap.Take
	e := scheduleEdit{at: now, aware: []oncall.UserID{give.User, take.User}}
	ids := slices.Compact([]oncall.ScheduleID{give.Schedule, take.Schedule})
	return s.editSchedules(ctx, tx, e, ids, func() error {
		for _, o := range change.Add {
			o, err := addOverride(ctx, tx, o, now)
			if err != nil {
				return err
			}
			change.Swap.Overrides = append(change.Swap.Overrides, o.ID)
		}
		if len(change.Cancel) == 0 {
			return nil
		}
		return cancelOverrides(ctx, tx, now, change.Cancel...)
	})
}

// notifySwap updates the messages about a swap and sends the notices that its new state requires.
func (s *Store) notifySwap(ctx context.Context, tx pgx.Tx, swap oncall.Swap, by oncall.UserID, facts oncall.ShiftFacts, now time.Time) error {
	err := s.renotice(ctx, tx, now, oncall.SwapNotices, int64(swap.ID), func(f *oncall.NoticeDetail) {
		f.State, f.StateAt, f.By = string(swap.State), now, by
	})
	if err != nil {
		return err
	}
	channels, err := channelsOf(ctx, tx, swap.Give.Schedule, swap.Take.Schedule)
	if err != nil {
		return err
	}
	if err := s.saveNotices(ctx, tx, now, swap.ChangeNotices(by, channels, facts, now)); err != nil || swap.State != oncall.SwapAccepted {
		return err
	}
	return s.enqueue(ctx, tx, now, []oncall.Task{{Args: oncall.SwapTimer{Swap: swap.ID}, At: swap.Begins()}})
}

// RunSwapTimer expires an offer that nobody has answered, or removes the button that undoes a swap, if it is time.
func (s *System) RunSwapTimer(ctx context.Context, id oncall.SwapID, now time.Time) error {
	err := s.transact(ctx, func(tx pgx.Tx) error {
		swap, err := lockSwap(ctx, tx, id)
		if err != nil {
			return err
		}
		if change, due := swap.Expire(now); due {
			const save = `UPDATE swaps SET state = $2, ended_at = $3 WHERE id = $1`
			if _, err := tx.Exec(ctx, save, id, change.Swap.State, change.Swap.EndedAt); err != nil {
				return err
			}
			facts, err := loadPeople(ctx, tx)
			if err != nil {
				return err
			}
			return s.notifySwap(ctx, tx, change.Swap, "", facts, now)
		}
		if swap.State == oncall.SwapAccepted && !now.Before(swap.Begins()) {
			return s.renotice(ctx, tx, now, oncall.SwapNotices, int64(id), func(f *oncall.NoticeDetail) {
				f.State = string(oncall.SwapBegun)
			})
		}
		return nil
	})
	if err != nil {
		return wrap(err, "run the timer of swap %d", id)
	}
	return nil
}

// lockSwap loads and locks a swap.
func lockSwap(ctx context.Context, tx pgx.Tx, id oncall.SwapID) (oncall.Swap, error) {
	const load = `
		SELECT id, state, give, take, note, created_at, expires_at, ended_at, overrides
		FROM swaps
		WHERE id = $1
		FOR UPDATE`
	rows, _ := tx.Query(ctx, load, id)
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[oncall.Swap])
}

// lockShiftFacts locks schedules, and loads all schedules and people. Removed schedules are missing, because nobody has a
// shift in them.
func lockShiftFacts(ctx context.Context, tx pgx.Tx, ids ...oncall.ScheduleID) (oncall.ShiftFacts, error) {
	if err := lockSchedules(ctx, tx, ids...); err != nil && !errors.Is(err, oncall.ErrNotFound) {
		return oncall.ShiftFacts{}, err
	}
	facts, err := loadPeople(ctx, tx)
	if err != nil {
		return facts, err
	}
	recent, err := recently(ctx, tx)
	if err != nil {
		return facts, err
	}
	all, err := schedules(ctx, tx, recent)
	if err != nil {
		return facts, err
	}
	for id, definition := range all {
		compiled, err := schedule.Compile(definition)
		if err != nil && slices.Contains(ids, id) {
			return facts, fmt.Errorf("compile schedule %d: %w", id, err)
		}
		if err == nil {
			facts.Schedules[id] = compiled
		}
	}
	return facts, nil
}

// loadPeople loads the people, without schedules.
func loadPeople(ctx context.Context, tx pgx.Tx) (facts oncall.ShiftFacts, err error) {
	facts.Schedules = map[oncall.ScheduleID]*schedule.Schedule{}
	if facts.Users, err = users(ctx, tx); err != nil {
		return facts, err
	}
	facts.Members, _, err = members(ctx, tx)
	return facts, err
}

// channelsOf lists the channels of the schedules' teams. It returns none if one of several teams is private, because
// the other teams would read about its schedule.
func channelsOf(ctx context.Context, tx pgx.Tx, ids ...oncall.ScheduleID) ([]string, error) {
	const load = `
		SELECT DISTINCT t.channel
		FROM schedules s
		JOIN teams t ON t.id = s.team_id
		WHERE s.id = ANY ($1) AND t.channel <> '' AND NOT EXISTS (
			SELECT FROM schedules o JOIN teams u ON u.id = o.team_id
			WHERE o.id = ANY ($1) AND u.id <> t.id AND (u.private OR t.private))
		ORDER BY t.channel`
	rows, _ := tx.Query(ctx, load, ids)
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
