package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

const month = 30 * 24 * time.Hour

// retain deletes everything that ended over a month ago, and returns how many incidents each step deleted.
func (w *world) retain() (steps []int) {
	w.t.Helper()
	for last := oncall.IncidentID(0); len(steps) < 50; {
		r := must[store.Removal](w.t)(w.RemoveIncidents(w.t.Context(), w.clock().Add(-month), last))
		steps = append(steps, r.Incidents)
		if !r.More {
			return steps
		}
		last = r.Last
	}
	w.t.Fatal("it never ends")
	return nil
}

// An incident is deleted with everything that belongs to it once it has been over for its term.
// Incidents stay if they are open, were merged into one that stays, or recently had a signal. The
// newest stays too, because numbering continues from it.
func TestRetentionDeletesWholeIncident(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.System)
	for _, key := range []string{"over", "open", "merged", "heard of", "newest"} {
		w.accept(trigger(key))
		w.fold()
	}
	at := w.clock()
	must[store.Drawing](t)(w.BeginDraw(t.Context(), 1, 1, at))
	w.check(w.RootPosted(t.Context(), 1, store.MessageRef{Channel: "C1", TS: "1.1"}, at))
	w.exec(`INSERT INTO drawing_copies (incident_id, channel, ts, user_id, why, drawn) VALUES (1, 'D1', '1.2', $1, '', 1)`, ann)
	w.accept(resolve("over"), resolve("heard of"), resolve("newest"))
	w.fold()
	w.exec(`UPDATE incidents SET status = 'resolved', resolved_at = $1, merged_into = 2 WHERE id = 3`, at)
	w.exec(`UPDATE incidents SET last_signal_at = $1 WHERE id = 4`, at.Add(2*month))
	of := func(id int) (found string) {
		for _, table := range w.strings(`SELECT table_name::text FROM information_schema.columns WHERE column_name = 'incident_id' AND table_schema = current_schema() ORDER BY 1`) {
			if n := w.count(fmt.Sprintf(`SELECT count(*) FROM %s WHERE incident_id = %d`, pgx.Identifier{table}.Sanitize(), id)); n > 0 {
				found += table + " "
			}
		}
		return found
	}
	if got, want := of(1), "alerts drawing_copies drawings incident_events pages "; got != want {
		t.Fatalf("to the incident belongs what is in %q, want %q", got, want)
	}
	rest := w.count(`SELECT count(*) FROM incident_events WHERE incident_id <> 1`)
	w.advance(month)
	w.retain()
	if n := w.count(`SELECT count(*) FROM incidents`); n != 5 {
		t.Errorf("%d incidents are left on the last day of the term, want 5", n)
	}
	w.advance(time.Second)
	w.retain()
	if got := w.strings(`SELECT id::text FROM incidents ORDER BY incidents.id`); fmt.Sprint(got) != "[2 3 4 5]" {
		t.Errorf(`incidents %v are left, want "[2 3 4 5]"`, got)
	}
	if got := of(1); got != "" {
		t.Errorf("of the incident something is left in %q, want nothing", got)
	}
	if n := w.count(`SELECT count(*) FROM incident_events`); n != rest {
		t.Errorf("%d events of others are left, want %d", n, rest)
	}
	w.accept(resolve("open"), trigger("next"))
	w.fold()
	w.advance(2*month + time.Second)
	w.exec(`UPDATE incidents SET status = 'resolved', resolved_at = $1 WHERE id = 6`, at)
	w.retain()
	if got := w.strings(`SELECT id::text FROM incidents ORDER BY incidents.id`); fmt.Sprint(got) != "[6]" {
		t.Errorf(`incidents %v are left after all were over, want "[6]"`, got)
	}
	w.accept(trigger("over"))
	w.fold()
	if in := w.incident(7); in.Status != oncall.Triggered {
		t.Errorf("the next incident: %+v, want Status %v", in, oncall.Triggered)
	}
}

// Everything that refers to an incident is deleted with it, and only with it.
func TestRetentionDeletesAllOfAnIncident(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	if got := w.strings(`SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND confrelid = 'incidents'::regclass AND confdeltype <> 'c'`); len(got) != 0 {
		t.Errorf("incidents can't leave because of %v: its foreign key needs ON DELETE CASCADE, want none", got)
	}
	for _, sql := range []string{`DELETE FROM incident_events`, `DELETE FROM incidents`, `TRUNCATE incidents CASCADE`, `DELETE FROM audit_log`, `UPDATE audit_log SET name = ''`, `TRUNCATE audit_log`} {
		if _, err := w.Pool().Exec(t.Context(), sql); err == nil {
			t.Errorf("%s was done, want an error", sql)
		}
	}
}

