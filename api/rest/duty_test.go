package rest_test

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/api/rest"
	"github.com/watchbill/watchbill/oncall"
)

// askDocumented makes a request of a documented operation, and checks request and response against the
// document.
func (w *world) askDocumented(t *testing.T, doc contract, key, id, path, body string, code int) reply {
	t.Helper()
	method, _, _ := strings.Cut(doc.operations()[id], " ")
	r := w.post(key, method, path, body, code)
	doc.check(t, method, call{id: id, path: path, body: body}, r)
	return r
}

// Programs of two people swap their shifts, and one takes another's: with their own keys, and
// nobody else's.
func TestProgramsSwapAndCover(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc := readContract(t)
	of := func(user oncall.UserID) string {
		return w.key(oncall.APIKey{Name: string(user), Owner: user}, oncall.ScopeAct)
	}
	ann, bo, cy := of("U0ANN"), of("U0BO"), of("U0CY")
	var swap rest.Swap
	const body = `{"give": {"schedule": "primary", "at": "2026-03-17T12:00:00Z"}, "take": {"schedule": "primary", "user": "bo", "at": "2026-03-10T12:00:00Z"}, "note": "wedding"}`
	w.askDocumented(t, doc, ann, "create-swap", "/swaps", body, 201).into(t, &swap)
	if swap.Give.User.ID != "U0ANN" || swap.Take.User.ID != "U0BO" {
		t.Errorf("%s gives a shift and %s takes it, want Ann and Bo", swap.Give.User.ID, swap.Take.User.ID)
	}
	if swap.State != "open" || swap.Note != "wedding" {
		t.Errorf("the swap is %s with the note %q, want it open with the note \"wedding\"", swap.State, swap.Note)
	}
	w.post(ann, "POST", "/swaps", body, 409)
	w.post(cy, "POST", "/swaps", `{"give": {"schedule": "primary", "user": "ann", "at": "2026-03-31T12:00:00Z"}, "take": {"schedule": "primary", "user": "bo", "at": "2026-03-10T12:00:00Z"}}`, 403)
	w.post(ann, "POST", "/swaps", `{"give": {"schedule": "primary", "at": "2026-03-10T12:00:00Z"}, "take": {"schedule": "primary", "user": "bo", "at": "2026-03-10T12:00:00Z"}}`, 422)
	acts := fmt.Sprintf("/swaps/%d/acts", swap.ID)
	w.post(cy, "POST", acts, `{"act": "accept"}`, 409)
	w.askDocumented(t, doc, bo, "act-on-swap", acts, `{"act": "accept"}`, 200).into(t, &swap)
	if r := w.askDocumented(t, doc, bo, "list-swaps", "/swaps", "", 200); !strings.Contains(r.text, `"state":"accepted"`) {
		t.Errorf("got %s, want it with %q", r.text, `"state":"accepted"`)
	}
	if r := w.get(bo, "/oncall?schedule=primary&at=2026-03-10T12:00:00Z", 200); swap.State != "accepted" || !strings.Contains(r.text, `"users":[{"id":"U0ANN"`) {
		t.Errorf("got swap %+v and on call %s, want it accepted and ann on call", swap, r.text)
	}
	w.post(bo, "POST", "/swaps/999/acts", `{"act": "accept"}`, 404)

	var cover rest.Cover
	const ask = `{"shift": {"schedule": "primary", "at": "2026-03-04T12:00:00Z"}, "start": "2026-03-04T12:00:00Z", "end": "2026-03-04T16:00:00Z", "note": "dentist", "everyone": true}`
	w.askDocumented(t, doc, ann, "create-cover", "/covers", ask, 201).into(t, &cover)
	w.askDocumented(t, doc, ann, "list-covers", "/covers", "", 200)
	w.post(w.scopeKey(oncall.ScopeAct), "POST", "/covers", ask, 409)
	w.askDocumented(t, doc, cy, "act-on-cover", fmt.Sprintf("/covers/%d/acts", cover.ID), `{"act": "take"}`, 200).into(t, &cover)
	if cover.State != "taken" || len(cover.Taken) != 1 || cover.Taken[0].User.ID != "U0CY" {
		t.Errorf("got %+v, want State \"taken\", 1 taken and ID \"U0CY\"", cover)
	}
}

