package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// disable switches a contact method off that reaches nobody any more, and tells its person and
// the admins of their teams.
func (s *Store) disable(ctx context.Context, tx pgx.Tx, dir *Directory, id oncall.ContactID, why string, now time.Time) error {
	const off = `
		UPDATE contacts
		SET disabled_at = $2, disabled_why = $3
		WHERE id = $1 AND disabled_at IS NULL AND removed_at IS NULL
		RETURNING id, user_id, method, address, verified_at, confirmed_at, disabled_at, disabled_why, created_at`
	rows, _ := tx.Query(ctx, off, id, now, why)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[oncall.Contact])
	if err != nil || len(found) == 0 {
		return err
	}
	c := found[0]
	var notices []oncall.Notice
	for _, who := range dir.concerned(c.UserID) {
		notices = append(notices, oncall.ContactNotice(oncall.NoticeContact, c, why, who, now))
	}
	if err := s.notice(ctx, tx, now, notices); err != nil {
		return err
	}
	return announce(ctx, tx)
}

// concerned are a person, and who answers for the person's teams.
func (d *Directory) concerned(user oncall.UserID) []string {
	to := []string{string(user)}
	seen := map[string]bool{string(user): true}
	for _, t := range d.Teams {
		for _, member := range d.Members[t.ID] {
			if member != user {
				continue
			}
			for _, who := range d.Watchers(t.ID) {
				if !seen[who] {
					seen[who] = true
					to = append(to, who)
				}
			}
		}
	}
	return to
}
