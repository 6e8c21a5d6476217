package store_test

import (
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// Somebody is asked each working morning after an action is due, once however many instances look, until it is done.
func TestActionsAreAskedAbout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.open().ID
	friday := time.Date(2026, 3, 6, 23, 0, 0, 0, time.UTC)
	a, err := w.AddReviewAction(t.Context(), oncall.ByUser(bo), id, oncall.ReviewAction{UserID: ann, Text: "fix the alert", DueAt: friday}, start)
	if err != nil {
		t.Fatal(err)
	}
	asked := func(at time.Time) int {
		t.Helper()
		for range 2 {
			if err := w.AskReviewActions(t.Context(), at); err != nil {
				t.Fatal(err)
			}
		}
		return w.count(`SELECT count(*) FROM notices WHERE kind = 'review_action' AND recipient = 'U0ANN'`)
	}
	monday := time.Date(2026, 3, 9, 8, 1, 0, 0, time.UTC) // 9:01 in Berlin
	for _, c := range []struct {
		at   time.Time
		want int
	}{{friday.Add(time.Hour), 0}, {monday, 1}, {monday.Add(8 * time.Hour), 1}, {monday.AddDate(0, 0, 1), 2}} {
		if n := asked(c.at); n != c.want {
			t.Errorf("at %s Ann was asked %d times, want %d", c.at, n, c.want)
		}
	}
	if own, err := w.OwnReviewActions(t.Context(), oncall.ByUser(ann)); err != nil || len(own) != 1 || own[0].Text != "fix the alert" {
		t.Errorf(`Ann's are %+v, %v; want one, with the text "fix the alert"`, own, err)
	}
	if _, err := w.EndReviewAction(t.Context(), oncall.ByUser(ann), a.ID, true, monday.AddDate(0, 0, 1)); err != nil {
		t.Fatal(err)
	}
	if n := asked(monday.AddDate(0, 0, 3)); n != 2 {
		t.Errorf("put off, Ann was asked %d times, want 2", n)
	}
	if n := asked(monday.AddDate(0, 0, 9)); n != 3 {
		t.Errorf("a week later Ann was asked %d times, want 3", n)
	}
	for range 2 { // the second time changes nothing
		if _, err := w.EndReviewAction(t.Context(), oncall.ByUser(ann), a.ID, false, monday.AddDate(0, 0, 9)); err != nil {
			t.Fatal(err)
		}
	}
	if n := asked(monday.AddDate(0, 0, 30)); n != 3 {
		t.Errorf("done, Ann was asked %d times, want 3", n)
	}
	all, err := w.ReviewActions(t.Context(), oncall.ByUser(bo), id)
	if err != nil || len(all) != 1 || all[0].DoneBy != ann {
		t.Errorf("they are %+v, %v; want one, done by %v", all, err, ann)
	}
	if n := w.count(`SELECT count(*) FROM notices WHERE kind = 'review_action' AND facts ->> 'state' IS NULL`); n != 0 {
		t.Errorf("%d notices still have their buttons, want 0", n)
	}
}

// A private team's incident gives no action to somebody who may not see it, and tells nobody of its actions.
func TestActionsOfPrivateTeams(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.open().ID
	w.exec(`UPDATE teams SET private = true`)
	by := oncall.ByUser(ann)
	if _, err := w.AddReviewAction(t.Context(), by, id, oncall.ReviewAction{UserID: di, Text: "fix it"}, start); err == nil {
		t.Error("Di, who is in no team, got an action")
	}
	a, err := w.AddReviewAction(t.Context(), by, id, oncall.ReviewAction{UserID: bo, Text: "fix it"}, start)
	if err != nil {
		t.Fatal(err)
	}
	stranger := oncall.ByUser(di)
	if _, err := w.ReviewActions(t.Context(), stranger, id); err == nil {
		t.Error("Di, who may not see it, has read the review's actions")
	}
	if _, err := w.EndReviewAction(t.Context(), stranger, a.ID, false, start); err == nil {
		t.Error("Di, who may not act on it, has ended an action")
	}
	if _, err := w.AddReviewAction(t.Context(), stranger, id, oncall.ReviewAction{UserID: bo, Text: "fix it"}, start); err == nil {
		t.Error("Di, who may not act on it, has added an action")
	}
}

// Former members of a private team are neither shown nor asked about its review actions; the action's author is asked.
func TestReviewActionsHideFromFormerMembers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.open().ID
	if _, err := w.AddReviewAction(t.Context(), oncall.ByUser(ann), id, oncall.ReviewAction{UserID: cy, Text: "fix it"}, start); err != nil {
		t.Fatal(err)
	}
	if own, err := w.OwnReviewActions(t.Context(), oncall.ByUser(cy)); err != nil || len(own) != 1 {
		t.Fatalf("Cy reads %+v, %v; want the action", own, err)
	}
	doc := payments()
	doc.Teams[0].Members, doc.Teams[0].Private = []string{"ann", "bo"}, true
	doc.Policies[0].Steps[1].Page = []string{"user bo"}
	if _, err := w.Apply(t.Context(), doc, store.ApplyOptions{Write: true}, start); err != nil {
		t.Fatal(err)
	}
	if own, err := w.OwnReviewActions(t.Context(), oncall.ByUser(cy)); err != nil || len(own) != 0 {
		t.Errorf("Cy reads %+v, %v; want nothing", own, err)
	}
	if err := w.AskReviewActions(t.Context(), start.AddDate(0, 0, 14)); err != nil {
		t.Fatal(err)
	}
	if got := w.strings(`SELECT recipient FROM notices WHERE kind = 'review_action'`); len(got) != 1 || got[0] != string(ann) {
		t.Errorf("%v are asked, want Ann", got)
	}
}
