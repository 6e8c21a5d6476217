// Command withpg runs a command, such as go test ./..., with one throw-away PostgreSQL for the whole
// run and its address in TEST_DATABASE_URL:
//
//	go run ./localpg/withpg -- go test ./...
//
// In the same directory the address is the same each time, because go test caches results by the
// environment variables that tests read. If TEST_DATABASE_URL is already set, no server is started.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/watchbill/watchbill/localpg"
)

const variable = "TEST_DATABASE_URL"

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: withpg -- command [argument …]")
		os.Exit(2)
	}
	status, err := run(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(status)
}

func run(args []string) (status int, err error) {
	// From here on signals go to the command, and we end when it has ended.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	if os.Getenv(variable) != "" {
		return command(args, signals)
	}
	server, err := start()
	if err != nil {
		return 1, err
	}
	defer func() {
		if stop := server.Stop(context.Background()); stop != nil {
			status, err = max(status, 1), errors.Join(err, stop)
		}
	}()
	if err := os.Setenv(variable, server.URL()); err != nil {
		return 1, fmt.Errorf("set %s: %w", variable, err)
	}
	return command(args, signals)
}

// start uses the directory of this checkout, or the next free one while another run is using it.
func start() (*localpg.Server, error) {
	here, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("find the current directory: %w", err)
	}
	for n := 0; ; n++ {
		seed := here
		if n > 0 {
			seed += " " + strconv.Itoa(n)
		}
		server, err := localpg.Start(context.Background(), localpg.Options{
			Getenv: os.Getenv, DataDir: localpg.Scratch(os.Getenv, seed), Out: os.Stderr,
		})
		if running := (*localpg.RunningError)(nil); errors.As(err, &running) {
			continue
		}
		return server, err
	}
}

// command runs the command and returns the status that a shell would report.
func command(args []string, signals <-chan os.Signal) (status int, err error) {
	cmd := exec.Command(args[0], args[1:]...) //nolint:noctx // signals are passed on to it
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return 127, fmt.Errorf("start the command: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			// The command may just have ended.
			_ = cmd.Process.Signal(s)
		case err := <-ended:
			if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
				if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
					return 128 + int(ws.Signal()), nil
				}
				return exit.ExitCode(), nil
			}
			if err != nil {
				return 1, fmt.Errorf("wait for the command: %w", err)
			}
			return 0, nil
		}
	}
}
