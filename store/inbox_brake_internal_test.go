package store

import (
	"testing"
	"time"
)

func TestOnlyACrowdWaitsForFolding(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		callers int
		behind  time.Duration
		want    time.Duration
	}{
		{callers: 1, behind: time.Minute, want: 0},
		{callers: brakeCrowd - 1, behind: time.Minute, want: 0},
		{callers: brakeCrowd, behind: 0, want: 0},
		{callers: brakeCrowd, behind: brakeAfterLag - 1, want: 0},
		{callers: brakeCrowd, behind: 400 * time.Millisecond, want: 100 * time.Millisecond},
		{callers: 128, behind: time.Second, want: 250 * time.Millisecond},
		{callers: 128, behind: time.Hour, want: brakeMaxPause},
		{callers: 128, behind: -time.Hour, want: 0}, // another instance's clock is ahead
	} {
		if got := (brake{behind: c.behind}).pause(c.callers); got != c.want {
			t.Errorf("%d callers, folding %s behind: a pause of %s; want %s", c.callers, c.behind, got, c.want)
		}
	}
}
