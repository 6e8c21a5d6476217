package localpg

import (
	"strings"
	"syscall"
	"testing"
)

func TestFullDiskIsReported(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=10m"); err != nil {
		t.Skipf("needs the right to mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	_, err := Start(t.Context(), Options{Getenv: environment(), DataDir: dir, Durable: true})
	if err == nil || !strings.Contains(err.Error(), "No space left on device") {
		t.Errorf("error %v; want that the disk is full", err)
	}
}
