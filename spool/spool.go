package spool

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"go.etcd.io/bbolt"

	"github.com/watchbill/watchbill/store"
)

// Default limits of a spool.
const (
	maxBytes   = 1 << 30
	maxSignals = 500_000
)

const (
	fileName = "spool.db"
	// keepLimit is how long a request waits for the disk.
	keepLimit = 2 * time.Second
	// Limits of one write.
	writeEntries = 1_000
	writeBytes   = 4 << 20
	// largeFile is the size up to which an empty file is kept; it doesn't shrink by itself.
	largeFile = 64 << 20
)

// Options set where a spool is and how much it may hold.
type Options struct {
	Dir        string
	MaxBytes   int64 // 0: 1 GiB
	MaxSignals int64 // 0: 500,000
	Log        zerolog.Logger
}

// The buckets of the file. Each process has one for its entries, named queuePrefix and a number.
var (
	queuePrefix    = []byte("queue/")
	refusedBucket  = []byte("refused") // requests refused by the database
	messagesBucket = []byte("told")    // people told about the outage
)

// ErrFull means that the spool has no room for a request.
var ErrFull = errors.New("the spool is full")

// A Spool is a queue of requests on disk. It is safe for concurrent use.
type Spool struct {
	options Options
	outages zerolog.Logger // limited to a few lines a minute

	mu         sync.Mutex
	db         *bbolt.DB // nil if it can't be used
	unusable   error     // why it can't
	id         string    // of this process's entries
	bucket     []byte    // likewise
	waiting    []*entry
	committing bool
	usage      Usage
	roomReadAt time.Time // when the free space was last read
	roomErr    error     // the result; nil: enough
	writeErr   error     // the error of the last write; nil: it succeeded
	probedAt   time.Time // when the disk was last probed after it
	stuck      *stuck
}

// Usage is how much a spool holds.
type Usage struct {
	Signals int64
	Bytes   int64     // size of the signals
	Oldest  time.Time // arrival of the oldest; zero if empty
}

// An entry is one request that waits to be written.
type entry struct {
	value   []byte
	signals int64
	at      time.Time
	done    chan error
}

// NewSpool returns a spool that has not been opened.
func NewSpool(o Options) *Spool {
	if o.MaxBytes == 0 {
		o.MaxBytes = maxBytes
	}
	if o.MaxSignals == 0 {
		o.MaxSignals = maxSignals
	}
	return &Spool{
		options: o, unusable: errors.New("it is not open yet"), stuck: &stuck{},
		outages: o.Log.Sample(&zerolog.BurstSampler{Burst: 3, Period: 10 * time.Second}),
	}
}

// Open opens the spool, if it isn't open. Earlier contents are kept.
func (s *Spool) Open(now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db != nil {
		return nil
	}
	s.unusable = s.open(now)
	return s.unusable
}

func (s *Spool) open(now time.Time) error {
	if err := CheckDir(s.options.Dir); err != nil {
		return err
	}
	path := filepath.Join(s.options.Dir, fileName)
	db, held, err := openFile(path)
	if damaged, ok := errors.AsType[damagedError](err); ok {
		aside := path + now.UTC().Format(".damaged-20060102-150405")
		s.options.Log.Error().Err(damaged).Str("moved_to", aside).Msg("the spool's file is damaged; beginning a new one")
		if err := os.Rename(path, aside); err != nil {
			return fmt.Errorf("move the damaged file aside: %w", err)
		}
		db, held, err = openFile(path)
	}
	if err != nil {
		return err
	}
	s.db, s.usage, s.id = db, held, rand.Text()
	err = db.Update(func(tx *bbolt.Tx) error {
		n, err := startNumber(tx)
		if err != nil {
			return err
		}
		s.bucket = fmt.Appendf(nil, "%s%016x/%s", queuePrefix, n, s.id)
		_, err = tx.CreateBucket(s.bucket)
		return err
	})
	if err != nil {
		s.close()
		return fmt.Errorf("begin the spool: %w", err)
	}
	return nil
}

// startNumber numbers this process's bucket so that it sorts after earlier ones.
func startNumber(tx *bbolt.Tx) (uint64, error) {
	b, err := tx.CreateBucketIfNotExists([]byte("starts"))
	if err != nil {
		return 0, err
	}
	return b.NextSequence()
}

func (u *Usage) add(signals, bytes int64, at time.Time) {
	u.Signals += signals
	u.Bytes += bytes
	if u.Oldest.IsZero() {
		u.Oldest = at
	}
}

// Close closes the spool. Its contents are kept for the next start.
func (s *Spool) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.close()
	s.unusable = errors.New("it is closed")
}

func (s *Spool) close() {
	if s.db != nil {
		_ = s.db.Close() // everything is on disk already
	}
	s.db, s.usage, s.writeErr, s.stuck = nil, Usage{}, nil, &stuck{}
}

// Usable returns why the spool can't take anything now; nil if it can.
func (s *Spool) Usable(now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db == nil {
		return s.unusable
	}
	if s.writeErr != nil {
		return s.writeErr
	}
	return s.hasRoom(now, 1, 1)
}

// Usage returns how much is in the spool.
func (s *Spool) Usage() Usage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.usage
}

