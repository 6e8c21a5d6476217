package spool

import (
	"fmt"
	"syscall"
)

// What statfs calls file systems that are in memory.
const (
	tmpfs = 0x01021994
	ramfs = 0x858458f6
)

// InMemory reports whether the files of a directory would be lost when the machine restarts.
func InMemory(dir string) bool {
	var s syscall.Statfs_t
	if syscall.Statfs(dir, &s) != nil {
		return false
	}
	kind := uint32(s.Type) //nolint:gosec // the numbers have 32 bits
	return kind == tmpfs || kind == ramfs
}

// roomOn says that there is too little space for more: others need the disk as well.
func roomOn(dir string) error {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return fmt.Errorf("look at the disk: %w", err)
	}
	free, all := s.Bavail*uint64(s.Bsize), s.Blocks*uint64(s.Bsize) //nolint:gosec // a size
	if free < min(all/10, leaveFree) {
		return fmt.Errorf("%w: the disk has %d MiB left", ErrFull, free>>20)
	}
	return nil
}

// leaveFree is what is left of a disk, or a tenth of a smaller one.
const leaveFree = 1 << 30
