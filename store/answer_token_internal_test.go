package store

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A caller gets a load that began after its call, and concurrent callers share a load.
func TestSigningKeysAreLoadedOnceForMany(t *testing.T) {
	t.Parallel()
	var k keyring
	var loads atomic.Int64
	first, hold := make(chan struct{}), make(chan struct{})
	load := func(context.Context) ([]signingKey, error) {
		n := loads.Add(1)
		if n == 1 {
			close(first)
			<-hold
		}
		return []signingKey{{Secret: []byte{byte(n)}}}, nil
	}
	var all sync.WaitGroup
	all.Go(func() {
		if keys, err := k.renew(t.Context(), load); err != nil || keys[0].Secret[0] != 1 {
			t.Errorf("the first got %v, %v, want the first key", keys, err)
		}
	})
	<-first
	for range 200 {
		all.Go(func() {
			if keys, err := k.renew(t.Context(), load); err != nil || keys[0].Secret[0] < 2 {
				t.Errorf("another got %v, %v, want a later key", keys, err)
			}
		})
	}
	k.known() // is never waited for
	if keys, err := k.renew(canceled(), load); !errors.Is(err, context.Canceled) {
		t.Errorf("who has hung up got %v, %v, want the error %v", keys, err, context.Canceled)
	}
	close(hold)
	all.Wait()
	if n := loads.Load(); n > 10 {
		t.Errorf("%d loads, want at most 10", n)
	}
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestOnlyOldKeysAreLoadedAgain(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for age, want := range map[time.Duration]bool{0: false, 29 * 24 * time.Hour: false, signFor: true, 40 * 24 * time.Hour: true} {
		if got := mayBeOld([]signingKey{{CreatedAt: now.Add(-age)}}, now); got != want {
			t.Errorf("%s: %v, want %v", age, got, want)
		}
	}
	if !mayBeOld(nil, now) {
		t.Error("no keys at all count as fresh, want them loaded")
	}
}
