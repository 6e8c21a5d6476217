package spool

import (
	"errors"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// An Inspection describes the directory of a spool, seen from outside the process that uses it.
type Inspection struct {
	Unusable error // why it can't be used; nil: it can
	Used     bool  // by another process; the fields below are then unknown
	Held     Usage
	Refused  int      // requests set aside
	Damaged  []string // files
}

// Inspect examines a directory without changing anything.
func Inspect(dir string) Inspection {
	var found Inspection
	if found.Unusable = CheckDir(dir); found.Unusable == nil {
		found.Unusable = checkFreeSpace(dir)
	}
	found.Damaged, _ = filepath.Glob(filepath.Join(dir, fileName+".damaged-*"))
	for i, path := range found.Damaged {
		found.Damaged[i] = filepath.Base(path)
	}
	path := filepath.Join(dir, fileName)
	if !sameFile(path, dir) {
		return found
	}
	db, held, err := openFile(path)
	if err != nil {
		if found.Used = errors.Is(err, errInUse); !found.Used && found.Unusable == nil {
			found.Unusable = err
		}
		return found
	}
	defer db.Close() //nolint:errcheck // nothing was written
	found.Held = held
	_ = db.View(func(tx *bbolt.Tx) error { // it was just read
		if b := tx.Bucket(refusedBucket); b != nil {
			found.Refused = b.Stats().KeyN
		}
		return nil
	})
	return found
}
