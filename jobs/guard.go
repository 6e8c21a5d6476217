package jobs

import (
	"context"
	"fmt"
	"time"
)

// guarded calls something with a time limit. A panic becomes its error; who names it: a sender, a
// listener, a chore.
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
