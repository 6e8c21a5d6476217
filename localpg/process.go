package localpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// process is a PostgreSQL server: our child, or one that an earlier instance left behind.
type process struct {
	pid  int
	done chan struct{} // closed when our child has ended; nil if it is not our child
}

// spawn starts cmd on a thread of its own, because the parent-death signal is tied to the thread that
// started the child.
func spawn(cmd *exec.Cmd) (*process, error) {
	p := &process{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		// The log says how it ended.
		_ = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	p.pid = cmd.Process.Pid
	return p, nil
}

// stop sends the signal and waits; after ten seconds, or when ctx ends, it sends stronger ones.
func (p *process) stop(ctx context.Context, signal syscall.Signal) error {
	for _, s := range []syscall.Signal{signal, syscall.SIGQUIT, syscall.SIGKILL} {
		if p.ended() {
			return nil
		}
		if err := syscall.Kill(p.pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop PostgreSQL (pid %d): %w", p.pid, err)
		}
		limited, cancel := context.WithTimeout(ctx, stopLimit)
		err := p.wait(limited)
		cancel()
		if err == nil {
			return nil
		}
		ctx = context.WithoutCancel(ctx)
	}
	return fmt.Errorf("stop PostgreSQL (pid %d): it does not end", p.pid)
}

func (p *process) wait(ctx context.Context) error {
	for !p.ended() {
		if err := pause(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (p *process) ended() bool {
	if p.done == nil {
		return !alive(p.pid)
	}
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// pause waits a moment in a polling loop.
func pause(ctx context.Context) error {
	timer := time.NewTimer(5 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// lastLines returns the end of a program's log.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// tail returns the end of a log file, to append to an error.
func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil || len(text) == 0 {
		return ""
	}
	return "\n" + lastLines(string(text), 20)
}
