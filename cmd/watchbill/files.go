package main

import (
	"math"
	"syscall"
)

const (
	// ownFiles is how many open files the rest of the program may need: the database, Slack,
	// providers.
	ownFiles       = 100
	maxConnections = 8192
	fewConnections = 16
)

// openFiles returns how many files the process may have open.
func openFiles() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxUint64
	}
	return limit.Cur
}

// connectionsFor returns how many client connections the HTTP server may hold, leaving files for
// everything else.
func connectionsFor(files uint64) int {
	left := files - min(files, ownFiles)
	return int(min(max(left/4*3, fewConnections), maxConnections)) //nolint:gosec // the value is small
}
