package rest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/watchbill/watchbill/oncall"
)

// lookupTimeout is how long the database may take to look up a key.
const lookupTimeout = 3 * time.Second

// A rejection is why a request was refused.
type rejection struct {
	status int
	why    string
	wait   time.Duration // until a retry makes sense
}

// admit lets a request through if its key is valid, has the operation's scope and is within its
// rate limit.
func (s *server) admit(ctx huma.Context, next func(huma.Context)) {
	key := bearer(ctx.Header("Authorization"), "Bearer")
	c, no, err := s.identify(ctx.Context(), key, ctx.RemoteAddr(), scopeOf(ctx.Operation()), ctx.SetHeader)
	switch {
	case err != nil:
		s.write(ctx, s.problem(err))
	case no == nil:
		next(huma.WithValue(ctx, callerKey{}, c))
	case no.wait > 0:
		ctx.SetHeader("Retry-After", strconv.Itoa(max(1, seconds(no.wait))))
		writeProblem(ctx, no.status, no.why)
	default:
		_ = huma.WriteErr(s.api, ctx, no.status, no.why)
	}
}

// identify returns the owner of a key, if it has a scope and is within its rate limit. It sets the
// corresponding response headers.
func (s *server) identify(ctx context.Context, key, remote string, need oncall.Scope, header func(name, value string)) (c caller, no *rejection, err error) {
	now := s.Clock()
	if key == "" {
		return c, s.rejectKey(remote, now, header, "The request has no API key; send it with the header Authorization: Bearer KEY."), nil
	}
	k, err := s.keyOf(ctx, key, now)
	if errors.Is(err, oncall.ErrNotFound) {
		return c, s.rejectKey(remote, now, header, "This API key is not known; it may have expired, or been revoked or replaced."), nil
	}
	if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
		no := s.rejectKey(remote, now, header, refusal.Error())
		if no.status == http.StatusUnauthorized {
			header("WWW-Authenticate", `Bearer realm="watchbill", error="invalid_token"`)
		}
		return c, no, nil
	}
	if err != nil {
		return c, nil, err
	}
	if wait := s.limit(header, k, now); wait > 0 {
		return c, &rejection{http.StatusTooManyRequests, fmt.Sprintf("This API key may ask %d times a minute.", s.Limit), wait}, nil
	}
	if need != anyScope && !k.Allows(need) {
		return c, &rejection{status: http.StatusForbidden, why: fmt.Sprintf("This takes an API key with the scope %q, which %q does not have.", need, k.Name)}, nil
	}
	return caller{by: oncall.ByKey(k), key: k, now: now}, nil, nil
}

// keyOf finds an API key, or the one that stands for the service whose token is shown in its place.
func (s *server) keyOf(ctx context.Context, key string, now time.Time) (oncall.APIKey, error) {
	look, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	if s.Tokens == nil || strings.Count(key, ".") != 2 {
		return s.Store.APIKeyBy(look, key, now)
	}
	owner, err := s.Tokens.Check(ctx, key, now)
	if _, refused := errors.AsType[oncall.Refusal](err); err != nil && !refused {
		s.outages.Warn().Err(err).Msg("a token can't be checked")
		return oncall.APIKey{}, huma.ErrorWithHeaders(huma.NewError(http.StatusServiceUnavailable, "The issuer of tokens can't be reached, so that this one can't be checked; try again."), http.Header{"Retry-After": {"10"}})
	}
	if err == nil && len(owner.Scopes) == 0 {
		err = oncall.Refuse("This token names no scope of Watchbill: %s.", "read, page, act, edit or admin")
	}
	if err != nil {
		return oncall.APIKey{}, err
	}
	return s.Store.ServiceKey(look, owner, now)
}

// scopeOf returns the scope that an operation requires.
func scopeOf(op *huma.Operation) oncall.Scope {
	for _, one := range op.Security {
		scopes, keyed := one["key"]
		switch {
		case keyed && len(scopes) == 0:
			return anyScope
		case keyed:
			return oncall.Scope(scopes[0])
		}
	}
	return oncall.ScopeAdmin
}

// bearer returns the key in a header that begins with one of the schemes; "" if there is none.
func bearer(header string, schemes ...string) string {
	scheme, key, found := strings.Cut(header, " ")
	key = strings.TrimSpace(key)
	known := slices.ContainsFunc(schemes, func(s string) bool { return strings.EqualFold(s, scheme) })
	if !found || !known || len(key) >= 12<<10 {
		return ""
	}
	return key
}

// Limits for requests without a valid key.
const (
	strikesAllowed = 30 // per minute and network
)

// rejectKey refuses a request without a valid key, and limits how many of these a network may make.
func (s *server) rejectKey(remote string, now time.Time, header func(name, value string), why string) *rejection {
	if _, wait := s.limits.take("from "+network(remote), strikesAllowed, now); wait > 0 {
		return &rejection{http.StatusTooManyRequests, "Too many requests without a good key came from this address; correct the key.", wait}
	}
	header("WWW-Authenticate", `Bearer realm="watchbill"`)
	return &rejection{status: http.StatusUnauthorized, why: why}
}

// limit counts a request of a key, and returns how long it has to wait.
func (s *server) limit(header func(name, value string), k oncall.APIKey, now time.Time) time.Duration {
	if s.Limit <= 0 {
		return 0
	}
	left, wait := s.limits.take("key "+strconv.FormatInt(int64(k.ID), 10), s.Limit, now)
	header("RateLimit-Policy", fmt.Sprintf(`"key";q=%d;w=60`, s.Limit))
	header("RateLimit", fmt.Sprintf(`"key";r=%d;t=%d`, left, seconds(wait)))
	return wait
}

func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

// network returns the address itself, or the /64 around an IPv6 address, which one peer usually
// owns.
func network(remote string) string {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return ""
	}
	addr := peer.Addr().Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits) // both widths are valid
	return p.String()
}
