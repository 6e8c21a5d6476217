package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/audit"
)

// ErrAppTaken means that another organisation has the Slack app.
var ErrAppTaken = errors.New("each organisation needs a Slack app of its own, or else people of one get the answers of the other")

// ErrNotSuspended means that an organisation is still served.
var ErrNotSuspended = errors.New("it is not suspended")

// appSettings name a Slack app.
var appSettings = []string{"SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"}

// otherApp reports whether settings name another Slack app than before.
func otherApp(was, is map[string]string) bool {
	for _, setting := range appSettings {
		if was[setting] != is[setting] {
			return true
		}
	}
	return false
}

// ownApp refuses an organisation whose Slack app another one has. The settings are encrypted, so no index can:
// the lock keeps a second change from adding the same app meanwhile.
func (s *System) ownApp(ctx context.Context, tx pgx.Tx, org Organisation) error {
	if _, err := tx.Exec(ctx, `LOCK TABLE organisations IN SHARE ROW EXCLUSIVE MODE`); err != nil {
		return err
	}
	rows, _ := tx.Query(ctx, listOrganisations+` WHERE name <> $1 ORDER BY name`, org.Name)
	others, err := pgx.CollectRows(rows, s.scanOrganisation)
	if err != nil {
		return err
	}
	for _, other := range others {
		for _, setting := range appSettings {
			if own := slackApp(org.Settings[setting]); own != "" && own == slackApp(other.Settings[setting]) {
				return fmt.Errorf("%w: %s has the app of this %s", ErrAppTaken, other.Name, setting)
			}
		}
	}
	return nil
}

// slackApp returns what says of a token whose it is. An app-level token such as xapp-1-A0123-456-789 names its app,
// which may have several.
func slackApp(token string) string {
	if parts := strings.Split(token, "-"); len(parts) > 3 && parts[0] == "xapp" && strings.HasPrefix(parts[2], "A") {
		return parts[2]
	}
	return token
}

// RemoveOrganisation removes a suspended organisation from the list. Its database stays.
func (s *System) RemoveOrganisation(ctx context.Context, by oncall.Actor, name string, now time.Time) error {
	err := s.transact(ctx, func(tx pgx.Tx) error {
		var state OrganisationState
		err := tx.QueryRow(ctx, `DELETE FROM organisations WHERE name = $1 RETURNING state`, name).Scan(&state)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return fmt.Errorf("%w: there is no organisation %q", oncall.ErrNotFound, name)
		case err != nil:
			return err
		case state != OrganisationSuspended:
			return ErrNotSuspended
		}
		return record(ctx, tx, by, now, audit.ChangedOrganisation(name, audit.Removed, string(state), "", nil, nil))
	})
	return organisationError("remove the organisation "+name, err)
}
