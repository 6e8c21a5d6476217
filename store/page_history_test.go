package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

func TestPageHistoryShowsReasonAndOutcome(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.open()
	pages := must[[]store.PageOutcome](t)(w.PageHistory(t.Context(), oncall.ByTimer(), in.ID))
	if len(pages) != 1 {
		t.Fatalf("there are %d pages, want 1: %+v", len(pages), pages)
	}
	want := map[string]any{"user": ann, "method": oncall.MethodSlack, "why": "you are on call in primary", "state": oncall.PageWaiting, "due": true}
	p := pages[0]
	if diff := cmp.Diff(want, map[string]any{"user": p.UserID, "method": p.Method, "why": p.Why.String(), "state": p.State, "due": p.Due(in)}); diff != "" {
		t.Errorf("the page (-want +got):\n%s", diff)
	}
	if p.Ended != nil {
		t.Errorf("the page ended at %s, want it not to have ended", p.Ended)
	}
	in = must[oncall.Incident](t)(w.Act(t.Context(), in.ID, oncall.ByUser(bo), oncall.Act{Do: oncall.ActAsk, User: cy, Text: "the\nreplica"}, w.clock()))
	pages = must[[]store.PageOutcome](t)(w.PageHistory(t.Context(), oncall.ByTimer(), in.ID))
	if len(pages) != 2 || pages[1].UserID != cy || !slices.Equal(pages[1].Why, oncall.Say("%s asks you to help: the replica", bo)) {
		t.Errorf(`the pages are %+v; want two, the second to %v because Bo asks for help with the replica`, pages, cy)
	}
	if _, err := w.PageHistory(t.Context(), oncall.ByTimer(), 4711); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("an incident that doesn't exist: %v, want the error %v", err, oncall.ErrNotFound)
	}
}

// The previous release runs alongside this one, and stores people only as mentions.
func TestReasonsAreReadByBothReleases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.open()
	w.exec(`DELETE FROM pages`)
	for i, why := range []string{"<@U0BO> asks you to help: a < b", "you are on call", "1 of 3 have (<@U0BO>, <@W0CY>), so", "<!here> & <@nobody>"} {
		w.exec(`
			INSERT INTO pages (incident_id, user_id, method, why, key, state, attempt, detail)
			VALUES ($1, 'U0ANN', 'slack', $2, $3, 'waiting', 0, '')`, in.ID, why, fmt.Sprint("1/1/U0ANN/", i))
	}
	want := []oncall.Sentence{
		{"", "U0BO", " asks you to help: a < b"}, {"you are on call"}, {"1 of 3 have (", "U0BO", ", ", "W0CY", "), so"}, {"<!here> & <@nobody>"},
	}
	for i, p := range must[[]store.PageOutcome](t)(w.PageHistory(t.Context(), oncall.ByTimer(), in.ID)) {
		if !slices.Equal(p.Why, want[i]) {
			t.Errorf("read %q, want %q", p.Why, want[i])
		}
	}
	// Copies in direct messages are read as well.
	w.exec(`
		INSERT INTO drawing_copies (incident_id, channel, ts, user_id, why, drawn)
		SELECT incident_id, 'D1', '1.0', user_id, why, 1 FROM pages ORDER BY id LIMIT 1`)
	d := must[store.Drawing](t)(w.BeginDraw(t.Context(), in.ID, w.job(), w.clock()))
	if len(d.Copies) != 1 || !slices.Equal(d.Copies[0].Why, want[0]) {
		t.Errorf("the copies are %+v; want one, with the reason %v", d.Copies, want[0])
	}
	must[oncall.Incident](t)(w.Act(t.Context(), in.ID, oncall.ByUser(bo), oncall.Act{Do: oncall.ActAsk, User: cy, Text: "the replica"}, w.clock()))
	if got := w.strings(`SELECT why FROM pages ORDER BY id DESC LIMIT 1`); got[0] != "<@U0BO> asks you to help: the replica" {
		t.Errorf(`it reads %q, want "<@U0BO> asks you to help: the replica"`, got)
	}
}

func TestRootsAreWhereIncidentsAreShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	if none := must[map[oncall.IncidentID]store.MessageRef](t)(w.Roots(t.Context(), []oncall.IncidentID{1, 2})); len(none) != 0 {
		t.Errorf("before they are drawn they are at %v, want none", none)
	}
	if _, err := w.BeginDraw(t.Context(), 1, w.job(), w.clock()); err != nil {
		t.Fatal(err)
	}
	place := store.MessageRef{Channel: "C0PAY", TS: "1.2"}
	w.check(w.RootPosted(t.Context(), 1, place, w.clock()))
	roots := must[map[oncall.IncidentID]store.MessageRef](t)(w.Roots(t.Context(), []oncall.IncidentID{1, 2}))
	if len(roots) != 1 || roots[1] != place {
		t.Errorf("the roots are %v; want %v for incident 1 alone", roots, place)
	}
}

func TestPictureNamesPeoplePagedByEscalation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	paged := func(want ...oncall.UserID) {
		t.Helper()
		p := must[oncall.Picture](t)(w.Picture(t.Context(), oncall.ByTimer(), 1, w.clock()))
		if len(p.Paged) != len(want) || len(want) > 0 && p.Paged[0] != want[0] {
			t.Errorf("%s: paged %v, want %v", p.Incident.Status, p.Paged, want)
		}
	}
	act := func(a oncall.Act) {
		t.Helper()
		must[oncall.Incident](t)(w.Act(t.Context(), 1, oncall.ByUser(bo), a, w.clock()))
	}
	paged(ann)
	act(oncall.Act{Do: oncall.ActReassign, User: cy})
	paged(cy)
	act(oncall.Act{Do: oncall.ActSnooze, Until: w.clock().Add(time.Hour)})
	paged()
	act(oncall.Act{Do: oncall.ActUnsnooze})
	paged(ann)
	act(oncall.Act{Do: oncall.ActEscalate})
	paged(ann, bo, di)
}

// Even with years of pages for everybody, finding a person's last page takes one index entry.
func TestLastPagedReadsAnIndex(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.open()
	const plant = `
		INSERT INTO pages (incident_id, user_id, method, why, key, state, attempt, detail)
		SELECT $1, 'U0BO', 'slack', '', 'planted ' || n, 'delivered', 1, ''
		FROM generate_series(1, 100000) AS n`
	if _, err := w.Pool().Exec(t.Context(), plant, in.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Pool().Exec(t.Context(), `ANALYZE pages`); err != nil {
		t.Fatal(err)
	}
	for user, want := range map[oncall.UserID]oncall.IncidentID{ann: in.ID, bo: in.ID, "U0NEVER": 0} {
		id, paged, err := w.LastPaged(t.Context(), oncall.ByTimer(), user)
		if err != nil {
			t.Fatal(err)
		}
		if id != want || paged != (want != 0) {
			t.Errorf("%s was last paged about incident %d (%t), want %d", user, id, paged, want)
		}
		rows, _ := w.Pool().Query(t.Context(), "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) "+store.LastPagedSQL, user)
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if text := strings.Join(plan, "\n"); err != nil || !strings.Contains(text, "pages_user") || strings.Contains(text, "Seq Scan") {
			t.Errorf("%s: %v\n%s; want text to contain \"pages_user\" and text not to contain \"Seq Scan\"", user, err, text)
		}
	}
}
