// Package spool keeps signals on this machine's disk while the database is away. They are durable there before
// anybody is told that they were accepted, and stored in the database, in order, as soon as it is back.
// Meanwhile the people who were on call when the database was last seen are told that alerts wait.
//
// A Spool is the queue on the disk, Known what is remembered of the set-up, and a Receiver chooses between the
// database and the spool for each request. Every instance has a spool of its own.
package spool
