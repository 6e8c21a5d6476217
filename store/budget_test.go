package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// Systems that share a budget never have more connections open than it allows; one that waits goes on when another gives back.
func TestBudgetLimitsSystemsTogether(t *testing.T) {
	t.Parallel()
	budget := store.NewBudget(2)
	open := func() *store.System {
		s, err := store.Open(t.Context(), storetest.NewURL(t), store.Options{MaxConns: 2, Budget: budget, Log: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return s
	}
	first, second := open(), open()
	held, err := first.Pool().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other, err := first.Pool().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := second.Ping(ctx); err == nil || budget.Open() != 2 {
		t.Errorf("with both connections in use the second system: %v, %d open; want an error and 2", err, budget.Open())
	}
	done := make(chan error, 1)
	go func() { done <- second.Ping(t.Context()) }()
	if err := other.Conn().Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	other.Release()
	if err := <-done; err != nil || budget.Open() > 2 {
		t.Errorf("after one was given back the second system: %v, %d open; want no error and at most 2", err, budget.Open())
	}
	held.Release()
	first.Close()
	second.Close()
	storetest.Until(t, storetest.Timeout, "no connection counts as open", func() bool { return budget.Open() == 0 })
}
