package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/audit"
)

// ContactSettings returns a person's contact methods, including unverified ones, and notification rules.
func (s *Store) ContactSettings(ctx context.Context, by oncall.Actor, user oncall.UserID) (oncall.ContactSettings, error) {
	if err := s.allowed(ctx, by, func(g gate) error { return g.may(access.OwnThings, access.Object{}) }); err != nil {
		return oncall.ContactSettings{}, err
	}
	var found map[oncall.UserID]oncall.ContactSettings
	err := s.transact(ctx, func(tx pgx.Tx) (err error) {
		found, err = contactSettings(ctx, tx, []oncall.UserID{user})
		return err
	})
	if err != nil {
		return oncall.ContactSettings{}, wrap(err, "load how %s is reached", user)
	}
	return found[user], nil
}

// contactSettings loads the contact methods and notification rules of people who have any; nil users: of everybody.
func contactSettings(ctx context.Context, q querier, users []oncall.UserID) (map[oncall.UserID]oncall.ContactSettings, error) {
	const preferences = `
		SELECT user_id, high, low, hours
		FROM notification_preferences
		WHERE $1::text[] IS NULL OR user_id = ANY ($1)`
	out := map[oncall.UserID]oncall.ContactSettings{}
	all, err := contacts(ctx, q, nil, users)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		r := out[c.UserID]
		r.Contacts = append(r.Contacts, c)
		out[c.UserID] = r
	}
	rows, _ := q.Query(ctx, preferences, users)
	var who oncall.UserID
	var p oncall.Preferences
	_, err = pgx.ForEachRow(rows, []any{&who, &p.High, &p.Low, &p.Hours}, func() error {
		r := out[who]
		r.Preferences = p
		out[who] = r
		p = oncall.Preferences{}
		return nil
	})
	return out, err
}

// contacts loads contact methods that were not removed, oldest first; nil ids or users: any.
func contacts(ctx context.Context, q querier, ids []oncall.ContactID, users []oncall.UserID) ([]oncall.Contact, error) {
	const load = `
		SELECT id, user_id, method, address, verified_at, confirmed_at, disabled_at, disabled_why, named_sender, created_at
		FROM contacts
		WHERE removed_at IS NULL AND ($1::bigint[] IS NULL OR id = ANY ($1))
		  AND ($2::text[] IS NULL OR user_id = ANY ($2))
		ORDER BY id`
	rows, _ := q.Query(ctx, load, ids, users)
	return pgx.CollectRows(rows, pgx.RowToStructByName[oncall.Contact])
}

// oneContact loads a contact method.
func oneContact(ctx context.Context, q querier, id oncall.ContactID) (oncall.Contact, error) {
	found, err := contacts(ctx, q, []oncall.ContactID{id}, nil)
	if err == nil && len(found) == 0 {
		err = oncall.ErrNotFound
	}
	if err != nil {
		return oncall.Contact{}, err
	}
	return found[0], nil
}

// lockContact loads a contact method and locks it.
func lockContact(ctx context.Context, tx pgx.Tx, id oncall.ContactID) (oncall.Contact, error) {
	if _, err := tx.Exec(ctx, `SELECT id FROM contacts WHERE id = $1 FOR UPDATE`, id); err != nil {
		return oncall.Contact{}, err
	}
	return oneContact(ctx, tx, id)
}

// AddContact adds a contact method to a person's, and queues the code that proves it.
func (s *Store) AddContact(
	ctx context.Context, by oncall.Actor, user oncall.UserID, method oncall.Method, address string, now time.Time,
) (oncall.Contact, error) {
	const count = `SELECT count(*) FROM contacts WHERE user_id = $1 AND removed_at IS NULL`
	const insert = `
		INSERT INTO contacts (user_id, method, address, disabled_why, created_at)
		SELECT id, $2, $3, '', $4
		FROM users
		WHERE id = $1
		ON CONFLICT (user_id, method, address) WHERE removed_at IS NULL DO NOTHING
		RETURNING id`
	if err := s.allowed(ctx, by, func(g gate) error { return g.forPerson(user, PermissionToAdd(method)) }); err != nil {
		return oncall.Contact{}, err
	}
	var added oncall.Contact
	address, err := method.CheckAddress(address)
	if err != nil {
		return oncall.Contact{}, err
	}
	dir, err := s.directory(ctx)
	if err != nil {
		return oncall.Contact{}, err
	}
	err = s.changeContacts(ctx, user, func(tx pgx.Tx) error {
		var has int
		if err := tx.QueryRow(ctx, count, user).Scan(&has); err != nil {
			return err
		}
		if has >= oncall.MaxContacts {
			return oncall.Refuse("You have %d contact methods; please remove one first.", has)
		}
		var id oncall.ContactID
		err := tx.QueryRow(ctx, insert, user, method, address, now).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return oncall.Refuse("You have that contact method already.")
		}
		if err != nil {
			return err
		}
		if added, err = oneContact(ctx, tx, id); err != nil {
			return err
		}
		if err := s.queueProof(ctx, tx, added, now); err != nil {
			return err
		}
		if err := record(ctx, tx, by, now, audit.Contact(added, audit.ContactAdded)); err != nil {
			return err
		}
		return s.noteCountry(ctx, tx, dir, added, now)
	})
	if err != nil {
		return oncall.Contact{}, wrap(err, "add a contact method of %s", user)
	}
	return added, nil
}

