// Package store keeps everything that Watchbill knows in PostgreSQL. One exported method is one
// transaction, as TestExportedMethodIsOneTransaction checks. The transaction locks the rows that will change,
// loads what a rule of package oncall needs, lets the rule decide, and saves the decision together with its
// timeline and its jobs, or saves nothing at all.
//
// Signals take two steps. Accept writes them to the inbox, many callers in one commit, and returns
// when they are durable. Run folds the inbox into incidents, in order. Only one instance folds at a time;
// another takes over when that instance loses its connection.
//
// # Store and System
//
// A Store does what people ask for; packages bot and answers get nothing else. Its methods take the actor and
// ask package access for permission (access.go); TestEveryMethodForPeopleTakesTheActor lists the few exceptions.
// A System embeds a Store and adds the work that no person asks for: accepting signals, running timers, sending
// pages, drawing messages, repairs. The queue's workers, api, spool and cmd use the System; the linter keeps the
// other packages from it.
//
// # Locks
//
// A transaction locks rows in this order: an answer, incidents by id, what a recipient was told last
// (the table reaches), pages, contact methods. The advisory locks are listed in locks.go.
//
// # Files
//
// This is one package of some 24,500 lines with its blanks and comments, because nearly every transaction
// changes several tables: a page, an answer and a hand-off all lock, load and save incidents, with the same unexported
// functions. Two packages would have to export those functions, and any caller could then save half of a change.
// The files are named noun first: answer_ (texts and calls from people), contact_ (phones and devices), inbox_
// (from a signal to an incident), incident_, page_, queue_ (River's jobs), schedule_, setup_ (applying the
// set-up file), and one for each smaller noun.
package store
