package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// phoneMethods returns the methods that use the phone network and cost money.
func phoneMethods() []oncall.Method {
	out := []oncall.Method{}
	for _, info := range oncall.ContactMethods() {
		if info.IsPhone {
			out = append(out, info.Method)
		}
	}
	return out
}

// countProbes counts the codes, tests and checks sent recently, before another goes to a contact
// method. It keeps other transactions from counting until this one ends.
func countProbes(ctx context.Context, tx pgx.Tx, c oncall.Contact, now time.Time) (oncall.ProbeCount, error) {
	const lock = `SELECT pg_advisory_xact_lock($1)`
	const count = `
		WITH sent AS (
			SELECT p.user_id, p.kind, p.method, p.address, p.sent_at
			FROM probes p
			WHERE p.sent_at > $5
			UNION ALL
			SELECT c.user_id, 'code', o.method, o.address, o.sent_at
			FROM codes o
			JOIN contacts c ON c.id = o.contact_id
			WHERE o.sent_at > $5
		), marked AS (
			SELECT kind, sent_at, sent_at > $7 AS hour, sent_at > $6 AS day, user_id = $1 AS own,
			       method = ANY ($3) AS phone, method = ANY ($4) AND lower(address) = lower($2) AS here
			FROM sent
		)
		SELECT count(DISTINCT sent_at) FILTER (WHERE kind = 'test' AND own AND hour) AS tests,
		       count(*) FILTER (WHERE kind = 'code' AND own AND here AND hour) AS codes_here,
		       count(*) FILTER (WHERE kind = 'code' AND own AND hour) AS codes_of_one,
		       count(*) FILTER (WHERE kind = 'code' AND here AND hour) AS codes_of_all,
		       count(*) FILTER (WHERE here AND day) AS day_of_all,
		       count(*) FILTER (WHERE own AND phone AND day) AS day_of_one,
		       count(*) FILTER (WHERE kind = 'code' AND own AND here AND NOT known.verified) AS unanswered,
		       count(*) FILTER (WHERE kind = 'code' AND here AND NOT known.verified) AS unanswered_by,
		       count(*) FILTER (WHERE phone AND day) AS phones,
		       (SELECT count(DISTINCT user_id) FROM team_members) AS people,
		       $2 <> '' AND EXISTS (SELECT FROM users WHERE id = $1 AND lower(email) = lower($2)) AS own
		FROM marked, (
			SELECT EXISTS (SELECT FROM contacts WHERE method = ANY ($4) AND lower(address) = lower($2) AND verified_at IS NOT NULL) AS verified
		) AS known`
	if _, err := tx.Exec(ctx, lock, probeLock); err != nil {
		return oncall.ProbeCount{}, err
	}
	phones := phoneMethods()
	n := oncall.ProbeCount{Phone: slices.Contains(phones, c.Method)}
	kin := []oncall.Method{c.Method}
	if n.Phone {
		kin = phones
	}
	err := tx.QueryRow(ctx, count, c.UserID, c.Address, phones, kin,
		now.Add(-oncall.ProbesCount), now.Add(-24*time.Hour), now.Add(-time.Hour)).Scan(
		&n.Tests, &n.CodesHere, &n.CodesOfOne, &n.CodesOfAll, &n.DayOfAll, &n.DayOfOne, &n.Unanswered, &n.UnansweredBy,
		&n.Phones, &n.People, &n.Own)
	n.Own = n.Own && c.Method == oncall.MethodEmail
	return n, err
}

// noteProbe counts a test or check of a contact method, and warns admins if there were too many
// recently.
func (s *Store) noteProbe(ctx context.Context, tx pgx.Tx, dir *Directory, kind string, c oncall.Contact, n oncall.ProbeCount, now time.Time) error {
	const insert = `INSERT INTO probes (user_id, kind, method, address, sent_at) VALUES ($1, $2, $3, $4, $5)`
	if _, err := tx.Exec(ctx, insert, c.UserID, kind, c.Method, c.Address, now); err != nil {
		return fmt.Errorf("count a %s: %w", kind, err)
	}
	return s.alarmPhones(ctx, tx, dir, c, n, now)
}

// alarmPhones warns admins if too many codes, tests and checks went to phones lately.
func (s *Store) alarmPhones(ctx context.Context, tx pgx.Tx, dir *Directory, c oncall.Contact, n oncall.ProbeCount, now time.Time) error {
	what, cause, alarm := n.Alarm(c.UserID)
	if !alarm {
		return nil
	}
	return s.saveNotices(ctx, tx, now, oncall.PhoneNotices(what, cause, dir.phoneWatchers(c.UserID), now))
}

// noteCountry tells admins about the first phone of a country, unless the allowed countries are configured or it is
// the very first phone.
func (s *Store) noteCountry(ctx context.Context, tx pgx.Tx, dir *Directory, c oncall.Contact, now time.Time) error {
	const others = `SELECT DISTINCT address FROM contacts WHERE method = ANY ($1) AND id <> $2`
	phones := phoneMethods()
	if !s.phones.All() || !slices.Contains(phones, c.Method) {
		return nil
	}
	country := oncall.PhoneCountry(c.Address)
	rows, _ := tx.Query(ctx, others, phones, c.ID)
	known, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("list phones: %w", err)
	}
	if len(known) == 0 || slices.ContainsFunc(known, func(number string) bool { return oncall.PhoneCountry(number) == country }) {
		return nil
	}
	what, cause := oncall.NewCountry(c.UserID, country)
	return s.saveNotices(ctx, tx, now, oncall.PhoneNotices(what, cause, dir.phoneWatchers(c.UserID), now))
}

// phoneWatchers returns the recipients of warnings about a person's use of phones: the admins of the installation,
// because phones cost money. Without admins these are the watchers of the person's teams, or else of any team.
func (d *Directory) phoneWatchers(user oncall.UserID) []string {
	if admins := d.InstallationAdmins(); len(admins) > 0 {
		return admins
	}
	var own, all []string
	for _, team := range d.Teams {
		to := d.Watchers(team.ID)
		all = append(all, to...)
		if slices.Contains(d.Members[team.ID], user) {
			own = append(own, to...)
		}
	}
	if len(own) == 0 {
		own = all
	}
	slices.Sort(own)
	own = slices.Compact(own)
	return own[:min(len(own), maxWatchers)]
}
