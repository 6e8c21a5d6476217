package spool

import (
	"crypto/rand"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
)

const (
	probeEvery = time.Second
	probeSize  = 64 << 10 // larger than the file's free pages, so that it has to grow
)

var probeName = []byte("probe")

// probe writes to a disk that has refused a write, to notice when it works again: requests don't
// come meanwhile, because readiness fails. Then it removes the entries that were stuck in the file.
func (s *Spool) probe(now time.Time) {
	s.mu.Lock()
	db, wait := s.db, s.failed == nil && s.stuck.none() || now.Sub(s.probed).Abs() < probeEvery
	if !wait {
		s.probed = now
	}
	s.mu.Unlock()
	if db == nil || wait {
		return
	}
	err := db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(probeName)
		if err != nil {
			return err
		}
		text := make([]byte, probeSize)
		_, _ = rand.Read(text) // never fails
		return b.Put(probeName, text)
	})
	if err == nil {
		err = db.Update(func(tx *bbolt.Tx) error { return tx.DeleteBucket(probeName) })
	}
	if err == nil {
		err = s.clearStuck()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed = err; err != nil {
		s.failed = fmt.Errorf("the disk refuses to write: %w", err)
	}
}
