package store

import (
	"context"
	"fmt"
)

// swiftBatch is how many signals a frugal session folds in one transaction. More than one such batch is
// left to a connection made for folding, so that the session goes on looking for other work.
const swiftBatch = 50

// fold folds waiting signals by the session, which needs no new connection. What takes longer, or
// fails, is left to Run.
func (f *frugalSession) fold() error {
	f.woken = false
	if f.store.folding.Load() { // Run has a connection, which is woken by signals, too
		return nil
	}
	ctx, cancel := context.WithTimeout(f.life, foldLimit)
	defer cancel()
	var ours bool
	if err := f.worker.conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, foldLock).Scan(&ours); err != nil {
		return fmt.Errorf("try to take the lock on the inbox: %w", err)
	}
	if !ours {
		f.leave()
		return nil
	}
	done, err := f.foldBatch(ctx)
	if f.worker.conn.IsClosed() {
		return fmt.Errorf("fold by the session: %w", err)
	}
	if _, err := f.worker.conn.Exec(ctx, `SELECT pg_advisory_unlock($1)`, foldLock); err != nil {
		return fmt.Errorf("release the lock on the inbox: %w", err)
	}
	f.passed = 0
	if !done {
		f.store.wakeInbox()
	}
	return nil
}

// foldBatch folds one batch and reports whether nothing is left. Run meets the cause of an error, too,
// and deals with it.
func (f *frugalSession) foldBatch(ctx context.Context) (done bool, err error) {
	f.worker.unblock()
	more, err := f.worker.foldNext(ctx, nil)
	if err != nil || more || len(f.worker.blocked) > 0 {
		return false, err
	}
	released, err := f.worker.releaseHeld(ctx)
	f.woken = f.woken || released > 0
	return err == nil, err
}

// leave leaves the inbox to the instance that folds. If that takes long, Run finds out whether it is
// still alive.
func (f *frugalSession) leave() {
	if f.passed++; f.passed > leaveFor {
		f.passed = 0
		f.store.wakeInbox()
	}
}

// leaveFor is how many times the inbox is left to another instance before Run looks at it.
const leaveFor = 3
