package localpg

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// maxSocketPath is the lowest limit of any supported system (macOS).
const maxSocketPath = 103

// dataDir returns where the clusters live, one subdirectory per major version.
func (o Options) dataDir() (string, error) {
	switch {
	case o.DataDir != "":
		return filepath.Abs(o.DataDir)
	case !o.Durable:
		return Scratch(o.Getenv, "process "+strconv.Itoa(os.Getpid())), nil
	case os.Geteuid() == 0:
		// A home directory of mode 0700 cannot be entered after dropping root.
		return filepath.Join(o.Root, "var/lib/watchbill/demo"), nil
	}
	dir, err := o.userDir("XDG_DATA_HOME", ".local/share")
	return filepath.Join(dir, "watchbill/demo"), err
}

// DefaultDataDir returns where a durable server keeps its data unless DataDir says otherwise.
func DefaultDataDir(getenv func(string) string) (string, error) {
	return Options{Getenv: getenv, Durable: true}.withDefaults().dataDir()
}

// cacheDir returns where fetched programs are kept.
func (o Options) cacheDir() (string, error) {
	if os.Geteuid() == 0 && o.Getenv("XDG_CACHE_HOME") == "" {
		return filepath.Join(o.Root, "var/cache/watchbill/postgres"), nil
	}
	dir, err := o.userDir("XDG_CACHE_HOME", ".cache")
	return filepath.Join(dir, "watchbill/postgres"), err
}

func (o Options) userDir(variable, below string) (string, error) {
	if dir := o.Getenv(variable); filepath.IsAbs(dir) {
		return dir, nil
	}
	home := o.Getenv("HOME")
	if home == "" {
		return "", fmt.Errorf("neither %s nor HOME is set", variable)
	}
	return filepath.Join(home, below), nil
}

// socketDir creates the directory of the server's socket. Only we may enter it, which is the server's
// only protection: it trusts everybody who can reach the socket.
func (o Options) socketDir(data string) (string, error) {
	var failed error
	for _, dir := range socketDirs(o.Getenv, data) {
		if len(filepath.Join(dir, ".s.PGSQL."+port)) > maxSocketPath {
			continue
		}
		err := makePrivate(dir)
		if err == nil {
			return dir, nil
		}
		failed = errors.Join(failed, err)
	}
	return "", fmt.Errorf("make a directory for the socket: %w", failed)
}

// socketDirs lists places for the socket of a data directory, the best first. The last one is short
// enough for every system.
func socketDirs(getenv func(string) string, data string) []string {
	sum := shortHash(data)
	var dirs []string
	if dir := getenv("XDG_RUNTIME_DIR"); dir != "" && os.Geteuid() != 0 {
		dirs = append(dirs, filepath.Join(dir, "watchbill", sum))
	}
	private := "watchbill-" + strconv.Itoa(os.Geteuid()) + "-" + sum
	return append(dirs, filepath.Join(tempDir(getenv), private), filepath.Join("/tmp", private))
}

// makePrivate creates dir, or accepts one that nobody else can have created or can enter.
func makePrivate(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	err := os.Mkdir(dir, 0o700)
	if err == nil || !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	owner, err := ownerOf(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() || info.Mode().Perm() != 0o700 || !mayOwn(owner) {
		return fmt.Errorf("%s belongs to somebody else", dir)
	}
	return nil
}

// Scratch returns the directory for the throw-away server that seed names: the same one each time, in
// memory if 1 GB is free there. Directories that killed processes left behind are removed.
func Scratch(getenv func(string) string, seed string) string {
	parent := "/dev/shm"
	if !hasSpace(parent) {
		parent = tempDir(getenv)
	}
	sweep(getenv, parent)
	return filepath.Join(parent, scratchPrefix+strconv.Itoa(os.Geteuid())+"-"+shortHash(seed))
}

const scratchPrefix = "watchbill-scratch-"

// sweep removes throw-away clusters whose process has died. It also checks the pid in the lock file,
// because a lock that is not yet taken looks free.
func sweep(getenv func(string) string, parent string) {
	locks, _ := filepath.Glob(filepath.Join(parent, scratchPrefix+strconv.Itoa(os.Geteuid())+"-*", "pg*.lock"))
	for _, path := range locks {
		base, data := filepath.Dir(path), strings.TrimSuffix(path, ".lock")
		if pid, _ := readLock(path); pid == 0 || alive(pid) || mustBeOurs(base) != nil {
			continue
		}
		lock, err := lockDir(data)
		if err != nil {
			continue
		}
		// The next process retries whatever fails here.
		for _, dir := range socketDirs(getenv, data) {
			_ = removeSocketDir(dir)
		}
		_ = os.RemoveAll(base)
		_ = lock.release()
	}
}

// mustBeOurs guards a directory with a guessable name in a place where others can write.
func mustBeOurs(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	owner, err := ownerOf(dir)
	if err == nil && (!info.IsDir() || owner != os.Geteuid() || info.Mode().Perm()&0o022 != 0) {
		err = fmt.Errorf("%s belongs to somebody else", dir)
	}
	return err
}

func hasSpace(dir string) bool {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil || st.Bavail*uint64(st.Bsize) < 1<<30 {
		return false
	}
	f, err := os.CreateTemp(dir, "watchbill-probe-")
	if err != nil {
		return false
	}
	f.Close()
	return os.Remove(f.Name()) == nil
}

func tempDir(getenv func(string) string) string {
	if dir := getenv("TMPDIR"); filepath.IsAbs(dir) {
		return dir
	}
	return "/tmp"
}

func shortHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:4])
}
