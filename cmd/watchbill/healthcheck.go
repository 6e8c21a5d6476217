package main

import (
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
	Listen string `env:"WATCHBILL_LISTEN" default:":8080" help:"Where it listens."`
	Alive  bool   `help:"Ask only whether the process is alive, not whether it can store signals."`
}

// Run asks /readyz, or /healthz.
func (c *healthcheckCmd) Run(p process) error {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return wrongUse(listenProblems("WATCHBILL_LISTEN", c.Listen))
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost" // it listens everywhere
	}
	path := "/readyz"
	if c.Alive {
		path = "/healthz"
	}
	req, err := http.NewRequestWithContext(p.ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+path, nil)
	if err != nil {
		return err
	}
	client := http.Client{Timeout: healthcheckLimit, Transport: &http.Transport{DisableKeepAlives: true}} // no proxy
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil {
		return err
	}
	said := strings.TrimSpace(string(text))
	if resp.StatusCode != http.StatusOK {
		return errors.New(said)
	}
	_, err = fmt.Fprintln(p.out, said)
	return err
}
