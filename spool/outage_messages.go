package spool

import (
	"encoding/json"
	"fmt"
	"os"

	"go.etcd.io/bbolt"
)

// state returns why the spool is closed; nil if it is open.
func (s *Spool) state() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db == nil {
		return s.unusable
	}
	return nil
}

// name distinguishes this machine's spool from others'.
func (s *Spool) name() string {
	host, _ := os.Hostname() // without a name the directory is enough
	return host + s.options.Dir
}

// putMessage stores a message to a person.
func (s *Spool) putMessage(r storedMessage) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return s.change(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(messagesBucket)
		if err != nil {
			return err
		}
		return b.Put([]byte(r.Key), text)
	})
}

// messages returns the messages of this outage.
func (s *Spool) messages() (records []storedMessage, err error) {
	db := s.file()
	if db == nil {
		return nil, nil
	}
	err = db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(messagesBucket)
		if b == nil {
			return nil
		}
		return b.ForEach(func(_, v []byte) error {
			var r storedMessage
			if err := json.Unmarshal(v, &r); err != nil {
				return fmt.Errorf("read the messages of the outage: %w", err)
			}
			records = append(records, r)
			return nil
		})
	})
	return records, err
}

// deleteMessages deletes the messages of the last outage.
func (s *Spool) deleteMessages() error {
	return s.change(func(tx *bbolt.Tx) error {
		if tx.Bucket(messagesBucket) == nil {
			return nil
		}
		return tx.DeleteBucket(messagesBucket)
	})
}

func (s *Spool) change(do func(*bbolt.Tx) error) error {
	db := s.file()
	if db == nil {
		return fmt.Errorf("the spool is closed: %w", s.state())
	}
	return db.Update(do)
}
