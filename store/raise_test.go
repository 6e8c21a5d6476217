package store_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

func (w *world) raise(by oncall.UserID, r oncall.RaiseRequest) store.Raised {
	w.t.Helper()
	return must[store.Raised](w.t)(w.Raise(w.t.Context(), oncall.ByUser(by), r, store.MessageRef{}, w.clock()))
}

func TestRaisedIncidentIsLikeAnyOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.raise(di, oncall.RaiseRequest{Team: 1, Text: "the checkout is down", Key: "view/V1"})
	in := w.incident(made.Incident.ID)
	if d := cmp.Diff(made.Incident, in, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("what is returned is not what is stored (-want +got):\n%s", d)
	}
	if in.ID != 1 || in.Title != "the checkout is down" || in.Status != oncall.Triggered {
		t.Errorf("incident %d is %s, titled %q, want 1, %s, \"the checkout is down\"", in.ID, in.Status, in.Title, oncall.Triggered)
	}
	if in.RaisedBy != oncall.ByUser(di) || in.IntegrationID != 0 {
		t.Errorf("raised by %v, integration %d, want %v and none", in.RaisedBy, in.IntegrationID, oncall.ByUser(di))
	}
	if got := w.strings(`SELECT user_id || ' ' || state FROM pages`); !cmp.Equal(got, []string{"U0ANN waiting"}) {
		t.Errorf("pages: %q, want %q", got, []string{"U0ANN waiting"})
	}
	if got := w.strings(`SELECT kind FROM river_job ORDER BY kind`); !cmp.Equal(got, []string{"draw", "escalate", "page"}) {
		t.Errorf("jobs: %q, want %q", got, []string{"draw", "escalate", "page"})
	}
	if got := w.strings(`SELECT user_id || ' ' || channel || ' ' || ts FROM raised`); !cmp.Equal(got, []string{"U0DI U0DI "}) {
		t.Errorf("who raised it: %q, want %q", got, []string{"U0DI U0DI "})
	}
	open := must[[]oncall.Incident](t)(w.OpenIncidents(t.Context(), oncall.ByUser(ann), 10))
	if len(open) != 1 || open[0].ID != 1 {
		t.Errorf("open: %+v; want one, with the id 1", open)
	}
	// Once it is over, it is deleted with everything that belongs to it.
	if _, err := w.Act(t.Context(), 1, oncall.ByUser(di), oncall.Act{Do: oncall.ActResolve}, start); err != nil {
		t.Fatal(err)
	}
	w.exec(`DELETE FROM incidents`)
	if n := w.count(`SELECT count(*) FROM raised`); n != 0 {
		t.Errorf("%d rows are left, want 0", n)
	}
}

// Repeated requests, at the same moment or later, raise one incident.
func TestRepeatedRaiseOpensNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := w.Raise(t.Context(), oncall.ByUser(di), oncall.RaiseRequest{Team: 1, Text: "down", Key: "view/V1"}, store.MessageRef{}, start); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 1 {
		t.Fatalf("%d incidents, want 1", n)
	}
	if n := w.count(`SELECT count(*) FROM pages`); n != 1 {
		t.Errorf("%d pages, want 1", n)
	}
	if made := w.raise(di, oncall.RaiseRequest{Team: 1, Text: "down", Key: "view/V2"}); !made.Again || made.Incident.ID != 1 {
		t.Errorf("the same words: %+v; want incident 1 again", made)
	}
	if made := w.raise(bo, oncall.RaiseRequest{Team: 1, Text: "down", Key: "view/V3"}); made.Again || made.Incident.ID != 2 {
		t.Errorf("the same words of somebody else: %+v; want incident 2 anew", made)
	}
	// Somebody who raises the same message later follows the open incident.
	if made := w.raise(cy, oncall.RaiseRequest{Team: 1, Text: "is it?", Key: "view/V1"}); !made.Again || made.Incident.ID != 1 {
		t.Errorf("the same message: %+v; want incident 1 again", made)
	}
	if got := w.strings(`SELECT user_id FROM raised WHERE incident_id = 1 ORDER BY user_id`); !cmp.Equal(got, []string{"U0CY", "U0DI"}) {
		t.Errorf("who follows it: %q, want %q", got, []string{"U0CY", "U0DI"})
	}
	w.advance(11 * time.Minute)
	if made := w.raise(di, oncall.RaiseRequest{Team: 1, Text: "down", Key: "view/V4"}); made.Again {
		t.Errorf("the same words much later: %+v, want a new one", made)
	}
}

func TestRaisingOftenTakesAConfirmation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, text := range []string{"a", "b", "c"} {
		w.raise(di, oncall.RaiseRequest{Team: 1, Text: text})
	}
	made := w.raise(di, oncall.RaiseRequest{Team: 1, Text: "d"})
	if made.NeedsConfirmation.String() != "You have paged 3 times in the last 10 minutes." || made.Incident.ID != 0 {
		t.Errorf(`the fourth: %+v; want it to ask "You have paged 3 times in the last 10 minutes." and no incident`, made)
	}
	if made := w.raise(di, oncall.RaiseRequest{Team: 1, Text: "d", Confirmed: true}); made.Incident.ID != 4 {
		t.Errorf("the fourth, confirmed: %+v, want incident 4", made)
	}
	if made := w.raise(bo, oncall.RaiseRequest{Team: 1, Text: "d"}); made.Incident.ID != 5 {
		t.Errorf("somebody else's: %+v, want incident 5", made)
	}
	w.exec(`INSERT INTO raised (incident_id, user_id, key, opened, raised_at, channel, thread, ts, drawn)
		SELECT 5, 'U' || n, '', true, $1, '', '', '', 0 FROM generate_series(1, 30) AS n`, start)
	if made := w.raise(cy, oncall.RaiseRequest{Team: 1, Text: "e"}); !strings.HasPrefix(made.NeedsConfirmation.String(), "People have paged by hand 3") {
		t.Errorf(`beyond 30: %+v, want the question to begin with "People have paged by hand 3"`, made)
	}
}

