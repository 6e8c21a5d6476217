package notify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// A Pulse reports to independent services that Watchbill works, by a GET request to a URL of each. Such a service, for
// example healthchecks.io or Dead Man's Snitch, raises the alarm when the requests stop. The URLs are secret.
type Pulse struct {
	addresses []*url.URL
	web       *httpClient
}

// pulseSchemes are user names, as in https://GenieKey:SECRET@api.opsgenie.com/…, that name the authentication scheme in
// which the password is sent.
var pulseSchemes = []string{"GenieKey", "Bearer"}

// NewPulse makes a Pulse from URLs separated by commas or spaces. It returns nil for an empty list.
func NewPulse(list string, rules AddressRules) (*Pulse, error) {
	p := &Pulse{web: newUntrustedClient("the pulse", rules)}
	for _, address := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		u := parseServiceURL(address)
		if u == nil {
			return nil, fmt.Errorf("number %d is not an address such as https://hc-ping.com/…", len(p.addresses)+1)
		}
		p.addresses = append(p.addresses, u)
	}
	if len(p.addresses) == 0 {
		return nil, nil //nolint:nilnil // a Pulse is optional
	}
	return p, nil
}

// Send calls each URL. The error names only the hosts that failed, because the URLs are secret.
func (p *Pulse) Send(ctx context.Context) error {
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

func (p *Pulse) call(ctx context.Context, address url.URL) error {
	header := http.Header{"User-Agent": {"Watchbill"}}
	if address.User != nil {
		for _, scheme := range pulseSchemes {
			if secret, given := address.User.Password(); given && strings.EqualFold(address.User.Username(), scheme) {
				header.Set("Authorization", scheme+" "+secret)
				address.User = nil
				break
			}
		}
	}
	a, err := p.web.get(ctx, address.String(), header)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", address.Host, err)
	case a.status < 200 || a.status >= 300:
		return fmt.Errorf("%s: it answered %d", address.Host, a.status)
	}
	return nil
}
