package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// A Workspace is the Slack workspace in which the app is installed.
type Workspace struct {
	Team       string
	Enterprise string // the Enterprise Grid organisation; "" if none
	URL        string // ends in a slash
}

// Workspace returns the last stored workspace, or the zero Workspace.
func (s *Store) Workspace(ctx context.Context) (w Workspace, err error) {
	const load = `SELECT team, enterprise, url FROM workspace`
	err = s.pool.QueryRow(ctx, load).Scan(&w.Team, &w.Enterprise, &w.URL)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return Workspace{}, fmt.Errorf("load the workspace: %w", translate(err))
	}
	return w, nil
}

// SaveWorkspace stores the workspace.
func (s *Store) SaveWorkspace(ctx context.Context, w Workspace) error {
	const save = `
		INSERT INTO workspace (id, team, enterprise, url)
		VALUES (1, $1, $2, $3)
		ON CONFLICT (id) DO UPDATE SET team = $1, enterprise = $2, url = $3
		WHERE (workspace.team, workspace.enterprise, workspace.url) IS DISTINCT FROM ($1, $2, $3)`
	if _, err := s.pool.Exec(ctx, save, w.Team, w.Enterprise, w.URL); err != nil {
		return fmt.Errorf("save the workspace: %w", translate(err))
	}
	return nil
}
