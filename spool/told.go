package spool

import (
	"encoding/json"
	"fmt"
	"os"

	"go.etcd.io/bbolt"
)

// state says why the spool is closed; nil: it is open.
func (s *Spool) state() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db == nil {
		return s.why
	}
	return nil
}

// name tells the spool of one machine from those of others.
func (s *Spool) name() string {
	host, _ := os.Hostname() // without one the directory must do
	return host + s.options.Dir
}

// tell keeps a message to somebody.
func (s *Spool) tell(r record) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return s.change(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(toldName)
		if err != nil {
			return err
		}
		return b.Put([]byte(r.Key), text)
	})
}

// told lists the messages of this outage.
func (s *Spool) told() (records []record, err error) {
	db := s.file()
	if db == nil {
		return nil, nil
	}
	err = db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(toldName)
		if b == nil {
			return nil
		}
		return b.ForEach(func(_, v []byte) error {
			var r record
			if err := json.Unmarshal(v, &r); err != nil {
				return fmt.Errorf("read who was told: %w", err)
			}
			records = append(records, r)
			return nil
		})
	})
	return records, err
}

// forgetTold begins a new list of messages.
func (s *Spool) forgetTold() error {
	return s.change(func(tx *bbolt.Tx) error {
		if tx.Bucket(toldName) == nil {
			return nil
		}
		return tx.DeleteBucket(toldName)
	})
}

func (s *Spool) change(do func(*bbolt.Tx) error) error {
	db := s.file()
	if db == nil {
		return fmt.Errorf("the spool is closed: %w", s.state())
	}
	return db.Update(do)
}
