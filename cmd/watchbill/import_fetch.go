package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A vendorAPI makes requests to a vendor's API, one after another.
type vendorAPI struct {
	ctx    context.Context
	base   string // without a trailing slash
	header http.Header
	client *http.Client
}

// maxWaits is how often we wait when rate-limited.
const maxWaits = 10

// get requests a path. A 404 is not an error: there is nothing.
func (v vendorAPI) get(path string) (answer []byte, there bool, err error) {
	return v.send(http.MethodGet, path, nil)
}

// send makes a request with any method; GraphQL queries are posted.
func (v vendorAPI) send(method, path string, body []byte) (answer []byte, there bool, err error) {
	for range maxWaits {
		req, err := http.NewRequestWithContext(v.ctx, method, v.base+path, bytes.NewReader(body))
		if err != nil {
			return nil, false, err
		}
		req.Header = v.header.Clone()
		resp, err := v.client.Do(req)
		if err != nil {
			return nil, false, err
		}
		answer, err := io.ReadAll(io.LimitReader(resp.Body, maxImported+1))
		resp.Body.Close()
		switch {
		case err != nil:
			return nil, false, err
		case len(answer) > maxImported:
			return nil, false, fmt.Errorf("%s %s: the answer is larger than %d MB", method, path, maxImported>>20)
		case resp.StatusCode == http.StatusNotFound:
			return nil, false, nil
		case resp.StatusCode == http.StatusTooManyRequests:
			if err := pause(v.ctx, retryAfter(resp.Header)); err != nil {
				return nil, false, err
			}
			continue
		case resp.StatusCode == http.StatusUnauthorized, resp.StatusCode == http.StatusForbidden:
			return nil, false, fmt.Errorf("%s %s: the token is refused (%s): a read-only one for the whole account is needed", method, path, resp.Status)
		case resp.StatusCode != http.StatusOK:
			return nil, false, fmt.Errorf("%s %s: %s: %.200s", method, path, resp.Status, answer)
		}
		return answer, true, nil
	}
	return nil, false, fmt.Errorf("%s %s: still too many requests after %d tries", method, path, maxWaits)
}

func retryAfter(h http.Header) time.Duration {
	for _, name := range []string{"Retry-After", "Ratelimit-Reset"} {
		if n, err := strconv.Atoi(h.Get(name)); err == nil && n >= 0 {
			return min(time.Duration(n)*time.Second, time.Minute)
		}
	}
	return 2 * time.Second
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// pageSize is the size of a list's pages, and maxPages how many of them we read.
const (
	pageSize = 100
	maxPages = 1000
)

// list reads all pages of a list by limit and offset, and returns one response with all items under
// the list's key.
func (v vendorAPI) list(path, key string) ([]byte, error) {
	all := []json.RawMessage{}
	sign := "?"
	if strings.Contains(path, "?") {
		sign = "&"
	}
	for range maxPages {
		answer, there, err := v.get(fmt.Sprintf("%s%slimit=%d&offset=%d", path, sign, pageSize, len(all)))
		if err != nil || !there {
			return nil, errors.Join(err, notThere(there, path))
		}
		var page map[string]json.RawMessage
		if err := json.Unmarshal(answer, &page); err != nil {
			return nil, fmt.Errorf("GET %s: %w", path, err)
		}
		var items []json.RawMessage
		if err := json.Unmarshal(page[key], &items); err != nil {
			return nil, fmt.Errorf("GET %s: %s: %w", path, key, err)
		}
		all = append(all, items...)
		if string(page["more"]) != "true" || len(items) == 0 {
			return json.Marshal(map[string]any{key: all})
		}
	}
	return nil, fmt.Errorf("GET %s: it has no end", path)
}

func notThere(there bool, path string) error {
	if there {
		return nil
	}
	return fmt.Errorf("GET %s: there is no such thing", path)
}

// following reads a list whose responses link to the next page, and returns one response with all
// items under the list's key.
func (v vendorAPI) following(path, key string) ([]byte, error) {
	all := []json.RawMessage{}
	for range maxPages {
		answer, there, err := v.get(path)
		if err != nil {
			return nil, err
		}
		if !there {
			return nil, notThere(false, path)
		}
		var page struct {
			Next   string `json:"next"`
			Paging struct {
				Next string `json:"next"`
			} `json:"paging"`
		}
		var lists map[string]json.RawMessage
		if err := errors.Join(json.Unmarshal(answer, &page), json.Unmarshal(answer, &lists)); err != nil {
			return nil, fmt.Errorf("GET %s: %w", path, err)
		}
		var items []json.RawMessage
		if err := json.Unmarshal(lists[key], &items); err != nil {
			return nil, fmt.Errorf("GET %s: %s: %w", path, key, err)
		}
		all = append(all, items...)
		to := cmp.Or(page.Paging.Next, page.Next)
		next, err := url.Parse(to)
		if err != nil || to == "" || len(items) == 0 {
			return json.Marshal(map[string]any{key: all})
		}
		// Only the path is used, so that the key goes nowhere else. The base address may have a
		// path of its own.
		path = next.RequestURI()
		if base, err := url.Parse(v.base); err == nil {
			path = strings.TrimPrefix(path, base.Path)
		}
	}
	return nil, fmt.Errorf("GET %s: it has no end", path)
}
