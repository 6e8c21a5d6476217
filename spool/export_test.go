package spool

import "time"

// Probe tests whether a disk that refused a write works again.
func (s *Spool) Probe(now time.Time) { s.probe(now) }

// Checks returns how often Run has checked for work.
func (rc *Receiver) Checks() int64 { return rc.checks.Load() }

// Sending returns how many messages to people are in progress.
func (rc *Receiver) Sending() int {
	rc.outage.mu.Lock()
	defer rc.outage.mu.Unlock()
	return rc.outage.running
}
