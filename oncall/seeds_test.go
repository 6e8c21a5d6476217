package oncall

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// seeds returns how many seeds a random test tries: all, or with -short a tenth, as `make test` does under the race
// detector, which has little to find in a package without goroutines and makes it eight times slower.
func seeds(all uint64) uint64 {
	if testing.Short() {
		return all / 10
	}
	return all
}

// enough checks that the seeds tried came to something that often, or with -short at all.
func enough(t *testing.T, what string, seen, least int) {
	t.Helper()
	if testing.Short() {
		least = 1
	}
	if seen < least {
		t.Errorf("%s: seen %d times, want %d: the test tries too little", what, seen, least)
	}
}

// A diary holds what a random test did, told only where it fails: to write it takes longer than the test.
type diary []diaryLine

type diaryLine struct {
	at     time.Time
	format string
	args   []any // values; nothing that changes later
}

func (d *diary) note(at time.Time, format string, args ...any) {
	*d = append(*d, diaryLine{at, format, args})
}

func (d diary) String() string {
	var out strings.Builder
	for _, line := range d {
		fmt.Fprintf(&out, "%s %s\n", line.at.Format(time.TimeOnly), fmt.Sprintf(line.format, line.args...))
	}
	return out.String()
}
