package setup

import (
	"testing"
)

func TestGroupingRoundTrip(t *testing.T) {
	t.Parallel()
	for _, in := range []*Group{{By: []string{"service"}, Window: "10m"}, {By: []string{"a", "b"}}} {
		g, err := Integration{Group: in}.Grouping()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Integration{Group: writeGroup(g)}.Grouping()
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "read again", *again, *g)
	}
	for _, bad := range []Group{{}, {By: []string{"a", "a"}}, {By: []string{" "}}, {By: []string{"a"}, Window: "25h"}, {By: []string{"a"}, Window: "soon"}} {
		if g, err := (Integration{Group: &bad}).Grouping(); err == nil {
			t.Errorf("%+v is read as %+v, want an error", bad, g)
		}
	}
}
