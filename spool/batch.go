package spool

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"go.etcd.io/bbolt"

	"github.com/watchbill/watchbill/store"
)

// A Batch is the oldest requests in a spool, all from one process.
type Batch struct {
	ID       string // of that process
	Requests []store.SpooledRequest

	bucket  []byte
	damaged [][]byte // keys of unreadable entries among them
}

// Empty reports whether there is nothing to do.
func (b Batch) Empty() bool { return len(b.Requests) == 0 && len(b.damaged) == 0 }

// eachQueue visits the bucket of each process, oldest first, while do asks for more.
func eachQueue(tx *bbolt.Tx, do func(name []byte, b *bbolt.Bucket) (more bool, err error)) error {
	c := tx.Cursor()
	for name, v := c.Seek(queuePrefix); bytes.HasPrefix(name, queuePrefix); name, v = c.Next() {
		if v != nil {
			continue
		}
		if more, err := do(name, tx.Bucket(name)); err != nil || !more {
			return err
		}
	}
	return nil
}

// Next returns the oldest requests: at most entries of them, and about size bytes. An empty batch
// means an empty spool.
func (s *Spool) Next(entries, size int) (Batch, error) {
	var batch Batch
	db := s.file()
	if db == nil {
		return batch, nil
	}
	err := db.View(func(tx *bbolt.Tx) error {
		return eachQueue(tx, func(name []byte, b *bbolt.Bucket) (bool, error) {
			c, left := b.Cursor(), size
			for k, v := c.Seek(s.stuck.next(name)); k != nil && len(batch.Requests) < entries && left > 0; k, v = c.Next() {
				left -= len(v)
				r, err := decodeEntry(k, v)
				if err != nil {
					batch.damaged = append(batch.damaged, bytes.Clone(k))
					continue
				}
				batch.Requests = append(batch.Requests, r)
			}
			if batch.Empty() {
				return true, nil
			}
			batch.bucket = bytes.Clone(name)
			batch.ID = string(name[bytes.LastIndexByte(name, '/')+1:])
			return false, nil
		})
	})
	if err != nil {
		return Batch{}, fmt.Errorf("read the spool: %w", err)
	}
	return batch, nil
}

// Each calls do for each request, oldest first.
func (s *Spool) Each(do func(store.SpooledRequest)) error {
	db := s.file()
	if db == nil {
		return nil
	}
	return db.View(func(tx *bbolt.Tx) error {
		return eachQueue(tx, func(_ []byte, b *bbolt.Bucket) (bool, error) {
			return true, b.ForEach(func(k, v []byte) error {
				if r, err := decodeEntry(k, v); err == nil {
					do(r)
				}
				return nil
			})
		})
	})
}

func decodeEntry(k, v []byte) (r store.SpooledRequest, err error) {
	_, _, text, err := unpack(v)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, err
	}
	r.Seq = int64(binary.BigEndian.Uint64(k)) //nolint:gosec // a sequence number is positive
	return r, nil
}

// Done removes a stored batch from the spool.
func (s *Spool) Done(b Batch) error { return s.remove(b, false) }

// SetAside sets a batch aside that the database refuses.
func (s *Spool) SetAside(b Batch) error { return s.remove(b, true) }

func (s *Spool) remove(batch Batch, aside bool) error {
	db := s.file()
	if db == nil {
		return errors.New("take signals out of the spool: it is closed")
	}
	var gone Usage
	err := db.Update(func(tx *bbolt.Tx) error {
		gone = Usage{}
		b := tx.Bucket(batch.bucket)
		if b == nil {
			return nil
		}
		for _, r := range batch.Requests {
			key := binary.BigEndian.AppendUint64(nil, uint64(r.Seq)) //nolint:gosec // a sequence number is positive
			v := b.Get(key)
			if signals, at, _, err := unpack(v); err == nil {
				gone.add(signals, int64(len(v)), at)
			}
			if err := removeEntry(tx, b, batch.bucket, key, aside); err != nil {
				return err
			}
		}
		for _, key := range batch.damaged {
			if err := removeEntry(tx, b, batch.bucket, key, true); err != nil {
				return err
			}
		}
		if first, _ := b.Cursor().First(); first == nil && !bytes.Equal(batch.bucket, s.bucket) {
			return tx.DeleteBucket(batch.bucket)
		}
		return nil
	})
	if err != nil {
		return s.markStuck(batch, aside, err)
	}
	if n := len(batch.damaged); n > 0 {
		s.options.Log.Error().Int("requests", n).Msg("signals in the spool were damaged, and put aside there")
	}
	return s.noteRemoved(gone)
}

// removeEntry deletes an entry, or sets it aside.
func removeEntry(tx *bbolt.Tx, b *bbolt.Bucket, name, key []byte, aside bool) error {
	if v := b.Get(key); v != nil && aside {
		refused, err := tx.CreateBucketIfNotExists(refusedBucket)
		if err != nil {
			return err
		}
		if err := refused.Put(append(bytes.Clone(name), key...), bytes.Clone(v)); err != nil {
			return err
		}
	}
	return b.Delete(key)
}

// noteRemoved updates the counts, and gives disk space back once the spool is empty.
func (s *Spool) noteRemoved(gone Usage) error {
	next, err := s.Next(1, 1)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.usage.Signals -= gone.Signals
	s.usage.Bytes -= gone.Bytes
	s.usage.Oldest = time.Time{}
	if len(next.Requests) > 0 {
		s.usage.Oldest = next.Requests[0].At
		return nil
	}
	if !next.Empty() || s.usage.Signals > 0 || s.committing || s.db == nil || !s.stuck.empty() { // something has arrived meanwhile
		return nil
	}
	return s.shrink()
}

// shrink replaces a large, empty file by a new one.
func (s *Spool) shrink() error {
	path := s.db.Path()
	info, err := os.Stat(path)
	if err != nil || info.Size() < largeFile {
		return nil //nolint:nilerr // the next check of the file reports it
	}
	keep := false
	err = s.db.View(func(tx *bbolt.Tx) error {
		keep = tx.Bucket(refusedBucket) != nil || tx.Bucket(messagesBucket) != nil
		return nil
	})
	if err != nil || keep {
		return err
	}
	s.close()
	if err := os.Remove(path); err != nil {
		s.unusable = err
		return fmt.Errorf("remove the spool's file: %w", err)
	}
	s.unusable = s.open(time.Time{})
	return s.unusable
}

func (s *Spool) file() *bbolt.DB {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.db
}
