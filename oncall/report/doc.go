// Package report counts what being on call was like: incidents, how fast they were acknowledged and resolved, when
// people were disturbed, how long they were on call. Facts go in, a Report comes out; nothing here reads a clock or a
// database. docs/reports.md says in words what is counted and how.
//
// Whatever is counted belongs to one period only, so that two periods side by side add up to both together: an
// incident counts when it opened, an interruption when it began, a night when somebody was first woken in it.
// Therefore the facts reach Lead beyond both ends of the period: what began earlier is known as such, and what goes on.
package report
