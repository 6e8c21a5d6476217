package store

import "testing"

// Callers that ask during a load share the next one, so that nobody gets a directory that was read before
// they asked.
func TestDirectoryLoadsAreShared(t *testing.T) {
	t.Parallel()
	var f directoryCache
	_, early := f.ask()
	if dir, load, _ := f.begin(early); dir != nil || load != 1 {
		t.Fatalf("the first begins load %d with %v; want dir nil and load 1", load, dir)
	}
	_, late := f.ask() // while the first is being loaded
	one, two := &Directory{}, &Directory{}
	f.put(one, 1, 0)
	if dir, _, _ := f.begin(early); dir != one {
		t.Errorf("a load that began after they asked is not shared: got %v, want %v", dir, one)
	}
	dir, load, age := f.begin(late)
	if dir != nil || load != 2 {
		t.Fatal("a caller got a directory that was read before they asked")
	}
	f.put(two, load, age)
	if dir, _, _ := f.begin(late); dir != two {
		t.Errorf("the next load is not shared: got %v, want %v", dir, two)
	}
	if dir, _ := f.ask(); dir != nil {
		t.Error("the directory is kept although no changes are heard of, want it read each time")
	}
}
