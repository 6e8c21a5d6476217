package notify

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	webLimit   = 8 * time.Second // for a whole exchange
	webBody    = 64 << 10        // bytes read from an answer
	webPause   = 5 * time.Second // if a service asks us to wait without saying how long, or can't be reached
	webExcerpt = 200             // of an answer quoted in an error
)

// httpClient speaks HTTP with one service. It follows no redirects, which could carry a secret
// elsewhere, and retries nothing, because only the caller knows whether a page may be sent again.
type httpClient struct {
	service string // its name in errors
	client  *http.Client
	limit   time.Duration // for a whole exchange
	longest int64         // bytes read from an answer
	secrets secrets       // contained in every request, in addition to the request's own
	foreign bool          // a server that people entered: its URLs are secret, and its responses are not quoted
}

func newHTTPClient(service, secret string) *httpClient {
	w := newHTTPClientOn(service, withoutReuse(&http.Transport{Proxy: http.ProxyFromEnvironment}))
	w.secrets = secrets{secret}
	return w
}

// newUntrustedClient speaks with servers that people enter. These may be servers that only we can
// reach, so people are not shown the responses.
func newUntrustedClient(service string, rules AddressRules) *httpClient {
	w := newHTTPClientOn(service, rules.Transport())
	w.foreign = true
	return w
}

// withoutReuse makes a transport use a new connection for each request. If the service closed an idle
// connection, it would be uncertain whether a page was sent.
func withoutReuse(transport *http.Transport) *http.Transport {
	transport.DisableKeepAlives = true
	transport.TLSHandshakeTimeout = webLimit
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	return transport
}

func newHTTPClientOn(service string, transport http.RoundTripper) *httpClient {
	return &httpClient{service: service, limit: webLimit, longest: webBody, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// httpResponse is the answer of a service.
type httpResponse struct {
	status  int
	header  http.Header
	body    []byte
	secrets secrets // in the request, which the answer may repeat
	foreign bool    // the answer is not quoted
}

// quote returns the beginning of an answer, for a message.
func (r httpResponse) quote() string {
	if r.foreign {
		return "what it says is not repeated"
	}
	return r.secrets.quote(r.body)
}

// post sends a body and returns the complete answer, or a receipt that says why there is none.
func (c *httpClient) post(ctx context.Context, address, contentType string, body []byte, header http.Header) (httpResponse, *Receipt) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return httpResponse{}, &Receipt{Outcome: Rejected, Err: fmt.Errorf("%s: %w", c.service, withoutAddress(err))}
	}
	maps.Copy(r.Header, header)
	r.Header.Set("Content-Type", contentType)
	r.GetBody = nil // so that the client can't send it again
	return c.exchange(r)
}

func (c *httpClient) postJSON(ctx context.Context, address string, body any, header http.Header) (httpResponse, *Receipt) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // an escape takes six bytes instead of one, and services limit the size
	if err := e.Encode(body); err != nil {
		return httpResponse{}, &Receipt{Outcome: Rejected, Err: fmt.Errorf("%s: encode the message: %w", c.service, err)}
	}
	return c.post(ctx, address, "application/json", b.Bytes(), header)
}

// get requests something. That has no effect on the service, so any failure is just an error.
func (c *httpClient) get(ctx context.Context, address string, header http.Header) (httpResponse, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return httpResponse{}, fmt.Errorf("%s: %w", c.service, withoutAddress(err))
	}
	maps.Copy(r.Header, header)
	a, failed := c.exchange(r)
	if failed != nil {
		return httpResponse{}, failed.Err
	}
	return a, nil
}

// exchange sends a request and reads the answer.
func (c *httpClient) exchange(r *http.Request) (httpResponse, *Receipt) {
	known := c.secretsIn(r)
	ctx, cancel := context.WithTimeout(r.Context(), c.limit)
	defer cancel()
	var begun atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaderField: func(string, []string) { begun.Store(true) }})
	response, err := c.client.Do(r.WithContext(ctx))
	if err != nil {
		return httpResponse{}, c.noResponse(err, known, begun.Load())
	}
	defer response.Body.Close()
	a := httpResponse{status: response.StatusCode, header: response.Header, secrets: known, foreign: c.foreign}
	a.body, err = io.ReadAll(io.LimitReader(response.Body, c.longest))
	if err != nil && a.status < http.StatusBadRequest {
		return httpResponse{}, c.noResponse(err, known, true)
	}
	return a, nil
}

// secretsIn returns the secrets in a request.
func (c *httpClient) secretsIn(r *http.Request) secrets {
	out := append(requestSecrets(r), c.secrets...)
	if c.foreign {
		out = append(out, addressSecrets(r.URL)...)
	}
	return out
}

// noResponse returns the receipt of a request without an answer.
func (c *httpClient) noResponse(err error, known secrets, begun bool) *Receipt {
	reason := known.clean(withoutAddress(err))
	if c.foreign {
		reason = rewordError(err)
	}
	receipt := &Receipt{Outcome: Unknown, Err: fmt.Errorf("%s: %w", c.service, reason)}
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case errors.Is(err, errForbiddenAddress):
		receipt.Outcome = Rejected
	case certificate && c.foreign: // only the server's owner can fix that
		receipt.Outcome = Rejected
	case certificate:
		receipt.Outcome = Misconfigured
	case !begun:
		receipt.Outcome, receipt.RetryAfter = Throttled, webPause
	}
	return receipt
}

