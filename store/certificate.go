package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// ErrNoCertificate says that nothing is kept under a name that can be read.
var ErrNoCertificate = errors.New("no such certificate is kept")

// KeptCertificate returns what KeepCertificate has stored, or ErrNoCertificate, also if it was sealed by a secret that is
// not set any more: then another certificate is to be got.
func (s *System) KeptCertificate(ctx context.Context, name string) ([]byte, error) {
	const load = `SELECT sealed FROM certificates WHERE name = $1`
	var sealed string
	err := s.pool.QueryRow(ctx, load, name).Scan(&sealed)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrNoCertificate
	}
	if err != nil {
		return nil, fmt.Errorf("load a certificate: %w", translate(err))
	}
	plain, ok := oncall.Unseal(s.secrets, sealed)
	if !ok {
		return nil, ErrNoCertificate
	}
	return []byte(plain), nil
}

// KeepCertificate stores a certificate with its key, sealed, for all instances. Without a secret it fails.
func (s *System) KeepCertificate(ctx context.Context, name string, data []byte, now time.Time) error {
	const keep = `
		INSERT INTO certificates (name, sealed, kept_at) VALUES ($1, $2, $3)
		ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, kept_at = excluded.kept_at`
	if len(s.secrets) == 0 {
		return fmt.Errorf("keep a certificate: %w", errNoSecret)
	}
	if _, err := s.pool.Exec(ctx, keep, name, s.secrets[0].Seal(string(data)), now); err != nil {
		return fmt.Errorf("keep a certificate: %w", translate(err))
	}
	return nil
}

// DropCertificate deletes what is stored under a name.
func (s *System) DropCertificate(ctx context.Context, name string) error {
	const drop = `DELETE FROM certificates WHERE name = $1`
	if _, err := s.pool.Exec(ctx, drop, name); err != nil {
		return fmt.Errorf("drop a certificate: %w", translate(err))
	}
	return nil
}
