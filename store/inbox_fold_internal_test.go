package store

import (
	"errors"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// A rule's panic becomes an error, so that the signal can be set aside.
func TestFoldPanicBecomesError(t *testing.T) {
	t.Parallel()
	b := integrationBatch{
		Fold: &oncall.Fold{}, entries: []entry{{signal: oncall.Signal{Action: oncall.Trigger}}},
		stored: &storedState{counts: &policyCounts{}}, // without any ids
	}
	if err := b.receive(time.Time{}); !errors.Is(err, errRule) {
		t.Errorf("receive: %v, want the error %v", err, errRule)
	}
}
