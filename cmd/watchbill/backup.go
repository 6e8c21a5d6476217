package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"filippo.io/age"

	"github.com/watchbill/watchbill/migrations"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// backupWork is how hard it is to try one secret, as a power of two. A secret of 32 characters and more can't be found by
// trying, whatever that costs; age's own 18 would take a second and 256 MB.
const backupWork = 12

type backupCmd struct {
	databaseFlags `embed:""`
	secretFlags   `embed:""`
	File          string `short:"f" required:"" placeholder:"FILE" help:"Where to write it; /dev/stdout for the next command of a pipe."`
}

// Run writes all that the database holds at one moment into an encrypted file.
func (c *backupCmd) Run(p process) error {
	secrets, err := backupSecrets(c.databaseFlags, c.secretFlags)
	if err != nil {
		return err
	}
	var end store.BackupEnd
	err = writeWhole(c.File, func(out io.Writer) error {
		end, err = c.write(p.ctx, out, secrets[0], p.clock())
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(p.errOut, "%d rows of %d tables are in %s, encrypted by WATCHBILL_SECRET. Keep that elsewhere: without it nobody can read this.\n",
		end.All(), len(end.Rows), c.File)
	return nil
}

func backupSecrets(db databaseFlags, secret secretFlags) ([]oncall.Secret, error) {
	wrong := append(db.problems(), secret.problems()...)
	if secret.Secret == "" {
		wrong = append(wrong, "WATCHBILL_SECRET is not set: backups are encrypted by it")
	}
	if len(wrong) > 0 {
		return nil, wrongUse(wrong)
	}
	return secret.secrets(), nil
}

// write compresses and encrypts a backup.
func (c *backupCmd) write(ctx context.Context, out io.Writer, secret oncall.Secret, now time.Time) (end store.BackupEnd, err error) {
	to, err := age.NewScryptRecipient(string(secret))
	if err != nil {
		return end, err
	}
	to.SetWorkFactor(backupWork)
	sealed, err := age.Encrypt(out, to)
	if err != nil {
		return end, err
	}
	zipped, err := gzip.NewWriterLevel(sealed, gzip.BestSpeed)
	if err != nil {
		return end, err
	}
	if end, err = store.Backup(ctx, c.DatabaseURL, store.BackupHead{Release: version(), At: now.UTC()}, zipped); err != nil {
		return end, err
	}
	return end, errors.Join(zipped.Close(), sealed.Close())
}

// writeWhole writes a file that has its name only once it is whole and on the disk. What is no ordinary file, such as a
// pipe, is written as it comes.
func writeWhole(name string, write func(io.Writer) error) (err error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		out, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(write(out), out.Close())
	}
	part := name + ".part"
	out, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err = errors.Join(write(out), out.Sync(), out.Close()); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return os.Rename(part, name)
}

type restoreCmd struct {
	databaseFlags `embed:""`
	secretFlags   `embed:""`
	File          string        `short:"f" required:"" placeholder:"FILE" help:"The backup; /dev/stdin for what a pipe brings."`
	For           time.Duration `default:"30m" help:"How long what was open in the backup stays quiet, so that somebody can look what is over."`
	Skip          int           `default:"1000" help:"How many numbers of incidents are left out at least, because they may have been given after the backup."`
}

// Run restores a backup into an empty database, brings that up to this version, and does what restored does.
func (c *restoreCmd) Run(p process) error {
	secrets, err := backupSecrets(c.databaseFlags, c.secretFlags)
	if err != nil {
		return err
	}
	in, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer in.Close()
	r, err := openBackup(in, secrets)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if err := c.makeRoom(p.ctx, r.Head); err != nil {
		return err
	}
	end, err := r.Load(p.ctx, c.DatabaseURL)
	if err != nil {
		return fmt.Errorf("%s: %w; the database is empty still", c.File, err)
	}
	fmt.Fprintf(p.out, "%d rows of %d tables are back, as they were at %s.\n", end.All(), len(end.Rows), r.Head.At.Format("2006-01-02 15:04:05 MST"))
	if err := migrate(p, c.DatabaseURL); err != nil {
		return err
	}
	return (&restoredCmd{databaseFlags: c.databaseFlags, For: c.For, Skip: c.Skip}).Run(p)
}

// openBackup decrypts a backup.
func openBackup(in io.Reader, secrets []oncall.Secret) (*store.BackupReader, error) {
	var keys []age.Identity
	for _, s := range secrets {
		key, err := age.NewScryptIdentity(string(s))
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	plain, err := age.Decrypt(bufio.NewReader(in), keys...)
	if _, other := errors.AsType[*age.NoIdentityMatchError](err); other {
		return nil, errors.New("it was encrypted by another WATCHBILL_SECRET than the one that is set")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrBackupBroken, err)
	}
	zipped, err := gzip.NewReader(plain)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrBackupBroken, err)
	}
	return store.ReadBackup(zipped)
}

// makeRoom gives an empty database the schema of the backup.
func (c *restoreCmd) makeRoom(ctx context.Context, head store.BackupHead) error {
	pool, err := openPool(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	defer pool.Close()
	current, latest, err := migrations.Status(ctx, pool)
	switch {
	case err != nil:
		return err
	case head.Schema > latest:
		return fmt.Errorf("the backup is of a newer release, %s: it is at migration %d and this program ends at %d; restore it with that release",
			head.Release, head.Schema, latest)
	case current > head.Schema:
		return fmt.Errorf("the database is at migration %d already, and the backup at %d: restore into a database without tables, which is migrated afterwards",
			current, head.Schema)
	}
	used, err := store.TableInUse(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	if used != "" {
		return fmt.Errorf("the database is not empty: there are rows in its table %s; nothing is restored over what is in use", used)
	}
	_, err = migrations.UpTo(ctx, pool, head.Schema)
	return err
}
