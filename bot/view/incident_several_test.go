package view

import (
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// What was done to several incidents names them in order, in whatever order they were worst.
func TestActedOnNamesIncidentsInOrder(t *testing.T) {
	t.Parallel()
	done := []oncall.IncidentID{1, 2, 15, 4}
	d := ActedOn(oncall.Act{Do: oncall.ActResolve}, done, nil, nil, 0, time.UTC)
	if !strings.Contains(d.Text, "Resolved #1, #2, #4 and #15.") || done[2] != 15 {
		t.Errorf("got %q of %v, want them sorted, and the caller's list as it was", d.Text, done)
	}
}
