package store

import "testing"

func TestSharedSessionsAreRecognised(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b   []int32
		shared bool
	}{
		{[]int32{1, 1, 1}, []int32{2, 2, 2}, false},
		{[]int32{1, 1, 1}, []int32{1, 1, 1}, true}, // as a pooler does that prefers the session used last
		{[]int32{1, 3, 1}, []int32{2, 2, 2}, true}, // as one that takes turns
		{[]int32{1, 1, 1}, []int32{2, 1, 2}, true},
		{nil, nil, false},
	} {
		if got := sessionsShared(c.a, c.b); got != c.shared {
			t.Errorf("%v and %v: %t, want %t", c.a, c.b, got, c.shared)
		}
	}
}
