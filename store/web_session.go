package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/audit"
)

// sessionSeen is how late it may be written down that somebody has looked at a page.
const sessionSeen = 5 * time.Minute

// webHash returns the stored hash of a secret of the web pages.
func webHash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// MakeSignInLink makes the secret of a link that signs a person in to the pages, once. It replaces the one before,
// and is not kept.
func (s *Store) MakeSignInLink(ctx context.Context, by oncall.Actor, now time.Time) (secret string, err error) {
	const drop = `DELETE FROM web_links WHERE user_id = $1`
	const insert = `INSERT INTO web_links (hash, user_id, made_at, expires_at) VALUES ($1, $2, $3, $4)`
	if by.Key != 0 {
		return "", oncall.Refuse("People sign in, not API keys.")
	}
	if err := s.allowed(ctx, by, func(g gate) error { return g.may(access.OwnThings, access.Object{}) }); err != nil {
		return "", err
	}
	secret = rand.Text()
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, drop, by.User); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, insert, webHash(secret), by.User, now, now.Add(oncall.SignInLinkLive))
		return err
	})
	if err != nil {
		return "", wrap(err, "make a link to sign in for %s", by.User)
	}
	return secret, nil
}

// SignInLinkUser returns whom a link signs in, without using it up: what looks at links before people do must not. One
// that is over is a Refusal.
func (s *Store) SignInLinkUser(ctx context.Context, secret string, now time.Time) (user oncall.UserID, err error) {
	const find = `
		SELECT l.user_id
		FROM web_links l
		JOIN users u ON u.id = l.user_id AND u.deactivated_at IS NULL AND u.standing <> 'stranger'
		WHERE l.hash = $1 AND l.expires_at > $2 AND (u.links_ended_at IS NULL OR u.links_ended_at < l.made_at)`
	err = s.pool.QueryRow(ctx, find, webHash(secret), now).Scan(&user)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", oncall.ErrLinkOver
	}
	return user, wrapAny(translate(err), "look for a link to sign in")
}

// SignInByLink uses a link up, and signs its person in.
func (s *Store) SignInByLink(ctx context.Context, secret string, now time.Time) (session string, user oncall.UserID, err error) {
	const use = `
		DELETE FROM web_links l
		USING users u
		WHERE u.id = l.user_id AND u.deactivated_at IS NULL AND u.standing <> 'stranger'
		  AND l.hash = $1 AND l.expires_at > $2 AND (u.links_ended_at IS NULL OR u.links_ended_at < l.made_at)
		RETURNING l.user_id`
	err = s.transact(ctx, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, use, webHash(secret), now).Scan(&user)
		if errors.Is(err, pgx.ErrNoRows) {
			return oncall.ErrLinkOver
		}
		if err != nil {
			return err
		}
		session, err = signIn(ctx, tx, user, oncall.SignedInByLink, now)
		return err
	})
	return session, user, wrapAny(err, "sign in by a link")
}

// SignInByMail signs in whom an identity provider names by a mail address that it has verified.
func (s *Store) SignInByMail(ctx context.Context, mail string, now time.Time) (session string, user oncall.UserID, err error) {
	const find = `SELECT id FROM users WHERE lower(email) = $1 AND deactivated_at IS NULL AND standing <> 'stranger' LIMIT 2`
	mail = strings.ToLower(strings.TrimSpace(mail))
	if mail == "" {
		return "", "", oncall.ErrNoSuchMail
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, find, mail)
		found, err := pgx.CollectRows(rows, pgx.RowTo[oncall.UserID])
		switch {
		case err != nil:
			return err
		case len(found) == 0:
			return oncall.ErrNoSuchMail
		case len(found) > 1:
			return oncall.Refuse("Several people in Slack have this mail address, so that Watchbill can't tell who you are. Type `/oncall web` in Slack for a link instead.")
		}
		user = found[0]
		session, err = signIn(ctx, tx, user, oncall.SignedInByProvider, now)
		return err
	})
	return session, user, wrapAny(err, "sign in by mail")
}

// signIn makes a session. Of one person's only the latest stay.
func signIn(ctx context.Context, tx pgx.Tx, user oncall.UserID, how string, now time.Time) (secret string, err error) {
	const insert = `
		INSERT INTO web_sessions (hash, user_id, how, made_at, seen_at, expires_at)
		VALUES ($1, $2, $3, $4, $4, $5)`
	const trim = `
		DELETE FROM web_sessions
		WHERE hash IN (SELECT hash FROM web_sessions WHERE user_id = $1 ORDER BY seen_at DESC, made_at DESC OFFSET $2)`
	secret = rand.Text()
	if _, err := tx.Exec(ctx, insert, webHash(secret), user, how, now, now.Add(oncall.SessionLives)); err != nil {
		return "", err
	}
	if _, err := tx.Exec(ctx, trim, user, oncall.MostSignIns); err != nil {
		return "", err
	}
	return secret, record(ctx, tx, oncall.ByWeb(user), now, audit.SignedIn(user, how))
}

// SessionBy returns the session of a browser that shows this secret. One that is over, or whose person may not be
// here any more, is a Refusal.
func (s *Store) SessionBy(ctx context.Context, secret string, now time.Time) (oncall.Session, error) {
	const find = `
		WITH session AS (
			SELECT s.user_id AS "user", s.how, s.made_at, s.seen_at, s.expires_at
			FROM web_sessions s
			JOIN users u ON u.id = s.user_id AND u.deactivated_at IS NULL AND u.standing <> 'stranger'
			WHERE s.hash = $1 AND s.expires_at > $2 AND s.seen_at > $3 AND (u.links_ended_at IS NULL OR u.links_ended_at < s.made_at)
		), seen AS (
			UPDATE web_sessions SET seen_at = $2 WHERE hash = $1 AND seen_at < $4 AND EXISTS (SELECT FROM session)
		)
		SELECT "user", how, made_at, seen_at, expires_at FROM session`
	rows, _ := s.pool.Query(ctx, find, webHash(secret), now, now.Add(-oncall.SessionIdle), now.Add(-sessionSeen))
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[oncall.Session])
	if errors.Is(err, pgx.ErrNoRows) {
		return found, oncall.ErrSignedOut
	}
	return found, wrapAny(translate(err), "look for a session")
}

// SignOut ends a session, in this browser or in all of the person's.
func (s *Store) SignOut(ctx context.Context, by oncall.Actor, secret string, everywhere bool, now time.Time) error {
	const end = `DELETE FROM web_sessions WHERE user_id = $1 AND (hash = $2 OR $3)`
	return wrapAny(s.transact(ctx, func(tx pgx.Tx) error {
		done, err := tx.Exec(ctx, end, by.User, webHash(secret), everywhere)
		if err != nil || !everywhere || done.RowsAffected() == 0 {
			return err
		}
		return record(ctx, tx, by, now, audit.SignedOut(by.User))
	}), "sign out %s", by.User)
}
