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
	// tripAfter is how many consecutive failures mark a provider as failing.
	tripAfter = 3
	// probeAfter is how long a failing provider is left alone before one page tests it again.
	probeAfter = 30 * time.Second
)

// maxBreakers limits how many providers are tracked, because people may register any number of servers.
const maxBreakers = 1000

// A provider is a unit that fails or works as a whole: the service behind a contact method, or a server that a person
// registered.
type provider struct {
	method oncall.Method
	server string // a person's own server; empty: the method's service
}

type breaker = gobreaker.TwoStepCircuitBreaker[any]

// breakers tracks failing providers. They change the order in which a person is paged, but never
// keep a page from being sent. They use the machine's clock, because gobreaker accepts no other;
// only the time of the next try depends on it.
type breakers struct {
	changed func(method oncall.Method, open bool) // not called for a person's server

	mu         sync.Mutex
	byProvider map[provider]*breaker
}

func (b *breakers) breaker(of provider) *breaker {
	b.mu.Lock()
	defer b.mu.Unlock()
	if found := b.byProvider[of]; found != nil {
		return found
	}
	if b.byProvider == nil || len(b.byProvider) >= maxBreakers {
		kept := map[provider]*breaker{}
		for p, known := range b.byProvider {
			if p.server == "" {
				kept[p] = known
			}
		}
		b.byProvider = kept // a forgotten server that still fails is detected again
	}
	b.byProvider[of] = gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		Name: string(of.method), Timeout: probeAfter,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= tripAfter },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			if of.server == "" {
				b.changed(of.method, to == gobreaker.StateOpen)
			}
		},
	})
	return b.byProvider[of]
}

// allow reports whether a page's provider is failing while another of the person's methods may work.
// If not, the caller must report the outcome of the call to done.
func (b *breakers) allow(of provider, others []oncall.Method) (done func(notify.Receipt), open bool) {
	report, err := b.breaker(of).Allow()
	if err == nil {
		return func(r notify.Receipt) { report(providerFault(r)) }, false
	}
	if slices.ContainsFunc(others, func(o oncall.Method) bool {
		return o != of.method && b.breaker(provider{method: o}).State() != gobreaker.StateOpen
	}) {
		return nil, true
	}
	return func(notify.Receipt) {}, false
}

// providerFault returns the error of a failing provider. An unreachable recipient or a request to wait is not
// the provider's failure.
func providerFault(r notify.Receipt) error {
	if r.Outcome == notify.Unknown || r.Outcome == notify.Misconfigured {
		return r.Err
	}
	return nil
}