// changeContacts locks a person, changes their contact methods or rules, and notifies every instance.
func (s *Store) changeContacts(ctx context.Context, user oncall.UserID, change func(tx pgx.Tx) error) error {
	const lock = `SELECT id FROM users WHERE id = $1 FOR UPDATE`
	err := s.transact(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, lock, user).Scan(nil); err != nil {
			return err
		}
		if err := change(tx); err != nil {
			return err
		}
		return announce(ctx, tx)
	})
	if err == nil {
		s.cache.drop()
	}
	return err
}

// contact locks and loads one of a person's contact methods.
func contact(ctx context.Context, tx pgx.Tx, user oncall.UserID, id oncall.ContactID) (oncall.Contact, error) {
	c, err := lockContact(ctx, tx, id)
	if errors.Is(err, oncall.ErrNotFound) || err == nil && c.UserID != user {
		return oncall.Contact{}, oncall.Refuse("That contact method has been removed.")
	}
	return c, err
}

// RemoveContact removes a contact method, and the notification rules that use it.
func (s *Store) RemoveContact(ctx context.Context, by oncall.Actor, user oncall.UserID, id oncall.ContactID, now time.Time) error {
	const remove = `UPDATE contacts SET removed_at = $2 WHERE id = $1`
	const void = `UPDATE codes SET hash = '' WHERE contact_id = $1 AND hash <> ''`
	if err := s.allowed(ctx, by, func(g gate) error { return g.forPerson(user, access.OwnThings) }); err != nil {
		return err
	}
	err := s.changeContacts(ctx, user, func(tx pgx.Tx) error {
		removed, err := contact(ctx, tx, user, id)
		if err != nil {
			return err
		}
		if err := record(ctx, tx, by, now, audit.Contact(removed, audit.ContactRemoved)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, remove, id, now); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, void, id); err != nil {
			return err
		}
		if err := s.notifyRevoked(ctx, tx, by, user, "a contact method of yours, "+audit.Masked(removed)+": no page goes there any more. `/oncall contact` adds another", now); err != nil {
			return err
		}
		found, err := contactSettings(ctx, tx, []oncall.UserID{user})
		if err != nil {
			return err
		}
		p := found[user].Preferences
		uses := func(r oncall.Rule) bool { return r.Contact == id }
		if !slices.ContainsFunc(p.High, uses) && !slices.ContainsFunc(p.Low, uses) {
			return nil
		}
		p.High, p.Low = slices.DeleteFunc(p.High, uses), slices.DeleteFunc(p.Low, uses)
		for _, rules := range []*[]oncall.Rule{&p.High, &p.Low} {
			if len(*rules) == 0 {
				*rules = nil // back to the defaults, so that contact methods added later are used
			}
		}
		return savePreferences(ctx, tx, user, p)
	})
	if err == nil && by.User != user {
		s.managed(by, "end_contact").Str("user", string(user)).Msg("contact method ended")
	}
	return wrapAny(err, "remove contact method %d of %s", id, user)
}

// SetPreferences stores a person's notification rules and hours.
func (s *Store) SetPreferences(ctx context.Context, by oncall.Actor, user oncall.UserID, p oncall.Preferences, now time.Time) error {
	if err := s.allowed(ctx, by, func(g gate) error { return g.forPerson(user, access.OwnThings) }); err != nil {
		return err
	}
	err := s.changeContacts(ctx, user, func(tx pgx.Tx) error {
		found, err := contactSettings(ctx, tx, []oncall.UserID{user})
		if err != nil {
			return err
		}
		was, is := found[user], found[user]
		if err := p.Check(was.Contacts); err != nil {
			return err
		}
		is.Preferences = p
		if e := audit.Rules(user, was, is); len(e.Changes) > 0 {
			if err := record(ctx, tx, by, now, e); err != nil {
				return err
			}
		}
		return savePreferences(ctx, tx, user, p)
	})
	return wrapAny(err, "save the preferences of %s", user)
}

func savePreferences(ctx context.Context, tx pgx.Tx, user oncall.UserID, p oncall.Preferences) error {
	const upsert = `
		INSERT INTO notification_preferences (user_id, high, low, hours)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT (user_id) DO UPDATE SET high = $2, low = $3, hours = $4`
	_, err := tx.Exec(ctx, upsert, user, p.High, p.Low, p.Hours)
	return err
}

// TestContacts sends a test page by some contact methods; 0 is Slack. All together count as one test.
func (s *Store) TestContacts(ctx context.Context, by oncall.Actor, user oncall.UserID, ids []oncall.ContactID, now time.Time) error {
	g, err := s.gate(ctx, by)
	if err != nil {
		return err
	}
	if err := g.forPerson(user, access.OwnThings); err != nil {
		return err
	}
	dir := g.dir
	err = s.transact(ctx, func(tx pgx.Tx) error {
		var tasks []oncall.Task
		before := -1 // the person's earlier tests
		for _, id := range ids {
			c := oncall.Contact{UserID: user, Method: oncall.MethodSlack}
			if id != 0 {
				if c, err = contact(ctx, tx, user, id); err != nil {
					return err
				}
				if !c.Usable() {
					return oncall.Refuse("That contact method can't be used yet: it is not verified, or switched off.")
				}
				if err := s.phones.Check(c.Method, c.Address); err != nil {
					return err
				}
			}
			n, err := countProbes(ctx, tx, c, now)
			if err != nil {
				return err
			}
			if before < 0 {
				before = n.Tests
			}
			n.Tests = before
			if err := n.MayTest(); err != nil {
				return err
			}
			if err := s.noteProbe(ctx, tx, dir, "test", c, n, now); err != nil {
				return err
			}
			tasks = append(tasks, oncall.Task{Args: oncall.TestPage{User: user, Contact: id}})
		}
		return s.enqueue(ctx, tx, now, tasks)
	})
	return wrapAny(err, "test contact methods of %s", user)
}
