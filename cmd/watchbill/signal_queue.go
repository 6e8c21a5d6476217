package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// Limits of the queue of `watchbill signal`.
const (
	maxQueued     = 10_000
	flushFor      = 30 * time.Second // the maximum length of a run, so that its caller doesn't kill it
	maxAnswerText = 500              // bytes
	lookAgain     = 3                // rounds, for signals added by others meanwhile
	queuedPattern = "%020d.json"
)

// A signalTarget is where a signal is sent.
type signalTarget struct {
	Address string `json:"address"`
	Key     string `json:"key"`
}

// A queuedSignal is one file of the queue.
type queuedSignal struct {
	To   signalTarget    `json:"to"`
	Body json.RawMessage `json:"body"`
}

// A signalQueue is a directory of signals, one per file, numbered in order of arrival. Several
// processes may use it at once: one at a time assigns numbers, and one at a time sends.
type signalQueue struct{ dir string }

func openSignalQueue(dir string) (signalQueue, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return signalQueue{}, err
	}
	return signalQueue{dir}, nil
}

// lock takes a lock that ends with the process, either waiting for it or only if it is free.
func (q signalQueue) lock(name string, wait bool) (unlock func(), got bool, err error) {
	f, err := os.OpenFile(filepath.Join(q.dir, name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false, err
	}
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	for {
		err = syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK) && !wait:
		return nil, false, f.Close()
	case err != nil:
		return nil, false, errors.Join(fmt.Errorf("lock the queue: %w", err), f.Close())
	}
	return func() { f.Close() }, true, nil
}

var queuedName = regexp.MustCompile(`^(\d{20})\.json$`)

// waiting returns the numbers of the waiting signals, in order.
func (q signalQueue) waiting() ([]int64, error) {
	entries, err := os.ReadDir(q.dir)
	if err != nil {
		return nil, err
	}
	var numbers []int64
	for _, e := range entries {
		if m := queuedName.FindStringSubmatch(e.Name()); m != nil {
			if n, err := strconv.ParseInt(m[1], 10, 64); err == nil {
				numbers = append(numbers, n)
			}
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

func (q signalQueue) path(number int64) string {
	return filepath.Join(q.dir, fmt.Sprintf(queuedPattern, number))
}

// add appends a signal. Once it returns, the signal survives a power failure.
func (q signalQueue) add(s queuedSignal) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	unlock, _, err := q.lock("numbering.lock", true)
	if err != nil {
		return err
	}
	defer unlock()
	numbers, err := q.waiting()
	if err != nil {
		return err
	}
	if len(numbers) >= maxQueued {
		return fmt.Errorf("%d signals wait in %s already, which is the most", len(numbers), q.dir)
	}
	number, err := q.nextNumber(numbers)
	if err != nil {
		return err
	}
	return q.write(q.path(number), data)
}

// nextNumber returns a number higher than any used before, including those of sent signals: a clock
// that goes back can't put a signal before an earlier one, and a process still sending an earlier
// one can't delete ours in its place.
func (q signalQueue) nextNumber(waiting []int64) (int64, error) {
	path := filepath.Join(q.dir, "last")
	last := int64(0)
	if data, err := os.ReadFile(path); err == nil {
		last, _ = strconv.ParseInt(string(bytes.TrimSpace(data)), 10, 64) // if damaged, the waiting signals decide
	}
	if len(waiting) > 0 {
		last = max(last, waiting[len(waiting)-1])
	}
	return last + 1, q.write(path, []byte(strconv.FormatInt(last+1, 10)))
}

// write creates a file atomically and durably.
func (q signalQueue) write(path string, data []byte) (err error) {
	f, err := os.CreateTemp(q.dir, "new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the first error is the one that counts
		}
	}()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return q.sync()
}

func (q signalQueue) sync() error {
	d, err := os.Open(q.dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// flush sends the waiting signals, in order, and returns how many remain. If another process is
// sending, it sends ours too.
func (q signalQueue) flush(ctx context.Context, s sender) (left int, err error) {
	ctx, cancel := context.WithTimeout(ctx, flushFor)
	defer cancel()
	for range lookAgain {
		unlock, got, err := q.lock("sending.lock", false)
		if err != nil || !got {
			return 0, err
		}
		left, err = q.sendAll(ctx, s)
		unlock()
		if err != nil {
			return left, err
		}
		if numbers, err := q.waiting(); err != nil || len(numbers) == 0 { // added by others while we were sending
			return len(numbers), err
		}
	}
	return left, nil
}

// sendAll sends one signal after the other. If one can't be sent now, those behind it for the same
// integration wait too; one that Watchbill will never accept is set aside.
func (q signalQueue) sendAll(ctx context.Context, s sender) (left int, err error) {
	numbers, err := q.waiting()
	if err != nil {
		return 0, err
	}
	failed := map[signalTarget]bool{}
	for _, n := range numbers {
		signal, readErr := q.read(n)
		if readErr != nil {
			err = errors.Join(err, refusedError{readErr}, q.putAside(n))
			continue
		}
		if failed[signal.To] {
			left++
			continue
		}
		sent := s.send(ctx, signal)
		var refused refusedError
		switch {
		case sent == nil:
			err = errors.Join(err, os.Remove(q.path(n)))
		case errors.As(sent, &refused):
			err = errors.Join(err, sent, q.putAside(n))
		default:
			failed[signal.To] = true
			err = errors.Join(err, sent)
			left++
		}
	}
	return left, err
}

func (q signalQueue) read(number int64) (s queuedSignal, err error) {
	data, err := os.ReadFile(q.path(number))
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err != nil {
		return s, fmt.Errorf("signal %d of the queue can't be read: %w", number, err)
	}
	return s, nil
}

// putAside moves a signal that can't be sent out of the way.
func (q signalQueue) putAside(number int64) error {
	return os.Rename(q.path(number), q.path(number)+".refused")
}

// A refusedError means that Watchbill will never accept a signal.
type refusedError struct{ cause error }

func (e refusedError) Error() string { return e.cause.Error() }
func (e refusedError) Unwrap() error { return e.cause }

// A sender sends signals to Watchbill.
type sender struct {
	timeout time.Duration
	now     signalTarget // this run's, whose key may be newer than the one that a signal was queued with
}

// send sends one signal. Only 202 means that Watchbill has it, since something in between may
// respond as well.
func (s sender) send(ctx context.Context, signal queuedSignal) error {
	code, err := s.post(ctx, signal.To, signal.Body)
	if err == nil && code == http.StatusUnauthorized && s.now.Address == signal.To.Address && s.now.Key != signal.To.Key {
		code, err = s.post(ctx, s.now, signal.Body)
	}
	switch code {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return refusedError{err}
	case http.StatusUnauthorized:
		return fmt.Errorf("%s refuses the key …%s", signal.To.Address, signal.To.Key[max(0, len(signal.To.Key)-4):])
	}
	return err
}

func (s sender) post(ctx context.Context, to signalTarget, body []byte) (code int, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.Address, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+to.Key)
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswerText)) // shown to people
	if resp.StatusCode == http.StatusUnauthorized {
		return resp.StatusCode, nil
	}
	if resp.StatusCode != http.StatusAccepted {
		return resp.StatusCode, fmt.Errorf("%s answered %s: %s", to.Address, resp.Status, bytes.TrimSpace(answer))
	}
	return resp.StatusCode, nil
}
