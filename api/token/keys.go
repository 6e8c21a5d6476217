package token

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/rs/zerolog"
)

const (
	requestTimeout = 5 * time.Second  // for one call to the issuer
	keysFresh      = time.Hour        // after this they are fetched again, so that withdrawn keys stop working
	keysLast       = 24 * time.Hour   // how long they work while the issuer can't be reached
	keysPause      = 10 * time.Second // between two fetches: strangers may send tokens with any key id
	maxKeys        = 1 << 20          // bytes
	weakestRSA     = 2048             // bits
)

// errIssuerUnavailable is returned while the issuer can't be reached.
var errIssuerUnavailable = errors.New("the issuer of tokens can't be reached")

// keys caches the issuer's public keys.
type keys struct {
	issuer string
	client *http.Client
	log    zerolog.Logger

	asking sync.Mutex // held during a fetch

	mu      sync.Mutex
	found   []jose.JSONWebKey
	read    time.Time // when they were fetched; zero: never
	tried   time.Time // when a fetch was last tried
	failing bool      // that fetch failed
}

func (k *keys) cached() (found []jose.JSONWebKey, read, tried time.Time, failing bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.found, k.read, k.tried, k.failing
}

// verify returns the signed payload if one of the issuer's keys has signed it.
func (k *keys) verify(ctx context.Context, signed *jose.JSONWebSignature, now time.Time) ([]byte, error) {
	found, read, _, _ := k.cached()
	if payload, good := verifyBy(found, signed); good && now.Sub(read) < keysLast {
		if now.Sub(read) < keysFresh {
			return payload, nil
		}
		if !k.asking.TryLock() { // another goroutine is fetching; don't wait for it
			return payload, nil
		}
		found = k.refresh(ctx, now)
		k.asking.Unlock()
		if payload, good = verifyBy(found, signed); good {
			return payload, nil
		}
		return nil, errSignature
	}
	// The issuer may have a new key, or a different one with the same id.
	k.asking.Lock()
	found = k.refresh(ctx, now)
	k.asking.Unlock()
	payload, good := verifyBy(found, signed)
	_, read, _, failing := k.cached()
	switch {
	case good && now.Sub(read) < keysLast:
		return payload, nil
	case failing:
		return nil, errIssuerUnavailable
	}
	return nil, errSignature
}

// refresh fetches the keys, unless that was just tried, and returns those that are known then.
func (k *keys) refresh(ctx context.Context, now time.Time) []jose.JSONWebKey {
	found, _, tried, _ := k.cached()
	if !tried.IsZero() && now.Sub(tried) < keysPause {
		return found
	}
	fresh, err := k.fetch(context.WithoutCancel(ctx)) // other requests wait for it, too
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tried, k.failing = now, err != nil
	if err != nil {
		k.log.Warn().Err(err).Msg("the issuer of tokens can't be asked for its keys")
		return k.found
	}
	k.found, k.read = fresh, now
	return k.found
}

// verifyBy tries the keys that may have made a signature.
func verifyBy(found []jose.JSONWebKey, signed *jose.JSONWebSignature) ([]byte, bool) {
	h := signed.Signatures[0].Protected
	for _, key := range found {
		if h.KeyID != "" && key.KeyID != "" && key.KeyID != h.KeyID || key.Algorithm != "" && key.Algorithm != h.Algorithm {
			continue
		}
		if payload, err := signed.Verify(key.Key); err == nil {
			return payload, true
		}
	}
	return nil, false
}

// fetch gets the issuer's keys from the address in its discovery document.
func (k *keys) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	var about struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := k.get(ctx, strings.TrimSuffix(k.issuer, "/")+"/.well-known/openid-configuration", &about); err != nil {
		return nil, err
	}
	if about.Issuer != k.issuer {
		return nil, fmt.Errorf("the issuer calls itself %q, not %q", about.Issuer, k.issuer)
	}
	u, err := url.Parse(about.Keys)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || strings.HasPrefix(k.issuer, "https:")) {
		return nil, errors.New("the issuer does not say where its keys are")
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := k.get(ctx, about.Keys, &set); err != nil {
		return nil, err
	}
	var found []jose.JSONWebKey
	for _, text := range set.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(text) == nil && signs(key) { // others serve other purposes
			found = append(found, key)
		}
	}
	return found, nil
}

// signs reports whether a key is public, strong enough, and meant for signatures.
func signs(key jose.JSONWebKey) bool {
	if r, ok := key.Key.(*rsa.PublicKey); ok && r.N.BitLen() < weakestRSA {
		return false
	}
	return key.IsPublic() && key.Valid() && (key.Use == "" || key.Use == "sig")
}

func (k *keys) get(ctx context.Context, address string, out any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return fmt.Errorf("ask the issuer: %w", err)
	}
	res, err := k.client.Do(r)
	if err != nil {
		return fmt.Errorf("ask the issuer: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %d", address, res.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxKeys)).Decode(out); err != nil {
		return fmt.Errorf("%s answers with something else than JSON", address)
	}
	return nil
}
