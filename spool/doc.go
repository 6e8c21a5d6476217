// Package spool keeps signals on this machine's disk while the database is unavailable. They are
// durable there before their sender gets a 202, and are stored in the database, in order, as soon
// as it is back. Meanwhile, the people who were on call when the database was last seen are told
// that alerts are waiting.
//
// A Spool is the queue on the disk, Known is the remembered set-up, and a Receiver chooses between
// database and spool for each request. Every instance has a spool of its own.
package spool
