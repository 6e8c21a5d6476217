package spool

import "time"

// Probe tests whether a disk that refused a write works again.
func (s *Spool) Probe(now time.Time) { s.probe(now) }

// Looks is how often Run has checked for work.
func (d *Receiver) Looks() int64 { return d.looks.Load() }

// Sending is how many messages to people are in progress.
func (d *Receiver) Sending() int {
	d.outage.mu.Lock()
	defer d.outage.mu.Unlock()
	return d.outage.running
}