// A person's own data is accessible to them and to admins.
func TestContactsAndRulesArePersonal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc := readContract(t)
	ann, bo := w.key(oncall.APIKey{Name: "ann", Owner: "U0ANN"}, oncall.ScopeAct), w.key(oncall.APIKey{Name: "bo", Owner: "U0BO"}, oncall.ScopeAct)
	var made rest.Contact
	w.askDocumented(t, doc, ann, "create-contact", "/users/ann/contacts", `{"method": "email", "address": "ann@home.example"}`, 201).into(t, &made)
	if made.Verified || strings.Contains(made.Shown, "ann@home.example") {
		t.Errorf("got %+v, want it unverified, without showing the address", made)
	}
	w.post(ann, "POST", "/users/ann/contacts", `{"method": "email", "address": "nowhere"}`, 409)
	w.post(bo, "POST", "/users/ann/contacts", `{"method": "email", "address": "bo@home.example"}`, 403)
	one := fmt.Sprintf("/users/ann/contacts/%d", made.ID)
	if r := w.post(ann, "POST", one+"/verify", `{"code": "000000"}`, 409); !strings.Contains(r.text, "code") {
		t.Errorf("got %s, want it with \"code\"", r.text)
	}
	_, err := w.pool.Exec(t.Context(), `UPDATE contacts SET verified_at = $1`, start)
	w.must(err)
	rules := fmt.Sprintf(`{"high": [{"contact": 0, "after": "0s"}, {"contact": %d, "after": "5m"}], "low": [], "hours": [{"days": ["mon", "tue"], "from": "10:00", "to": "16:00"}]}`, made.ID)
	w.askDocumented(t, doc, ann, "put-rules", "/users/ann/rules", rules, 204)
	if r := w.askDocumented(t, doc, ann, "get-rules", "/users/ann/rules", "", 200); !strings.Contains(r.text, `"after":"5m0s"`) || !strings.Contains(r.text, `"from":"10:00"`) {
		t.Errorf("got %s, want it with %q and with %q", r.text, `"after":"5m0s"`, `"from":"10:00"`)
	}
	w.post(bo, "GET", "/users/ann/rules", "", 403)
	w.post(bo, "PUT", "/users/ann/rules", rules, 403)
	w.askDocumented(t, doc, ann, "test-contacts", "/users/ann/contacts/test", fmt.Sprintf(`{"contacts": [0, %d]}`, made.ID), 204)
	w.askDocumented(t, doc, ann, "put-reminders", "/users/ann/reminders", `{"before": ["24h", "1h"]}`, 204)
	if r := w.askDocumented(t, doc, ann, "get-reminders", "/users/ann/reminders", "", 200); !strings.Contains(r.text, `"24h0m0s"`) {
		t.Errorf("got %s, want it with %q", r.text, `"24h0m0s"`)
	}
	w.askDocumented(t, doc, w.scopeKey(oncall.ScopeAdmin), "delete-contact", one, "", 204)
	w.post(ann, "DELETE", one, "", 409)
}

// Only managers see single people in a report; its CSV has the same figures.
func TestReportsHideSinglePeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(signalKey, "disk full")
	w.advance(time.Hour)
	manager, reader := w.key(oncall.APIKey{Name: "ann", Owner: "U0ANN"}, oncall.ScopeAdmin), w.scopeKey(oncall.ScopeRead)
	const path = "/teams/payments/report"
	if r := w.get(manager, path, 200); !strings.Contains(r.text, `"people":[{"user":"U0`) || !strings.Contains(r.text, `"incidents":1`) {
		t.Errorf("got %s, want it with %q and with %q", r.text, `"people":[{"user":"U0`, `"incidents":1`)
	}
	if r := w.get(reader, path, 200); strings.Contains(r.text, "U0") {
		t.Errorf("of single people: got %s, want it without \"U0\"", r.text)
	}
	r := w.get(reader, path+".csv?period=90%20days", 200)
	rows, err := csv.NewReader(strings.NewReader(r.text)).ReadAll()
	if err != nil || len(rows) < 10 || r.header.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("got CSV %s, %v, want 10 rows or more", r.text, err)
	}
	w.get(reader, path+"?period=someday", 422)
	w.get(reader, "/teams/secret/report", 404)
	w.get(w.key(oncall.APIKey{Name: "bo", Owner: "U0BO"}, oncall.ScopeAct), "/users/ann/report", 403)
	w.get(w.key(oncall.APIKey{Name: "cy", Owner: "U0CY"}, oncall.ScopeAct), "/users/cy/report", 200)
}
