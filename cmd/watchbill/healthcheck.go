package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// healthcheckLimit is how long an instance may take to answer.
const healthcheckLimit = 4 * time.Second

// healthcheckCmd is for containers without a shell.
type healthcheckCmd struct {
	Listen  string `env:"WATCHBILL_LISTEN" default:":8080" help:"Where it listens."`
	TLSCert string `name:"tls-cert-file" env:"WATCHBILL_TLS_CERT_FILE" placeholder:"FILE" help:"If it is set, it listens with TLS."`
	Domains string `name:"acme-domains" env:"WATCHBILL_ACME_DOMAINS" placeholder:"LIST" help:"If it is set, it listens with TLS."`
	Alive   bool   `help:"Ask only whether the process is alive, not whether it can store signals."`
}

// Run requests /readyz, or /healthz.
func (c *healthcheckCmd) Run(p process) error {
	if wrong := listenProblems("WATCHBILL_LISTEN", c.Listen); len(wrong) > 0 {
		return wrongUse(wrong)
	}
	path := "/readyz"
	if c.Alive {
		path = "/healthz"
	}
	text, status, err := askHere(p.ctx, c.Listen, c.TLSCert+c.Domains != "", path, 4<<10)
	if err != nil {
		return err
	}
	body := strings.TrimSpace(string(text))
	if status != http.StatusOK {
		return errors.New(body)
	}
	_, err = fmt.Fprintln(p.out, body)
	return err
}

// askHere sends a request to the instance listening on this machine, with TLS or without, and reads at most that many
// bytes.
func askHere(ctx context.Context, listen string, secure bool, path string, limit int64) (text []byte, status int, err error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, 0, err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost" // it listens on all addresses
	}
	scheme := "http://"
	if secure {
		scheme = "https://"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+net.JoinHostPort(host, port)+path, nil)
	if err != nil {
		return nil, 0, err
	}
	transport := &http.Transport{DisableKeepAlives: true} // no proxy
	// Its certificate is for the name that others call it by.
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // it is this machine, and is sent nothing
	client := http.Client{Timeout: healthcheckLimit, Transport: transport}
	resp, err := client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	text, err = io.ReadAll(io.LimitReader(resp.Body, limit))
	return text, resp.StatusCode, err
}
