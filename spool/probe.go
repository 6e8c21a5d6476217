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

var probeBucket = []byte("probe")

// probe writes to a disk that has refused a write, to notice when it works again: requests don't
// come meanwhile, because readiness fails. Then it removes the entries that were stuck in the file.
func (s *Spool) probe(now time.Time) {
	s.mu.Lock()
	db, wait := s.db, s.writeErr == nil && s.stuck.empty() || now.Sub(s.probedAt).Abs() < probeEvery
	if !wait {
		s.probedAt = now
	}
	s.mu.Unlock()
	if db == nil || wait {
		return
	}
	err := db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(probeBucket)
		if err != nil {
			return err
		}
		text := make([]byte, probeSize)
		_, _ = rand.Read(text) // never fails
		return b.Put(probeBucket, text)
	})
	if err == nil {
		err = db.Update(func(tx *bbolt.Tx) error { return tx.DeleteBucket(probeBucket) })
	}
	if err == nil {
		err = s.clearStuck()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writeErr = err; err != nil {
		s.writeErr = fmt.Errorf("the disk refuses to write: %w", err)
	}
}
