package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/audit"
)

// Belongings are what an admin can revoke of a person's: contact methods, calendar feeds, and the links and buttons in
// messages that act on the person's behalf.
type Belongings struct {
	Contacts     []OwnedContact
	Feeds        []Feed     // made by the person, oldest first
	LinksEndedAt *time.Time // when links were last revoked; nil: never
}

// An OwnedContact is a person's contact method as an admin sees it.
type OwnedContact struct {
	ID     oncall.ContactID
	What   string // masked: "SMS …0102"
	Usable bool
}

// Belongings returns what an admin can revoke of a person's.
func (s *Store) Belongings(ctx context.Context, by oncall.Actor, user oncall.UserID) (h Belongings, err error) {
	const ended = `SELECT links_ended_at FROM users WHERE id = $1`
	if err := s.allowed(ctx, by, func(g gate) error { return g.may(access.OthersThings, access.Object{}) }); err != nil {
		return h, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, ended, user).Scan(&h.LinksEndedAt); err != nil {
			return err
		}
		own, err := contacts(ctx, tx, nil, []oncall.UserID{user})
		if err != nil {
			return err
		}
		for _, c := range own {
			h.Contacts = append(h.Contacts, OwnedContact{ID: c.ID, What: audit.Masked(c), Usable: c.Usable()})
		}
		h.Feeds, err = feedsBy(ctx, tx, user)
		return err
	})
	if err != nil {
		return Belongings{}, wrap(err, "load what %s has", user)
	}
	return h, nil
}

// EndLinks revokes the links and buttons in all messages that somebody has got so far.
func (s *Store) EndLinks(ctx context.Context, by oncall.Actor, user oncall.UserID, now time.Time) error {
	const end = `UPDATE users SET links_ended_at = $2 WHERE id = $1 RETURNING id`
	if err := s.allowed(ctx, by, func(g gate) error { return g.may(access.OthersThings, access.Object{}) }); err != nil {
		return err
	}
	err := s.transact(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, end, user, now).Scan(nil); err != nil {
			return err
		}
		if err := record(ctx, tx, by, now, audit.EndedLinks(user)); err != nil {
			return err
		}
		return s.notifyRevoked(ctx, tx, by, user, "the links in the mails and pushes that you have got so far: they answer nothing any more. New ones do", now)
	})
	if err != nil {
		return wrap(err, "end the links of %s", user)
	}
	s.managed(by, "end_links").Str("user", string(user)).Msg("links ended")
	return nil
}

// notifyRevoked tells a person what somebody else has revoked of theirs.
func (s *Store) notifyRevoked(ctx context.Context, tx pgx.Tx, by oncall.Actor, user oncall.UserID, what string, now time.Time) error {
	if by.User == user || by.Via == oncall.ViaTimer {
		return nil
	}
	return s.saveNotices(ctx, tx, now, []oncall.Notice{oncall.EndedNotice(by, user, what, now)})
}

// tokenCounts refuses a token that was made before its person's links were revoked.
func tokenCounts(ctx context.Context, q querier, claim oncall.Claim) error {
	const ended = `SELECT EXISTS (SELECT FROM users WHERE id = $1 AND links_ended_at >= $2)`
	var ok bool
	if err := q.QueryRow(ctx, ended, claim.User, claim.Expires.Add(-oncall.TokenLives)).Scan(&ok); err != nil {
		return err
	}
	if ok {
		return errLinkEnded
	}
	return nil
}

// errLinkEnded refuses a revoked link or button.
var errLinkEnded = oncall.Refuse("An admin has ended this link or button, and nothing was changed. Please act in Slack.")

// buttonCounts refuses a button that names its message by key, as in Telegram and Pushover, if the message was sent
// before the person's links were revoked, or if the chat is no longer a contact method of theirs. Keys pressed during a
// phone call are always accepted.
func buttonCounts(ctx context.Context, q querier, answer oncall.Answer) error {
	const counts = `
		SELECT coalesce(bool_or(u.links_ended_at >= p.attempted_at), false),
		       coalesce(bool_and($2 = '' OR EXISTS (
		           SELECT FROM contacts c
		           WHERE c.user_id = p.user_id AND c.method = $3 AND c.address = $2 AND c.verified_at IS NOT NULL AND c.removed_at IS NULL)), true)
		FROM pages p
		JOIN users u ON u.id = p.user_id
		WHERE p.key = $1`
	if answer.Message.Page == "" || answer.Method.Info().Spoken {
		return nil
	}
	var ended, theirs bool
	if err := q.QueryRow(ctx, counts, answer.Message.Page, answer.From, answer.Method).Scan(&ended, &theirs); err != nil {
		return err
	}
	switch {
	case ended:
		return errLinkEnded
	case !theirs:
		return oncall.Refuse("No page comes here any more, so that this button does nothing, and nothing was changed. Please act in Slack.")
	}
	return nil
}
