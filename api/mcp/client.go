package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	requestTimeout = 30 * time.Second // for one answer
	maxAnswer      = 16 << 20         // bytes
)

// A client calls the REST API.
type client struct {
	base          string // its address, without /api/v1; empty within an instance
	authorization string // the header
	via           http.RoundTripper
}

// send sends a request.
func (c client) send(ctx context.Context, method, path string, query url.Values, body any) (*http.Response, error) {
	var text io.Reader = http.NoBody
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("write a request: %w", err)
		}
		text = bytes.NewReader(b)
	}
	address := strings.TrimSuffix(c.base, "/") + "/api/v1" + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, address, text)
	if err != nil {
		return nil, fmt.Errorf("make a request: %w", err)
	}
	r.Header.Set("Authorization", c.authorization)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return c.via.RoundTrip(r)
}

// ask sends a request and decodes the response into out. A refusal of the API becomes an error with its sentence.
func (c client) ask(ctx context.Context, method, path string, query url.Values, body, out any) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	res, err := c.send(ctx, method, path, query, body)
	if err != nil {
		return fmt.Errorf("Watchbill can't be reached: %w", err) //nolint:staticcheck // a sentence for the agent
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		return refusalOf(res)
	}
	d := json.NewDecoder(io.LimitReader(res.Body, maxAnswer))
	d.UseNumber()
	if err := d.Decode(out); err != nil {
		return errors.New("Watchbill's answer can't be read.") //nolint:staticcheck,revive // a sentence for the agent
	}
	return nil
}

// refusalOf returns the error of an unsuccessful response.
func refusalOf(res *http.Response) error {
	var problem struct {
		Detail string `json:"detail"`
		Errors []struct {
			Message  string `json:"message"`
			Location string `json:"location"`
		} `json:"errors"`
	}
	text, _ := io.ReadAll(io.LimitReader(res.Body, maxRequest))
	if json.Unmarshal(text, &problem) != nil || problem.Detail == "" {
		return fmt.Errorf("answered %d, and not as Watchbill does: is the address right?", res.StatusCode)
	}
	for _, one := range problem.Errors {
		if one.Message != problem.Detail {
			problem.Detail += " " + one.Location + ": " + one.Message
		}
	}
	return errors.New(sanitize(problem.Detail))
}

func readKey(res *http.Response) (k key, err error) {
	if err := json.NewDecoder(io.LimitReader(res.Body, maxRequest)).Decode(&k); err != nil {
		return k, errors.New("Watchbill's answer can't be read: is the address right?") //nolint:staticcheck // a sentence for people
	}
	return k, nil
}

// inProcess calls the API of this process.
type inProcess struct {
	rest   http.Handler
	remote string // the agent's address
}

// RoundTrip is that of http.RoundTripper.
func (i inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	r.RemoteAddr = i.remote
	r.RequestURI = r.URL.RequestURI()
	a := &memoryResponse{header: http.Header{}}
	i.rest.ServeHTTP(a, r)
	a.WriteHeader(http.StatusOK)
	return &http.Response{StatusCode: a.code, Header: a.header, Body: io.NopCloser(&a.body), Request: r}, nil
}

// A memoryResponse is a handler's response, in memory.
type memoryResponse struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

// Header is that of http.ResponseWriter.
func (r *memoryResponse) Header() http.Header { return r.header }

// WriteHeader is that of http.ResponseWriter.
func (r *memoryResponse) WriteHeader(code int) {
	if r.code == 0 {
		r.code = code
	}
}

// Write is that of http.ResponseWriter.
func (r *memoryResponse) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}
