package spool_test

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/spool"
)

// fullVariable makes this test binary fill a spool in the named directory.
const fullVariable = "WATCHBILL_SPOOL_FULL"

// On a full disk the spool refuses requests, keeps the accepted ones, and can still return them.
func TestFullDiskRefusesAndRecovers(t *testing.T) {
	if dir := os.Getenv(fullVariable); dir != "" {
		fillSpool(t, dir)
		return
	}
	t.Parallel()
	dir := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run", "^TestFullDiskRefusesAndRecovers$", "-test.count=1")
	child.Env = append(os.Environ(), fullVariable+"="+dir)
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s := open(t, spool.Options{Dir: dir})
	if h := s.Usage(); h.Signals != 1 {
		t.Errorf("held in the end: got %+v, want Signals 1", h)
	}
	if titles, _ := drain(t, s); fmt.Sprint(titles) != "[room again]" {
		t.Errorf("got %v, want \"[room again]\"", titles)
	}
}

// fillSpool can't write files beyond a size, as on a full disk. The limit applies to a process, so it
// needs its own.
func fillSpool(t *testing.T, dir string) {
	const most = 256 << 10
	signal.Ignore(syscall.SIGXFSZ)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	limit := func(n uint64) {
		t.Helper()
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: before.Max}); err != nil {
			t.Fatal(err)
		}
	}
	limit(most)
	s := spool.NewSpool(spool.Options{Dir: dir, Log: zerolog.Nop()})
	if err := s.Open(noon); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	kept := 0
	for ; kept < 10_000; kept++ {
		err := s.Keep(t.Context(), request(fmt.Sprintf("%01000d", kept)), noon)
		if err != nil {
			if !strings.Contains(err.Error(), syscall.EFBIG.Error()) { // bbolt doesn't wrap it
				t.Fatal(err)
			}
			break
		}
	}
	if kept == 10_000 || int64(kept) != s.Usage().Signals {
		t.Fatalf("kept %d, held: %+v, want fewer than 10000, and as many held as kept", kept, s.Usage())
	}
	for n := range 3 {
		if err := s.Usable(noon); err == nil {
			t.Error("usable although it refuses")
		}
		s.Probe(noon.Add(time.Duration(n) * 2 * time.Second))
	}
	limit(before.Cur)
	s.Probe(noon.Add(time.Minute))
	if err := s.Usable(noon.Add(time.Minute)); err != nil {
		t.Errorf("the disk has room again, and the spool can't be used: %v", err)
	}
	limit(most)
	titles, _ := drain(t, s)
	if len(titles) != kept || s.Usage() != (spool.Usage{}) {
		t.Errorf("%d came back, want %d; held: %+v, want nothing", len(titles), kept, s.Usage())
	}
	limit(before.Cur)
	s.Probe(noon.Add(2 * time.Minute))
	keep(t, s, "room again")
	if err := s.Usable(noon.Add(2 * time.Minute)); err != nil {
		t.Errorf("not usable although there is room again: %v", err)
	}
}
