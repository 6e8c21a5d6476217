package jobs

import (
	"slices"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
)

const (
	// tripAfter is how many failures in a row count as a failing provider.
	tripAfter = 3
	// probeAfter is when one page tries whether the provider works again.
	probeAfter = 30 * time.Second
)

// breakers tracks failing providers. They change the order in which a person is paged, but never
// keep a page from being sent. They use the machine's clock, because gobreaker accepts no other;
// only the time of the next try depends on it.
type breakers struct {
	changed func(method oncall.Method, open bool)

	mu sync.Mutex
	of map[oncall.Method]*gobreaker.TwoStepCircuitBreaker[any]
}

func (b *breakers) breaker(method oncall.Method) *gobreaker.TwoStepCircuitBreaker[any] {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.of == nil {
		b.of = map[oncall.Method]*gobreaker.TwoStepCircuitBreaker[any]{}
	}
	if b.of[method] == nil {
		b.of[method] = gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
			Name: string(method), Timeout: probeAfter,
			ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= tripAfter },
			OnStateChange: func(_ string, _, to gobreaker.State) {
				b.changed(method, to == gobreaker.StateOpen)
			},
		})
	}
	return b.of[method]
}

// ask reports whether a method's provider is failing while another of the person's methods may work.
// If not, the caller must report the outcome of the call to done.
func (b *breakers) ask(method oncall.Method, others []oncall.Method) (done func(notify.Receipt), open bool) {
	report, err := b.breaker(method).Allow()
	if err == nil {
		return func(r notify.Receipt) { report(failure(r)) }, false
	}
	if slices.ContainsFunc(others, func(o oncall.Method) bool { return o != method && b.breaker(o).State() != gobreaker.StateOpen }) {
		return nil, true
	}
	return func(notify.Receipt) {}, false
}

// failure is the error of a failing provider. An unreachable recipient or a request to wait is not
// the provider's failure.
func failure(r notify.Receipt) error {
	if r.Outcome == notify.Unknown || r.Outcome == notify.Misconfigured {
		return r.Err
	}
	return nil
}
