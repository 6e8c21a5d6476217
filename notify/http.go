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

// web speaks HTTP with one service. It follows no redirects, which could carry a secret elsewhere,
// and retries nothing: only the caller knows whether a page may be sent again.
type web struct {
	service string // as errors name it
	client  *http.Client
	limit   time.Duration // for a whole exchange
	longest int64         // bytes read from an answer
	secrets secrets       // in every request, in addition to its own
	foreign bool          // a server that people named: its URLs are secret, and its answers are not quoted
}

func newWeb(service, secret string) *web {
	w := newWebBy(service, careful(&http.Transport{Proxy: http.ProxyFromEnvironment}))
	w.secrets = secrets{secret}
	return w
}

// newForeignWeb speaks with servers that people name. They may name servers that only we can reach, so the answers are
// not quoted to them.
func newForeignWeb(service string, rules AddressRules) *web {
	w := newWebBy(service, rules.Transport())
	w.foreign = true
	return w
}

// careful makes a transport use a new connection for each request: if the service closed an idle one,
// it would be uncertain whether a page was sent.
func careful(transport *http.Transport) *http.Transport {
	transport.DisableKeepAlives = true
	transport.TLSHandshakeTimeout = webLimit
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	return transport
}

func newWebBy(service string, transport http.RoundTripper) *web {
	return &web{service: service, limit: webLimit, longest: webBody, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// webAnswer is the answer of a service.
type webAnswer struct {
	status  int
	header  http.Header
	body    []byte
	secrets secrets // in the request, which the answer may repeat
	foreign bool    // the answer is not quoted
}

// quote is the beginning of an answer.
func (a webAnswer) quote() string {
	if a.foreign {
		return "what it says is not repeated"
	}
	return a.secrets.quote(a.body)
}

// post sends a body and returns the complete answer, or a receipt that says why there is none.
func (w *web) post(ctx context.Context, address, contentType string, body []byte, header http.Header) (webAnswer, *Receipt) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return webAnswer{}, &Receipt{Outcome: Rejected, Err: fmt.Errorf("%s: %w", w.service, bare(err))}
	}
	maps.Copy(r.Header, header)
	r.Header.Set("Content-Type", contentType)
	r.GetBody = nil // so that the client can't send it again
	return w.exchange(r)
}

func (w *web) postJSON(ctx context.Context, address string, body any, header http.Header) (webAnswer, *Receipt) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // escapes take six bytes for one, and services limit the size
	if err := e.Encode(body); err != nil {
		return webAnswer{}, &Receipt{Outcome: Rejected, Err: fmt.Errorf("%s: encode the message: %w", w.service, err)}
	}
	return w.post(ctx, address, "application/json", b.Bytes(), header)
}

// get requests something. That has no effect on the service, so any failure is just an error.
func (w *web) get(ctx context.Context, address string, header http.Header) (webAnswer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return webAnswer{}, fmt.Errorf("%s: %w", w.service, bare(err))
	}
	maps.Copy(r.Header, header)
	a, failed := w.exchange(r)
	if failed != nil {
		return webAnswer{}, failed.Err
	}
	return a, nil
}

// exchange sends a request and reads the answer.
func (w *web) exchange(r *http.Request) (webAnswer, *Receipt) {
	known := w.known(r)
	ctx, cancel := context.WithTimeout(r.Context(), w.limit)
	defer cancel()
	var begun atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaderField: func(string, []string) { begun.Store(true) }})
	response, err := w.client.Do(r.WithContext(ctx))
	if err != nil {
		return webAnswer{}, w.unanswered(err, known, begun.Load())
	}
	defer response.Body.Close()
	a := webAnswer{status: response.StatusCode, header: response.Header, secrets: known, foreign: w.foreign}
	a.body, err = io.ReadAll(io.LimitReader(response.Body, w.longest))
	if err != nil && a.status < http.StatusBadRequest {
		return webAnswer{}, w.unanswered(err, known, true)
	}
	return a, nil
}

// known returns the secrets in a request.
func (w *web) known(r *http.Request) secrets {
	out := append(carried(r), w.secrets...)
	if w.foreign {
		out = append(out, wholly(r.URL)...)
	}
	return out
}

// unanswered is the receipt of a request without an answer.
func (w *web) unanswered(err error, known secrets, begun bool) *Receipt {
	said := known.clean(bare(err))
	if w.foreign {
		said = inOwnWords(err)
	}
	r := &Receipt{Outcome: Unknown, Err: fmt.Errorf("%s: %w", w.service, said)}
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case errors.Is(err, errForbiddenAddress):
		r.Outcome = Rejected
	case certificate && w.foreign: // only the server's owner can fix that
		r.Outcome = Rejected
	case certificate:
		r.Outcome = Misconfigured
	case !begun:
		r.Outcome, r.RetryAfter = Throttled, webPause
	}
	return r
}

