package jobs

import (
	"context"
	"fmt"
	"time"
)

// guarded makes a call to the outside with a time limit. A panic becomes an error of whoever is called,
// which who names: a sender, a listener, a drawer.
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
