package bot

import (
	"strings"
	"testing"

	"github.com/watchbill/watchbill/slacksim"
)

// A home tab that is open shows a new incident without being opened again.
func TestOpenHomeFollowsIncidents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	w.listen(1)
	if err := w.sim.OpenHome(string(ann)); err != nil {
		t.Fatal(err)
	}
	w.until("the home is drawn", func() bool { return w.sim.HomeText("ann") != "" })
	if home := w.sim.HomeText("ann"); strings.Contains(home, "Checkout fails") {
		t.Fatalf("the home shows an incident before there is one, want none:\n%s", home)
	}
	w.incident()
	w.until("the open home shows the incident", func() bool { return strings.Contains(w.sim.HomeText("ann"), "Checkout fails") })
}
