package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/audit"
)

// disable switches a contact method off, and tells its person and the managers of their teams.
func (s *Store) disable(ctx context.Context, tx pgx.Tx, by oncall.Actor, dir *Directory, id oncall.ContactID, why string, now time.Time) error {
	const off = `
		UPDATE contacts
		SET disabled_at = $2, disabled_why = $3
		WHERE id = $1 AND disabled_at IS NULL AND removed_at IS NULL`
	tag, err := tx.Exec(ctx, off, id, now, why)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	c, err := oneContact(ctx, tx, id)
	if err != nil {
		return err
	}
	if err := record(ctx, tx, by, now, audit.Contact(c, audit.ContactOff)); err != nil {
		return err
	}
	var notices []oncall.Notice
	for _, who := range dir.withWatchers(c.UserID) {
		notices = append(notices, oncall.ContactNotice(oncall.NoticeContact, c, why, who, now))
	}
	if err := s.saveNotices(ctx, tx, now, notices); err != nil {
		return err
	}
	return announce(ctx, tx)
}

// setSender notes whether messages to a contact method show a name as their sender, which can't be answered.
func setSender(ctx context.Context, tx pgx.Tx, id oncall.ContactID, named bool) error {
	const set = `UPDATE contacts SET named_sender = $2 WHERE id = $1 AND named_sender <> $2`
	tag, err := tx.Exec(ctx, set, id, named)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	return announce(ctx, tx)
}
