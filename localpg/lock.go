package localpg

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// RunningError means that another instance is using the data directory.
type RunningError struct {
	PID     int
	Address string // of its web pages; empty while it starts
}

// Error names the instance and what to do.
func (e *RunningError) Error() string {
	who := "pid " + strconv.Itoa(e.PID)
	if e.Address != "" {
		who += ", " + e.Address
	}
	return "already running: " + who + "; use --data-dir for a second one"
}

// dirLock is an exclusive claim on a data directory that ends with the process.
type dirLock struct {
	file *os.File
}

// lockDir claims the data directory, or fails at once with a *RunningError.
func lockDir(data string) (*dirLock, error) {
	path := data + ".lock"
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return nil, fmt.Errorf("lock the data directory: %w", err)
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			f.Close()
			if errors.Is(err, syscall.EWOULDBLOCK) {
				pid, address := readLock(path)
				return nil, &RunningError{PID: pid, Address: address}
			}
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		l := &dirLock{file: f}
		current, err := l.isCurrent(path)
		if err == nil && current {
			err = l.write("")
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), l.release())
		}
		if current {
			return l, nil
		}
		// The previous owner removed the file between our open and our lock.
		if err := l.release(); err != nil {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
	}
}

func (l *dirLock) isCurrent(path string) (bool, error) {
	ours, err := l.file.Stat()
	if err != nil {
		return false, err
	}
	there, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(ours, there), err
}

// write records who holds the lock.
func (l *dirLock) write(address string) error {
	text := strconv.Itoa(os.Getpid()) + "\n" + address + "\n"
	if err := l.file.Truncate(0); err != nil {
		return fmt.Errorf("write the lock: %w", err)
	}
	if _, err := l.file.WriteAt([]byte(text), 0); err != nil {
		return fmt.Errorf("write the lock: %w", err)
	}
	return nil
}

// release keeps the file, because removing it could remove another instance's. It unlocks explicitly,
// because a child between fork and exec still has the file open.
func (l *dirLock) release() error {
	return errors.Join(syscall.Flock(int(l.file.Fd()), syscall.LOCK_UN), l.file.Close())
}

func readLock(path string) (pid int, address string) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, ""
	}
	first, rest, _ := strings.Cut(string(text), "\n")
	pid, err = strconv.Atoi(first)
	if err != nil {
		return 0, ""
	}
	return pid, strings.TrimSpace(rest)
}
