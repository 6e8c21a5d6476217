package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

const (
	// checkAhead is how long before a shift people are asked whether they can still be reached by a contact method, if
	// they haven't answered by it for checkAge.
	checkAhead = 7 * 24 * time.Hour
	checkAge   = 30 * 24 * time.Hour
	// unansweredNoticeBefore is how long before the shift they and their managers are told in Slack that there was no answer.
	unansweredNoticeBefore = 24 * time.Hour
)

// programs returns the contact methods that only programs read.
func programs() []oncall.Method {
	out := []oncall.Method{}
	for _, info := range oncall.ContactMethods() {
		if info.Programs {
			out = append(out, info.Method)
		}
	}
	return out
}

// CheckReach asks people before a shift whether they can still be reached by contact methods that they have not used for
// a long time, and tells them and their managers if they don't answer.
func (s *System) CheckReach(ctx context.Context, now time.Time) error {
	const begin = `
		INSERT INTO checks (contact_id, shift_at, sent_at)
		SELECT c.id, $2, $3
		FROM contacts c
		WHERE c.user_id = $1 AND c.removed_at IS NULL AND c.disabled_at IS NULL AND c.verified_at IS NOT NULL
		  AND c.method <> ALL ($5) -- only programs read them
		  AND NOT (c.method = $6 AND (c.named_sender OR c.address ~ $7)) -- it can't be answered
		  AND c.confirmed_at < $4
		  AND NOT EXISTS (SELECT FROM checks k WHERE k.contact_id = c.id AND k.sent_at > $4)
		ON CONFLICT DO NOTHING
		RETURNING contact_id`
	dir, err := s.directory(ctx)
	if err != nil {
		return err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		var tasks []oncall.Task
		for _, shift := range dir.upcomingShifts(now) {
			rows, _ := tx.Query(ctx, begin, shift.user, shift.at, now, now.Add(-checkAge), programs(),
				oncall.MethodSMS, oncall.OneWayNumbers)
			asked, err := pgx.CollectRows(rows, pgx.RowTo[oncall.ContactID])
			if err != nil {
				return err
			}
			for _, id := range asked {
				may, err := s.mayCheck(ctx, tx, dir, id, now)
				if err != nil {
					return err
				}
				if may {
					tasks = append(tasks, oncall.Task{Args: oncall.CheckReach{Contact: id}})
				}
			}
		}
		if err := s.enqueue(ctx, tx, now, tasks); err != nil {
			return err
		}
		return s.notifyUnanswered(ctx, tx, dir, now)
	})
	if err != nil {
		return fmt.Errorf("check how people are reached: %w", err)
	}
	return nil
}

// mayCheck reports whether a contact method may be checked within the limits, and counts the check.
func (s *Store) mayCheck(ctx context.Context, tx pgx.Tx, dir *Directory, id oncall.ContactID, now time.Time) (bool, error) {
	c, err := oneContact(ctx, tx, id)
	if err != nil {
		return false, err
	}
	n, err := countProbes(ctx, tx, c, now)
	if err != nil {
		return false, err
	}
	if refusal := cmp.Or(n.MayCheck(), s.phones.Check(c.Method, c.Address)); refusal != nil {
		return false, nil //nolint:nilerr // nobody asked for the check, so nobody is told
	}
	return true, s.noteProbe(ctx, tx, dir, "check", c, n, now)
}

// A comingShift is the start of somebody's next shift.
type comingShift struct {
	user oncall.UserID
	at   time.Time
}

// upcomingShifts returns the next shifts, within checkAhead, of people who have contact methods.
func (d *Directory) upcomingShifts(now time.Time) []comingShift {
	var out []comingShift
	seen := map[oncall.UserID]bool{}
	for _, c := range d.Schedules {
		for _, shift := range c.Shifts(now, now.Add(checkAhead), schedule.RolePrimary) {
			for _, u := range shift.Users {
				if _, has := d.ContactSettings[u]; has && shift.Start.After(now) && !seen[u] {
					seen[u] = true
					out = append(out, comingShift{user: u, at: shift.Start})
				}
			}
		}
	}
	return out
}

// notifyUnanswered tells in Slack, unansweredNoticeBefore before a shift, by which contact methods a check was not answered.
func (s *Store) notifyUnanswered(ctx context.Context, tx pgx.Tx, dir *Directory, now time.Time) error {
	const silent = `
		UPDATE checks k
		SET told_at = $1
		FROM contacts c
		WHERE c.id = k.contact_id AND k.told_at IS NULL AND k.sent_at > $3 AND k.shift_at > $1 AND k.shift_at <= $2
		  AND k.sent_at < $4 AND c.confirmed_at < k.sent_at AND c.removed_at IS NULL AND c.disabled_at IS NULL
		RETURNING c.id`
	rows, _ := tx.Query(ctx, silent, now, now.Add(unansweredNoticeBefore), now.Add(-checkAhead), now.Add(-time.Hour))
	ids, err := pgx.CollectRows(rows, pgx.RowTo[oncall.ContactID])
	if err != nil {
		return err
	}
	found, err := contacts(ctx, tx, nonNil(ids), nil)
	if err != nil {
		return err
	}
	var notices []oncall.Notice
	for _, c := range found {
		for _, who := range dir.withWatchers(c.UserID) {
			notices = append(notices, oncall.ContactNotice(oncall.NoticeSilent, c, "", who, now))
		}
	}
	return s.saveNotices(ctx, tx, now, notices)
}

// answersCheck reports whether one of these contact methods was checked recently.
func answersCheck(ctx context.Context, q querier, own []oncall.ContactID, now time.Time) (asked bool, err error) {
	const load = `SELECT EXISTS (SELECT FROM checks WHERE contact_id = ANY ($1) AND sent_at > $2)`
	err = q.QueryRow(ctx, load, own, now.Add(-checkAhead)).Scan(&asked)
	return asked, err
}

// A ProbeRecipient is the person and the contact method of a test or check.
type ProbeRecipient struct {
	User    oncall.User
	Contact oncall.Contact
}

// ProbeRecipient loads what is needed to send a test, or a check before a shift.
func (s *System) ProbeRecipient(ctx context.Context, id oncall.ContactID) (ProbeRecipient, error) {
	c, err := oneContact(ctx, s.pool, id)
	if err == nil && !c.Usable() {
		err = oncall.ErrNotFound
	}
	if err != nil {
		return ProbeRecipient{}, fmt.Errorf("load contact method %d: %w", id, translate(err))
	}
	dir, err := s.directory(ctx)
	if err != nil {
		return ProbeRecipient{}, err
	}
	user, known := dir.Users[c.UserID]
	if !known {
		return ProbeRecipient{}, errors.New("its person is not there")
	}
	return ProbeRecipient{User: user, Contact: c}, nil
}
