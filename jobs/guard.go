package jobs

import (
	"context"
	"fmt"
	"time"
)

// guarded calls a function with a time limit and turns a panic into an error. The argument who names
// the caller in that error: a sender, a listener or a chore.
func guarded(ctx context.Context, who string, limit time.Duration, call func(context.Context) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("the %s panicked: %v", who, cause)
		}
	}()
	return call(ctx)
}