// plantOld adds incidents that were over at the start, each with alerts.
func (w *world) plantOld(from, to, alerts int) {
	w.t.Helper()
	w.exec(`
		INSERT INTO incidents (id, team_id, policy_id, integration_id, group_key, title, body, link, severity, status, version, opened_at, signal_count,
		                       last_signal_at, flaps, acked_by, resolved_by, resolved_at, seq, round, step, run, exhausted)
		SELECT n, i.team_id, i.policy_id, i.id, 'g' || n, 'old', '', '', 'high', 'resolved', 3, $4, 2, $4, 0, '{}', '{}', $4, 1, 0, 0, 0, false
		FROM generate_series($1::bigint, $2) n, integrations i WHERE i.id = $3`, from, to, w.integration, start)
	w.exec(`
		INSERT INTO alerts (integration_id, dedup_key, group_key, incident_id, firing, title, body, link, severity, labels, count, first_at, last_at, cleared_at)
		SELECT $3, 'k' || n || '/' || a, 'g' || n, n, false, 'old', '', '', 'high', '{}', 1, $4::timestamptz, $4, $4
		FROM generate_series($1::bigint, $2) n, generate_series(1, $5::int) a`, from, to, w.integration, start, alerts)
	w.exec(`
		INSERT INTO incident_events (incident_id, at, kind, actor, detail)
		SELECT n, $3, 'opened', '{}', '{}' FROM generate_series($1::bigint, $2) n`, from, to, start)
}

// A step deletes little, even if one incident has a lot of data, and it waits for no lock.
func TestOldIncidentsLeaveInSmallSteps(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plantOld(1, 450, 1)
	w.plantOld(451, 460, 1_000)
	w.plantOld(461, 461, 12_000)
	w.plantOld(462, 470, 1)
	w.advance(month + time.Second)
	tx, err := w.Pool().Begin(t.Context())
	w.check(err)
	if _, err := tx.Exec(t.Context(), `SELECT FROM incidents WHERE id IN (7, 8) FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	// Two of the first 200 are locked; ten have a thousand alerts each; one has 12,000, which go first.
	if got, want := fmt.Sprint(w.retain()), "[198 200 54 4 2 0 0 9]"; got != want {
		t.Errorf("the steps remove %s, want %s", got, want)
	}
	if got := w.strings(`SELECT id::text FROM incidents ORDER BY incidents.id`); fmt.Sprint(got) != "[7 8 470]" {
		t.Errorf(`incidents %v are left, want "[7 8 470]"`, got)
	}
	w.check(tx.Rollback(t.Context()))
	if got := fmt.Sprint(w.retain()); got != "[2]" {
		t.Errorf("the next time the steps remove %s, want %s", got, "[2]")
	}
}

// While old incidents are deleted, signals are folded and people act. Only a signal with the key of an alert that is being
// deleted waits.
func TestRetentionDoesNotBlockSignals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.System)
	w.accept(trigger("old"))
	w.fold()
	w.accept(trigger("open"))
	w.fold()
	w.accept(resolve("old"))
	w.fold()
	tx, err := w.Pool().Begin(t.Context())
	w.check(err)
	tag, err := tx.Exec(t.Context(), `DELETE FROM incidents WHERE id = 1`)
	if err != nil || tag.RowsAffected() != 1 {
		t.Fatalf("%v, %v, want one row changed", tag, err)
	}
	w.accept(trigger("old"), trigger("new"), resolve("open"))
	w.until("the others are folded", func() bool { return w.count(`SELECT count(*) FROM inbox`) == 1 })
	if _, err := w.Act(t.Context(), 3, oncall.ByUser(ann), oncall.Act{Do: oncall.ActAck}, w.clock()); err != nil {
		t.Errorf("somebody acts: %v", err)
	}
	w.check(tx.Commit(t.Context()))
	w.fold()
	if n := w.count(`SELECT count(*) FROM alerts WHERE dedup_key = 'old' AND firing AND incident_id = 4`); n != 1 {
		t.Errorf("what fires again has not opened an incident: got %v, want 1", n)
	}
}

// The audit log has a retention of its own, as have notices that aren't about incidents.
func TestAuditLogHasItsOwnTerm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.check(w.MuteIntegration(t.Context(), oncall.ByUser(ann), "grafana", nil, start.Add(month)))
	before := w.count(`SELECT count(*) FROM audit_log WHERE at < $1`, start.Add(month))
	w.exec(`INSERT INTO notices (key, recipient, kind, about, facts, version, created_at, channel, ts, drawn)
		SELECT 'k' || n, $1, 'x', 0, '{}', 1, $2, '', '', 0 FROM generate_series(1, 1500) n`, ann, start.Add(-month))
	w.plantOld(1, 2, 1)
	w.advance(month + time.Second)
	w.retain()
	removed, more, err := w.RemoveHistory(t.Context(), start)
	if removed != 1_000 || !more || err != nil {
		t.Errorf("%d notices, more %v, %v; want 1,000 removed and more to come", removed, more, err)
	}
	if removed, more, err = w.RemoveHistory(t.Context(), start); removed != 500 || more || err != nil {
		t.Errorf("then %d notices, more %v, %v; want 500 removed and no more to come", removed, more, err)
	}
	if n := w.count(`SELECT count(*) FROM audit_log`); n != before+1 || before == 0 {
		t.Errorf("%d entries are left by the other terms, want %d, of several", n, before+1)
	}
	removed, more, err = w.RemoveAudit(t.Context(), start.Add(month))
	if removed != before || more || err != nil {
		t.Errorf("%d entries were removed, more: %t, %v, want %d and no more", removed, more, err, before)
	}
	if n := w.count(`SELECT count(*) FROM audit_log`); n != 1 {
		t.Errorf("%d entries are left, want 1", n)
	}
	oldest := must[store.Oldest](t)(w.Oldest(t.Context()))
	if !oldest.Audit.Equal(start.Add(month)) || !oldest.Incident.Equal(start) {
		t.Errorf("the oldest: %+v; want Audit %v and Incident %v", oldest, start.Add(month), start)
	}
}
