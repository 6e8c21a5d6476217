package spool

import (
	"crypto/rand"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
)

const (
	probeEvery = time.Second
	probeSize  = 64 << 10 // that needs room of its own in the file
)

var probeName = []byte("probe")

// probe writes to a disk that has refused, so that it is known when it takes something again: nobody may come
// meanwhile, as we say that we are not ready. Then it takes out of the file what could not be.
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
