package route

import "testing"

// seeds returns how many cases a random test tries: all, or with -short a tenth, as `make test` does
// under the race detector, which has little to find in a package without goroutines and makes it
// eight times slower.
func seeds(all uint64) uint64 {
	if testing.Short() {
		return max(all/10, 1)
	}
	return all
}
