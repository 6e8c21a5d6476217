package bot

import (
	"testing"

	"github.com/watchbill/watchbill/oncall"
)

func TestStormsAreOneLineOfAList(t *testing.T) {
	t.Parallel()
	found := []oncall.Incident{
		{ID: 12},
		{ID: 11, MergedInto: 12},
		{ID: 10, MergedInto: 12},
		{ID: 9, MergedInto: 12, ResolvedBy: oncall.ByUser("U0ANN")},
		{ID: 8, MergedInto: 40},
		{ID: 7},
	}
	rest, bundled := bundleStorms(found, 0)
	if ids := incidentIDs(rest); len(ids) != 4 || ids[1] != 9 || ids[2] != 8 || bundled[12] != 2 {
		t.Errorf("listed are %v, bundled %v; want 12, 9, which Ann merged, 8, whose storm isn't in the list, and 7", ids, bundled)
	}
	rest, _ = bundleStorms(found[1:], 12)
	if ids := incidentIDs(rest); len(ids) != 2 || ids[0] != 9 || ids[1] != 7 {
		t.Errorf("after 12 there are %v, want 9 and 7, because the storms were in the list before", ids)
	}
}

func TestListsContinueAfterAnIncident(t *testing.T) {
	t.Parallel()
	open := []oncall.Incident{{ID: 3}, {ID: 9}, {ID: 4}}
	for after, want := range map[oncall.IncidentID]int{0: 3, 3: 2, 9: 1, 4: 0, 100: 3} {
		if got := (incidentSearch{after: after}).rest(open); len(got) != want {
			t.Errorf("after %d there are %d, want %d", after, len(got), want)
		}
	}
}

func incidentIDs(of []oncall.Incident) (ids []oncall.IncidentID) {
	for _, in := range of {
		ids = append(ids, in.ID)
	}
	return ids
}
