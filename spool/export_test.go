package spool

import "time"

// Probe looks whether a disk that has refused takes something again.
func (s *Spool) Probe(now time.Time) { s.probe(now) }

// Looks is how often the door has looked whether there is something to do.
func (d *Receiver) Looks() int64 { return d.looks.Load() }

// Sending is how many messages to people are under way.
func (d *Receiver) Sending() int {
	d.outage.mu.Lock()
	defer d.outage.mu.Unlock()
	return d.outage.running
}
