package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/web"
)

// lookAtProviders starts checking those who vouch for people and services, and returns a function that waits for the
// findings and prints them.
func (c *doctorCmd) lookAtProviders(r *report, limit time.Duration) func() {
	found, service := make(chan []web.Finding, 1), make(chan error, 1)
	ctx, cancel := context.WithTimeout(r.ctx, limit)
	provider := c.webFlags.settings().provider(c.PublicURL, r.clock)
	go func() {
		if provider == nil {
			found <- nil
			return
		}
		found <- provider.Check(ctx)
	}()
	checker := c.checker(zerolog.Nop())
	go func() {
		if checker == nil {
			service <- nil
			return
		}
		service <- checker.CheckIssuer(ctx)
	}()
	return func() {
		defer cancel()
		for _, f := range <-found {
			switch {
			case f.OK:
				r.ok("sign-in", f.Text)
			case f.Note:
				r.note("sign-in", f.Text, f.Remedy)
			default:
				r.fail("sign-in", f.Text, f.Remedy)
			}
		}
		switch err := <-service; {
		case err != nil:
			r.fail("tokens", fmt.Sprintf("the issuer %s can't be used: %v", c.JWTIssuer, err),
				"WATCHBILL_JWT_ISSUER has to be the issuer exactly as its /.well-known/openid-configuration says, and reachable from here.")
		case checker != nil:
			r.ok("tokens", "the issuer "+c.JWTIssuer+" tells with which keys it signs")
		}
	}
}
