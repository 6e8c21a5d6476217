package jobs

import (
	"slices"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/watchbill/watchbill/notify"
)

const (
	// tripAfter is how many failures in a row show that a provider fails.
	tripAfter = 3
	// probeAfter is when one page tries whether it works again.
	probeAfter = 30 * time.Second
)

// breakers know which providers fail. They change the order in which a person is paged,
// and never keep a page from going out. They go by the machine's clock, as gobreaker takes
// no other; all that depends on it is when a provider is tried again.
type breakers struct {
	changed func(method string, open bool)

	mu sync.Mutex
	of map[string]*gobreaker.TwoStepCircuitBreaker[any]
}

func (b *breakers) breaker(method string) *gobreaker.TwoStepCircuitBreaker[any] {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.of == nil {
		b.of = map[string]*gobreaker.TwoStepCircuitBreaker[any]{}
	}
	if b.of[method] == nil {
		b.of[method] = gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
			Name: method, Timeout: probeAfter,
			ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= tripAfter },
			OnStateChange: func(name string, _, to gobreaker.State) {
				b.changed(name, to == gobreaker.StateOpen)
			},
		})
	}
	return b.of[method]
}

// ask tells whether a method's provider fails while another of the person's may work. If
// not, done is to be told what came of the call.
func (b *breakers) ask(method string, others []string) (done func(notify.Receipt), open bool) {
	report, err := b.breaker(method).Allow()
	if err == nil {
		return func(r notify.Receipt) { report(failure(r)) }, false
	}
	if slices.ContainsFunc(others, func(o string) bool { return o != method && b.breaker(o).State() != gobreaker.StateOpen }) {
		return nil, true
	}
	return func(notify.Receipt) {}, false
}

// failure is the provider's: a recipient who can't be reached, or a wish to wait, is none.
func failure(r notify.Receipt) error {
	if r.Outcome == notify.Unknown || r.Outcome == notify.Misconfigured {
		return r.Err
	}
	return nil
}
