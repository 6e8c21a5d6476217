package rest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/watchbill/watchbill/oncall"
)

// lookupPatience is how long the database may take to say whose a key is.
const lookupPatience = 3 * time.Second

// admit lets a request through that has a good key with the scope of its operation, within the key's limit.
func (s *server) admit(ctx huma.Context, next func(huma.Context)) {
	now := s.Clock()
	key, ok := bearer(ctx.Header("Authorization"))
	if !ok {
		s.turnAway(ctx, now, "The request has no API key; send it with the header Authorization: Bearer KEY.")
		return
	}
	look, cancel := context.WithTimeout(ctx.Context(), lookupPatience)
	k, err := s.Store.APIKeyBy(look, key, now)
	cancel()
	switch {
	case errors.Is(err, oncall.ErrNotFound):
		s.turnAway(ctx, now, "This API key is not known; it may have expired, or been revoked or replaced.")
		return
	case err != nil:
		s.write(ctx, s.problem(err))
		return
	}
	if wait := s.limit(ctx, k, now); wait > 0 {
		refuseBusy(ctx, wait, fmt.Sprintf("This API key may ask %d times a minute.", s.Limit))
		return
	}
	if need := scopeOf(ctx.Operation()); !k.Allows(need) {
		_ = huma.WriteErr(s.api, ctx, http.StatusForbidden, fmt.Sprintf("This takes an API key with the scope %q, which %q does not have.", need, k.Name))
		return
	}
	next(huma.WithValue(ctx, callerKey{}, caller{by: oncall.ByKey(k), key: k, now: now}))
}

// scopeOf is the scope that an operation takes.
func scopeOf(op *huma.Operation) oncall.Scope {
	for _, one := range op.Security {
		for _, scope := range one["key"] {
			return oncall.Scope(scope)
		}
	}
	return oncall.ScopeAdmin
}

// bearer reads the key of a header.
func bearer(header string) (string, bool) {
	scheme, key, found := strings.Cut(header, " ")
	key = strings.TrimSpace(key)
	return key, found && strings.EqualFold(scheme, "Bearer") && key != "" && len(key) < 4096
}

// The bounds of who asks without a good key.
const (
	strikesAllowed = 30 // a minute, of one network
)

// turnAway answers a request without a good key; of one network only so many.
func (s *server) turnAway(ctx huma.Context, now time.Time, why string) {
	if _, wait := s.limits.take("from "+network(ctx.RemoteAddr()), strikesAllowed, now); wait > 0 {
		refuseBusy(ctx, wait, "Too many requests without a good key came from this address; correct the key.")
		return
	}
	ctx.SetHeader("WWW-Authenticate", `Bearer realm="watchbill"`)
	_ = huma.WriteErr(s.api, ctx, http.StatusUnauthorized, why)
}

// limit counts a request of a key, and returns how long it has to wait.
func (s *server) limit(ctx huma.Context, k oncall.APIKey, now time.Time) time.Duration {
	if s.Limit <= 0 {
		return 0
	}
	left, wait := s.limits.take("key "+strconv.FormatInt(int64(k.ID), 10), s.Limit, now)
	ctx.SetHeader("RateLimit-Policy", fmt.Sprintf(`"key";q=%d;w=60`, s.Limit))
	ctx.SetHeader("RateLimit", fmt.Sprintf(`"key";r=%d;t=%d`, left, seconds(wait)))
	return wait
}

func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

func refuseBusy(ctx huma.Context, wait time.Duration, why string) {
	ctx.SetHeader("Retry-After", strconv.Itoa(max(1, seconds(wait))))
	writeProblem(ctx, http.StatusTooManyRequests, why)
}

// network is the address itself, or the /64 around an IPv6 address, which one peer usually owns.
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
