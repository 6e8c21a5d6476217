package jobs

import (
	"context"
	"fmt"
	"time"
)

// guarded calls a sender with a time limit. A panic counts as the sender's failure.
func guarded(ctx context.Context, limit time.Duration, call func(context.Context) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("the sender panicked: %v", cause)
		}
	}()
	return call(ctx)
}
