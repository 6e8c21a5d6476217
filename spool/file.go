package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// lockLimit is how long to wait for another process to release the spool.
const lockLimit = 500 * time.Millisecond

var errInUse = errors.New("another process uses it")

// A damagedError means that a file can't be read any more.
type damagedError struct{ cause error }

func (e damagedError) Error() string { return "the file is damaged: " + e.cause.Error() }
func (e damagedError) Unwrap() error { return e.cause }

// openFile opens or creates the file. A truncated or overwritten file must not crash the process,
// which bbolt and its mapped memory would do.
func openFile(path string) (db *bbolt.DB, held Usage, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			db, held, err = nil, Usage{}, damagedError{fmt.Errorf("%v", p)}
		}
	}()
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockLimit, FreelistType: bbolt.FreelistMapType})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, held, errInUse
	case err != nil && isAccessError(err):
		return nil, held, err
	case err != nil:
		return nil, held, damagedError{err}
	}
	if held, err = readUsage(db); err != nil {
		_ = db.Close() // already failing
		return nil, held, damagedError{err}
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = db.Close()
		return nil, held, err
	}
	return db, held, nil
}

// isAccessError reports whether an error concerns access to the file rather than its contents.
func isAccessError(err error) bool {
	_, path := errors.AsType[*fs.PathError](err)
	_, call := errors.AsType[*os.SyscallError](err)
	return path || call
}

// readUsage counts the contents of a file, reading all of it.
func readUsage(db *bbolt.DB) (Usage, error) {
	var held Usage
	info, err := os.Stat(db.Path())
	if err != nil {
		return held, err
	}
	err = db.View(func(tx *bbolt.Tx) error {
		if tx.Size() > info.Size() {
			return fmt.Errorf("of its %d bytes %d are there", tx.Size(), info.Size())
		}
		return eachQueue(tx, func(_ []byte, b *bbolt.Bucket) (bool, error) {
			return true, b.ForEach(func(_, v []byte) error {
				if signals, at, _, err := unpack(v); err == nil { // damaged entries are set aside by Next
					held.add(signals, int64(len(v)), at)
				}
				return nil
			})
		})
	})
	return held, err
}

// CheckDir returns why a directory can't hold a spool.
func CheckDir(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("the directory is missing")
	case err != nil:
		return err
	case !info.IsDir():
		return errors.New("it is no directory")
	case InMemory(dir):
		return errors.New("the directory is in memory (tmpfs), and would be empty after a restart of the machine")
	}
	probe, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return fmt.Errorf("nothing can be written there: %w", err)
	}
	defer os.Remove(probe.Name()) //nolint:errcheck // it is empty
	return probe.Close()
}

// sameFile reports whether the spool's open file is still the one in its directory.
func sameFile(path, dir string) bool {
	_, err := os.Stat(filepath.Join(dir, filepath.Base(path)))
	return err == nil
}