// inOwnWords rewords an error of a request to a server that people named. The result doesn't contain parts of the answer,
// IP addresses or resolvers, which Go's errors do.
func inOwnWords(err error) error {
	certificate, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	errno, network := errors.AsType[syscall.Errno](err)
	_, lookup := errors.AsType[*net.DNSError](err)
	_, plain := errors.AsType[tls.RecordHeaderError](err)
	said := "the exchange with it broke off"
	switch {
	case errors.Is(err, errForbiddenAddress):
		said = bare(err).Error()
		if dial, ok := errors.AsType[*net.OpError](err); ok {
			said = dial.Err.Error()
		}
	case untrusted:
		said = "its certificate is not trusted"
		if _, other := errors.AsType[x509.HostnameError](certificate); other {
			said = "its certificate is for other names"
		}
		if invalid, ok := errors.AsType[x509.CertificateInvalidError](certificate); ok && invalid.Reason == x509.Expired {
			said = "its certificate has expired, or is not valid yet"
		}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		said = "it has not answered in time"
	case errors.Is(err, context.Canceled):
		said = "the exchange with it was ended here"
	case lookup:
		said = "its name could not be looked up"
	case plain:
		said = "it does not speak TLS"
	case network:
		said = errno.Error()
	}
	return worded{said, err}
}

// webAddress reads the address of a service, and returns nil if it is invalid.
func webAddress(address string) *url.URL {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	return u
}

// hostOf is the host of an address, in one spelling; "" if it has none.
func hostOf(address string) string {
	u := webAddress(address)
	if u == nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// apiProblems says what is wrong with a setting that replaces the address of a service.
func apiProblems(setting, address string) []string {
	if address == "" || webAddress(address) != nil {
		return nil
	}
	return []string{setting + " is not an address such as https://example.com"}
}

// bare is an error without the address that failed, which may contain a secret.
func bare(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// unreached is the finding for a service that gave no answer.
func (w *web) unreached(err error, address, setting string) CheckResult {
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%s has not answered in time", w.service)
	}
	host := "the service"
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		host = u.Host // the rest may contain a secret
	}
	return CheckResult{Text: err.Error(), Remedy: fmt.Sprintf("Check that this machine reaches %s. Check %s.", host, setting)}
}

// unexpected is the finding for an answer that our settings don't explain.
func (w *web) unexpected(a webAnswer, said, setting string) CheckResult {
	f := CheckResult{Text: w.refused(a, said).Err.Error(), Remedy: "Check " + setting + ": something else answers there."}
	if a.status == http.StatusTooManyRequests || a.status >= http.StatusInternalServerError {
		f.Remedy = "Nothing is wrong with our settings: look at the service, and try again later."
	}
	return f
}

// refused is the receipt for an answer that doesn't accept the message, going by its HTTP status.
// Senders whose service says more look at that first.
func (w *web) refused(a webAnswer, said string) Receipt {
	err := fmt.Errorf("%s answered %d", w.service, a.status)
	if !w.foreign {
		err = fmt.Errorf("%w: %s", err, cmp.Or(a.secrets.line(said), a.quote()))
	}
	redirected := a.status >= http.StatusMultipleChoices && a.status < http.StatusBadRequest
	if redirected {
		err = fmt.Errorf("%s answered %d, a redirect, which is not followed", w.service, a.status)
	}
	if w.foreign && (redirected || a.status == http.StatusUnauthorized || a.status == http.StatusProxyAuthRequired) {
		return Receipt{Outcome: Rejected, Err: err} // the address is wrong, not the channel
	}
	switch a.status {
	case http.StatusUnauthorized, http.StatusProxyAuthRequired:
		return Receipt{Outcome: Misconfigured, Err: err}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusRequestTimeout, http.StatusTooEarly:
		return Receipt{Outcome: Throttled, RetryAfter: cmp.Or(askedWait(a.header), webPause), Err: err}
	}
	switch {
	case a.status >= http.StatusInternalServerError:
		return Receipt{Outcome: Unknown, Err: err}
	case a.status >= http.StatusBadRequest:
		return Receipt{Outcome: Rejected, Err: err}
	case redirected:
		return Receipt{Outcome: Misconfigured, Err: err}
	}
	return Receipt{Outcome: Unknown, Err: err}
}

// askedWait is how long a service asks us to wait, or 0. A date is relative to the service's clock.
func askedWait(h http.Header) time.Duration {
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
