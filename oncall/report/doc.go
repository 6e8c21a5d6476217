// Package report counts what being on call was like: incidents, how fast they were acknowledged and
// resolved, when people were interrupted, how long they were on call. Facts go in, a Report comes
// out; nothing here reads a clock or a database. docs/reports.md defines the figures.
//
// Everything belongs to exactly one period, so that two adjacent periods add up to the figures of
// both: an incident counts when it opened, an interruption when it began, a night when somebody was
// first woken in it. Therefore the facts extend by Lead beyond both ends of the period, to show
// what began earlier and what continues.
package report
