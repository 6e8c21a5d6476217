package spool

import (
	"fmt"
	"syscall"
)

// The types that statfs reports for file systems in memory.
const (
	tmpfs = 0x01021994
	ramfs = 0x858458f6
)

// InMemory reports whether files in a directory would be lost when the machine restarts.
func InMemory(dir string) bool {
	var s syscall.Statfs_t
	if syscall.Statfs(dir, &s) != nil {
		return false
	}
	kind := uint32(s.Type) //nolint:gosec // the constants have 32 bits
	return kind == tmpfs || kind == ramfs
}

// checkFreeSpace returns an error if the disk has too little space left, since others need it too.
func checkFreeSpace(dir string) error {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return fmt.Errorf("look at the disk: %w", err)
	}
	free, all := s.Bavail*uint64(s.Bsize), s.Blocks*uint64(s.Bsize) //nolint:gosec // a block size is positive
	if free < min(all/10, minFree) {
		return fmt.Errorf("%w: the disk has %d MiB left", ErrFull, free>>20)
	}
	return nil
}

// minFree is how much of a disk stays free; on a smaller disk, a tenth.
const minFree = 1 << 30
