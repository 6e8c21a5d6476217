package main

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/store"
)

// Limits of a secret supplied by a monitor, in characters.
const (
	minSigningSecret = 16
	maxSigningSecret = 500
)

// integrationSignCmd sets the secret with which an integration's monitor signs.
type integrationSignCmd struct {
	databaseFlags `embed:""`
	secretFlags   `embed:""`
	Name          string `arg:"" help:"The integration."`
	Given         bool   `help:"The monitor has made the secret, as Sentry does; it is read from standard input."`
}

// Run prints the new secret.
func (c *integrationSignCmd) Run(p process) error {
	wrong := append(c.databaseFlags.problems(), c.secretFlags.problems()...)
	if len(wrong) > 0 {
		return wrongUse(wrong)
	}
	secret := newSigning()
	if c.Given {
		text, err := io.ReadAll(io.LimitReader(os.Stdin, 2*maxSigningSecret))
		if err != nil {
			return fmt.Errorf("read the secret: %w", err)
		}
		secret = strings.TrimSpace(string(text))
		if n := len(secret); n < minSigningSecret || n > maxSigningSecret {
			return wrongUse{fmt.Sprintf("the secret has %d characters; it may have %d to %d, on standard input", n, minSigningSecret, maxSigningSecret)}
		}
	}
	db, err := store.Open(p.ctx, c.DatabaseURL, store.Options{Log: zerolog.Nop(), Secrets: c.secrets()})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := migrated(p.ctx, db); err != nil {
		return err
	}
	until, err := db.SignIntegration(p.ctx, p.operator(), c.Name, secret, p.clock())
	if err != nil {
		return noIntegration(p.ctx, db, c.Name, err)
	}
	name := notify.OneLine(c.Name)
	if c.Given {
		fmt.Fprintf(p.out, "%s: the secret is kept.\n", name)
	} else {
		fmt.Fprintf(p.out, "The secret with which the monitor of %s signs, shown this once:\n  %s\n", name, secret)
	}
	if until != nil {
		fmt.Fprintf(p.out, "The one before is good until %s.\n", stamp(*until))
	}
	fmt.Fprintln(p.out, "What is not signed with it is refused once the set-up file says signed: true of the integration.")
	return nil
}

// newSigning makes a secret in the form of Standard Webhooks, which suits all other monitors too.
func newSigning() string {
	var random [32]byte
	rand.Read(random[:])
	return "whsec_" + base64.StdEncoding.EncodeToString(random[:])
}