// hasRoomForPayloads reports whether there is room for payloads too.
func (s *Spool) hasRoomForPayloads() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.usage.Bytes < s.options.MaxBytes/2 && s.usage.Signals < s.options.MaxSignals/2
}

// hasRoom checks the limits, and the disk's free space once a second.
func (s *Spool) hasRoom(now time.Time, signals, bytes int64) error {
	if s.usage.Signals+signals > s.options.MaxSignals || s.usage.Bytes+bytes > s.options.MaxBytes {
		return ErrFull
	}
	if age := now.Sub(s.roomReadAt); age < 0 || age >= time.Second {
		s.roomReadAt, s.roomErr = now, checkFreeSpace(s.options.Dir)
		if s.roomErr == nil && !sameFile(s.db.Path(), s.options.Dir) {
			s.options.Log.Error().Int64("signals", s.usage.Signals).Msg("somebody has removed the spool's file, and what was in it is lost")
			s.close()
			s.unusable = errors.New("its file was removed")
			return s.unusable
		}
	}
	return s.roomErr
}

// Keep writes a request to the disk and returns once it is durable.
func (s *Spool) Keep(ctx context.Context, r store.SpooledRequest, now time.Time) error {
	value, err := pack(r)
	if err != nil {
		return fmt.Errorf("keep signals: %w", err)
	}
	one := &entry{value: value, signals: int64(len(r.Signals)), at: r.At, done: make(chan error, 1)}
	if err := s.enqueue(one, now); err != nil {
		return fmt.Errorf("keep signals: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, keepLimit)
	defer cancel()
	select {
	case err := <-one.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("keep signals: the disk has not answered: %w", ctx.Err())
	}
}

func (s *Spool) enqueue(one *entry, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db == nil {
		return s.unusable
	}
	signals, bytes := one.signals, int64(len(one.value))
	for _, w := range s.waiting {
		signals, bytes = signals+w.signals, bytes+int64(len(w.value))
	}
	if err := s.hasRoom(now, signals, bytes); err != nil {
		return err
	}
	s.waiting = append(s.waiting, one)
	if !s.committing {
		s.committing = true
		go s.commit()
	}
	return nil
}

// commit writes waiting entries, batch after batch, until none are left.
func (s *Spool) commit() {
	for {
		batch, db, bucket := s.nextBatch()
		if len(batch) == 0 {
			return
		}
		err := errors.New("the spool was closed")
		if db != nil {
			err = putEntries(db, bucket, batch)
		}
		if err != nil {
			s.outages.Error().Err(err).Int("requests", len(batch)).Msg("signals not kept in the spool")
			err = fmt.Errorf("keep signals: %w", err)
		}
		s.mu.Lock()
		s.writeErr = err
		for _, one := range batch {
			if err == nil {
				s.usage.add(one.signals, int64(len(one.value)), one.at)
			}
			one.done <- err
		}
		s.mu.Unlock()
	}
}

// nextBatch takes the entries to write together; without any, the committer has to stop.
func (s *Spool) nextBatch() ([]*entry, *bbolt.DB, []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, size := 0, 0
	for n < min(len(s.waiting), writeEntries) && (n == 0 || size+len(s.waiting[n].value) <= writeBytes) {
		size += len(s.waiting[n].value)
		n++
	}
	batch := s.waiting[:n:n]
	s.waiting = s.waiting[n:]
	s.committing = n > 0
	return batch, s.db, s.bucket
}

func putEntries(db *bbolt.DB, bucket []byte, batch []*entry) error {
	return db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucket)
		b.FillPercent = 0.95 // entries are only appended
		for _, one := range batch {
			n, err := b.NextSequence()
			if err != nil {
				return err
			}
			if err := b.Put(binary.BigEndian.AppendUint64(nil, n), one.value); err != nil {
				return err
			}
		}
		return nil
	})
}

// headSize is the length of an entry's header, before the JSON.
const headSize = 8 + 8 + 4

// pack encodes an entry for the disk: the numbers for Held, a checksum, and the request as JSON.
func pack(r store.SpooledRequest) ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	value := binary.BigEndian.AppendUint64(make([]byte, 0, headSize+len(text)), uint64(len(r.Signals)))
	value = binary.BigEndian.AppendUint64(value, uint64(r.At.UnixNano())) //nolint:gosec // unpack converts it back
	value = binary.BigEndian.AppendUint32(value, crc32.ChecksumIEEE(text))
	return append(value, text...), nil
}

func unpack(value []byte) (signals int64, at time.Time, text []byte, err error) {
	if len(value) < headSize {
		return 0, time.Time{}, nil, errors.New("an entry of the spool is cut off")
	}
	signals = int64(binary.BigEndian.Uint64(value))                    //nolint:gosec // as packed
	at = time.Unix(0, int64(binary.BigEndian.Uint64(value[8:]))).UTC() //nolint:gosec // as packed
	text = value[headSize:]
	if crc32.ChecksumIEEE(text) != binary.BigEndian.Uint32(value[16:]) {
		return 0, time.Time{}, nil, errors.New("an entry of the spool is damaged")
	}
	return signals, at, text, nil
}
