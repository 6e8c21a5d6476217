package main

import (
	"math"
	"testing"
)

func TestConnectionsLeaveFilesForTheRest(t *testing.T) {
	t.Parallel()
	for files, want := range map[uint64]int{0: 16, 90: 16, 220: 90, 1024: 693, 1 << 20: 8192, math.MaxUint64: 8192} {
		if got := connectionsFor(files); got != want {
			t.Errorf("with %d files: %d, want %d", files, got, want)
		}
	}
}
