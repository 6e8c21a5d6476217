package notify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// A Pulse tells independent services that Watchbill works. Each is an address that is called with GET, such as a
// check of healthchecks.io or Dead Man's Snitch; when the calls stop, the service raises the alarm. The addresses are
// secrets.
type Pulse struct {
	addresses []*url.URL
	web       *web
}

// Words before the colon of an address, as in https://GenieKey:SECRET@api.opsgenie.com/…, that say how the rest is sent.
var pulseSchemes = []string{"GenieKey", "Bearer"}

// NewPulse makes a Pulse of addresses that are divided by commas or spaces; nil: there are none.
func NewPulse(list string, rules AddressRules) (*Pulse, error) {
	p := &Pulse{web: newForeignWeb("the pulse", rules)}
	for _, address := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		u := webAddress(address)
		if u == nil {
			return nil, fmt.Errorf("number %d is not an address such as https://hc-ping.com/…", len(p.addresses)+1)
		}
		p.addresses = append(p.addresses, u)
	}
	if len(p.addresses) == 0 {
		return nil, nil //nolint:nilnil // it is no mistake
	}
	return p, nil
}

// Beat calls each address. The error names the hosts that have not answered well, and no more of the addresses.
func (p *Pulse) Beat(ctx context.Context) error {
	results := make(chan error, len(p.addresses))
	for _, u := range p.addresses {
		go func() { results <- p.call(ctx, *u) }()
	}
	var errs []error
	for range p.addresses {
		errs = append(errs, <-results)
	}
	return errors.Join(errs...)
}

func (p *Pulse) call(ctx context.Context, u url.URL) error {
	header := http.Header{"User-Agent": {"Watchbill"}}
	if u.User != nil {
		for _, scheme := range pulseSchemes {
			if secret, given := u.User.Password(); given && strings.EqualFold(u.User.Username(), scheme) {
				header.Set("Authorization", scheme+" "+secret)
				u.User = nil
				break
			}
		}
	}
	a, err := p.web.get(ctx, u.String(), header)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", u.Host, err)
	case a.status < 200 || a.status >= 300:
		return fmt.Errorf("%s: it answered %d", u.Host, a.status)
	}
	return nil
}