// rewordError rewords the error of a request to a server that people entered. Unlike Go's errors, the
// result contains no part of the response, no IP addresses and no resolvers.
func rewordError(err error) error {
	certificate, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	errno, network := errors.AsType[syscall.Errno](err)
	_, lookup := errors.AsType[*net.DNSError](err)
	_, plain := errors.AsType[tls.RecordHeaderError](err)
	reason := "the exchange with it broke off"
	switch {
	case errors.Is(err, errForbiddenAddress):
		reason = withoutAddress(err).Error()
		if dial, ok := errors.AsType[*net.OpError](err); ok {
			reason = dial.Err.Error()
		}
	case untrusted:
		reason = "its certificate is not trusted"
		if _, other := errors.AsType[x509.HostnameError](certificate); other {
			reason = "its certificate is for other names"
		}
		if invalid, ok := errors.AsType[x509.CertificateInvalidError](certificate); ok && invalid.Reason == x509.Expired {
			reason = "its certificate has expired, or is not valid yet"
		}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		reason = "it has not answered in time"
	case errors.Is(err, context.Canceled):
		reason = "the exchange with it was ended here"
	case lookup:
		reason = "its name could not be looked up"
	case plain:
		reason = "it does not speak TLS"
	case network:
		reason = errno.Error()
	}
	return rewordedError{reason, err}
}

// parseServiceURL reads the address of a service, and returns nil if it is invalid.
func parseServiceURL(address string) *url.URL {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	return u
}

// hostOf returns the host of an address in a normalised spelling, or "" if it has none.
func hostOf(address string) string {
	u := parseServiceURL(address)
	if u == nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// apiProblems says what is wrong with a setting that replaces the address of a service.
func apiProblems(setting, address string) []string {
	if address == "" || parseServiceURL(address) != nil {
		return nil
	}
	return []string{setting + " is not an address such as https://example.com"}
}

// withoutAddress returns an error without the address that failed, which may contain a secret.
func withoutAddress(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// unreachableResult returns the finding for a service that gave no answer.
func (c *httpClient) unreachableResult(err error, address, setting string) CheckResult {
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%s has not answered in time", c.service)
	}
	host := "the service"
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		host = u.Host // the rest may contain a secret
	}
	return CheckResult{Text: err.Error(), Remedy: fmt.Sprintf("Check that this machine reaches %s. Check %s.", host, setting)}
}

// unexpectedResult returns the finding for an answer that our settings don't explain.
func (c *httpClient) unexpectedResult(a httpResponse, reason, setting string) CheckResult {
	f := CheckResult{Text: c.refusedReceipt(a, reason).Err.Error(), Remedy: "Check " + setting + ": something else answers there."}
	if a.status == http.StatusTooManyRequests || a.status >= http.StatusInternalServerError {
		f.Remedy = "Nothing is wrong with our settings: look at the service, and try again later."
	}
	return f
}

// refusedReceipt returns the receipt for a response that doesn't accept the message, based on its HTTP
// status. Senders for services that say more look at that first.
func (c *httpClient) refusedReceipt(response httpResponse, reason string) Receipt {
	err := fmt.Errorf("%s answered %d", c.service, response.status)
	if !c.foreign {
		err = fmt.Errorf("%w: %s", err, cmp.Or(response.secrets.line(reason), response.quote()))
	}
	redirected := response.status >= http.StatusMultipleChoices && response.status < http.StatusBadRequest
	if redirected {
		err = fmt.Errorf("%s answered %d, a redirect, which is not followed", c.service, response.status)
	}
	if c.foreign && (redirected || response.status == http.StatusUnauthorized || response.status == http.StatusProxyAuthRequired) {
		return Receipt{Outcome: Rejected, Err: err} // the address is wrong, not the channel
	}
	switch response.status {
	case http.StatusUnauthorized, http.StatusProxyAuthRequired:
		return Receipt{Outcome: Misconfigured, Err: err}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusRequestTimeout, http.StatusTooEarly:
		return Receipt{Outcome: Throttled, RetryAfter: cmp.Or(retryAfter(response.header), webPause), Err: err}
	}
	switch {
	case response.status >= http.StatusInternalServerError:
		return Receipt{Outcome: Unknown, Err: err}
	case response.status >= http.StatusBadRequest:
		return Receipt{Outcome: Rejected, Err: err}
	case redirected:
		return Receipt{Outcome: Misconfigured, Err: err}
	}
	return Receipt{Outcome: Unknown, Err: err}
}

// retryAfter returns how long a service asks us to wait, or 0. A date is relative to the service's clock.
func retryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if n, err := strconv.Atoi(value); err == nil {
		return seconds(n)
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return min(max(until.Sub(now), 0), time.Hour)
}

// seconds returns the wait that a service asks for, limited to an hour.
func seconds(n int) time.Duration {
	return time.Duration(min(max(n, 0), 3600)) * time.Second
}
