package spool_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/spool"
	"github.com/watchbill/watchbill/store"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, o spool.Options) *spool.Spool {
	t.Helper()
	o.Log = zerolog.New(zerolog.NewTestWriter(t))
	s := spool.NewSpool(o)
	if err := s.Open(noon); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func request(titles ...string) store.SpooledRequest {
	r := store.SpooledRequest{Integration: 7, At: noon}
	for _, title := range titles {
		r.Signals = append(r.Signals, json.RawMessage(fmt.Sprintf(`{"title":%q}`, title)))
	}
	return r
}

func keep(t *testing.T, s *spool.Spool, titles ...string) {
	t.Helper()
	if err := s.Keep(context.Background(), request(titles...), noon); err != nil {
		t.Fatal(err)
	}
}

// drain takes everything out, in order.
func drain(t *testing.T, s *spool.Spool) (titles []string, ids int) {
	t.Helper()
	seen := map[string]int64{}
	for {
		b, err := s.Next(2, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if b.Empty() {
			return titles, len(seen)
		}
		for _, r := range b.Requests {
			if r.Seq <= seen[b.ID] || r.Integration != 7 || !r.At.Equal(noon) {
				t.Errorf("got %+v, want a number above %d, integration 7, at %s", r, seen[b.ID], noon)
			}
			seen[b.ID] = r.Seq
			for _, text := range r.Signals {
				var s struct{ Title string }
				if err := json.Unmarshal(text, &s); err != nil {
					t.Error(err)
				}
				titles = append(titles, s.Title)
			}
		}
		if err := s.Done(b); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSpoolSurvivesARestartInOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, spool.Options{Dir: dir})
	keep(t, s, "a", "b")
	keep(t, s, "c")
	s.Close()
	s = open(t, spool.Options{Dir: dir})
	keep(t, s, "d")
	if h := s.Usage(); h.Signals != 4 || h.Bytes == 0 || !h.Oldest.Equal(noon) {
		t.Errorf("got usage %+v, want 4 signals since noon", h)
	}
	if titles, ids := drain(t, s); fmt.Sprint(titles) != "[a b c d]" || ids != 2 {
		t.Errorf("got %v of %d starts, want [a b c d] of 2", titles, ids)
	}
	if h := s.Usage(); h != (spool.Usage{}) {
		t.Errorf("held in the end: got %+v, want %v", h, (spool.Usage{}))
	}
	info, err := os.Stat(filepath.Join(dir, "spool.db"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v, %v, want 0600 and no error", info.Mode(), err)
	}
}

func TestConcurrentKeepStoresEverythingOnce(t *testing.T) {
	t.Parallel()
	s := open(t, spool.Options{Dir: t.TempDir()})
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range 20 {
				keep(t, s, "x")
			}
		})
	}
	wg.Wait()
	if titles, _ := drain(t, s); len(titles) != 64*20 {
		t.Errorf("%d are there, want %d", len(titles), 64*20)
	}
}

func TestSpoolRefusesBeyondItsLimits(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]spool.Options{"signals": {MaxSignals: 3}, "bytes": {MaxBytes: 250}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.Dir = t.TempDir()
			s := open(t, o)
			n := 0
			for ; n < 10 && s.Keep(t.Context(), request("x"), noon) == nil; n++ {
			}
			if n < 2 || n > 3 {
				t.Errorf("kept %d, want 2 or 3", n)
			}
			if err := s.Keep(t.Context(), request("x"), noon); !errors.Is(err, spool.ErrFull) {
				t.Errorf("full: got %v, want %v", err, spool.ErrFull)
			}
			if titles, _ := drain(t, s); len(titles) != n {
				t.Errorf("%d came back, want %d", len(titles), n)
			}
			keep(t, s, "room again")
		})
	}
}

func TestCheckDirRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	used := t.TempDir()
	open(t, spool.Options{Dir: used})
	ways := map[string]string{
		filepath.Join(dir, "none"): "the directory is missing",
		file:                       "it is no directory",
		used:                       "another process uses it",
	}
	if runtime.GOOS == "linux" {
		ways["/dev/shm"] = "the directory is in memory (tmpfs), and would be empty after a restart of the machine"
	}
	for path, want := range ways {
		s := spool.NewSpool(spool.Options{Dir: path, Log: zerolog.Nop()})
		if err := s.Open(noon); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
		if err := s.Usable(noon); err == nil || err.Error() != want {
			t.Errorf("%s: usable: got %v, want an error and %v", path, err, want)
		}
		if err := s.Keep(t.Context(), request("x"), noon); err == nil {
			t.Errorf("%s: the request is kept, want an error", path)
		}
	}
}

// An open file that was deleted would accept signals that nobody finds again.
func TestDeletedFileIsNotUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, spool.Options{Dir: dir})
	keep(t, s, "a")
	if err := os.Remove(filepath.Join(dir, "spool.db")); err != nil {
		t.Fatal(err)
	}
	if err := s.Keep(t.Context(), request("b"), noon.Add(2*time.Second)); err == nil {
		t.Error("kept in a file that is gone")
	}
	if err := s.Open(noon); err != nil {
		t.Fatal(err)
	}
	keep(t, s, "c")
}

func TestDamagedFileIsSetAside(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func([]byte) []byte{
		"cut off":     func(b []byte) []byte { return b[:len(b)-len(b)/3] },
		"cut short":   func(b []byte) []byte { return b[:100] },
		"overwritten": func(b []byte) []byte { clear(b); return append(b, "x"...) },
		"pages overwritten": func(b []byte) []byte {
			for i := 2 * os.Getpagesize(); i < len(b); i++ {
				b[i] = 0xa5
			}
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := open(t, spool.Options{Dir: dir})
			for range 200 {
				keep(t, s, "a long title, so that the file has many pages: "+strings.Repeat("x", 400))
			}
			s.Close()
			path := filepath.Join(dir, "spool.db")
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, damage(b), 0o600); err != nil {
				t.Fatal(err)
			}
			s = open(t, spool.Options{Dir: dir})
			keep(t, s, "after")
			if titles, _ := drain(t, s); titles[len(titles)-1] != "after" {
				t.Errorf("got %v, want \"after\"", titles)
			}
			if aside, _ := filepath.Glob(path + ".damaged-*"); len(aside) != 1 {
				t.Errorf("put aside: got %v, want 1 aside", aside)
			}
		})
	}
}

// A flipped bit costs one request, and not the others.
func TestDamagedEntryIsSetAside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, spool.Options{Dir: dir})
	for _, title := range []string{"first", "second", "third"} {
		keep(t, s, title)
	}
	s.Close()
	path := filepath.Join(dir, "spool.db")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(b) - 6 {
		if string(b[i:i+6]) == "second" {
			b[i] = 'S'
		}
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, spool.Options{Dir: dir})
	if titles, _ := drain(t, s); fmt.Sprint(titles) != "[first third]" {
		t.Errorf("got %v, want \"[first third]\"", titles)
	}
}
