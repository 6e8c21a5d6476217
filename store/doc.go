// Package store keeps everything that Watchbill knows in PostgreSQL. One exported method is one
// transaction, as TestOneExportedMethodIsOneTransaction checks: it locks what it changes, loads what
// a rule of package oncall needs, lets it decide, and saves the decision together with its timeline
// and the jobs that follow from it, or nothing at all.
//
// Signals take two steps. Accept writes them to the inbox, many callers in one commit, and returns
// when they are durable. Run folds the inbox into incidents, in order; of all instances one does so
// at a time, and another takes over when its connection is lost.
//
// # Faces
//
// A Store does what somebody asked for: bot and answers get nothing else. Its methods take the actor and
// ask package access (access.go); TestEveryMethodForPeopleTakesTheActor lists the few that don't. A System
// embeds it and does what nobody asks for: it takes signals in, runs timers, sends pages, draws, repairs. The
// queue's workers, api, spool and cmd use it; the linter keeps it from the rest.
//
// # Locks
//
// A transaction locks rows in this order: an answer, incidents by id, what a recipient was told last
// (the table reaches), pages, contact methods. The advisory locks are listed in locks.go.
//
// # Files
//
// This is one package of some 19,800 lines with its blanks and comments, because nearly every transaction
// changes several tables: a page, an answer and a hand-off all lock, load and save incidents, with the same unexported
// functions. Two packages would have to export those, and anybody could take half a step. Its files are
// named noun first: answer_ (what people send back), contact_ (how they are reached), inbox_ (from a
// signal to an incident), incident_, page_, queue_ (River's jobs), schedule_, setup_ (what Apply
// does), and one for each smaller noun.
package store
