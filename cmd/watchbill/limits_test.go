package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// No request of a test waits forever. The program uses its own clients.
func init() { http.DefaultClient.Timeout = time.Minute }

// ports counts the ports that were tried.
var ports atomic.Int64

// ownPort returns an address for a program that a test starts in a separate process. The port is
// outside the range that the system assigns from, and no other test gets it; otherwise another
// process would occasionally take it before the program listens.
func ownPort() (string, error) {
	const first, each, parts = 20_000, 200, 50 // in ports; other processes mostly get other parts
	for range each {
		n := first + os.Getpid()%parts*each + int(ports.Add(1))%each
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", n))
		if err != nil {
			continue
		}
		return l.Addr().String(), l.Close()
	}
	return "", fmt.Errorf("none of %d ports is free", each)
}

// postSignal sends a signal like a monitor, which retries as long as the response is 503. It
// returns the status.
func postSignal(address string, body []byte) (code int, err error) {
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		resp, err := http.Post(address, "application/json", bytes.NewReader(body))
		if err != nil {
			return 0, err
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusServiceUnavailable || time.Now().After(deadline) {
			return resp.StatusCode, nil
		}
	}
}
