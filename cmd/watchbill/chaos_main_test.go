package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// What is wrong with an instance run by chaosMain.
const (
	chaosSkew = "WATCHBILL_CHAOS_SKEW" // how far its clock is off
	chaosDisk = "WATCHBILL_CHAOS_DISK" // maximum size of a file in bytes, as on a full disk
)

// chaosMain is main on a machine with a wrong clock or a full disk.
func chaosMain() {
	skew, err := time.ParseDuration(os.Getenv(chaosSkew))
	if err != nil {
		skew = 0
	}
	if n, err := strconv.ParseUint(os.Getenv(chaosDisk), 10, 64); err == nil {
		signal.Ignore(syscall.SIGXFSZ) // so that writing fails
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
			fmt.Fprintln(os.Stderr, "limit files:", err)
			os.Exit(1)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	p := process{ctx: ctx, out: os.Stdout, errOut: os.Stderr, getenv: os.Getenv, clock: func() time.Time { return time.Now().Add(skew) }}
	code := p.run(os.Args[1:])
	stop()
	os.Exit(code)
}
