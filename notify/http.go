package notify

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	webLimit   = 8 * time.Second // for a whole exchange
	webBody    = 64 << 10        // bytes of an answer that are read
	webPause   = 5 * time.Second // when a service asks to wait and doesn't say how long, or is out of reach
	webExcerpt = 200             // of an answer that is quoted in an error
)

// web speaks HTTP with one service. It follows no redirect, which could carry a secret
// elsewhere, and repeats nothing: a page is sent again only by who knows that it may be.
type web struct {
	service string // as errors name it
	client  *http.Client
	limit   time.Duration // for a whole exchange
	longest int64         // bytes of an answer that are read
	secrets secrets       // of every request, beside those that it carries itself
	private bool          // an address is itself a secret
}

func newWeb(service, secret string) *web {
	w := newWebBy(service, &http.Transport{Proxy: http.ProxyFromEnvironment})
	w.secrets = secrets{secret}
	return w
}

// newWebBy uses a new connection for each request: one that the service closes while it
// lies idle would make it uncertain whether a page has been sent.
func newWebBy(service string, transport *http.Transport) *web {
	transport.DisableKeepAlives = true
	transport.TLSHandshakeTimeout = webLimit
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	return &web{service: service, limit: webLimit, longest: webBody, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// webAnswer is what a service has answered.
type webAnswer struct {
	status  int
	header  http.Header
	body    []byte
	secrets secrets // of the request, which the answer may repeat
}

// quote is the beginning of an answer.
func (a webAnswer) quote() string { return a.secrets.quote(a.body) }

// post sends a body and returns the whole answer. Without one, the receipt says why.
func (w *web) post(ctx context.Context, address, contentType string, body []byte, header http.Header) (webAnswer, *Receipt) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return webAnswer{}, &Receipt{Outcome: Rejected, Err: fmt.Errorf("%s: %w", w.service, bare(err))}
	}
	maps.Copy(r.Header, header)
	r.Header.Set("Content-Type", contentType)
	r.GetBody = nil // what can't be read again isn't sent again
	return w.exchange(r)
}

func (w *web) postJSON(ctx context.Context, address string, body any, header http.Header) (webAnswer, *Receipt) {
	b, err := json.Marshal(body)
	if err != nil {
		return webAnswer{}, &Receipt{Outcome: Rejected, Err: fmt.Errorf("%s: encode the message: %w", w.service, err)}
	}
	return w.post(ctx, address, "application/json", b, header)
}

// get asks for something. It has no effect there, so any failure is only an error.
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
	a := webAnswer{status: response.StatusCode, header: response.Header, secrets: known}
	a.body, err = io.ReadAll(io.LimitReader(response.Body, w.longest))
	if err != nil && a.status < http.StatusBadRequest {
		return webAnswer{}, w.unanswered(err, known, true)
	}
	return a, nil
}

// known are the secrets of a request.
func (w *web) known(r *http.Request) secrets {
	out := append(carried(r), w.secrets...)
	if w.private {
		out = append(out, wholly(r.URL)...)
	}
	return out
}

// errForbiddenAddress is an address that is not called whoever names it.
var errForbiddenAddress = errors.New("this address is not called")

// unanswered says what it means that no answer came.
func (w *web) unanswered(err error, known secrets, begun bool) *Receipt {
	r := &Receipt{Outcome: Unknown, Err: fmt.Errorf("%s: %w", w.service, known.clean(bare(err)))}
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case errors.Is(err, errForbiddenAddress):
		r.Outcome = Rejected
	case certificate:
		r.Outcome = Misconfigured
	case !begun:
		r.Outcome, r.RetryAfter = Throttled, webPause
	}
	return r
}

// webAddress reads the address of a service; nil: it is none.
func webAddress(address string) *url.URL {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	return u
}

// apiProblems says what is wrong with a setting that puts another address in place of a service's.
func apiProblems(setting, address string) []string {
	if address == "" || webAddress(address) != nil {
		return nil
	}
	return []string{setting + " is not an address such as https://example.com"}
}

// bare is an error without the address that it came from, which may hold a secret.
func bare(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// unreached is the finding of a service that gave no answer.
func (w *web) unreached(err error, address, setting string) Finding {
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%s has not answered in time", w.service)
	}
	host := "the service"
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		host = u.Host // the rest may hold a secret
	}
	return Finding{Text: err.Error(), Remedy: fmt.Sprintf("Check that this machine reaches %s. Check %s.", host, setting)}
}

// unexpected is the finding of an answer that our settings don't explain.
func (w *web) unexpected(a webAnswer, said, setting string) Finding {
	f := Finding{Text: w.refused(a, said).Err.Error(), Remedy: "Check " + setting + ": something else answers there."}
	if a.status == http.StatusTooManyRequests || a.status >= http.StatusInternalServerError {
		f.Remedy = "Nothing is wrong with our settings: look at the service, and try again later."
	}
	return f
}

// refused is the receipt of an answer that is no acceptance, as HTTP means it. Services
// that say more decide before it.
func (w *web) refused(a webAnswer, said string) Receipt {
	said = either(a.secrets.line(said), a.quote())
	err := fmt.Errorf("%s answered %d: %s", w.service, a.status, said)
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
	case a.status >= http.StatusMultipleChoices:
		return Receipt{Outcome: Misconfigured, Err: fmt.Errorf("%s answered %d, a redirect, which is not followed", w.service, a.status)}
	}
	return Receipt{Outcome: Unknown, Err: err}
}

// askedWait is the wait that a service asks for; 0 if it doesn't. A date counts from the
// service's own.
func askedWait(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil {
		return time.Duration(min(max(seconds, 0), 3600)) * time.Second
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
