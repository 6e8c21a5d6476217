package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// secretFlags is the installation's own secret.
type secretFlags struct {
	Secret string `env:"WATCHBILL_SECRET" placeholder:"SECRET" help:"Signs links and hashes codes; watchbill secret new makes one. Several, divided by commas, while it is replaced: the first is used."`
}

func (f secretFlags) problems() []string {
	if _, err := oncall.ParseSecrets(f.Secret); err != nil {
		return []string{fmt.Sprintf("WATCHBILL_SECRET can't be used: %s; `watchbill secret new` makes one", err)}
	}
	return nil
}

// secrets returns the secrets in a valid setting.
func (f secretFlags) secrets() []oncall.Secret {
	secrets, _ := oncall.ParseSecrets(f.Secret)
	return secrets
}

func newSecret() string {
	var random [32]byte
	rand.Read(random[:])
	return oncall.NewSecret(random)
}

// secretCmd makes and replaces the secret. Nothing but the environment of the instances keeps it.
type secretCmd struct {
	New    secretNewCmd    `cmd:"" help:"Make a value for WATCHBILL_SECRET."`
	Rotate secretRotateCmd `cmd:"" help:"Make a value for WATCHBILL_SECRET that replaces the present one, which stays good beside it."`
}

type secretNewCmd struct{}

func (secretNewCmd) Run(p process) error {
	if _, err := fmt.Fprintf(p.out, "WATCHBILL_SECRET=%s\n", newSecret()); err != nil {
		return err
	}
	_, err := fmt.Fprintln(p.errOut, "Set this for all instances of `watchbill serve`, and keep it where no backup of the database is.")
	return err
}

type secretRotateCmd struct {
	secretFlags `embed:""`
}

func (c *secretRotateCmd) Run(p process) error {
	wrong := c.problems()
	if c.Secret == "" {
		wrong = []string{"WATCHBILL_SECRET is not set: run this with the value that is to be replaced, or make the first by `watchbill secret new`"}
	}
	if len(wrong) > 0 {
		return wrongUse(wrong)
	}
	present, _, _ := strings.Cut(c.Secret, ",")
	fmt.Fprintf(p.out, "WATCHBILL_SECRET=%s,%s\n", newSecret(), strings.TrimSpace(present))
	fmt.Fprintln(p.errOut, `Set this for all instances and restart them within 15 minutes; then the first part is used.
After 48 hours take away the comma and what follows: nothing needs the old secret any more.
If the old one is known to somebody, set only the part before the comma, at once: links and codes
sent before no longer work, and people act in Slack.`)
	return nil
}

// useSecrets records the secrets of this process, and logs what is wrong with them at every start.
func useSecrets(ctx context.Context, db *store.System, log zerolog.Logger, now time.Time) error {
	state, err := db.UseSecrets(ctx, now)
	if err != nil {
		return err
	}
	switch state {
	case store.SecretMissing:
		log.Warn().Msg("WATCHBILL_SECRET is not set: no new ways to reach people can be verified, and whoever reads the database can forge links; `watchbill secret new` makes one")
	case store.SecretGone:
		log.Warn().Msg("WATCHBILL_SECRET was set before and is missing now: links and codes made with it don't work, and no new ways to reach people can be verified")
	case store.SecretOther:
		log.Warn().Msg("WATCHBILL_SECRET is new, and the one before is not listed beside it: links and codes made with that don't work")
	case store.SecretSet:
	}
	return nil
}