// Signals folded at the same time get different numbers, without a gap.
func TestRaisedAndFoldedIncidentsAreNumberedTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.System)
	var all sync.WaitGroup
	all.Go(func() {
		for i := range 40 {
			w.accept(trigger(string(rune('A' + i))))
		}
	})
	all.Go(func() {
		for i := range 40 {
			r := oncall.RaiseRequest{Team: 1, Text: "by hand " + string(rune('A'+i)), Confirmed: true}
			if _, err := w.Raise(t.Context(), oncall.ByUser(di), r, store.MessageRef{}, w.clock()); err != nil {
				t.Error(err)
			}
		}
	})
	all.Wait()
	w.fold()
	if got := w.strings(`SELECT count(*) || ' ' || max(id) || ' ' || count(*) FILTER (WHERE integration_id = 0) FROM incidents`); !cmp.Equal(got, []string{"80 80 40"}) {
		t.Errorf("incidents, the last number, by hand: %q, want %q", got, []string{"80 80 40"})
	}
	if n := w.count(`SELECT count(*) FROM incidents WHERE (integration_id = 0) <> (title LIKE 'by hand %')`); n != 0 {
		t.Errorf("%d were written over, want 0", n)
	}
}

// The release before numbers incidents without waiting: it may not write over what was raised meanwhile.
func TestOlderReleaseCannotOverwriteRaisedIncident(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.raise(di, oncall.RaiseRequest{Team: 1, Text: "down"})
	_, err := w.Pool().Exec(t.Context(), `UPDATE incidents SET title = 'disk is full', version = 2 WHERE id = 1`)
	if err == nil || !strings.Contains(err.Error(), "40001") {
		t.Errorf("error: %v, want a serialization failure", err)
	}
	if _, err := w.Act(t.Context(), 1, oncall.ByUser(ann), oncall.Act{Do: oncall.ActAck}, start); err != nil {
		t.Error(err)
	}
}

func TestRaisePermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for id, standing := range map[oncall.UserID]oncall.Standing{"U0PAT": oncall.FullMember, "U0MAL": oncall.GuestMember, "U0EVE": oncall.Stranger} {
		w.exec(`INSERT INTO users (id, name, email, time_zone, standing) VALUES ($1, $1, '', '', $2)`, id, standing)
	}
	try := func(by oncall.UserID, want string) {
		t.Helper()
		w.advance(time.Second)
		made, err := w.Raise(t.Context(), oncall.ByUser(by), oncall.RaiseRequest{Team: 1, Text: "from " + string(by) + w.clock().String(), Confirmed: true}, store.MessageRef{}, w.clock())
		switch {
		case want == "" && err != nil:
			t.Errorf("%s may not page: %v, want no error", by, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %+v, %v, want %q", by, made, err, want)
		}
	}
	again := func(sql string) {
		t.Helper()
		w.exec(sql)
		w.System = w.another()
	}
	again(`SELECT 1`)
	try("U0PAT", "")
	try("U0MAL", "Guests of the workspace can do this only in teams that name them")
	try("U0EVE", "Only people of the workspace that runs Watchbill can do this")
	again(`UPDATE teams SET acts = 'team'`)
	try("U0PAT", "Only members of the team")
	try(bo, "")
	again(`UPDATE teams SET acts = '', private = true`)
	try("U0PAT", "")
	try("U0MAL", "Guests")
	// The person who raised it may only add to it and resolve it.
	id := oncall.IncidentID(w.count(`SELECT max(id) FROM incidents`))
	for do, want := range map[oncall.ActKind]string{oncall.ActNote: "", oncall.ActAck: "private team", oncall.ActEscalate: "private team"} {
		_, err := w.Act(t.Context(), id, oncall.ByUser("U0PAT"), oncall.Act{Do: do, Text: "more"}, w.clock())
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v, want no error", do, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want an error with %q", do, err, want)
		}
	}
	if _, err := w.Picture(t.Context(), oncall.ByUser("U0PAT"), id, w.clock()); err == nil {
		t.Error("who raised an incident of a private team sees it")
	}
	if _, err := w.Act(t.Context(), id, oncall.ByUser("U0PAT"), oncall.Act{Do: oncall.ActResolve}, w.clock()); err != nil {
		t.Error(err)
	}
	// They may not name its schedules.
	if _, err := w.Raise(t.Context(), oncall.ByUser("U0PAT"), oncall.RaiseRequest{Team: 1, Schedule: 1, Text: "x", Confirmed: true}, store.MessageRef{}, w.clock()); err == nil {
		t.Error("a schedule of a private team was paged by somebody who doesn't see it")
	}
}
