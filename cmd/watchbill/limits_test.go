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

// No request of a test waits for ever. The program has clients of its own.
func init() { http.DefaultClient.Timeout = time.Minute }

// ports counts those that were given away.
var ports atomic.Int64

// ownPort returns an address at which a program is to listen that a test starts in a process of its
// own. No other test gets it, nor does the system give it to one who takes any: between our look and
// the program's somebody else would have it now and then.
func ownPort() (string, error) {
	const first, each, parts = 20_000, 200, 50 // ports; other processes get other parts, mostly
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

// postSignal sends a signal as monitors do: once more, while it is answered 503. It returns the status.
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
