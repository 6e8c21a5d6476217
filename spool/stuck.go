package spool

import (
	"bytes"
	"encoding/binary"
	"sync"

	"go.etcd.io/bbolt"
)

// stuck tracks entries that are finished but can't be deleted, because the disk refuses writes.
// They must not block signals once the database is back.
type stuck struct {
	mu      sync.Mutex
	buckets map[string]stuckEntries
}

type stuckEntries struct {
	upTo uint64
	keep bool // some were not stored: keep them for the next start
}

// next returns the key of a bucket's first unfinished entry.
func (s *stuck) next(bucket []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return binary.BigEndian.AppendUint64(nil, s.buckets[string(bucket)].upTo+1)
}

func (s *stuck) set(bucket []byte, upTo uint64, stay bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.buckets == nil {
		s.buckets = map[string]stuckEntries{}
	}
	before := s.buckets[string(bucket)]
	s.buckets[string(bucket)] = stuckEntries{max(upTo, before.upTo), stay || before.keep}
}

// stored returns the buckets whose stuck entries have all been stored, each with the last such
// entry.
func (s *stuck) stored() map[string]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[string]uint64{}
	for name, entries := range s.buckets {
		if !entries.keep {
			found[name] = entries.upTo
		}
	}
	return found
}

func (s *stuck) empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.buckets) == 0
}

func (s *stuck) forget(buckets map[string]uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range buckets {
		delete(s.buckets, name)
	}
}

// markStuck marks a finished batch that can't be deleted; aside means that it was not stored.
func (s *Spool) markStuck(batch Batch, aside bool, why error) error {
	s.outages.Error().Err(why).Int("requests", len(batch.Requests)).Msg("signals can't be removed from the spool, and are skipped")
	var gone Usage
	for _, r := range batch.Requests {
		value, err := pack(r)
		if err != nil {
			return err
		}
		gone.add(int64(len(r.Signals)), int64(len(value)), r.At)
		s.stuck.set(batch.bucket, uint64(r.Seq), aside) //nolint:gosec // a sequence number is positive
	}
	for _, key := range batch.damaged {
		s.stuck.set(batch.bucket, binary.BigEndian.Uint64(key), true)
	}
	s.mu.Lock()
	s.writeErr = why
	s.mu.Unlock()
	return s.noteRemoved(gone)
}

// clearStuck deletes the stuck entries that have been stored.
func (s *Spool) clearStuck() error {
	stored := s.stuck.stored()
	if len(stored) == 0 {
		return nil
	}
	err := s.change(func(tx *bbolt.Tx) error {
		for name, upTo := range stored {
			b := tx.Bucket([]byte(name))
			if b == nil {
				continue
			}
			c := b.Cursor()
			for k, _ := c.First(); k != nil && binary.BigEndian.Uint64(k) <= upTo; k, _ = c.First() {
				if err := c.Delete(); err != nil {
					return err
				}
			}
			if k, _ := c.First(); k == nil && !bytes.Equal([]byte(name), s.bucket) {
				if err := tx.DeleteBucket([]byte(name)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err == nil {
		s.stuck.forget(stored)
	}
	return err
}
